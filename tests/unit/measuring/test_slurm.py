"""What is asked of Slurm, how long it took, what became of it, and what runs for nobody."""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from slurmhub.job.crossing import Crossing, CrossingFailed, SubmissionRefused
from slurmhub.job.tag import JobTag
from slurmhub.measuring.orphans import Orphans
from slurmhub.measuring.serving import ServingMeasured
from slurmhub.metrics import QUERIES
from slurmhub.slurm.command import Account
from slurmhub.slurm.errors import SlurmError
from slurmhub.slurm.states import JobState
from tests.unit.fakes import ALICE, LOG, NONCE, intent, job_record
from tests.unit.measuring.values import gained, value
from tests.unit.slurm.fake_commands import Fakes
from tests.unit.test_jobs import Bench, until

ME = Account(name="me", uid=os.geteuid(), gid=os.getegid(), groups=())


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    made.jobs.start()
    yield made
    await made.jobs.close()


# Commands


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"stdout": "ok"}, "answered"),
        ({"stderr": "slurm_load_jobs error: Access/permission denied", "status": 1}, "denied"),
        ({"stderr": "slurm_load_jobs error: Unable to contact", "status": 1}, "failed"),
        ({"sleep": 5}, "timeout"),
    ],
)
async def test_each_command_is_counted_by_what_became_of_it(
    tmp_path: Path, answer: dict[str, Any], outcome: str
) -> None:
    fakes = Fakes(tmp_path / "bin")
    fakes.add("sdiag", **answer)
    client = fakes.client(timeout=0.5)
    with (
        gained("slurmhub_slurm_queries_total", command="sdiag", outcome=outcome) as counted,
        gained("slurmhub_slurm_query_seconds_count", command="sdiag") as timed,
    ):
        try:
            await client.reset_rpc_counts()
        except SlurmError:
            assert outcome != "answered"
    assert (counted.amount, timed.amount) == (1, 1)


async def test_a_command_that_is_not_there_and_a_job_that_is_not(tmp_path: Path) -> None:
    fakes = Fakes(tmp_path / "bin")
    with (
        gained("slurmhub_slurm_queries_total", command="sdiag", outcome="missing") as missing,
        pytest.raises(SlurmError),
    ):
        await fakes.client().reset_rpc_counts()
    assert missing.amount == 1
    denied = "slurm_load_jobs error: Invalid job id specified"
    fakes.add("squeue", stderr=denied, status=1)
    with gained("slurmhub_slurm_queries_total", command="squeue", outcome="unknown-job") as gone:
        assert await fakes.client().jobs([7]) == {}
    assert gone.amount == 1


class Said(Crossing):
    """A crossing whose helper answers what a test says."""

    answer: Any = None

    async def _cross(self, account: Account, request: dict[str, Any]) -> dict[str, Any]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return dict(self.answer)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"ok": True}, "answered"),
        (SubmissionRefused("unknown-job", "gone"), "unknown-job"),
        (SubmissionRefused("timeout", "late"), "timeout"),
        (SubmissionRefused("whatever-it-says", "no"), "refused"),
        (CrossingFailed("no helper", remedy=""), "failed"),
    ],
)
async def test_what_a_person_asks_through_the_helper_is_counted_too(
    tmp_path: Path, answer: Any, outcome: str
) -> None:
    crossing = Said(tmp_path, tmp_path, tmp_path, None)
    object.__setattr__(crossing, "answer", answer)
    with gained("slurmhub_slurm_queries_total", command="scancel", outcome=outcome) as counted:
        try:
            await crossing.cancel(ME, 7)
        except (SubmissionRefused, CrossingFailed):
            assert outcome != "answered"
    assert counted.amount == 1


async def test_reading_a_log_is_no_command_of_slurm(tmp_path: Path) -> None:
    crossing = Said(tmp_path, tmp_path, tmp_path, None)
    object.__setattr__(crossing, "answer", {"ok": True, "text": "", "whole": True})
    before = json.dumps(sorted(_commands()))
    await crossing.log(ME, "/home/me/log")
    assert json.dumps(sorted(_commands())) == before


def _commands() -> set[str]:
    return {sample.labels["command"] for one in QUERIES.collect() for sample in one.samples}


# Looks


async def test_looks_are_counted_and_their_news_has_a_time(bench: Bench) -> None:
    await bench.running()
    with (
        gained("slurmhub_watch_looks_total", outcome="answered") as answered,
        gained("slurmhub_watch_seconds_count") as timed,
    ):
        assert await bench.jobs.watcher.look()
    assert (answered.amount, timed.amount) == (1, 1)
    news = value("slurmhub_watch_last_success_timestamp_seconds")
    assert abs(news - time.time()) < 5
    bench.client.silent = True
    with gained("slurmhub_watch_looks_total", outcome="failed") as failed:
        assert not await bench.jobs.watcher.look()
    assert failed.amount == 1
    assert value("slurmhub_watch_failures") == 1
    assert value("slurmhub_watch_last_success_timestamp_seconds") == news
    bench.client.silent = False
    assert await bench.jobs.watcher.look()
    assert value("slurmhub_watch_failures") == 0


async def test_a_hub_without_jobs_misses_nothing(bench: Bench) -> None:
    before = value("slurmhub_watch_last_success_timestamp_seconds")
    with gained("slurmhub_watch_looks_total", outcome="answered") as looks:
        assert await bench.jobs.watcher.look()
    assert looks.amount == 0
    assert value("slurmhub_watch_last_success_timestamp_seconds") > before


# Orphans


class Told:
    """A client that tells of comments; `while_asked` is what happens meanwhile."""

    def __init__(self, comments: list[tuple[int, str]], while_asked: Any = None) -> None:
        self._comments = comments
        self._while_asked = while_asked

    async def comments(self) -> list[tuple[int, str]]:
        if self._while_asked:
            self._while_asked()
        return self._comments


def tag(nonce: str, hub: str = "h") -> str:
    return JobTag(hub=hub, user="alice", server="", nonce=nonce).comment()


def orphans(bench: Bench, client: Told) -> Orphans:
    return Orphans(
        bench.jobs,
        client,  # type: ignore[arg-type]
        hub_name="h",
        look_at_cluster=lambda: None,
        log=LOG,
    )


async def test_a_job_that_names_this_hub_and_is_not_in_the_ledger_is_an_orphan(
    bench: Bench,
) -> None:
    await bench.running()
    jobs = [(7, tag(NONCE)), (8, tag("a" * 32)), (9, tag("b" * 32, hub="other")), (10, "mine")]
    await orphans(bench, Told(jobs)).look()
    assert value("slurmhub_orphans", kind="unknown") == 1
    await orphans(bench, Told(jobs[:1])).look()
    assert value("slurmhub_orphans", kind="unknown") == 0


async def test_a_job_that_ends_or_begins_while_slurm_answers_is_none(bench: Bench) -> None:
    await bench.running()
    ending = Told([(7, tag(NONCE))], lambda: bench.jobs._open.clear())
    await orphans(bench, ending).look()
    assert value("slurmhub_orphans", kind="unknown") == 0
    other = intent("c" * 32, server="lab")
    asks = partial(bench.jobs.request, other, ALICE, payload="{}", directories=[])
    beginning = Told([(8, tag("c" * 32))], asks)
    await orphans(bench, beginning).look()
    assert value("slurmhub_orphans", kind="unknown") == 0


async def test_comments_are_read_whatever_their_owners_write(tmp_path: Path) -> None:
    fakes = Fakes(tmp_path / "bin")
    fakes.add("squeue", f"7|{tag(NONCE)}¶\n8|two\nlines¶\n8_[1-4]|array¶\n")
    assert await fakes.client().comments() == [(7, tag(NONCE)), (8, "two\nlines")]


# What is written and found again


async def test_a_job_that_is_found_by_its_tag_is_adopted(bench: Bench) -> None:
    bench.crossing.failure = RuntimeError("the helper was killed")
    job = bench.request()
    await until(lambda: not job.submitting)
    bench.client.records[10] = job_record(10, JobState.RUNNING, comment=tag(NONCE))
    with gained("slurmhub_adoptions_total", how="tag") as adopted:
        await bench.jobs.keeper.once()
    assert job.intent.job_id == 10
    assert adopted.amount == 1


async def test_a_ledger_that_cannot_be_written_says_how_much_waits(bench: Bench) -> None:
    job = await bench.running()
    with bench.ledger.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE slurmhub_intent RENAME TO away"))
    bench.ledger.note(job.intent)
    assert value("slurmhub_ledger_unwritten") == 1
    with bench.ledger.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE away RENAME TO slurmhub_intent"))
    bench.ledger.flush()
    assert value("slurmhub_ledger_unwritten") == 0


# What JupyterHub serves


class Polled:
    """Stands for JupyterHub's spawner."""

    def start_polling(self) -> None:
        self.polled = True


class Served(ServingMeasured, Polled):
    """A spawner with a job."""

    def __init__(self, bench: Bench, job: Any) -> None:
        self.job = job
        self._jobs = bench.jobs

    @property
    def runtime(self) -> Any:
        return SimpleNamespace(jobs=self._jobs)


async def test_a_server_is_ready_when_jupyterhub_begins_to_poll_it(bench: Bench) -> None:
    job = await bench.running()
    spawner = Served(bench, job)
    with gained("slurmhub_spawns_total", outcome="ready", reason="") as ready:
        spawner.start_polling()
        assert ready.amount == 0
        assert spawner.polled
        job.intent.address, job.intent.port = "127.0.1.11", 20000
        spawner.start_polling()
    assert ready.amount == 1
    Served(bench, None).start_polling()
