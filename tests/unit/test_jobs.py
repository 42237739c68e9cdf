"""Open jobs: asked for once, followed through every state, cancelled until Slurm agrees."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from slurmhub.job.crossing import SubmissionRefused
from slurmhub.job.job import Job, alteration
from slurmhub.job.tag import JobTag
from slurmhub.jobs import Jobs
from slurmhub.ledger import Ledger
from slurmhub.slurm.gres import Gres
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.states import JobState, Phase
from slurmhub.slurm.times import TimeLimit
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


class Bench:
    """A hub's jobs on a fake cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.client = FakeClient()
        self.crossing = FakeCrossing(self.client)
        self.ledger: Ledger = ledger_at(folder)
        self.jobs: Jobs = jobs_on(self.client, self.crossing, self.ledger)

    def request(self) -> Job:
        return self.jobs.request(intent(), ALICE, payload="{}", directories=[])

    async def running(self) -> Job:
        """A job that runs, seen under this configuration."""
        job = self.request()
        await until(lambda: job.record is not None)
        await self.says(job, JobState.RUNNING)
        return job

    async def says(self, job: Job, state: JobState, **changes: object) -> None:
        """Let Slurm say this of the job, and the hub look."""
        assert job.intent.job_id is not None
        self.client.records[job.intent.job_id] = job_record(job.intent.job_id, state, **changes)
        assert await self.jobs.watcher.look()

    async def restart(self) -> None:
        """A new hub on the same ledger."""
        await self.jobs.close()
        self.ledger = ledger_at(self.folder)
        self.jobs = jobs_on(self.client, self.crossing, self.ledger)
        self.jobs.start()


async def until(true: object, seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.01)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    made.jobs.start()
    yield made
    await made.jobs.close()


async def test_a_cancelled_caller_loses_no_job(bench: Bench) -> None:
    bench.crossing.gate = asyncio.Event()

    async def start() -> None:
        await bench.request().change()

    caller = asyncio.create_task(start())
    await asyncio.sleep(0.02)
    caller.cancel()
    # The gate is still shut: it is not waited for.
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait_for(caller, timeout=20)
    bench.crossing.gate.set()
    job = bench.jobs.find("alice", "")
    assert job is not None
    await until(lambda: job.intent.job_id == 7)
    assert bench.ledger.open_intents()[0].job_id == 7
    assert len(bench.crossing.submitted) == 1


async def test_a_cancel_during_submission_reaches_the_job(bench: Bench) -> None:
    bench.crossing.gate = asyncio.Event()
    job = bench.request()
    bench.jobs.cancel(job)
    await asyncio.sleep(0.02)
    assert bench.crossing.cancelled == []
    bench.crossing.gate.set()
    await until(lambda: job.intent.confirmed_gone)
    assert bench.crossing.cancelled == [7]


async def test_a_refused_submission_ends_with_slurms_words(bench: Bench) -> None:
    bench.crossing.failure = SubmissionRefused("refused", "sbatch: error: invalid partition")
    job = bench.request()
    await until(lambda: job.intent.ended is not None)
    assert job.intent.confirmed_gone
    assert job.intent.outcome is not None
    assert "invalid partition" in job.intent.outcome.detail


async def test_a_job_whose_id_was_lost_is_found_by_its_tag(bench: Bench) -> None:
    bench.crossing.failure = RuntimeError("the helper was killed")
    job = bench.request()
    await until(lambda: not job.submitting)
    comment = JobTag(hub="h", user="alice", server="", nonce=NONCE).comment()
    forged = JobTag(hub="h", user="alice", server="", nonce="f" * 32).comment()
    bench.client.records[8] = job_record(8, JobState.RUNNING, comment=forged)
    bench.client.records[9] = job_record(9, JobState.RUNNING, comment=comment, uid=666)
    bench.client.records[10] = job_record(10, JobState.RUNNING, comment=comment)
    await bench.restart()
    again = bench.jobs.find("alice", "")
    assert again is not None
    await until(lambda: again.intent.job_id == 10)
    assert again.phase is Phase.RUNNING


async def test_a_submission_that_slurm_never_heard_is_given_up_after_its_deadline(
    bench: Bench,
) -> None:
    bench.crossing.failure = RuntimeError("no answer")
    job = bench.jobs.request(
        intent(deadline=time.time() - 3600), ALICE, payload="{}", directories=[]
    )
    await until(lambda: not job.submitting)
    await bench.restart()
    await until(lambda: not bench.jobs.open())
    last = bench.ledger.last("alice", "")
    assert last is not None
    assert last.outcome is not None
    assert last.outcome.kind == "submission-lost"


async def test_silence_is_not_news(bench: Bench) -> None:
    job = await bench.running()
    bench.client.silent = True
    assert not await bench.jobs.watcher.look()
    assert job.intent.ended is None
    assert job.phase is Phase.RUNNING


async def test_absence_from_the_list_alone_is_no_end(bench: Bench) -> None:
    job = await bench.running()
    bench.client.hidden = True
    bench.client.mark = "cluster=test;private=jobs"
    await bench.jobs.watcher.look()
    await bench.jobs.keeper.once()
    assert job.intent.ended is None
    assert job.phase is Phase.UNKNOWN


async def test_a_denied_look_up_under_an_unchanged_configuration_is_the_end(bench: Bench) -> None:
    job = await bench.running()
    assert job.intent.seen_under == bench.client.mark
    bench.client.records.clear()
    await bench.jobs.watcher.look()
    await bench.jobs.keeper.once()
    assert job.intent.confirmed_gone


async def test_who_cancelled_past_the_hub_is_said_once_the_accounting_knows(bench: Bench) -> None:
    job = await bench.running()
    bench.client.canceller = 0
    await bench.says(job, JobState.CANCELLED)
    assert job.intent.confirmed_gone
    await until(lambda: "administrators" in str(job.intent.outcome))
    last = bench.ledger.last("alice", "")
    assert last is not None
    assert last.outcome == job.intent.outcome


async def test_a_number_that_is_anothers_by_now_is_not_our_job(bench: Bench) -> None:
    job = await bench.running()
    await bench.says(job, JobState.RUNNING, uid=666)
    await bench.jobs.keeper.once()
    assert job.intent.confirmed_gone


async def test_an_account_that_cannot_see_its_jobs_is_told(bench: Bench) -> None:
    bench.client.hidden = True
    job = bench.request()
    await until(lambda: job.invisible)
    assert job.intent.ended is None


@pytest.mark.parametrize(
    "state",
    [
        JobState.COMPLETED,
        JobState.CANCELLED,
        JobState.FAILED,
        JobState.TIMEOUT,
        JobState.NODE_FAIL,
        JobState.PREEMPTED,
        JobState.BOOT_FAIL,
        JobState.DEADLINE,
        JobState.OUT_OF_MEMORY,
        JobState.REVOKED,
    ],
)
async def test_a_terminal_state_ends_the_server_and_says_how(bench: Bench, state: JobState) -> None:
    job = await bench.running()
    withdrawn: list[bool] = []
    job.on_withdrawn = lambda: withdrawn.append(True)
    await bench.says(job, state)
    assert job.intent.confirmed_gone
    assert job.intent.outcome is not None
    assert job.intent.outcome.plain
    assert withdrawn == [True]


@pytest.mark.parametrize("state", [JobState.SUSPENDED, JobState.SIGNALING, JobState.STOPPED])
async def test_a_paused_job_keeps_its_server(bench: Bench, state: JobState) -> None:
    job = await bench.running()
    job.intent.address, job.intent.port = "127.0.1.11", 20000
    await bench.says(job, state)
    assert job.listening


@pytest.mark.parametrize(
    "state", [JobState.PENDING, JobState.REQUEUED, JobState.REQUEUE_HOLD, JobState.SPECIAL_EXIT]
)
async def test_a_requeued_job_loses_its_place_at_once(bench: Bench, state: JobState) -> None:
    job = await bench.running()
    job.intent.address, job.intent.port = "127.0.1.11", 20000
    withdrawn: list[bool] = []
    job.on_withdrawn = lambda: withdrawn.append(True)
    await bench.says(job, state, restarts=1)
    assert not job.listening
    assert withdrawn == [True]
    assert job.intent.ended is None
    assert job.intent.restarts == 1


async def test_a_requeue_between_two_looks_is_seen_by_its_count(bench: Bench) -> None:
    job = await bench.running()
    job.intent.address, job.intent.port = "127.0.1.11", 20000
    await bench.says(job, JobState.RUNNING, restarts=1)
    assert not job.listening


async def test_an_unconfirmed_cancel_is_repeated_also_by_the_next_hub(bench: Bench) -> None:
    job = await bench.running()
    bench.crossing.failure = RuntimeError("Slurm is away")
    bench.jobs.cancel(job)
    await until(lambda: bench.crossing.cancelled)
    assert not job.intent.confirmed_gone
    await bench.restart()
    bench.crossing.failure = None
    await until(lambda: not bench.jobs.open())
    assert bench.crossing.cancelled[-1] == 7
    assert bench.jobs.find("alice", "") is None


async def test_a_server_being_cancelled_is_no_longer_the_owners_server(bench: Bench) -> None:
    job = await bench.running()
    bench.crossing.failure = RuntimeError("Slurm is away")
    bench.jobs.cancel(job)
    assert bench.jobs.find("alice", "") is None
    assert bench.jobs.open() == [job]


async def test_many_looks_asked_for_at_once_are_one(bench: Bench) -> None:
    await bench.running()
    before = bench.client.asked.count("jobs")
    await asyncio.gather(*(bench.jobs.watcher.look() for _ in range(100)))
    assert bench.client.asked.count("jobs") - before <= 2


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({}, True),
        ({"name": "mine", "comment": "changed"}, True),
        ({"partition": "gpu"}, False),
        ({"gres": (Gres("gpu", "h100", 1),)}, False),
        ({"state": JobState.PENDING, "cpus": 8}, False),
        ({"state": JobState.RUNNING, "cpus": 2}, True),
        ({"state": JobState.RUNNING, "cpus": 8}, False),
        ({"memory": Memory(2048)}, True),
        ({"memory": Memory(9000)}, False),
        ({"time_limit": TimeLimit.of_minutes(30)}, True),
        ({"time_limit": TimeLimit.of_minutes(480)}, False),
        ({"time_limit": TimeLimit(None)}, False),
    ],
)
def test_what_an_owner_may_change(changes: dict[str, Any], allowed: bool) -> None:
    assert (alteration(intent(), job_record(**changes)) is None) is allowed


NAMED = {"account": "physics", "qos": "long", "reservation": "class"}
SHARDS = {"gpus": 2, "gpu_type": "shard"}


@pytest.mark.parametrize(
    ("asked", "changes", "allowed"),
    [
        (NAMED, {"account": "physics", "qos": "long", "reservation": "class"}, True),
        (NAMED, {"account": "Physics", "qos": "Long"}, True),
        (NAMED, {"account": "chem"}, False),
        (NAMED, {"qos": "high"}, False),
        (NAMED, {"reservation": "other"}, False),
        ({}, {"account": "chem", "qos": "high"}, True),
        (SHARDS, {"gres": (Gres("shard", None, 2),)}, True),
        (SHARDS, {"gres": (Gres("shard", None, 3),)}, False),
        (SHARDS, {"gres": (Gres("gpu", None, 1),)}, False),
        ({"gpus": 1}, {"gres": (Gres("gpu", None, 1),)}, True),
        ({"gpus": 1}, {"gres": (Gres("shard", None, 1),)}, False),
    ],
)
def test_what_was_asked_for_by_name_stays(
    asked: dict[str, Any], changes: dict[str, Any], allowed: bool
) -> None:
    request = {**intent().request, **asked}
    assert (alteration(intent(request=request), job_record(**changes)) is None) is allowed
