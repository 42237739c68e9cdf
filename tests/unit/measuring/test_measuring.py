"""Spawns, times, states and adoptions of a hub's jobs, each counted once."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from slurmhub.job.crossing import SubmissionRefused
from slurmhub.job.job import Job
from slurmhub.job.outcome import STOPPED, UNREACHABLE
from slurmhub.ledger import Outcome
from slurmhub.measuring import labels
from slurmhub.measuring.labels import Bounds
from slurmhub.measuring.measuring import CLAIM_SECONDS, never_asked, state_of
from slurmhub.options.door import ServerFailed
from slurmhub.slurm.errors import SlurmUnreachable
from slurmhub.slurm.states import JobState, Phase
from tests.unit.fakes import ALICE, intent
from tests.unit.measuring.values import gained, told, value
from tests.unit.test_jobs import Bench, until

ASKED = {"partition": "cpu", "profile": ""}


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    made.jobs.start()
    yield made
    await made.jobs.close()


@pytest.fixture(autouse=True)
def _bound() -> Iterator[None]:
    labels.use(Bounds(lambda: {"cpu"}, lambda: (), lambda: ()))
    yield
    labels.use(Bounds())


def listens(bench: Bench, job: Job) -> None:
    """The job announces its server."""
    job.intent.address, job.intent.port = "127.0.1.11", 20000
    bench.jobs.measuring.listening(job.intent)
    bench.ledger.note(job.intent)


async def test_a_server_is_ready_once_whatever_restarts(bench: Bench) -> None:
    job = await bench.running()
    with (
        gained("slurmhub_spawns_total", outcome="ready", reason="") as ready,
        gained("slurmhub_ready_seconds_count", **ASKED) as timed,
        gained("slurmhub_launch_seconds_count", **ASKED) as launched,
    ):
        listens(bench, job)
        bench.jobs.measuring.ready(job.intent)
        bench.jobs.measuring.ready(job.intent)
        await bench.restart()
        again = bench.jobs.find("alice", "")
        assert again is not None
        bench.jobs.measuring.ready(again.intent)
    assert (ready.amount, timed.amount, launched.amount) == (1, 1, 1)


async def test_a_server_that_listened_but_was_never_served_has_failed(bench: Bench) -> None:
    job = await bench.running()
    listens(bench, job)
    bench.jobs.show()
    await bench.restart()
    again = bench.jobs.find("alice", "")
    assert again is not None
    with gained("slurmhub_spawns_total", outcome="failed", reason="unreachable") as failed:
        bench.jobs.end(again, UNREACHABLE, confirmed=True)
    assert failed.amount == 1


async def test_a_server_of_a_hub_that_did_not_count_is_not_ready_again(bench: Bench) -> None:
    job = await bench.running()
    job.intent.address, job.intent.port = "127.0.1.11", 20000
    bench.ledger.note(job.intent)
    bench.jobs.measuring._measures.forget(job.intent.nonce)
    bench.jobs.show()
    await bench.restart()
    again = bench.jobs.find("alice", "")
    assert again is not None
    with gained("slurmhub_spawns_total", outcome="ready", reason="") as ready:
        bench.jobs.measuring.ready(again.intent)
    assert ready.amount == 0


async def test_the_wait_in_the_queue_is_counted_at_the_first_start_only(bench: Bench) -> None:
    with gained("slurmhub_queue_seconds_count", **ASKED) as waited:
        job = await bench.running()
        await bench.says(job, JobState.RUNNING)
        await bench.says(job, JobState.PENDING, restarts=1)
        await bench.says(job, JobState.RUNNING, restarts=1)
    assert waited.amount == 1


async def test_a_job_too_short_to_be_seen_running_has_waited_too(bench: Bench) -> None:
    with gained("slurmhub_queue_seconds_count", **ASKED) as waited:
        job = bench.request()
        await until(lambda: job.record is not None)
        running = bench.client.records[7]
        started = running.submitted
        await bench.says(job, JobState.FAILED, started=started, batch_host="n1")
    assert waited.amount == 1


async def test_a_refused_submission_is_a_failed_start(bench: Bench) -> None:
    bench.crossing.failure = SubmissionRefused("refused", "sbatch: error: invalid partition")
    with (
        gained("slurmhub_spawns_total", outcome="failed", reason="refused") as failed,
        gained("slurmhub_submissions_total", outcome="refused") as submitted,
    ):
        job = bench.request()
        await until(lambda: job.intent.ended is not None and not job.submitting)
    assert (failed.amount, submitted.amount) == (1, 1)


async def test_who_stops_before_it_is_ready_has_cancelled_the_start(bench: Bench) -> None:
    with gained("slurmhub_spawns_total", outcome="cancelled", reason="stopped") as cancelled:
        job = await bench.running()
        bench.jobs.cancel(job, STOPPED)
        await until(lambda: job.intent.confirmed_gone)
    assert cancelled.amount == 1


async def test_a_server_that_was_ready_and_ends_is_no_failed_start(bench: Bench) -> None:
    job = await bench.running()
    listens(bench, job)
    bench.jobs.measuring.ready(job.intent)
    with (
        gained("slurmhub_spawns_total", outcome="failed", reason="timeout") as failed,
        gained("slurmhub_job_ends_total", kind="timeout") as ended,
    ):
        await bench.says(job, JobState.TIMEOUT)
    assert (failed.amount, ended.amount) == (0, 1)


@pytest.mark.parametrize("kind", ["switched", "not-needed", "given-up"])
async def test_a_job_that_made_way_for_another_is_no_start_of_its_own(
    bench: Bench, kind: str
) -> None:
    job = await bench.running()
    with (
        gained("slurmhub_spawns_total", outcome="failed", reason=kind) as failed,
        gained("slurmhub_spawns_total", outcome="cancelled", reason=kind) as cancelled,
    ):
        bench.jobs.end(job, Outcome(kind, "", ""), confirmed=True)
    assert (failed.amount, cancelled.amount) == (0, 0)


def test_a_server_without_a_job_fails_by_the_kind_of_error() -> None:
    error = ServerFailed.of(SlurmUnreachable("Slurm is away.", remedy="Wait."))
    with gained("slurmhub_spawns_total", outcome="failed", reason="slurm-unreachable") as failed:
        assert never_asked(error) is error
    assert failed.amount == 1


async def test_jobs_are_told_by_state_and_a_state_without_jobs_is_zero(bench: Bench) -> None:
    def number(state: str) -> float:
        return value("slurmhub_jobs", state=state, partition="cpu")

    bench.jobs.show()
    assert told("slurmhub_jobs", state="listening", partition="cpu")
    job = await bench.running()
    bench.jobs.show()
    assert number("starting") == 1
    listens(bench, job)
    bench.jobs.show()
    assert (number("starting"), number("listening")) == (0, 1)
    bench.crossing.failure = RuntimeError("Slurm is away")
    bench.jobs.cancel(job)
    bench.jobs.show()
    assert (number("listening"), number("ending")) == (0, 1)
    assert value("slurmhub_unconfirmed_cancels") == 1


def test_the_states_of_a_job() -> None:
    job = Job(intent(), ALICE)
    assert state_of(job) == "asking"
    job.intent.job_id = 7
    assert state_of(job) == "unknown"
    job.phase = Phase.PENDING
    assert state_of(job) == "pending"
    job.phase = Phase.GONE
    assert state_of(job) == "ending"


async def test_a_job_that_a_server_takes_up_after_a_restart_is_adopted_once(bench: Bench) -> None:
    await bench.running()
    await bench.restart()
    again = bench.jobs.find("alice", "")
    assert again is not None
    with gained("slurmhub_adoptions_total", how="ledger") as adopted:
        bench.jobs.show()
        assert again.from_ledger, "no server has taken it up yet"
        again.on_withdrawn = lambda: None
        bench.jobs.show()
        bench.jobs.show()
    assert adopted.amount == 1


async def test_a_job_that_no_server_takes_up_is_an_orphan(bench: Bench) -> None:
    await bench.running()
    await bench.restart()
    again = bench.jobs.find("alice", "")
    assert again is not None
    bench.jobs.show()
    assert value("slurmhub_orphans", kind="unclaimed") == 0
    again.held_since = time.monotonic() - CLAIM_SECONDS - 1
    bench.jobs.show()
    assert value("slurmhub_orphans", kind="unclaimed") == 1
    again.on_withdrawn = lambda: None
    bench.jobs.show()
    assert value("slurmhub_orphans", kind="unclaimed") == 0
