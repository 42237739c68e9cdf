"""Two jobs for one server: whichever way the news come, one is the server and none is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slurmhub.job.crossing import SubmissionRefused
from slurmhub.job.job import Job
from slurmhub.job.who import Asker, stopped_by
from slurmhub.jobs import Jobs
from slurmhub.slurm.states import JobState, Phase
from slurmhub.waiting.switch import GIVEN_UP, may_switch
from tests.unit.fakes import (
    ALICE,
    NONCE,
    FakeClient,
    FakeCrossing,
    intent,
    job_record,
    jobs_on,
    ledger_at,
)

SECOND = "f" * 32


class Pair:
    """A hub on a fake cluster, where alice waits for one job and asks for another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.client = FakeClient()
        self.crossing = FakeCrossing(self.client)
        self.jobs: Jobs = jobs_on(self.client, self.crossing, ledger_at(folder))
        self.jobs.start()

    async def ask(self) -> tuple[Job, Job]:
        """Both jobs, pending."""
        first = self.jobs.request(intent(), ALICE, payload="{}", directories=[])
        await until(lambda: first.phase is Phase.PENDING)
        second = self.jobs.request(
            intent(SECOND, alternative_to=NONCE), ALICE, payload="{}", directories=[]
        )
        await until(lambda: second.intent.job_id is not None)
        await self.look()
        return first, second

    async def look(self) -> None:
        assert await self.jobs.watcher.look()

    async def says(self, job: Job, state: JobState) -> None:
        assert job.intent.job_id is not None
        self.client.records[job.intent.job_id] = job_record(job.intent.job_id, state)
        await self.look()

    def listens(self, job: Job) -> None:
        """As the rendezvous does when the job's server announces itself."""
        job.intent.address, job.intent.port = "127.0.1.11", 20000 + (job.intent.job_id or 0)
        self.jobs.ledger.note(job.intent)
        job.notify()

    @property
    def server(self) -> Job | None:
        return self.jobs.find("alice", "")

    async def kill_and_restart(self) -> None:
        """A new hub on what is written down now; the old one does nothing more."""
        await self.jobs.close()
        self.jobs = jobs_on(self.client, self.crossing, ledger_at(self.folder))
        self.jobs.start()


async def until(true: object, seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.01)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    made = Pair(tmp_path)
    yield made
    await made.jobs.close()


async def test_the_first_is_the_server_until_the_second_listens(pair: Pair) -> None:
    first, second = await pair.ask()
    assert pair.server is first
    await pair.says(second, JobState.RUNNING)
    assert pair.server is first
    assert first.intent.live
    pair.listens(second)
    assert pair.server is second
    assert first.successor is second
    await until(lambda: first.intent.confirmed_gone)
    assert pair.crossing.cancelled == [first.intent.job_id]
    assert first.intent.outcome is not None
    assert first.intent.outcome.kind == "switched"


async def test_the_second_is_cancelled_when_the_first_starts(pair: Pair) -> None:
    first, second = await pair.ask()
    await pair.says(first, JobState.RUNNING)
    assert pair.server is first
    await until(lambda: second.intent.confirmed_gone)
    assert first.intent.live
    assert first.lost_alternative is None


async def test_of_two_that_run_the_first_to_listen_is_the_server(pair: Pair) -> None:
    first, second = await pair.ask()
    await pair.says(second, JobState.RUNNING)
    await pair.says(first, JobState.RUNNING)
    assert first.intent.live
    assert second.intent.live
    pair.listens(first)
    assert pair.server is first
    assert not second.intent.live


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.NODE_FAIL, JobState.CANCELLED])
async def test_a_second_that_dies_loses_nothing(pair: Pair, state: JobState) -> None:
    first, second = await pair.ask()
    await pair.says(second, JobState.RUNNING)
    await pair.says(second, state)
    assert pair.server is first
    assert first.intent.live
    assert first.lost_alternative is not None
    assert may_switch(first)


async def test_a_second_that_is_refused_loses_nothing(pair: Pair) -> None:
    first = pair.jobs.request(intent(), ALICE, payload="{}", directories=[])
    await until(lambda: first.phase is Phase.PENDING)
    pair.crossing.failure = SubmissionRefused("refused", "Job violates accounting/QOS policy")
    second = pair.jobs.request(
        intent(SECOND, alternative_to=NONCE), ALICE, payload="{}", directories=[]
    )
    await until(lambda: second.intent.confirmed_gone)
    assert pair.server is first
    assert first.lost_alternative is not None
    assert "QOS" in first.lost_alternative.detail


async def test_when_the_first_ends_by_itself_the_second_is_the_server(pair: Pair) -> None:
    first, second = await pair.ask()
    await pair.says(first, JobState.CANCELLED)
    assert pair.server is second
    assert first.successor is second
    assert second.intent.live


async def test_who_cancels_cancels_both(pair: Pair) -> None:
    first, second = await pair.ask()
    pair.jobs.cancel(first, stopped_by(Asker("alice"), "alice"))
    assert pair.server is None
    await until(lambda: first.intent.confirmed_gone and second.intent.confirmed_gone)
    assert sorted(pair.crossing.cancelled)[:2] == [7, 8]


async def test_who_gives_the_second_up_keeps_the_first(pair: Pair) -> None:
    first, second = await pair.ask()
    pair.jobs.cancel(second, GIVEN_UP)
    await until(lambda: second.intent.confirmed_gone)
    assert pair.server is first
    assert first.intent.live
    assert first.lost_alternative is None


async def test_the_last_of_a_server_is_never_a_request_that_lost(pair: Pair) -> None:
    first, second = await pair.ask()
    await pair.says(first, JobState.RUNNING)
    await pair.says(first, JobState.FAILED)
    await until(lambda: first.intent.confirmed_gone and second.intent.confirmed_gone)
    last = pair.jobs.ledger.last("alice", "")
    assert last is not None
    assert last.nonce == NONCE


@pytest.mark.parametrize("moment", ["pending", "running", "listening", "cancelled", "first runs"])
async def test_a_hub_that_dies_at_any_moment_leaves_one_server(pair: Pair, moment: str) -> None:
    first, second = await pair.ask()
    # From here on the old hub tells Slurm nothing any more: it is about to be killed.
    pair.crossing.failure = RuntimeError("killed")
    if moment == "running":
        await pair.says(second, JobState.RUNNING)
    if moment == "listening":
        await pair.says(second, JobState.RUNNING)
        pair.listens(second)
    if moment == "cancelled":
        pair.jobs.cancel(first)
    if moment == "first runs":
        await pair.says(first, JobState.RUNNING)
    await pair.kill_and_restart()
    pair.crossing.failure = None
    await pair.look()
    server = pair.server
    if moment == "cancelled":
        assert server is None
        await until(lambda: not pair.jobs.open())
        return
    assert server is not None
    assert server.intent.nonce == (SECOND if moment == "listening" else NONCE)
    if moment in ("listening", "first runs"):
        # What the old hub could not say any more, the new one says.
        pair.jobs.open()[0].cancel_again = pair.jobs.open()[1].cancel_again = 0.0
        await pair.jobs.keeper.once()
        await until(lambda: len(pair.jobs.open()) == 1)
    else:
        assert pair.jobs.switch.alternative(server) is not None


async def test_a_listening_second_that_the_old_hub_did_not_judge_wins(pair: Pair) -> None:
    _, second = await pair.ask()
    await pair.says(second, JobState.RUNNING)
    # Written by the rendezvous; the hub was killed before it came to anything else.
    second.intent.address, second.intent.port = "127.0.1.11", 20001
    pair.jobs.ledger.note(second.intent)
    await pair.kill_and_restart()
    server = pair.server
    assert server is not None
    assert server.intent.nonce == SECOND
    await until(lambda: len(pair.jobs.open()) == 1)
