"""Who did what, when: a line for each thing that is done to a course, never changed again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from slurmhub.options.words import counted, listed


class What(Enum):
    """What was done."""

    CREATED = "created"
    COPIED = "copied"
    CHANGED = "changed"
    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OPENED = "opened"
    FROZEN = "frozen"
    ENDED = "ended"
    OWNER = "owner"
    ROSTER = "roster"
    ADDED = "added"
    CAME = "came"
    DOUBTFUL = "doubtful"
    ROLE = "role"
    DROPPED = "dropped"
    LEFT = "left"
    CODE_MADE = "code-made"
    CODE_REVOKED = "code-revoked"
    CODE_USED = "code-used"
    REMINDED = "reminded"
    HELP_ASKED = "help-asked"
    HELP_ALLOWED = "help-allowed"
    HELP_DENIED = "help-denied"
    HELP_ENDED = "help-ended"
    MESSAGE = "message"
    MESSAGE_GONE = "message-gone"
    EXTENDED = "extended"
    STOPPED = "stopped"
    EXPORTED = "exported"
    REMOVED = "removed"


_SENTENCES = {
    What.CREATED: "{who} made the course.",
    What.COPIED: "{who} copied the course from {source}.",
    What.CHANGED: "{who} changed {fields}.",
    What.ASKED: "{who} asked for approval of {fields}.",
    What.APPROVED: "{who} approved it.",
    What.REFUSED: "{who} did not approve it.",
    What.WITHDRAWN: "{who} asks for approval no more.",
    What.OPENED: "{who} opened the course.",
    What.FROZEN: "{who} froze the course.",
    What.ENDED: "{who} ended the course.",
    What.OWNER: "{who} gave the course to {subject}.",
    What.ROSTER: "{who} changed the roster: {counts}.",
    What.ADDED: "{who} brought {subject} in as {role}.",
    What.CAME: "{subject} came in for the first time.",
    What.DOUBTFUL: "{subject} may be one of several people on the roster.",
    What.ROLE: "{who} gave {subject} another role: {role}.",
    What.DROPPED: "{who} took {subject} out of the course.",
    What.LEFT: "{who} left the course.",
    What.CODE_MADE: "{who} made a join code for {counts}.",
    What.CODE_REVOKED: "{who} revoked a join code.",
    What.CODE_USED: "{who} came in with a join code.",
    What.REMINDED: "The staff were reminded that the course is to end.",
    What.HELP_ASKED: "{who} asked {subject} to be let in to help.",
    What.HELP_ALLOWED: "{who} let {subject} in to help.",
    What.HELP_DENIED: "{who} did not let {subject} in.",
    What.HELP_ENDED: "{who} ended the help of {subject}.",
    What.MESSAGE: "{who} sent a message to the class.",
    What.MESSAGE_GONE: "{who} withdrew a message to the class.",
    What.EXTENDED: "{who} gave the server of {subject} more time.",
    What.STOPPED: "{who} stopped the server of {subject}.",
    What.EXPORTED: "{who} exported the files of the course.",
    What.REMOVED: "What the course had at the hub was taken away.",
}

FIELDS = {
    "title": "the title",
    "description": "the description",
    "term": "the term",
    "timezone": "the time zone",
    "profile": "what each server has",
    "storage": "the folders",
    "materials": "the materials",
    "class_hours": "the class hours",
    "joining": "how students join",
    "seats": "the number of seats",
    "running": "how many servers run at once",
}
"""The fields of a course in plain words."""

_ROLES = {
    "owner": "the owner",
    "instructor": "an instructor",
    "assistant": "an assistant",
    "student": "a student",
}


@dataclass(frozen=True)
class Entry:
    """One line; `at` is in seconds since the epoch, `version` that of the course after it.

    `subject` is whom it was done to. `detail` is for programs: of a change, the fields with what
    they were before and after.
    """

    at: float
    who: str
    course: str
    what: What
    subject: str | None = None
    version: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the course that were changed or asked for."""
        return tuple(self.detail.get("changes", ()))

    def sentence(self) -> str:
        """The line in plain words."""
        return _SENTENCES[self.what].format(
            who=self.who,
            subject=self.subject or "somebody",
            fields=fields_said(self.fields) or "the course",
            role=_ROLES.get(str(self.detail.get("role")), "a member"),
            counts=_counts(self.detail),
            source=self.detail.get("source", "another one"),
        )


def fields_said(names: tuple[str, ...]) -> str:
    """Fields of a course in plain words: the title and the class hours."""
    return listed([FIELDS.get(name, name) for name in names])


def _counts(detail: Mapping[str, Any]) -> str:
    if "limit" in detail:
        return counted(int(detail["limit"]), "student")
    words = {
        "added": "{number} newly in",
        "back": "{number} back again",
        "changed": "{number} written anew",
        "dropped": "{number} taken out",
    }
    said = [words[name].format(number=len(detail[name])) for name in words if detail.get(name)]
    return listed(said) or "nothing at all"
