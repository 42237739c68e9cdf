"""Courses as the database has them, and what happens when two people change one at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from slurmhub.courses.changes import Document, Merged, document_of, merged
from slurmhub.courses.errors import CourseError
from slurmhub.courses.model import Course, Role, State
from slurmhub.courses.people import Member
from slurmhub.courses.record import Entry, fields_said
from slurmhub.options.refusal import Problem
from slurmhub.options.words import moment_plain


@dataclass(frozen=True)
class Stored:
    """A course and what it is at; moments are in seconds since the epoch.

    `version` counts the changes of the course itself, not of who is in it. `waiting` is why Slurm
    has not all of it yet, empty when it has; `realised` is when that was last looked at.
    """

    course: Course
    version: int
    state: State
    owner: str
    created: float
    changed: float
    frozen: float | None = None
    ended: float | None = None
    realised: float | None = None
    waiting: str = ""

    @property
    def key(self) -> str:
        """The course's own name."""
        return self.course.key


@dataclass(frozen=True)
class Enrolment:
    """A course that somebody is in, and as what."""

    stored: Stored
    member: Member

    @property
    def role(self) -> Role:
        """What they are in it."""
        return self.member.role


@dataclass(frozen=True)
class Snapshot:
    """Everything at one moment: all courses that are not gone, and the members of each.

    `revision` grows with each change of anything in it.
    """

    revision: int
    courses: tuple[Stored, ...]
    members: Mapping[str, tuple[Member, ...]]


@dataclass(frozen=True)
class Request:
    """Something above what makers have freely, for which somebody asks.

    `changes` are the fields of the course with what they would be; of a course that was never open
    there are none, it is asked for whole. `decision` is None while it waits, then approved,
    refused or withdrawn; `words` are those of who decided.
    """

    number: int
    course: str
    asked_by: str
    asked: float
    changes: Mapping[str, Any]
    reasons: tuple[Problem, ...]
    note: str = ""
    decision: str | None = None
    decided_by: str | None = None
    decided: float | None = None
    words: str = ""

    def wanted(self, now: Course) -> Course:
        """The course as it would be; raises pydantic.ValidationError if it cannot be any more."""
        return Course.model_validate({**document_of(now), **self.changes})


@dataclass(frozen=True)
class Saved:
    """What became of a change: the course as it is now, and what of it waits for approval."""

    stored: Stored
    request: Request | None = None


class CourseChanged(CourseError):
    """Somebody else changed the course meanwhile, and nothing of this change was saved.

    `stored` is the course as it is now, `entries` are the lines of the record since, `merged` is
    both changes in one where they do not touch the same fields.
    """

    def __init__(self, stored: Stored, entries: tuple[Entry, ...], mine: Course | None) -> None:
        last = entries[-1] if entries else None
        fields = tuple(dict.fromkeys(name for one in entries for name in one.fields))
        who = last.who if last else stored.owner
        when = datetime.fromtimestamp(last.at if last else stored.changed, timezone.utc)
        what = fields_said(fields) or "this course"
        self.stored = stored
        self.entries = entries
        self.merged = (
            Merged(None)
            if mine is None
            else merged(before(stored, entries), document_of(stored.course), document_of(mine))
        )
        super().__init__(
            f"{who} changed {what} at {moment_plain(when)}, after you opened it. "
            "Your change was not saved.",
            remedy=_remedy(self.merged),
        )


def before(stored: Stored, entries: tuple[Entry, ...]) -> Document:
    """The course as it was before these lines, which must be all since then, oldest first."""
    document = document_of(stored.course)
    for entry in reversed(entries):
        for name, pair in entry.detail.get("changes", {}).items():
            document[name] = pair[0]
    return document


def _remedy(both: Merged) -> str:
    if both.course is not None:
        return "Both changes fit together: look at them and save again."
    if both.conflicts:
        return f"Both of you changed {fields_said(both.conflicts)}: look at it and decide."
    return "Look at the course as it is now and save again."
