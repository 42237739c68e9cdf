"""What Slurm should have for a course."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from slurmhub.courses.model import Profile, State
from slurmhub.courses.slurm.desired import (
    ClusterSite,
    CourseOnCluster,
    Occurrence,
    Wanted,
    desired,
    key_of_reservation,
)
from slurmhub.slurm.entities import Limits
from tests.unit.courses.slurm.made import HOUR, NOW, course

OWN = ClusterSite(hub="Main", own_qos=True)
SHARED = ClusterSite(hub="main", shared_qos="teaching")


def wanted(one: CourseOnCluster, site: ClusterSite = OWN) -> Wanted:
    (found,) = desired([one], site, NOW).courses
    return found


def on_cluster(*occurrences: Occurrence, **changes: Any) -> CourseOnCluster:
    return CourseOnCluster(
        course=course(**changes),
        state=State.OPEN,
        members=frozenset({"alice", "bob"}),
        occurrences=occurrences,
        roster=25,
    )


def at(hours: float, lasts: float = 1, seats: int | None = None) -> Occurrence:
    start = NOW + hours * HOUR
    return Occurrence(start=start, end=start + lasts * HOUR, seats=seats)


def test_limits_are_as_many_servers_as_may_run() -> None:
    found = wanted(on_cluster())
    assert found.qos is not None
    assert found.qos.limits.jobs == 30
    assert dict(found.qos.limits.total) == {"cpu": 60, "gres/gpu": 30, "mem": 30 * 2048}
    assert dict(found.qos.limits.each) == {"cpu": 2, "gres/gpu": 1, "mem": 2048}
    assert str(found.qos.limits.wall) == "02:00:00"
    assert found.account.limits == Limits(jobs_each=1), "a QOS's own would hide it"
    assert wanted(on_cluster(running=12)).qos.limits.jobs == 12  # type: ignore[union-attr]


def test_without_a_qos_of_its_own_the_account_has_the_limits() -> None:
    found = wanted(on_cluster(), SHARED)
    assert found.qos is None
    assert found.account.qos == "teaching"
    assert (found.account.limits.jobs, found.account.limits.jobs_each) == (30, 1)
    assert dict(found.account.limits.each)["gres/gpu"] == 1


@pytest.mark.parametrize("state", list(State))
def test_what_each_state_has(state: State) -> None:
    one = CourseOnCluster(course=course(), state=state, occurrences=(at(1, seats=5),))
    found = desired([one], OWN, NOW)
    if state not in (State.OPEN, State.FROZEN):
        assert found.courses == ()
        assert found.unwanted == {"phys101"}
        return
    (course_wanted,) = found.courses
    assert course_wanted.qos is not None
    assert (course_wanted.qos.limits.jobs == 0) is (state is State.FROZEN)
    assert bool(course_wanted.reservations) is (state is State.OPEN)


def test_a_class_is_as_large_as_the_roster_and_no_larger_than_the_course() -> None:
    def seats(one: CourseOnCluster) -> list[int]:
        return [reservation.seats(NOW) for reservation in wanted(one).reservations]

    assert seats(on_cluster(at(1))) == [25]
    assert seats(on_cluster(at(1, seats=10))) == [10]
    assert seats(on_cluster(at(1, seats=99))) == [30]
    assert seats(on_cluster(at(-3))) == [], "it is over"
    nobody = CourseOnCluster(course=course(), state=State.OPEN, occurrences=(at(1),))
    assert seats(nobody) == []


def test_the_name_of_a_reservation_is_its_start_in_utc_and_leads_back() -> None:
    (found,) = wanted(on_cluster(at(1.5))).reservations
    assert found.name == "course-phys101-20261005-1030"
    assert key_of_reservation(found.name) == "phys101"
    for other in ("course-phys101", "phys101-20261005-1030", "course-x-1-20261005", "maint"):
        assert key_of_reservation(other) is None


def test_classes_in_a_row_share_a_reservation_and_others_do_not() -> None:
    found = wanted(on_cluster(at(1), at(2, seats=7), at(5.5), at(30))).reservations
    assert [len(one.parts) for one in found] == [2, 1, 1]
    first = found[0]
    assert (first.start, first.end) == (NOW + HOUR, NOW + 3 * HOUR)
    assert first.seats(NOW) == 25
    assert first.seats(NOW + 2 * HOUR) == 7, "only the second is still to come"
    early = OWN.early
    assert not first.late(NOW + timedelta(hours=2, minutes=19), early)
    assert first.late(NOW + timedelta(hours=2, minutes=20), early)


def test_long_servers_do_not_hold_a_week_of_nodes() -> None:
    long = Profile(partition="gpu", cpus=1, memory="1G", hours=24)
    found = wanted(on_cluster(at(1), at(25), at(49), profile=long)).reservations
    assert len(found) == 3
