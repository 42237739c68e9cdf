"""What a job may say to the hub: a port, and nothing else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slurmhub import metrics
from slurmhub.job.job import Job
from slurmhub.jobs import Jobs
from slurmhub.keys import server_token
from slurmhub.rendezvous import Answer, Rendezvous
from slurmhub.slurm.states import JobState
from tests.unit.fakes import (
    ALICE,
    LOG,
    NONCE,
    FakeClient,
    FakeCrossing,
    intent,
    job_record,
    jobs_on,
    ledger_at,
)

KEY = b"k" * 32
OTHER = "f" * 32


class Door:
    """A rendezvous with one running job of alice, and its token."""

    def __init__(self, folder: Path) -> None:
        self.client = FakeClient()
        self.jobs: Jobs = jobs_on(self.client, FakeCrossing(self.client), ledger_at(folder))
        self.rendezvous = Rendezvous(
            self.jobs,
            key=KEY,
            ports=(20000, 20099),
            forbidden_ports=lambda: frozenset({20001}),
            address_of=self._address,
            certify=self._certify,
            log=LOG,
        )

    async def _address(self, node: str) -> str | None:
        return {"n1": "127.0.1.11", "n2": "127.0.1.12"}.get(node)

    async def _certify(self, job: Job, address: str) -> Mapping[str, str] | None:
        return None

    async def job(self, nonce: str = NONCE) -> Job:
        job = self.jobs.request(intent(nonce), ALICE, payload="{}", directories=[])
        while job.intent.job_id is None:
            await job.change(1)
        self.client.records[job.intent.job_id] = job_record(job.intent.job_id)
        await self.jobs.watcher.look()
        return job

    async def hear(
        self, event: str, nonce: str = NONCE, token: str | None = None, **said: Any
    ) -> Answer:
        body = {"job": 7, "restarts": 0, **said}
        token = server_token(KEY, nonce) if token is None else token
        return await self.rendezvous.hear(nonce, event, token, json.dumps(body).encode())


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    made = Door(tmp_path)
    made.jobs.start()
    yield made
    await made.jobs.close()


def refused(reason: str) -> float:
    return float(metrics.ANNOUNCEMENTS_REFUSED.labels(reason)._value.get())


async def test_the_port_is_taken_from_the_job_and_the_address_from_slurm(door: Door) -> None:
    job = await door.job()
    assert (await door.hear("started")).status == 200
    assert (await door.hear("listening", port=20050)).status == 200
    assert (job.intent.address, job.intent.port) == ("127.0.1.11", 20050)
    assert (await door.hear("listening", port=20050)).status == 200


@pytest.mark.parametrize(
    ("event", "said", "status", "reason"),
    [
        ("listening", {"port": 80}, 409, "port-range"),
        ("listening", {"port": 20001}, 409, "port-forbidden"),
        ("listening", {"port": "20050"}, 400, "field"),
        ("listening", {"port": True}, 400, "field"),
        ("listening", {"port": 2**40}, 400, "field"),
        ("listening", {"port": 20050, "ip": "127.0.0.9"}, 400, "field"),
        ("listening", {"port": 20050, "job_id": "1; rm"}, 400, "field"),
        ("listening", {}, 400, "field"),
        ("listening", {"port": 20050, "job": 8}, 403, "other-job"),
        ("listening", {"port": 20050, "restarts": -1}, 410, "stale"),
        ("exec", {}, 400, "event"),
        ("ended", {"exit_code": 0, "signal": None, "why": "<b>", "tail": ""}, 400, "field"),
    ],
)
async def test_anything_else_is_refused_and_counted(
    door: Door, event: str, said: dict[str, Any], status: int, reason: str
) -> None:
    job = await door.job()
    before = refused(reason)
    assert (await door.hear(event, **said)).status == status
    assert refused(reason) == before + 1
    assert not job.listening
    assert job.intent.ended is None
    assert (await door.hear("listening", port=20050)).status == 200


@pytest.mark.parametrize(
    "token", ["", "x", server_token(KEY, OTHER), server_token(b"l" * 32, NONCE), "\N{BULLET}"]
)
async def test_only_the_jobs_own_token_opens_the_door(door: Door, token: str) -> None:
    job = await door.job()
    assert (await door.hear("listening", token=token, port=20050)).status == 403
    assert not job.listening


async def test_a_neighbours_place_cannot_be_claimed(door: Door) -> None:
    await door.job()
    await door.hear("listening", port=20050)
    await door.job(OTHER)
    claim = await door.hear("listening", nonce=OTHER, job=8, port=20050)
    assert claim.status == 409
    assert (await door.hear("listening", nonce=OTHER, job=8, port=20051)).status == 200


async def test_a_second_port_is_refused(door: Door) -> None:
    job = await door.job()
    await door.hear("listening", port=20050)
    assert (await door.hear("listening", port=20051)).status == 403
    assert job.intent.port == 20050


async def test_an_ended_job_is_not_heard(door: Door) -> None:
    await door.job()
    said: dict[str, Any] = {"exit_code": 1, "signal": None, "why": "server-exited", "tail": "boom"}
    assert (await door.hear("ended", **said)).status == 200
    assert (await door.hear("listening", port=20050)).status == 410


async def test_the_end_is_kept_with_its_last_lines_made_printable(door: Door) -> None:
    job = await door.job()
    await door.hear("ended", exit_code=3, signal=None, why="server-exited", tail="a\x1b[2J\nb")
    assert job.intent.outcome is not None
    assert job.intent.outcome.exit_code == 3
    assert job.intent.outcome.detail == "a\N{REPLACEMENT CHARACTER}[2J\nb"


USE = {"cpu_seconds": 1.5, "memory": 2**20, "memory_peak": 2**21, "processes": 3, "gpus": []}


async def test_the_last_use_comes_with_the_end(door: Door) -> None:
    job = await door.job()
    said: dict[str, Any] = {"exit_code": None, "signal": 9, "why": "server-exited", "tail": ""}
    wrong = {**USE, "memory": -1}
    assert (await door.hear("ended", **said, use=wrong)).status == 400
    assert (await door.hear("ended", **said, use=None)).status == 400
    assert job.intent.outcome is None
    assert (await door.hear("ended", **said, use={**USE, "memory_kills": 1})).status == 200
    assert job.intent.usage is not None
    assert job.intent.usage["memory_peak"] == 2**21
    assert job.intent.outcome is not None
    assert job.intent.outcome.kind == "out-of-memory"


async def test_its_use_is_kept_but_not_more_often_than_every_ten_seconds(door: Door) -> None:
    job = await door.job()
    assert (await door.hear("usage", use=USE)).status == 200
    assert job.intent.usage is not None
    assert USE.items() <= job.intent.usage.items()
    before = refused("too-often")
    for _ in range(5):
        assert (await door.hear("usage", use={**USE, "memory": 7})).status == 429
    assert refused("too-often") == before + 5
    assert job.intent.usage["memory"] == 2**20
    assert job.use_told is not None
    job.use_told -= 11
    assert (await door.hear("usage", use={**USE, "memory": 7})).status == 200
    assert job.intent.usage["memory"] == 7


async def test_the_use_of_another_incarnation_is_not_kept(door: Door) -> None:
    job = await door.job()
    assert (await door.hear("usage", restarts=3, use=USE)).status == 200
    assert job.intent.usage is None
    job.use_told = None
    door.jobs.cancel(job)
    await door.hear("usage", use=USE)
    assert job.intent.usage is None


@pytest.mark.parametrize(
    "use",
    [
        None,
        [],
        {},
        {**USE, "cpu_seconds": float("nan")},
        {**USE, "memory": 2**60},
        {**USE, "gpus": [{"index": 0, "busy": 200, "memory": 0}]},
        {**USE, "cmd": "x"},
    ],
)
async def test_a_use_of_another_shape_is_refused(door: Door, use: object) -> None:
    job = await door.job()
    await door.hear("listening", port=20050)
    before = refused("field")
    assert (await door.hear("usage", use=use)).status == 400
    assert refused("field") == before + 1
    assert job.intent.usage is None
    assert job.listening


async def test_a_job_asked_to_end_may_come_back(door: Door) -> None:
    job = await door.job()
    await door.hear("listening", port=20050)
    await door.hear("ended", exit_code=0, signal=None, why="terminated", tail="")
    assert job.intent.ended is None
    assert not job.listening


async def test_an_incarnation_that_slurm_does_not_know_waits(door: Door) -> None:
    job = await door.job()
    assert (await door.hear("listening", restarts=5, port=20050)).status == 425
    assert job.intent.restarts == 0
    door.client.records[7] = job_record(7, restarts=5, batch_host="n2")
    assert (await door.hear("listening", restarts=5, port=20050)).status == 200
    assert job.intent.address == "127.0.1.12"


async def test_a_job_that_does_not_run_has_no_place(door: Door) -> None:
    job = await door.job()
    door.client.records[7] = job_record(7, JobState.PENDING)
    await door.jobs.watcher.look()
    assert (await door.hear("listening", port=20050)).status == 425
    assert not job.listening


async def test_a_job_moved_to_another_partition_is_ended(door: Door) -> None:
    job = await door.job()
    door.client.records[7] = job_record(7, partition="gpu")
    await door.jobs.watcher.look()
    assert (await door.hear("listening", port=20050)).status == 410
    assert job.intent.cancel_requested is not None
    assert job.intent.outcome is not None
    assert job.intent.outcome.kind == "altered"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
async def test_no_body_does_harm(door: Door, body: bytes) -> None:
    job = door.jobs.by_nonce(NONCE) or await door.job()
    answer = await door.rendezvous.hear(NONCE, "listening", server_token(KEY, NONCE), body)
    assert answer.status in (400, 413)
    assert not job.listening
