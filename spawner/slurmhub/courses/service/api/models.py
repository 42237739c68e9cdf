"""What the REST API answers with, as pydantic models; moments are in UTC."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from pydantic import AwareDatetime, Field

from slurmhub.courses.kinds import Count, Line
from slurmhub.courses.model import ClassHours, Course, CourseModel, Materials, Role, State, Term
from slurmhub.courses.people import Member, Source
from slurmhub.courses.policy import Bounds, Rates, Retention
from slurmhub.courses.record import Entry, What
from slurmhub.courses.rights import Action
from slurmhub.courses.roster.facts import Identifiers
from slurmhub.courses.stored import Request, Stored
from slurmhub.options.refusal import Problem


def moment(at: float) -> datetime:
    """Seconds since the epoch, in UTC."""
    return datetime.fromtimestamp(at, timezone.utc)


def perhaps(at: float | None) -> datetime | None:
    """The same, where there is one."""
    return None if at is None else moment(at)


class ProblemView(CourseModel):
    """One thing that is wrong: at which field, what was given, what is allowed."""

    field: str
    value: str
    message: str
    limit: str | None = None
    choices: tuple[str, ...] = ()

    @classmethod
    def of(cls, one: Problem) -> ProblemView:
        """What is said of a problem."""
        return cls(
            field=one.field,
            value=one.value,
            message=one.message,
            limit=one.limit,
            choices=one.choices,
        )


class ErrorView(CourseModel):
    """Why something was not done, and what to do; `problems` are those of what was sent.

    Where somebody else was faster, `course` is the course as it is now and `merged` both changes
    in one, if they fit together; where a roster changed meanwhile, `preview` is what it would do.
    """

    what: str
    remedy: str
    problems: tuple[ProblemView, ...] = ()
    course: dict[str, Any] | None = None
    version: int | None = None
    merged: dict[str, Any] | None = None
    preview: dict[str, Any] | None = None


class Me(CourseModel):
    """Whoever asks, and what they may do at this hub."""

    username: str
    groups: tuple[str, ...]
    administrator: bool
    makes_courses: bool
    decides: bool


class PolicyView(CourseModel):
    """What the institution lets people do; environments by their name, with their title."""

    bounds: Bounds
    free: Bounds | None
    total: Bounds
    most_courses: int | None
    partitions: tuple[str, ...]
    environments: dict[str, str]
    repositories: tuple[str, ...]
    retention: Retention
    rates: Rates
    room: str


class Listed(CourseModel):
    """A course in a list; `role` is what whoever asks is in it."""

    key: str
    title: str
    term: Term
    state: State
    role: Role | None


class CourseList(CourseModel):
    """Courses by their key."""

    courses: tuple[Listed, ...]


class Details(CourseModel):
    """What only staff and those who decide see of a course.

    `version` is to be sent with a change. `waiting` is why Slurm has not all of it yet.
    """

    course: Course
    version: int
    owner: str
    created: AwareDatetime
    changed: AwareDatetime
    frozen: AwareDatetime | None
    ended: AwareDatetime | None
    realised: AwareDatetime | None
    waiting: str


class CourseView(CourseModel):
    """A course as whoever asks may see it; `may` is all that they may do now."""

    key: str
    title: str
    description: str
    term: Term
    timezone: str
    state: State
    materials: Materials
    class_hours: tuple[ClassHours, ...]
    role: Role | None
    may: tuple[str, ...]
    details: Details | None

    @classmethod
    def of(cls, stored: Stored, role: Role | None, may: frozenset[Action]) -> CourseView:
        """A course for somebody with this role and these rights."""
        course = stored.course
        return cls(
            key=course.key,
            title=course.title,
            description=course.description,
            term=course.term,
            timezone=course.timezone,
            state=stored.state,
            materials=course.materials,
            class_hours=course.class_hours,
            role=role,
            may=tuple(sorted(one.name.lower() for one in may)),
            details=_details(stored) if Action.SEE_DESCRIPTION in may else None,
        )


def _details(stored: Stored) -> Details:
    return Details(
        course=stored.course,
        version=stored.version,
        owner=stored.owner,
        created=moment(stored.created),
        changed=moment(stored.changed),
        frozen=perhaps(stored.frozen),
        ended=perhaps(stored.ended),
        realised=perhaps(stored.realised),
        waiting=stored.waiting,
    )


class RequestView(CourseModel):
    """What somebody asks approval for; `changes` are the fields as they would be."""

    number: int
    course: str
    asked_by: str
    asked: AwareDatetime
    changes: dict[str, Any]
    reasons: tuple[ProblemView, ...]
    note: str
    decision: str | None
    decided_by: str | None
    decided: AwareDatetime | None
    words: str

    @classmethod
    def of(cls, one: Request) -> RequestView:
        """What is said of a request."""
        return cls(
            number=one.number,
            course=one.course,
            asked_by=one.asked_by,
            asked=moment(one.asked),
            changes=dict(one.changes),
            reasons=tuple(ProblemView.of(each) for each in one.reasons),
            note=one.note,
            decision=one.decision,
            decided_by=one.decided_by,
            decided=perhaps(one.decided),
            words=one.words,
        )


class RequestList(CourseModel):
    """Requests, the oldest first."""

    requests: tuple[RequestView, ...]


class SavedView(CourseModel):
    """A course after a change; `request` is what of it waits for approval."""

    course: CourseView
    request: RequestView | None = None
    lacks: tuple[str, ...] = ()
    """Of a copy: what was not taken over."""


class Checked(CourseModel):
    """Whether a course could be: what stands against it, what needs approval, what does not fit.

    `capacity` is None where there is no cluster to ask, and an empty list where all fits.
    """

    problems: tuple[ProblemView, ...]
    approval: tuple[ProblemView, ...]
    capacity: tuple[str, ...] | None


class IdentifiersView(CourseModel):
    """What somebody is told from others by, where they have not signed in yet."""

    mail: Line | None = None
    eppn: Line | None = None
    login: Line | None = None
    number: Line | None = None

    @property
    def identifiers(self) -> Identifiers:
        """The same, to be compared."""
        return Identifiers(**self.model_dump())


class MemberView(CourseModel):
    """Somebody in a course; `username` is null for who has not signed in yet."""

    number: int
    username: str | None
    name: str
    role: Role
    source: Source
    identifiers: dict[str, str]
    since: AwareDatetime
    dropped: AwareDatetime | None
    dropped_by: str | None

    @classmethod
    def of(cls, one: Member) -> MemberView:
        """What staff see of a member."""
        return cls(
            number=one.number,
            username=one.username,
            name=one.name,
            role=one.role,
            source=one.source,
            identifiers=one.identifiers.as_json(),
            since=moment(one.since),
            dropped=perhaps(one.dropped),
            dropped_by=one.dropped_by,
        )


class MemberList(CourseModel):
    """Everybody who is or was in a course."""

    members: tuple[MemberView, ...]


class CodeView(CourseModel):
    """A join code; `code` itself is there once, in the answer to who made it."""

    number: int
    made_by: str
    made: AwareDatetime
    expires: AwareDatetime
    seats: int
    used: int
    revoked: AwareDatetime | None
    code: str | None = None


class CodeList(CourseModel):
    """Join codes, the oldest first."""

    codes: tuple[CodeView, ...]


class Joined(CourseModel):
    """Somebody is in this course now; `already` says that they were before."""

    course: str
    already: bool


class EntryView(CourseModel):
    """A line of the record; `detail` is for programs."""

    number: int
    at: AwareDatetime
    who: str
    what: What
    subject: str | None
    version: int | None
    sentence: str
    detail: dict[str, Any]

    @classmethod
    def of(cls, one: Entry) -> EntryView:
        """What is said of a line."""
        return cls(
            number=one.number,
            at=moment(one.at),
            who=one.who,
            what=one.what,
            subject=one.subject,
            version=one.version,
            sentence=one.sentence(),
            detail=dict(one.detail),
        )


class Record(CourseModel):
    """The newest lines, oldest first."""

    entries: tuple[EntryView, ...]


class Class(CourseModel):
    """One class."""

    start: AwareDatetime
    end: AwareDatetime
    seats: Count


class Classes(CourseModel):
    """The classes of a term, in order; at most a thousand."""

    classes: tuple[Class, ...] = Field(max_length=1000)
