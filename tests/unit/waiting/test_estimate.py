"""Slurm's estimates: each shape is asked for at most once a minute, for the whole hub."""

from __future__ import annotations

import asyncio
import time

import pytest

from slurmhub.errors import SlurmhubError
from slurmhub.job.crossing import SubmissionRefused
from slurmhub.options.request import JobRequest
from slurmhub.slurm.command import Account
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit
from slurmhub.waiting import estimate
from slurmhub.waiting.estimate import Estimate, Estimates
from tests.unit.fakes import ALICE, LOG


def request(hours: int = 1, **changes: object) -> JobRequest:
    wanted = JobRequest(
        partition="cpu", cpus=1, memory=Memory(1024), time=TimeLimit.of_minutes(60 * hours)
    )
    return wanted.model_copy(update=changes)


class Slurm:
    """Answers in an hour, or as it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failure: Exception | None = None

    async def __call__(self, account: Account, script: str) -> float:
        self.asked.append(script)
        if self.failure is not None:
            raise self.failure
        return time.time() + 3600

    def estimates(self, pace: float = 0.0) -> Estimates:
        return Estimates(self, log=LOG, pace=pace)


async def learn(estimates: Estimates, wanted: JobRequest, script: str = "x") -> Estimate | None:
    estimates.of(wanted, ALICE, lambda: script)
    for _ in range(50):
        await asyncio.sleep(0.002)
    return estimates.known(wanted)


async def test_nobody_waits_for_an_answer_and_the_next_one_has_it() -> None:
    slurm = Slurm()
    estimates = slurm.estimates()
    assert estimates.of(request(), ALICE, lambda: "x") is None
    found = await learn(estimates, request())
    assert found is not None
    assert found.wait == pytest.approx(3600, abs=5)


async def test_a_shape_is_asked_for_once_a_minute_however_many_look() -> None:
    slurm = Slurm()
    estimates = slurm.estimates()
    for _ in range(100):
        await learn(estimates, request()) if not slurm.asked else estimates.of(
            request(), ALICE, lambda: "x"
        )
    assert len(slurm.asked) == 1
    await learn(estimates, request(hours=2))
    assert len(slurm.asked) == 2


async def test_after_a_minute_it_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    slurm = Slurm()
    estimates = slurm.estimates()
    await learn(estimates, request())
    monkeypatch.setattr(estimate, "FRESH", 0.0)
    # What is known is told meanwhile.
    assert estimates.of(request(), ALICE, lambda: "y") is not None
    await asyncio.sleep(0.05)
    assert slurm.asked == ["x", "y"]


async def test_questions_are_apart() -> None:
    slurm = Slurm()
    estimates = slurm.estimates(pace=0.2)
    for hours in range(1, 6):
        estimates.of(request(hours), ALICE, lambda: "x")
    await asyncio.sleep(0.1)
    assert len(slurm.asked) == 1


async def test_a_flood_of_shapes_is_not_all_asked_for() -> None:
    slurm = Slurm()
    estimates = slurm.estimates(pace=60.0)
    made: list[str] = []

    def script() -> str:
        made.append("x")
        return "x"

    for cpus in range(1, 1000):
        estimates.of(request(cpus=cpus), ALICE, script)
    assert len(made) == estimate.MOST_WAITING


async def test_what_slurm_would_not_take_is_known_with_its_words() -> None:
    slurm = Slurm()
    slurm.failure = SubmissionRefused("refused", "Invalid account")
    found = await learn(slurm.estimates(), request())
    assert found is not None
    assert found.start is None
    assert found.wait is None
    assert found.refused == "Invalid account"


@pytest.mark.parametrize(
    "failure",
    [
        SubmissionRefused("unreachable", "Unable to contact slurm controller"),
        SubmissionRefused("timeout", "sbatch did not answer"),
        SlurmhubError("The hub could not act as alice.", remedy="Wait."),
        RuntimeError("odd"),
    ],
)
async def test_silence_is_no_answer(failure: Exception) -> None:
    slurm = Slurm()
    slurm.failure = failure
    estimates = slurm.estimates()
    assert await learn(estimates, request()) is None
    assert len(slurm.asked) == 1


async def test_old_words_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    estimates = Slurm().estimates()
    assert await learn(estimates, request()) is not None
    monkeypatch.setattr(estimate, "STALE", 0.0)
    assert estimates.known(request()) is None


async def test_memory_does_not_grow_with_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "MOST_KEPT", 3)
    slurm = Slurm()
    estimates = slurm.estimates()
    for hours in range(1, 8):
        await learn(estimates, request(hours))
    known = [hours for hours in range(1, 8) if estimates.known(request(hours))]
    assert known == [5, 6, 7]
