"""Courses as the database has them, as what Slurm is to have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from slurmhub.courses.hours import occurrences, term_span
from slurmhub.courses.model import Course, Role, State
from slurmhub.courses.people import Member
from slurmhub.courses.slurm.desired import CourseOnCluster, Occurrence
from slurmhub.courses.stored import Snapshot

AHEAD = timedelta(days=21)
"""How long before a class its reservation is made: each one costs Slurm's scheduler time."""

# useradd(8), without what Slurm has a meaning of its own for.
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,254}")


def on_cluster(
    snapshot: Snapshot, now: datetime, *, prefix: str = "", ahead: timedelta | None = AHEAD
) -> tuple[CourseOnCluster, ...]:
    """Every course; `prefix` before a name at the hub is the Unix account.

    `ahead` is how far classes are looked at, None: to the end of each term.
    """
    return tuple(
        _one(one.course, one.state, snapshot.members.get(one.key, ()), now, prefix, ahead)
        for one in snapshot.courses
    )


def with_course(
    courses: Iterable[CourseOnCluster], new: Course, now: datetime
) -> tuple[CourseOnCluster, ...]:
    """The same, with one course as it would be: open, to the end of its term."""
    found = tuple(courses)
    old = next((one for one in found if one.course.key == new.key), None)
    would = CourseOnCluster(
        course=new,
        state=State.OPEN,
        members=old.members if old else frozenset(),
        occurrences=_classes(new, now, None),
        # Nobody is in it yet, and it is for so many.
        roster=max(new.seats, old.roster or 0) if old else new.seats,
    )
    return (*(one for one in found if one is not old), would)


def _one(
    course: Course,
    state: State,
    members: Sequence[Member],
    now: datetime,
    prefix: str,
    ahead: timedelta | None,
) -> CourseOnCluster:
    active = [one for one in members if one.active]
    accounts = (f"{prefix}{one.username}" for one in active if one.username is not None)
    return CourseOnCluster(
        course=course,
        state=state,
        members=frozenset(name for name in accounts if _ACCOUNT.fullmatch(name)),
        occurrences=_classes(course, now, ahead) if state is State.OPEN else (),
        roster=sum(one.role is Role.STUDENT for one in active),
    )


def _classes(course: Course, now: datetime, ahead: timedelta | None) -> tuple[Occurrence, ...]:
    end = term_span(course)[1] + timedelta(days=1) if ahead is None else now + ahead
    return tuple(
        Occurrence(start=one.start, end=one.end, seats=course.class_hours[one.number].seats)
        for one in occurrences(course, now, max(end, now))
    )
