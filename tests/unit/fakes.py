"""A cluster that says what a test tells it to, and records made by hand."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from slurmhub.jobs import Jobs
from slurmhub.ledger import Intent, Ledger
from slurmhub.slurm.command import Account
from slurmhub.slurm.errors import JobUnknown, SlurmUnreachable
from slurmhub.slurm.records import JobRecord
from slurmhub.slurm.states import JobState
from slurmhub.slurm.times import TimeLimit

ALICE = Account(name="alice", uid=1001, gid=1001, groups=())
LOG = logging.getLogger("slurmhub.tests")
NONCE = "0123456789abcdef" * 2
ASKED = {"partition": "cpu", "cpus": 1, "gpus": 0, "memory": "2048M", "hours": "1:00:00"}


def job_record(job_id: int = 7, state: JobState = JobState.RUNNING, **changes: Any) -> JobRecord:
    """A running job of alice on n1; `changes` replace fields."""
    running = state is JobState.RUNNING
    record = JobRecord(
        job_id=job_id,
        uid=1001,
        user="alice",
        name="jupyter",
        comment="",
        state=state,
        raw_state=state.value,
        reason="None",
        partition="cpu",
        account="",
        qos="",
        reservation="",
        batch_host="n1" if running else None,
        node_list=("n1",) if running else (),
        cpus=1,
        memory=None,
        gres=(),
        time_limit=TimeLimit.of_minutes(60),
        time_left=None,
        submitted=datetime.now(timezone.utc),
        started=datetime.now(timezone.utc) if running else None,
        expected_start=None,
        ends=None,
        restarts=0,
        exit_code=None,
        exit_signal=None,
        priority=None,
    )
    return dataclasses.replace(record, **changes)


def intent(nonce: str = NONCE, **changes: Any) -> Intent:
    """What alice asked for."""
    values: dict[str, Any] = {
        "nonce": nonce,
        "username": "alice",
        "server": "",
        "account": "alice",
        "uid": 1001,
        "request": {
            "partition": "cpu",
            "cpus": 1,
            "gpus": 0,
            "memory": "2048M",
            "hours": "1:00:00",
        },
        "script": "#!/bin/bash\n",
        "deadline": 4e9,
    }
    return Intent(**{**values, **changes})


class FakeClient:
    """Answers like SlurmClient from `records`; `silent` makes every question fail."""

    def __init__(self) -> None:
        self.records: dict[int, JobRecord] = {}
        self.hidden = False
        self.silent = False
        self.mark = "cluster=test;private=none"
        self.canceller: int | None = None
        self.asked: list[str] = []

    def _speak(self, question: str) -> None:
        self.asked.append(question)
        if self.silent:
            raise SlurmUnreachable("Slurm does not answer.", remedy="Wait.")

    async def jobs(self, job_ids: Sequence[int]) -> dict[int, JobRecord]:
        self._speak("jobs")
        if self.hidden:
            return {}
        return {job_id: self.records[job_id] for job_id in job_ids if job_id in self.records}

    async def job(self, job_id: int) -> JobRecord:
        self._speak("job")
        if self.hidden or job_id not in self.records:
            raise JobUnknown(f"Slurm knows no job {job_id}.", remedy="Nothing.")
        return self.records[job_id]

    async def jobs_of(self, account_name: str) -> list[JobRecord]:
        self._speak("jobs_of")
        return [] if self.hidden else [r for r in self.records.values() if r.user == account_name]

    async def cancelled_by(self, job_id: int) -> int | None:
        self._speak("cancelled_by")
        return self.canceller

    async def fingerprint(self) -> str:
        self._speak("fingerprint")
        return self.mark


class FakeCrossing:
    """Submits to a FakeClient; `failure` is raised instead, `gate` is awaited first."""

    def __init__(self, client: FakeClient) -> None:
        self._client = client
        self.submitted: list[str] = []
        self.cancelled: list[int] = []
        self.failure: Exception | None = None
        self.gate: Any = None

    async def submit(self, account: Account, *, script: str, **_: Any) -> int:
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.submitted.append(script)
        job_id = 6 + len(self.submitted)
        self._client.records[job_id] = job_record(job_id, JobState.PENDING, uid=account.uid)
        return job_id

    async def cancel(self, account: Account, job_id: int) -> bool:
        self.cancelled.append(job_id)
        if self.failure is not None:
            raise self.failure
        if job_id in self._client.records:
            self._client.records[job_id] = job_record(job_id, JobState.CANCELLED)
        return job_id in self._client.records


def ledger_at(folder: Path) -> Ledger:
    """A ledger in a file of this folder."""
    return Ledger(f"sqlite:///{folder}/ledger.sqlite", log=LOG)


def jobs_on(client: FakeClient, crossing: FakeCrossing, ledger: Ledger) -> Jobs:
    """The jobs of a hub on a fake cluster; not started."""
    return Jobs(
        ledger=ledger,
        client=client,  # type: ignore[arg-type]
        crossing=crossing,  # type: ignore[arg-type]
        accounts=lambda name: ALICE,
        log=LOG,
        rest_interval=15,
    )
