"""Operations on a registrar's file: what it would change, and doing just that."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from pydantic import Base64Bytes, Field

from slurmhub.courses.model import CourseModel
from slurmhub.courses.rights import Action
from slurmhub.courses.roster.applying import Consent
from slurmhub.courses.roster.matching import Choice
from slurmhub.courses.roster.reading import MOST_BYTES
from slurmhub.courses.service.api.operations import Asked, Operation
from slurmhub.courses.service.hub import HubRefused
from slurmhub.courses.service.identity import HubAway
from slurmhub.courses.service.uploads import Seen, Upload, read_choice
from slurmhub.options.refusal import Problem, Refusal

# Base64 has four characters for three bytes.
_LONGEST = MOST_BYTES * 4 // 3 + 4


class RosterFile(CourseModel):
    """A file as the registrar wrote it, in base64.

    `encoding` is for who knows it. `chosen` says for lines that are doubtful, by their `key`, who
    it is: is:USERNAME, one of the choices; wait, somebody who has not signed in yet; leave-out.
    """

    file: Annotated[Base64Bytes, Field(max_length=_LONGEST)]
    encoding: Annotated[str, Field(max_length=40)] | None = None
    chosen: dict[str, str] = Field({}, max_length=10_000)

    @property
    def upload(self) -> Upload:
        """The same, with what was chosen; raises Refusal."""
        chosen: dict[str, Choice] = {}
        for key, text in self.chosen.items():
            choice = read_choice(text)
            if choice is None:
                words = "It must be is: and a username, wait, or leave-out."
                raise Refusal(
                    [Problem("chosen", text, words)],
                    what="What was sent cannot be taken.",
                    remedy="Correct what is named here and send it again.",
                )
            chosen[key] = choice
        return Upload(self.file, self.encoding, chosen)


class RosterSeen(RosterFile):
    """A file whose preview has this fingerprint.

    Without `drop` nobody is dropped; `drop_many` is the second yes, where `asks_again` is true.
    """

    fingerprint: Annotated[str, Field(max_length=64)]
    drop: bool = False
    drop_many: bool = False


class RosterLine(CourseModel):
    """What is done to one person; `key` is what a choice is given for, `lines` those of the file.

    `change` is doubtful, dropped, added, back, changed, unchanged, staff, kept or left-out.
    """

    change: str
    name: str
    username: str | None
    identifiers: dict[str, str]
    lines: tuple[int, ...]
    key: str | None
    choices: tuple[str, ...]
    words: tuple[str, ...]
    running: bool


class RosterRemark(CourseModel):
    """Something odd in the file; `done` is noted, taken, left or skipped."""

    message: str
    done: str
    line: int | None
    value: str


class RosterPreview(CourseModel):
    """All that a file would change, and how it was read."""

    course: str
    fingerprint: str
    counts: dict[str, int]
    asks_again: bool
    warnings: tuple[str, ...]
    lines: tuple[RosterLine, ...]
    remarks: tuple[RosterRemark, ...]
    more_remarks: int
    encoding: str
    delimiter: str
    headings: tuple[str, ...]


class RosterDone(CourseModel):
    """How many of each were changed."""

    added: int
    back: int
    changed: int
    dropped: int


async def _preview(asked: Asked) -> RosterPreview:
    upload = asked.body.upload
    # Whoever may not see the class is not told by the hub who has servers.
    await asyncio.to_thread(asked.courses.get, asked.person, asked.key, Action.CHANGE_ROSTER)
    running: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    if asked.hub is not None:
        try:
            found = await asked.hub.users_with_servers()
        except (HubAway, HubRefused):
            unknown = ("Who has a server just now is not known: the hub does not say.",)
        else:
            running = tuple(name for name, servers in found.items() if asked.key in servers)
    seen = await asyncio.to_thread(upload.preview, asked.courses, asked.person, asked.key, running)
    return _view(seen, unknown)


def _view(seen: Seen, unknown: tuple[str, ...]) -> RosterPreview:
    reading = seen.reading
    values: dict[str, Any] = seen.preview.as_json()
    return RosterPreview.model_validate(
        {
            **values,
            "warnings": [*seen.preview.warnings, *unknown],
            "remarks": [
                {"message": one.message, "done": one.done.value, "line": one.line}
                | {"value": one.value}
                for one in reading.remarks
            ],
            "more_remarks": reading.more,
            "encoding": reading.encoding,
            "delimiter": reading.delimiter,
            "headings": reading.headings,
        }
    )


def _apply(asked: Asked) -> RosterDone:
    body: RosterSeen = asked.body
    done = body.upload.apply(
        asked.courses,
        asked.person,
        asked.key,
        body.fingerprint,
        Consent(drop=body.drop, drop_many=body.drop_many),
    )
    return RosterDone(
        added=len(done.added),
        back=len(done.back),
        changed=len(done.changed),
        dropped=len(done.dropped),
    )


OPERATIONS = (
    Operation(
        *("previewRoster", "POST", "courses/{key}/roster/preview", "What a file would change"),
        answer=RosterPreview,
        wait=_preview,
        body=RosterFile,
        errors=(403, 404, 409),
        about="Changes nothing.",
    ),
    Operation(
        *("applyRoster", "POST", "courses/{key}/roster/apply", "Do what a preview showed"),
        answer=RosterDone,
        call=_apply,
        body=RosterSeen,
        errors=(403, 404, 409),
        about="409 if anything changed meanwhile: then nothing was done, and `preview` is new.",
    ),
)
