"""When a course's classes are, as moments: class hours stay at their hour on the clock all term.

Source for hours that a change of the clock skips or repeats: RFC 5545, section 3.3.5. One that is
skipped counts from before the change (02:30 becomes 03:30), of one that is there twice the first
is meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from slurmhub.courses.model import WEEKDAYS, ClassHours, Course

_DAY = timedelta(days=1)
_MIDNIGHT = time()


@dataclass(frozen=True, order=True)
class Occurrence:
    """One class on one day; moments are in UTC.

    `number` says which of the course's class hours it is one of, `seats` for how many servers there
    is room.
    """

    start: datetime
    end: datetime
    number: int
    seats: int

    def reservation(self, key: str) -> str:
        """The name of its reservation in Slurm, for the course `key`."""
        return f"course-{key}-{self.start:%Y%m%d-%H%M}"

    def at(self, moment: datetime) -> bool:
        """Whether the class is held at this moment."""
        return self.start <= moment < self.end


def occurrences(course: Course, after: datetime, before: datetime) -> tuple[Occurrence, ...]:
    """The classes of which some part is at or after `after` and before `before`, in order.

    Both must have a time zone.
    """
    found = (
        one
        for number, hours in enumerate(course.class_hours)
        for one in _of(course, number, hours, after, before)
    )
    return tuple(sorted(one for one in found if one.end > after and one.start < before))


def current(course: Course, moment: datetime) -> Occurrence | None:
    """The class that is held at this moment."""
    held = [one for one in occurrences(course, moment, moment + _DAY) if one.at(moment)]
    return held[0] if held else None


def following(course: Course, moment: datetime) -> Occurrence | None:
    """The next class that begins after this moment."""
    end = beginning(course.term.last + 2 * _DAY, ZoneInfo(course.timezone))
    # Nearly always there is one within a week.
    for until in (moment + 8 * _DAY, max(end, moment)):
        for one in occurrences(course, moment, until):
            if one.start > moment:
                return one
    return None


def this_week(course: Course, moment: datetime) -> tuple[Occurrence, ...]:
    """The classes that begin in the week of this moment, Monday to Sunday in the course's zone."""
    zone = ZoneInfo(course.timezone)
    today = moment.astimezone(zone).date()
    monday = today - today.weekday() * _DAY
    first, last = beginning(monday, zone), beginning(monday + 7 * _DAY, zone)
    return tuple(one for one in occurrences(course, first, last) if one.start >= first)


def term_span(course: Course) -> tuple[datetime, datetime]:
    """From the first moment of the term until the first after it, in UTC."""
    zone = ZoneInfo(course.timezone)
    return beginning(course.term.first, zone), beginning(course.term.last + _DAY, zone)


def beginning(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day, in UTC."""
    return _moment(day, _MIDNIGHT, zone)


def hours_a_week(course: Course) -> float:
    """How many hours of class there are in a week without changes of the clock."""
    return sum(_length(hours) / timedelta(hours=1) for hours in course.class_hours)


def clashes(course: Course) -> tuple[tuple[int, int], ...]:
    """The pairs of class hours, by number, that are at the same time in a usual week."""
    week = 7 * _DAY
    spans = []
    for hours in course.class_hours:
        start = WEEKDAYS.index(hours.weekday) * _DAY + _since_midnight(hours.start)
        spans.append((start, start + _length(hours)))
    found = []
    for first in range(len(spans)):
        for second in range(first + 1, len(spans)):
            shifts = (spans[second], *(_shifted(spans[second], by) for by in (week, -week)))
            if any(start < spans[first][1] and spans[first][0] < end for start, end in shifts):
                found.append((first, second))
    return tuple(found)


def _of(
    course: Course, number: int, hours: ClassHours, after: datetime, before: datetime
) -> Iterator[Occurrence]:
    zone = ZoneInfo(course.timezone)
    # A class that began the day before may still be held; local days are not those of UTC.
    first = max(course.term.first, _day(after, zone) - 2 * _DAY)
    last = min(course.term.last, _day(before, zone) + _DAY)
    day = first + (WEEKDAYS.index(hours.weekday) - first.weekday()) % 7 * _DAY
    while day <= last:
        if day not in hours.without:
            yield _on(day, number, hours, zone, course.seats)
        day += 7 * _DAY


def _on(day: date, number: int, hours: ClassHours, zone: ZoneInfo, seats: int) -> Occurrence:
    start = _moment(day, hours.start, zone)
    end = _moment(day if hours.end > hours.start else day + _DAY, hours.end, zone)
    if end <= start:
        # The clock skipped its beginning, and its end stands before that.
        end = start + _length(hours)
    return Occurrence(start, end, number, seats if hours.seats is None else hours.seats)


def _day(moment: datetime, zone: ZoneInfo) -> date:
    # The calendar ends; a window that has no end does not.
    edge = timedelta(days=3)
    low = datetime.min.replace(tzinfo=timezone.utc) + edge
    high = datetime.max.replace(tzinfo=timezone.utc) - edge
    return min(max(moment, low), high).astimezone(zone).date()


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone).astimezone(timezone.utc)


def _length(hours: ClassHours) -> timedelta:
    """As the clock on the wall has it."""
    span = _since_midnight(hours.end) - _since_midnight(hours.start)
    return span if span > timedelta() else span + _DAY


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute)


def _shifted(span: tuple[timedelta, timedelta], by: timedelta) -> tuple[timedelta, timedelta]:
    return span[0] + by, span[1] + by
