"""Classes stay at their hour on the clock, whatever the clock does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slurmhub.courses.hours import (
    Occurrence,
    clashes,
    current,
    following,
    hours_a_week,
    occurrences,
    term_span,
    this_week,
)
from slurmhub.courses.model import WEEKDAYS, Course
from tests.unit.courses.world import course

UTC = timezone.utc
ALL = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
ZONES = (
    "America/Vancouver",
    "America/St_Johns",
    "Europe/Paris",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "UTC",
)


def hours(weekday: str = "mon", start: str = "09:00", end: str = "10:30", **more: Any) -> Any:
    return {"weekday": weekday, "start": start, "end": end, **more}


def taught(*classes: Any, zone: str = "America/Vancouver", **changed: Any) -> Course:
    return course(class_hours=list(classes), timezone=zone, **changed)


def said(found: tuple[Occurrence, ...], zone: str = "America/Vancouver") -> list[str]:
    local = ZoneInfo(zone)
    return [
        f"{one.start.astimezone(local):%a %m-%d %H:%M}-{one.end.astimezone(local):%H:%M}"
        for one in found
    ]


def test_a_class_at_nine_stays_at_nine_when_the_clock_changes() -> None:
    found = occurrences(taught(hours()), *ALL)
    assert len(found) == 14
    assert {f"{one.start.astimezone(ZoneInfo('America/Vancouver')):%H:%M}" for one in found} == {
        "09:00"
    }
    # 8 March 2026: from UTC-8 to UTC-7.
    by_day = {one.start.date(): one.start.hour for one in found}
    assert (by_day[date(2026, 3, 2)], by_day[date(2026, 3, 9)]) == (17, 16)
    assert found[0].reservation("phys101") == "course-phys101-20260105-1700"


def test_classes_are_within_the_term_and_not_on_days_without() -> None:
    one = taught(
        hours("fri", without=["2026-02-20", "2026-04-03"]),
        term={"first": "2026-02-06", "last": "2026-04-10"},
    )
    days = [f"{each.start:%m-%d}" for each in occurrences(one, *ALL)]
    assert days[0] == "02-06"
    assert days[-1] == "04-10"
    assert "02-20" not in days
    assert "04-03" not in days
    assert len(days) == 8


def test_a_class_over_midnight_ends_the_day_after() -> None:
    one = taught(hours("fri", "22:00", "01:00"))
    found = occurrences(one, *ALL)
    assert said(found)[0] == "Fri 01-09 22:00-01:00"
    assert found[0].end - found[0].start == timedelta(hours=3)
    # The last is on the last day of the term, and is held to its end after it.
    assert said(found)[-1] == "Fri 04-10 22:00-01:00"
    late = datetime(2026, 4, 11, 7, 30, tzinfo=UTC)
    assert current(one, late) == found[-1]
    assert current(one, late + timedelta(minutes=30)) is None


@pytest.mark.parametrize(
    ("start", "end", "expected", "minutes"),
    [
        # 8 March 2026 in Vancouver: 02:00 to 03:00 is not there.
        ("02:30", "03:30", "03:30-04:30", 60),
        ("02:30", "03:15", "03:30-04:15", 45),
        ("01:30", "02:30", "01:30-03:30", 60),
        ("01:30", "03:30", "01:30-03:30", 60),
        ("02:10", "02:50", "03:10-03:50", 40),
    ],
)
def test_an_hour_that_is_skipped(start: str, end: str, expected: str, minutes: int) -> None:
    one = taught(hours("sun", start, end), term={"first": "2026-03-08", "last": "2026-03-08"})
    (found,) = occurrences(one, *ALL)
    assert said((found,)) == [f"Sun 03-08 {expected}"]
    assert found.end - found.start == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        # 1 November 2026 in Vancouver: 01:00 to 02:00 is there twice, the first is meant.
        ("01:15", "01:45", 30),
        ("00:30", "01:30", 60),
        ("01:30", "02:30", 120),
        ("02:00", "03:00", 60),
    ],
)
def test_an_hour_that_is_there_twice(start: str, end: str, minutes: int) -> None:
    one = taught(hours("sun", start, end), term={"first": "2026-11-01", "last": "2026-11-01"})
    (found,) = occurrences(one, *ALL)
    assert said((found,)) == [f"Sun 11-01 {start}-{end}"]
    assert found.end - found.start == timedelta(minutes=minutes)


def test_a_class_has_its_own_seats_or_the_courses() -> None:
    one = taught(hours("mon", seats=10), hours("tue"))
    found = occurrences(one, *ALL)
    assert [(each.number, each.seats) for each in found[:2]] == [(0, 10), (1, 30)]


def test_what_is_held_now_and_what_comes_next() -> None:
    one = taught(hours("mon"), hours("wed", "14:00", "16:00"))
    nine = datetime(2026, 1, 12, 17, tzinfo=UTC)
    assert current(one, nine - timedelta(seconds=1)) is None
    held = current(one, nine)
    assert held is not None
    assert held.number == 0
    assert held.at(held.start)
    assert not held.at(held.end)
    after = following(one, nine)
    assert after is not None
    assert said((after,)) == ["Wed 01-14 14:00-16:00"]
    first = following(one, datetime(2025, 6, 1, tzinfo=UTC))
    assert first is not None
    assert said((first,)) == ["Mon 01-05 09:00-10:30"]
    assert following(one, datetime(2026, 5, 1, tzinfo=UTC)) is None


def test_the_week_is_that_of_the_courses_zone() -> None:
    one = taught(hours("mon", "00:30", "01:30"), hours("sun", "20:00", "23:59"))
    # Sunday evening in Vancouver is Monday in Greenwich.
    sunday = datetime(2026, 1, 19, 6, tzinfo=UTC)
    assert said(this_week(one, sunday)) == ["Mon 01-12 00:30-01:30", "Sun 01-18 20:00-23:59"]
    assert said(this_week(one, sunday + timedelta(hours=2))) == [
        "Mon 01-19 00:30-01:30",
        "Sun 01-25 20:00-23:59",
    ]


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ([hours(), hours("tue")], ()),
        ([hours(), hours("mon", "10:30", "11:30")], ()),
        ([hours(), hours("mon", "10:29", "11:30")], ((0, 1),)),
        ([hours(), hours()], ((0, 1),)),
        ([hours("sun", "23:00", "02:00"), hours("mon", "01:00", "03:00")], ((0, 1),)),
        ([hours("mon", "01:00", "03:00"), hours("sun", "23:00", "02:00")], ((0, 1),)),
        ([hours("sat", "23:00", "02:00"), hours("mon", "01:00", "03:00")], ()),
    ],
)
def test_classes_at_the_same_time_are_found(
    classes: list[Any], expected: tuple[tuple[int, int], ...]
) -> None:
    assert clashes(taught(*classes)) == expected


def test_hours_of_a_week_are_those_on_the_wall() -> None:
    assert hours_a_week(taught(hours(), hours("fri", "22:00", "01:00"))) == 4.5


# What holds for every course

_MINUTES = st.integers(0, 24 * 60 - 1).map(lambda n: time(n // 60, n % 60))


@st.composite
def courses(draw: Callable[[Any], Any]) -> Course:
    first = date(2026, 1, 1) + timedelta(days=draw(st.integers(0, 400)))
    last = first + timedelta(days=draw(st.integers(0, 300)))
    classes = []
    for _ in range(draw(st.integers(1, 4))):
        start, end = draw(st.tuples(_MINUTES, _MINUTES).filter(lambda pair: pair[0] != pair[1]))
        free = [first + timedelta(days=n) for n in draw(st.lists(st.integers(0, 60), max_size=3))]
        classes.append(
            hours(
                draw(st.sampled_from(WEEKDAYS)),
                start.isoformat(),
                end.isoformat(),
                without=[day.isoformat() for day in free],
            )
        )
    term = {"first": first.isoformat(), "last": last.isoformat()}
    return taught(*classes, zone=draw(st.sampled_from(ZONES)), term=term)


@settings(max_examples=60, deadline=None)
@given(courses())
def test_every_class_is_where_the_clock_says(one: Course) -> None:
    zone = ZoneInfo(one.timezone)
    begin, end = term_span(one)
    found = occurrences(one, *ALL)
    assert list(found) == sorted(found)
    seen = set()
    for each in found:
        meant = one.class_hours[each.number]
        local = each.start.astimezone(zone)
        assert begin - timedelta(hours=1) <= each.start < end + timedelta(hours=1)
        assert timedelta() < each.end - each.start <= timedelta(hours=26)
        day = local.date()
        there = datetime.combine(day, meant.start, tzinfo=zone)
        if there.astimezone(UTC).astimezone(zone).time() == meant.start:
            # No change of the clock skipped it.
            assert local.time() == meant.start
            assert WEEKDAYS[day.weekday()] == meant.weekday
            assert day not in meant.without
        assert (each.number, day) not in seen
        seen.add((each.number, day))


@settings(max_examples=60, deadline=None)
@given(courses(), st.integers(0, 700 * 24 * 60), st.integers(0, 60 * 24 * 60))
def test_a_window_has_exactly_what_meets_it(one: Course, start: int, length: int) -> None:
    after = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=start)
    before = after + timedelta(minutes=length)
    expected = tuple(
        each for each in occurrences(one, *ALL) if each.end > after and each.start < before
    )
    assert occurrences(one, after, before) == expected


@settings(max_examples=40, deadline=None)
@given(courses(), st.integers(0, 700 * 24))
def test_the_next_class_is_the_first_after_now(one: Course, hour: int) -> None:
    now = datetime(2025, 12, 1, tzinfo=UTC) + timedelta(hours=hour)
    later = [each for each in occurrences(one, *ALL) if each.start > now]
    assert following(one, now) == (later[0] if later else None)


def test_the_ends_of_the_calendar_are_no_trouble() -> None:
    low = datetime.min.replace(tzinfo=UTC)
    high = datetime.max.replace(tzinfo=UTC)
    assert len(occurrences(taught(hours()), low, high)) == 14
