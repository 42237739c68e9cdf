"""What an institution allows of a course, compared with what the course asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from slurmhub.courses.hours import clashes, hours_a_week
from slurmhub.courses.model import Course, State
from slurmhub.courses.policy import Bounds, Policy
from slurmhub.options.refusal import Problem
from slurmhub.options.words import counted, listed, time_plain
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit


@dataclass(frozen=True)
class Other:
    """Another course of the hub, as far as it counts here."""

    course: Course
    state: State
    owner: str


@dataclass(frozen=True)
class _Measure:
    """One amount of a course: its bound's name, the field that it comes from, what it is for."""

    bound: str
    field: str
    amount: float
    about: str

    def said(self, amount: float) -> str:
        """An amount of this kind, in plain words."""
        return amount_said(self.bound, amount)


def amount_said(bound: str, amount: float) -> str:
    """An amount of what `Bounds` calls `bound`, in plain words; of memory it is in MiB."""
    if bound in ("memory", "room"):
        return _memory_said(int(amount))
    if bound in ("hours", "class_hours_a_week"):
        return time_plain(TimeLimit.of_minutes(round(amount * 60)))
    return _COUNTED[bound](int(amount))


def _memory_said(mebibytes: int) -> str:
    """2 GB, but 2049 MB: what is above a limit never looks as if it were the same."""
    unit = next((size for size in (2**20, 2**10) if mebibytes >= size), 1)
    exact = mebibytes * 10 % unit == 0
    return Memory(mebibytes).plain() if exact else f"{mebibytes} MB"


_COUNTED = {
    "cpus": lambda number: counted(number, "CPU"),
    "running_cpus": lambda number: counted(number, "CPU"),
    "gpus": lambda number: counted(number, "GPU"),
    "running_gpus": lambda number: counted(number, "GPU"),
    "seats": lambda number: counted(number, "seat"),
    "days": lambda number: counted(number, "day"),
}
_IN_TOTAL = {
    "running_cpus": "all courses together",
    "running_gpus": "all courses together",
    "seats": "all courses together",
    "room": "the folders of all courses together",
}


def problems(
    course: Course,
    policy: Policy,
    others: Iterable[Other] = (),
    *,
    owner: str = "",
    before: Course | None = None,
) -> tuple[Problem, ...]:
    """Everything for which this course cannot be; none if it can.

    `others` are the hub's other courses in any state. `before` is the course as it is now: what is
    no more than it has already is not refused, so that a stricter policy does not keep an old
    course from being corrected.
    """
    others = tuple(others)
    return (
        *_places(course, policy, before),
        *_group(course, policy, before),
        *_class_hours(course),
        *_above(course, policy, policy.bounds, before, "The most for {about} is {limit}."),
        *_totals(course, policy, others, before),
        *(_too_many(policy, others, owner) if before is None else ()),
    )


def needs_approval(
    course: Course, policy: Policy, *, before: Course | None = None
) -> tuple[Problem, ...]:
    """What of this course waits for somebody's approval; none: it is free.

    `before` is the course as it was made or approved: what is no more than it has is approved.
    """
    if policy.free is None:
        return ()
    words = "More than {limit} for {about} needs approval."
    return tuple(_above(course, policy, policy.free, before, words))


def _measures(course: Course, policy: Policy) -> tuple[_Measure, ...]:
    profile, running = course.profile, course.most_running
    room = Memory.parse(course.storage.quota or policy.room).mebibytes
    days = (course.term.last - course.term.first) // timedelta(days=1) + 1
    each = "each server"
    memory = Memory.parse(profile.memory).mebibytes
    return (
        _Measure("cpus", "profile.cpus", profile.cpus, each),
        _Measure("memory", "profile.memory", memory, each),
        _Measure("gpus", "profile.gpus", profile.gpus, each),
        _Measure("hours", "profile.hours", profile.hours, each),
        _Measure("room", "storage.quota", room, "the folders of a course"),
        _Measure("seats", "seats", course.seats, "one course"),
        _Measure("running_cpus", "running", running * profile.cpus, "all servers of a course"),
        _Measure("running_gpus", "running", running * profile.gpus, "all servers of a course"),
        _Measure(
            "class_hours_a_week", "class_hours", hours_a_week(course), "the classes of a week"
        ),
        _Measure("days", "term", days, "a term"),
    )


def _above(
    course: Course, policy: Policy, bounds: Bounds, before: Course | None, words: str
) -> Iterator[Problem]:
    had = {one.bound: one.amount for one in _measures(before, policy)} if before else {}
    for one in _measures(course, policy):
        most = _bound(bounds, one.bound)
        if most is None or one.amount <= max(most, had.get(one.bound, most)):
            continue
        limit = one.said(most)
        message = words.format(about=one.about, limit=limit)
        yield Problem(one.field, one.said(one.amount), message, limit=limit)


def _bound(bounds: Bounds, name: str) -> float | None:
    value = getattr(bounds, name)
    return Memory.parse(value).mebibytes if isinstance(value, str) else value


def _totals(
    course: Course, policy: Policy, others: tuple[Other, ...], before: Course | None
) -> Iterator[Problem]:
    had = {one.bound: one.amount for one in _measures(before, policy)} if before else {}
    used = dict.fromkeys(_IN_TOTAL, 0.0)
    for other in others:
        if other.state.served:
            for one in _measures(other.course, policy):
                # Nothing of a frozen course runs; its files are there.
                if one.bound in used and (other.state is State.OPEN or one.bound == "room"):
                    used[one.bound] += one.amount
    for one in _measures(course, policy):
        most = _bound(policy.total, one.bound) if one.bound in used else None
        if most is None or used[one.bound] + one.amount <= most:
            continue
        if one.amount <= had.get(one.bound, -1.0):
            continue
        left = one.said(max(most - used[one.bound], 0))
        about, limit = _IN_TOTAL[one.bound], one.said(most)
        message = f"The most for {about} is {limit}, and {left} are left."
        yield Problem(one.field, one.said(one.amount), message, limit=left)


def _too_many(policy: Policy, others: tuple[Other, ...], owner: str) -> Iterator[Problem]:
    mine = sum(other.owner == owner and other.state is not State.ENDED for other in others)
    if policy.most_courses is not None and mine >= policy.most_courses:
        most = counted(policy.most_courses, "course")
        yield Problem("owner", owner, f"One person has at most {most} at a time.", limit=most)


def _places(course: Course, policy: Policy, before: Course | None) -> Iterator[Problem]:
    """Partition, environment and repository are among those that there are."""
    profile = course.profile
    same = before is not None and before.profile.partition == profile.partition
    if policy.partitions and profile.partition not in policy.partitions and not same:
        yield Problem(
            "profile.partition",
            profile.partition,
            "Courses may not use this partition.",
            choices=policy.partitions,
        )
    if profile.environment and profile.environment not in policy.environments:
        # An environment that is gone cannot be kept: nothing would start in it.
        yield Problem(
            "profile.environment",
            profile.environment,
            "There is no such environment.",
            choices=tuple(policy.environments),
        )
    repository = course.materials.repository
    if repository is not None and policy.repositories:
        host = urlsplit(repository.url).hostname or ""
        if host not in policy.repositories and (
            before is None or before.materials.repository != repository
        ):
            yield Problem(
                "materials.repository.url",
                host,
                f"Materials come from {listed(policy.repositories)} only.",
                choices=policy.repositories,
            )


def _group(course: Course, policy: Policy, before: Course | None) -> Iterator[Problem]:
    group = course.joining.group
    same = before is not None and before.joining.group == group
    if group is None or same or any(fnmatchcase(group, each) for each in policy.join_groups):
        return
    message = "This group may not bring students into courses."
    yield Problem("joining.group", group, message, choices=policy.join_groups)


def _class_hours(course: Course) -> Iterator[Problem]:
    for first, second in clashes(course):
        one, other = course.class_hours[first], course.class_hours[second]
        yield Problem(
            f"class_hours[{second}]",
            f"{other.weekday} {other.start:%H:%M}",
            f"This is at the same time as the class of {one.weekday} {one.start:%H:%M}.",
        )
    for number, hours in enumerate(course.class_hours):
        if hours.seats is not None and hours.seats > course.seats:
            yield Problem(
                f"class_hours[{number}].seats",
                str(hours.seats),
                "A class has no more seats than its course.",
                limit=counted(course.seats, "seat"),
            )
