"""When a course is frozen, ended and forgotten, and when its staff are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from slurmhub.courses.hours import term_span
from slurmhub.courses.model import State
from slurmhub.courses.policy import Retention
from slurmhub.courses.stored import Stored

_DAY = 86400.0
NONE: Mapping[int, float] = {}


class Step(Enum):
    """What the time brings."""

    REMIND = "remind"
    FREEZE = "freeze"
    END = "end"
    FORGET = "forget"


@dataclass(frozen=True)
class Due:
    """Something whose time has come, since `at`; of a reminder, how many days are left."""

    step: Step
    key: str
    at: float
    days: int | None = None


@dataclass(frozen=True)
class Calendar:
    """When what happens to a course, in seconds since the epoch; None: that is over, or never is.

    A course is ended so long after it was frozen in fact: a hub that was away for a year does not
    freeze and end it on one day.
    """

    freeze: float | None
    end: float | None
    forget: float | None


@dataclass(frozen=True)
class Reminder:
    """What will be done to a course soon, FREEZE or END, at this moment since the epoch."""

    step: Step
    at: float


def calendar(stored: Stored, retention: Retention) -> Calendar:
    """When what happens to this course, if nobody changes it."""
    over = term_span(stored.course)[1].timestamp() + retention.freeze_after * _DAY
    if stored.state is State.ENDED:
        ended = stored.changed if stored.ended is None else stored.ended
        return Calendar(None, None, ended + retention.keep_record * _DAY)
    frozen = stored.frozen if stored.state is State.FROZEN else None
    end = (over if frozen is None else frozen) + retention.end_after * _DAY
    return Calendar(over if stored.state is State.OPEN else None, end, None)


def reminder(stored: Stored, retention: Retention, now: float) -> Reminder | None:
    """What staff should know now, as long as it holds: the next thing that ends for them.

    That it will be frozen from the end of the term on, that it will end from the first reminder on.
    """
    times = calendar(stored, retention)
    if times.freeze is not None and now >= term_span(stored.course)[1].timestamp():
        return Reminder(Step.FREEZE, times.freeze)
    first = max(retention.remind_before, default=0) * _DAY
    if times.end is None or not stored.state.served or now < times.end - first:
        return None
    return Reminder(Step.END, times.end)


def due(
    stored: Stored, retention: Retention, now: float, *, reminded: Mapping[int, float] = NONE
) -> Due | None:
    """The one thing to do now. `reminded` says of reminders, by their days, when they were sent.

    Of several reminders whose time has passed only the last is sent; of those for an end that was
    put off, all again.
    """
    times = calendar(stored, retention)
    if times.forget is not None:
        # What Slurm still has must be taken away first.
        gone = stored.realised is not None and stored.realised >= times.forget - (
            retention.keep_record * _DAY
        )
        past = now >= times.forget and gone and not stored.waiting
        return Due(Step.FORGET, stored.key, times.forget) if past else None
    if times.freeze is not None and now >= times.freeze:
        return Due(Step.FREEZE, stored.key, times.freeze)
    if times.end is None:
        return None
    if now >= times.end and stored.state is not State.OPEN:
        return Due(Step.END, stored.key, times.end)
    if not stored.state.served:
        return None
    for days in sorted(retention.remind_before):
        at = times.end - days * _DAY
        if now >= at:
            end = times.end
            sent = any(n <= days and when >= end - n * _DAY for n, when in reminded.items())
            return None if sent else Due(Step.REMIND, stored.key, at, days)
    return None
