"""What the service does by itself: what both sides say of a course, and a term that ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone

import pytest

from slurmhub.courses.errors import CoursesAway
from slurmhub.courses.model import State
from slurmhub.courses.service import running
from slurmhub.courses.service.cluster import Result
from slurmhub.courses.service.on_cluster import on_cluster, with_course
from slurmhub.courses.service.running import Loops, joint, repeat
from slurmhub.courses.slurm.reconciler import Outcome
from slurmhub.courses.store import Courses
from tests.unit.courses.world import ALICE, Clock, course
from tests.unit.measuring.values import told, value

HOURS = [{"weekday": "mon", "start": "09:00", "end": "10:00"}]


class FakeSide:
    """Says of each course what it is told to."""

    def __init__(self) -> None:
        self.results: Mapping[str, Result] = {}
        self.rounds = 0

    async def run(self, changed: asyncio.Event) -> None:
        while True:
            await changed.wait()
            changed.clear()
            self.rounds += 1


async def soon(true: Callable[[], bool]) -> None:
    """Wait until this is true."""
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true")


def test_a_course_is_realised_when_all_sides_say_so() -> None:
    done, waits = Outcome(), Outcome(("Not yet.",))
    assert joint([]) == {}
    assert joint([{"a": (done, State.OPEN)}]) == {"a": (State.OPEN, "")}
    both = [{"a": (done, State.OPEN)}, {"a": (waits, State.OPEN)}]
    assert joint(both) == {"a": (State.OPEN, "Not yet.")}
    # One has not seen yet that the course ended: it speaks of another time.
    assert joint([{"a": (done, State.ENDED)}, {"a": (done, State.OPEN)}]) == {}
    assert joint([{"a": (done, State.OPEN)}, {}]) == {}


async def test_each_change_begins_a_round_and_what_it_found_is_kept(
    courses: Courses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "WATCHED", 0.01)
    side = FakeSide()
    loops = Loops(courses, {"slurm": side})
    loops.start()
    try:
        await soon(lambda: side.rounds == 1)
        await asyncio.to_thread(courses.create, ALICE, course())
        await soon(lambda: side.rounds == 2)
        side.results = {"phys101": (Outcome(("No room.",)), State.OPEN)}
        await soon(lambda: courses.get(ALICE, "phys101").waiting == "No room.")
        side.results = {"phys101": (Outcome(), State.OPEN)}
        await soon(lambda: courses.get(ALICE, "phys101").waiting == "")
        assert side.rounds == 2
    finally:
        await loops.stop()


async def test_terms_end_by_themselves(courses: Courses, clock: Clock) -> None:
    courses.create(ALICE, course())
    clock.days(200)
    loops = Loops(courses, {})
    loops.start()
    try:
        await soon(lambda: courses.get(ALICE, "phys101").state is State.FROZEN)
    finally:
        await loops.stop()


async def test_what_fails_is_tried_again() -> None:
    times: list[float] = []

    async def once() -> None:
        times.append(asyncio.get_running_loop().time())
        if len(times) == 1:
            raise CoursesAway("no database")
        if len(times) == 2:
            raise ValueError("a mistake of ours")

    task = asyncio.create_task(repeat("watch", once, 0.01, longest=0.05))
    await soon(lambda: len(times) > 4)
    task.cancel()
    assert times[1] - times[0] >= 0.02
    assert times[2] - times[1] >= 0.04


def test_what_slurm_is_to_have(courses: Courses, clock: Clock) -> None:
    courses.create(ALICE, course(class_hours=HOURS))
    courses.members.add(ALICE, "phys101", username="bob")
    courses.members.add(ALICE, "phys101", username="odd,name")
    now = datetime.fromtimestamp(clock(), timezone.utc)
    (one,) = on_cluster(courses.snapshot(), now, prefix="x-")
    assert one.members == {"x-alice", "x-bob"}
    assert one.roster == 2
    assert len(one.occurrences) == 3
    (whole,) = on_cluster(courses.snapshot(), now, ahead=None)
    assert len(whole.occurrences) > 10
    courses.stages.freeze(ALICE, "phys101")
    (frozen,) = on_cluster(courses.snapshot(), now)
    assert not frozen.occurrences
    new = course("phys102", seats=7, class_hours=HOURS)
    (_, would) = with_course([frozen], new, now + timedelta(days=1))
    assert (would.roster, would.state) == (7, State.OPEN)


async def test_a_database_that_is_away_is_told_and_found_again(
    courses: Courses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "WATCHED", 0.01)
    revision, away = courses.revision, [False]

    def asked() -> int:
        if away[0]:
            raise CoursesAway("no database")
        return revision()

    monkeypatch.setattr(courses, "revision", asked)
    loops = Loops(courses, {"slurm": FakeSide()})
    loops.start()
    try:
        await soon(lambda: value("slurmhub_courses_database_up") == 1)
        failed = value("slurmhub_courses_loop_failures_total", loop="watch")
        away[0] = True
        await soon(lambda: value("slurmhub_courses_database_up") == 0)
        await soon(lambda: value("slurmhub_courses_loop_failures_total", loop="watch") > failed)
        away[0] = False
        await soon(lambda: value("slurmhub_courses_database_up") == 1)
        # The age of each part counts from the start of the service.
        last = "slurmhub_courses_loop_last_success_timestamp_seconds"
        assert all(told(last, loop=loop) for loop in ("watch", "stages", "figures", "slurm"))
    finally:
        await loops.stop()
