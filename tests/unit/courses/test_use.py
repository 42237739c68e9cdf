"""What a course used: over midnight, over a change of the clock, while it runs, by whom."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.courses.model import Course, Term
from slurmhub.courses.policy import Rates
from slurmhub.courses.use import Used, by_week, use_of
from slurmhub.slurm.gres import Gres
from slurmhub.slurm.usage import JobUse
from tests.rig.courses import course

RATES = Rates(cpu_hour=0.5, gpu_hour={"h100": 3.0}, other_gpu_hour=1.0)
BEGIN = date(2026, 10, 30)
PHYS: Course = course(term=Term(name="Autumn", first=BEGIN, last=date(2026, 11, 30)))


def at(text: str) -> datetime:
    """A moment in Vancouver, seven hours behind UTC until November 1, eight since."""
    offset = "-07:00" if text < "2026-11-01T02" else "-08:00"
    return datetime.fromisoformat(f"{text}:00{offset}").astimezone(timezone.utc)


NOW = at("2026-11-03T12:00")


def run(start: datetime, end: datetime | None, **changes: Any) -> JobUse:
    values: dict[str, Any] = {
        "job_id": 1,
        "user": "alice",
        "account": "course-phys101",
        "suspended": timedelta(),
        "cpus": 2,
        "gpus": (),
    }
    return JobUse(start=start, end=end, **{**values, **changes})


def test_nothing_was_used() -> None:
    use = use_of([], PHYS, RATES, until=NOW)
    assert [day for day, _ in use.days] == [BEGIN + timedelta(days=n) for n in range(5)]
    assert (use.total, use.people, use.servers) == (Used(), (), 0)


def test_hours_are_of_the_days_on_which_they_were() -> None:
    late = run(at("2026-10-30T22:00"), at("2026-10-31T03:00"))
    use = use_of([late], PHYS, RATES, until=NOW)
    first, second, *others = (used for _, used in use.days)
    assert (first.server_hours, first.cpu_hours, first.cost) == (2, 4, 2)
    assert (second.server_hours, second.cpu_hours) == (3, 6)
    assert not any(one.server_hours for one in others)
    assert use.servers == 1


def test_a_day_of_twenty_five_hours_has_them_all() -> None:
    long = run(at("2026-10-31T00:00"), at("2026-11-02T00:00"))
    use = use_of([long], PHYS, RATES, until=NOW)
    assert dict(use.days)[date(2026, 10, 31)].server_hours == pytest.approx(24)
    assert dict(use.days)[date(2026, 11, 1)].server_hours == pytest.approx(25)


def test_what_runs_counts_until_now_and_what_was_before_the_term_does_not() -> None:
    runs = run(NOW - timedelta(hours=2), None)
    early = run(at("2026-10-29T20:00"), at("2026-10-30T01:00"))
    use = use_of([runs, early], PHYS, RATES, until=NOW)
    assert use.total.server_hours == pytest.approx(3)


def test_a_standstill_is_not_used() -> None:
    stood = run(at("2026-10-30T10:00"), at("2026-10-30T14:00"), suspended=timedelta(hours=3))
    assert use_of([stood], PHYS, RATES, until=NOW).total.cpu_hours == pytest.approx(2)


def test_gpus_cost_by_their_type() -> None:
    gpus = (Gres("gpu", "h100", 2), Gres("gpu", "a100", 1))
    one = run(at("2026-10-30T10:00"), at("2026-10-30T11:00"), gpus=gpus)
    total = use_of([one], PHYS, RATES, until=NOW).total
    assert (total.gpu_hours, total.cost) == (3, 2 * 0.5 + 2 * 3 + 1)


def test_who_used_most_comes_first() -> None:
    hour = (at("2026-10-30T10:00"), at("2026-10-30T11:00"))
    runs = [run(*hour, user="bob"), run(*hour), run(*hour, user="bob"), run(hour[0], hour[0])]
    use = use_of(runs, PHYS, RATES, until=NOW)
    assert [name for name, _ in use.people] == ["bob", "alice"]
    assert use.servers == 3, "one of them never had a moment"


def test_weeks_begin_on_monday() -> None:
    runs = [run(at(f"2026-{day}T10:00"), at(f"2026-{day}T11:00")) for day in ("10-30", "11-02")]
    weeks = by_week(use_of(runs, PHYS, RATES, until=NOW))
    assert [(day, used.server_hours) for day, used in weeks] == [
        (date(2026, 10, 26), 1),
        (date(2026, 11, 2), 1),
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(0, 10**5), st.sampled_from(["alice", "bob"])),
        max_size=8,
    )
)
def test_days_and_people_add_up(runs: list[tuple[int, int, str]]) -> None:
    since = at("2026-10-29T00:00")
    usage = [
        run(since + timedelta(seconds=a), since + timedelta(seconds=a + b), user=user)
        for a, b, user in runs
    ]
    use = use_of(usage, PHYS, RATES, until=NOW)
    for parts in (use.days, use.people, by_week(use)):
        assert sum(used.cost for _, used in parts) == pytest.approx(use.total.cost)
        assert sum(used.cpu_hours for _, used in parts) == pytest.approx(use.total.cpu_hours)
