"""Rounds: one course's trouble is its own, and Slurm's is waited for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import pytest

from slurmhub.courses.model import State
from slurmhub.courses.slurm.desired import ClusterSite, CourseOnCluster
from slurmhub.courses.slurm.reconciler import Reconciler, Report
from slurmhub.errors import SlurmhubError
from slurmhub.slurm.entities import Association, Qos
from slurmhub.slurm.errors import ChangeRefused, SlurmUnreachable
from slurmhub.slurm.records import ClusterFacts
from tests.unit.courses.slurm.made import NOW, actual, course

LOG = logging.getLogger("slurmhub.tests")
SITE = ClusterSite(hub="main", own_qos=True)
COURSES = tuple(
    CourseOnCluster(course=course(key), state=State.OPEN, members=frozenset({"alice"}))
    for key in ("a01", "b01")
)


class Slurm:
    """Stands in for ManagingClient: has nothing, notes changes, refuses some."""

    def __init__(self) -> None:
        self.changes: list[str] = []
        self.refuses: dict[str, Exception] = {}
        self.enforces = frozenset({"limits"})

    async def cluster(self) -> str:
        return "main"

    async def enforced(self) -> frozenset[str]:
        return self.enforces

    async def accounts(self) -> dict[str, str]:
        return {"root": "root", "courses": "courses"}

    async def associations(self, accounts: set[str]) -> tuple[Association, ...]:
        return (Association(account="courses", parent="root"),)

    async def all_qos(self) -> dict[str, Qos]:
        return {}

    async def facts(self) -> ClusterFacts:
        return actual().facts

    def __getattr__(self, name: str) -> Callable[..., Awaitable[None]]:
        async def change(*arguments: object, **_: object) -> None:
            what = f"{name} {arguments[-1] if name == 'put' else arguments[0]}"
            self.changes.append(what)
            if what in self.refuses:
                raise self.refuses[what]

        return change


def reconciler(slurm: Slurm) -> Reconciler:
    async def source() -> Sequence[CourseOnCluster]:
        return COURSES

    return Reconciler(slurm, source, SITE, log=LOG, clock=lambda: NOW)  # type: ignore[arg-type]


async def test_it_says_what_it_would_do_and_does_nothing() -> None:
    slurm = Slurm()
    plan = await reconciler(slurm).plan()
    assert len(plan.steps) == 6
    assert slurm.changes == []


async def test_a_refusal_stops_its_course_and_no_other() -> None:
    slurm = Slurm()
    slurm.refuses["make_account course-a01"] = ChangeRefused("No.", remedy="", said="No.")
    report = await reconciler(slurm).once()
    assert slurm.changes == [
        "make_qos course-a01",
        "make_account course-a01",
        "make_qos course-b01",
        "make_account course-b01",
        "put course-b01",
    ]
    assert report.outcomes["b01"].realised
    first, second = report.outcomes["a01"].reasons
    assert first.startswith("Slurm did not make the account course-a01")
    assert second == "Not done yet: put alice into course-a01."


async def test_when_slurm_goes_away_nothing_more_is_tried() -> None:
    slurm = Slurm()
    slurm.refuses["make_qos course-a01"] = SlurmUnreachable("No answer.", remedy="")
    report = await reconciler(slurm).once()
    assert slurm.changes == ["make_qos course-a01"]
    assert report.away.strip() == "No answer."
    assert not report.outcomes["b01"].realised


async def test_a_cluster_that_keeps_no_limits_is_refused() -> None:
    slurm = Slurm()
    slurm.enforces = frozenset({"associations"})
    with pytest.raises(SlurmhubError, match="does not keep the limits"):
        await reconciler(slurm).once()
    assert slurm.changes == []


async def test_pauses_grow_while_slurm_is_away_and_a_change_is_seen_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = reconciler(Slurm())
    away = [True, True, True, False, False]
    pauses: list[float] = []
    rounds = 0
    changed = asyncio.Event()
    over = asyncio.Event()

    async def settle() -> Report:
        nonlocal rounds
        rounds += 1
        if rounds == len(away):
            over.set()
        if away[rounds - 1]:
            raise SlurmUnreachable("No answer.", remedy="")
        asyncio.get_running_loop().call_soon(changed.set)
        return Report()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(one, "settle", settle)
    monkeypatch.setattr("slurmhub.courses.slurm.reconciler.asyncio.sleep", sleep)
    task = asyncio.create_task(one.run(changed))
    await asyncio.wait_for(over.wait(), 10)
    task.cancel()
    # Hubs that lost one cluster together do not all come back at once.
    for pause, usual in zip(pauses, (5, 10, 20), strict=True):
        assert 0.8 * usual <= pause <= 1.2 * usual
