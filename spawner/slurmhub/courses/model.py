"""A course, as page, command, file and REST all mean it: one model, checked at one place.

What an institution allows of it is in `policy`; who is in it in `people`; the database in `store`.
"""

from __future__ import annotations

from datetime import date, time
from enum import Enum
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from typing_extensions import Self

from slurmhub.courses.kinds import (
    Amount,
    Branch,
    Count,
    GpuType,
    HomeFolder,
    Hours,
    InnerPath,
    Key,
    Line,
    PartitionName,
    TimeZone,
)

LONGEST_TERM = 400
"""Days."""

MOST_CLASSES = 20
"""Hours of a class in one week."""


# Before and after these, calendars and time zones say nothing that is of use.
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2199, 12, 31))]


class CourseModel(BaseModel):
    """What all of this has in common: it is never changed, and takes nothing that it has not."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Term(CourseModel):
    """From the morning of the first day to the end of the last, in the course's time zone."""

    name: Line
    first: Day
    last: Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"ends on {self.last}, before it begins on {self.first}")
        if (self.last - self.first).days > LONGEST_TERM:
            raise ValueError(f"is longer than {LONGEST_TERM} days; make a course for each term")
        return self


class Profile(CourseModel):
    """What each server of the course has: nobody is asked for anything else."""

    partition: PartitionName
    cpus: Annotated[int, Field(ge=1, le=4096)]
    memory: Amount
    gpus: Annotated[int, Field(ge=0, le=64)] = 0
    gpu_type: GpuType | None = None
    hours: Hours
    environment: str = Field("", max_length=64)
    """One of the institution's environments by its name; empty: its usual one."""

    @model_validator(mode="after")
    def _gpus_agree(self) -> Self:
        if self.gpu_type is not None and not self.gpus:
            raise ValueError(f"names the GPU type {self.gpu_type}, and has no GPU")
        return self


class Storage(CourseModel):
    """The course's folders. `quota` is what all of them have together, None: the usual."""

    shared: bool = True
    """Staff write, students read."""
    data: bool = False
    """All read, staff write; not in what is exported, since it may be large."""
    drop: bool = False
    """Each student writes in a folder of their own, which other students cannot read."""
    exchange: bool = False
    """nbgrader's exchange of this course."""
    quota: Amount | None = None

    @property
    def folders(self) -> tuple[str, ...]:
        """The names of those that there are."""
        return tuple(name for name in ("shared", "data", "drop", "exchange") if getattr(self, name))


def _repository(value: str) -> str:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ValueError("is no address of a repository") from error
    host, path = parts.hostname or "-", parts.path.split("/")
    if parts.scheme != "https" or host.startswith("-") or not any(path) or len(value) > 1000:
        raise ValueError("must be an address such as https://git.example.ca/phys/phys101.git")
    if parts.username or parts.password or port == 0 or parts.query or parts.fragment:
        raise ValueError("must be the plain address: no name, password, '?' or '#'")
    # As programs read it: an escaped line break is one again where git asks for a password.
    read = unquote(value)
    if ".." in path or not read.isprintable():
        raise ValueError("has parts that no address of a repository has: '..' or line breaks")
    if not value.isascii() or any(letter in value for letter in " \"'\\`$;&|<>(){}"):
        raise ValueError("has letters that no address has; write them as %..")
    return value


class Repository(CourseModel):
    """A git repository that nbgitpuller brings into each student's home."""

    url: Annotated[str, AfterValidator(_repository)]
    branch: Branch = "main"
    folder: HomeFolder | None = None
    """Its folder in the home; None: the course's key."""


class Materials(CourseModel):
    """What is open when a student's server starts."""

    repository: Repository | None = None
    open: InnerPath | None = None
    """What JupyterLab opens, in the repository if there is one, else in the shared folder."""


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""As date.weekday() counts them."""


class ClassHours(CourseModel):
    """One class in each week of the term, in the course's time zone; `end` may be after midnight.

    `seats` is for how many servers there is room, None: as many as the roster has. `without` are
    days on which there is no class.
    """

    weekday: Weekday
    start: time
    end: time
    seats: Annotated[int, Field(ge=1, le=10_000)] | None = None
    without: tuple[date, ...] = Field((), max_length=60)

    @model_validator(mode="after")
    def _is_a_class(self) -> Self:
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("has a time zone of its own; times are in that of the course")
        if self.start.second or self.end.second or self.start.microsecond or self.end.microsecond:
            raise ValueError("begins and ends at whole minutes")
        if self.start == self.end:
            raise ValueError("ends when it begins")
        return self


class Joining(CourseModel):
    """How students come in by themselves, beside roster and code.

    `group` is a group of the hub, such as one that sign-in makes of an attribute: who is in it is
    in the course.
    """

    group: str | None = Field(None, min_length=1, max_length=255)


class Course(CourseModel):
    """One course in one term."""

    key: Key
    title: Line
    description: str = Field("", max_length=2000)
    term: Term
    timezone: TimeZone
    profile: Profile
    storage: Storage = Storage()
    materials: Materials = Materials()
    class_hours: tuple[ClassHours, ...] = Field((), max_length=MOST_CLASSES)
    joining: Joining = Joining()
    seats: Annotated[int, Field(ge=1, le=10_000)]
    """How many students the course is for: its limits in Slurm follow from them."""
    running: Count | None = None
    """How many of its servers may run at once, None: one for each seat."""

    @property
    def most_running(self) -> int:
        """How many of its servers may run at once."""
        return self.seats if self.running is None else min(self.running, self.seats)


class State(Enum):
    """What a course is at; the order is that of its life."""

    WAITING = "waiting"
    """For somebody's approval: it is more than its makers may have by themselves."""
    REFUSED = "refused"
    OPEN = "open"
    FROZEN = "frozen"
    """It is over: files can be read, nothing starts."""
    ENDED = "ended"
    """What it had is being taken away, or is gone; what was done is still known."""

    @property
    def served(self) -> bool:
        """Whether Slurm has an account for it and its folders are there."""
        return self in (State.OPEN, State.FROZEN)


class Role(Enum):
    """What somebody is in a course; the first may do most."""

    OWNER = "owner"
    """Made it, or was given it: changes everything, staff too."""
    INSTRUCTOR = "instructor"
    """Changes everything but who owns it."""
    ASSISTANT = "assistant"
    """Sees the class, its servers and the roster, helps; changes neither course nor roster."""
    STUDENT = "student"

    @property
    def staff(self) -> bool:
        """Whether they see the others of the course."""
        return self is not Role.STUDENT
