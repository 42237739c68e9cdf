"""A course as a student's home page shows it: what it is, its classes this week, one button."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from slurmhub.courses.helping import Help
from slurmhub.courses.hours import Occurrence, current, following, this_week
from slurmhub.courses.messages import Message
from slurmhub.courses.model import Course, Role, State
from slurmhub.courses.policy import Retention
from slurmhub.courses.retention import Step, reminder
from slurmhub.courses.serving import WHY_CLOSED
from slurmhub.courses.stored import Enrolment
from slurmhub.options.words import counted, gpus_said, memory_plain, time_plain
from slurmhub.session.card import Card
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit

_SHOWN = (State.OPEN, State.FROZEN)


@dataclass(frozen=True)
class ClassSaid:
    """One class on the clock of its course; `now` says that it is being held.

    `weekday` counts from Monday, which is 0. `day` is named where it is not this week.
    """

    weekday: int
    start: datetime
    end: datetime
    now: bool = False
    day: date | None = None


@dataclass(frozen=True)
class HelpSaid:
    """Somebody who asks to be let in at a course's server, or is until then on the course's clock.

    `minutes` is for how long they ask; `until` is None as long as nobody let them in.
    """

    number: int
    helper: str
    title: str
    minutes: int
    until: datetime | None = None


@dataclass(frozen=True)
class EndSaid:
    """To staff, that their course is frozen or, with `ends`, taken away on a day of its clock."""

    ends: bool
    day: date


@dataclass(frozen=True)
class CourseCard:
    """One course of somebody; `server` is None before its server was ever started.

    `closed` is why no server starts, empty where one does; `preparing` says that Slurm does not
    have all of the course yet. `has` is what its server has, `zone` where the hours are read.
    """

    key: str
    title: str
    role: Role
    server: Card
    has: tuple[str, ...]
    classes: tuple[ClassSaid, ...]
    zone: str
    closed: str = ""
    preparing: bool = False
    messages: tuple[Message, ...] = ()
    end: EndSaid | None = None


def shown(enrolments: Collection[Enrolment]) -> tuple[Enrolment, ...]:
    """The courses that are on the home page, those that are open first."""
    mine = [one for one in enrolments if one.stored.state in _SHOWN]
    order = {state: place for place, state in enumerate(_SHOWN)}
    return tuple(sorted(mine, key=lambda one: (order[one.stored.state], one.stored.course.title)))


def course_card(
    enrolment: Enrolment,
    server: Card,
    now: datetime,
    messages: Collection[Message] = (),
    retention: Retention | None = None,
) -> CourseCard:
    """The card of one course; `now` has a time zone, `messages` are those of all courses.

    `retention` is what the institution sets, by which staff are told that it ends.
    """
    stored = enrolment.stored
    course, opened = stored.course, stored.state is State.OPEN
    return CourseCard(
        key=stored.key,
        title=course.title,
        role=enrolment.role,
        server=server,
        has=has_words(course),
        classes=classes_said(course, now) if opened else (),
        zone=course.timezone.rpartition("/")[2].replace("_", " "),
        closed="" if opened else WHY_CLOSED[stored.state],
        preparing=opened and stored.realised is None,
        messages=tuple(one for one in messages if one.course == stored.key),
        end=_end_said(enrolment, retention, now) if enrolment.role.staff else None,
    )


def _end_said(enrolment: Enrolment, retention: Retention | None, now: datetime) -> EndSaid | None:
    stored = enrolment.stored
    found = None if retention is None else reminder(stored, retention, now.timestamp())
    if found is None:
        return None
    day = datetime.fromtimestamp(found.at, ZoneInfo(stored.course.timezone)).date()
    return EndSaid(found.step is Step.END, day)


def helps_said(helps: Collection[Help], enrolments: Collection[Enrolment]) -> tuple[HelpSaid, ...]:
    """What the home page says of help in these courses."""
    courses = {one.stored.key: one.stored.course for one in enrolments}
    said = []
    for one in helps:
        course = courses.get(one.course)
        if course is None:
            continue
        zone = ZoneInfo(course.timezone)
        until = None if one.allowed is None else datetime.fromtimestamp(one.until, zone)
        said.append(HelpSaid(one.number, one.helper, course.title, one.minutes, until))
    return tuple(said)


def has_words(course: Course) -> tuple[str, ...]:
    """What a server of the course has."""
    profile = course.profile
    return (
        counted(profile.cpus, "CPU"),
        f"{memory_plain(Memory.parse(profile.memory))} of memory",
        *((gpus_said(profile.gpus, profile.gpu_type),) if profile.gpus else ()),
        time_plain(TimeLimit.of_minutes(max(1, round(profile.hours * 60)))),
    )


def classes_said(course: Course, now: datetime) -> tuple[ClassSaid, ...]:
    """The classes of this week that are not over, else the next one there is."""
    held = current(course, now)
    week = [one for one in this_week(course, now) if one.end > now]
    if held is not None and held not in week:
        # It began before Monday.
        week.insert(0, held)
    if week:
        return tuple(_said(course, one, now) for one in week)
    later = following(course, now)
    return () if later is None else (_said(course, later, now, dated=True),)


def _said(course: Course, one: Occurrence, now: datetime, *, dated: bool = False) -> ClassSaid:
    zone = ZoneInfo(course.timezone)
    start, end = one.start.astimezone(zone), one.end.astimezone(zone)
    return ClassSaid(
        weekday=start.weekday(),
        start=start,
        end=end,
        now=one.at(now),
        day=start.date() if dated else None,
    )
