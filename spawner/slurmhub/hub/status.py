"""What a person is told of a server, from what the hub knows and without asking Slurm."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from slurmhub.job.job import Job
from slurmhub.ledger import Intent
from slurmhub.options.words import age_plain, counted, listed, memory_plain, time_plain
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.reasons import plain_reason
from slurmhub.slurm.states import JobState, Phase
from slurmhub.slurm.times import TimeLimit


@dataclass(frozen=True)
class Status:
    """One server as its owner sees it; `waited` and `expected_start` are in seconds.

    `step` is one of: asking, queued, starting, ready, paused, stopping, ended, none.
    `facts` are labels with plain words for a page; `kind` is how an ended server ended, as
    `Outcome` has it.
    """

    step: str
    message: str
    percent: int
    detail: str = ""
    remedy: str = ""
    log: str = ""
    job_id: int | None = None
    node: str | None = None
    waited: int | None = None
    expected_start: float | None = None
    kind: str = ""
    facts: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For the status endpoint."""
        return asdict(self)


ASKING = Status("asking", "The hub is preparing your server.", 2)


def status_of(job: Job | None, *, last: Intent | None = None) -> Status:
    """The status of an open job, or of the server that `last` was."""
    if job is None or job.intent.ended is not None:
        intent = job.intent if job else last
        over = intent is not None and (intent.ended or intent.cancel_requested) is not None
        return _ended(intent) if intent is not None and over else _none()
    intent = job.intent
    if intent.cancel_requested is not None:
        return _open(job, "stopping", "The server is being stopped.", 100)
    if job.listening:
        return _ready(job)
    if intent.job_id is None:
        return _open(job, "asking", "Slurm is asked for a job.", 5)
    if intent.started is not None or job.phase is Phase.RUNNING:
        where = f" on {intent.node}" if intent.node else ""
        return _open(job, "starting", f"The job runs{where}; its server is starting.", 70)
    return _queued(job)


def _queued(job: Job) -> Status:
    record = job.record
    if record is None:
        return _open(job, "queued", f"Job {job.intent.job_id} is in the queue.", 20)
    if record.state is JobState.CONFIGURING:
        return _open(job, "queued", "Slurm has found a place and is preparing the node.", 40)
    return _open(
        job,
        "queued",
        f"Job {record.job_id} waits in the queue. {plain_reason(record.reason)}",
        20,
        detail=f"Slurm's reason: {record.reason}",
    )


def _ready(job: Job) -> Status:
    if job.record is not None and job.record.state is JobState.SUSPENDED:
        return _open(
            job, "paused", "The cluster has paused this job; it goes on by itself later.", 100
        )
    if job.seconds_left_told is not None:
        left = age_plain(job.seconds_left_told)
        return _open(job, "ready", f"The server is ready; its time soon ends ({left} left).", 100)
    return _open(job, "ready", "The server is ready.", 100)


def _open(job: Job, step: str, message: str, percent: int, *, detail: str = "") -> Status:
    intent, record = job.intent, job.record
    expected = record.expected_start if record and step == "queued" else None
    return Status(
        step=step,
        message=message,
        percent=percent,
        detail=detail,
        job_id=intent.job_id,
        node=intent.node,
        waited=int(time.time() - intent.created),
        expected_start=expected.timestamp() if expected else None,
        facts=tuple(_facts(job, queued=step == "queued")),
    )


def _facts(job: Job, *, queued: bool) -> Iterator[tuple[str, str]]:
    intent, record = job.intent, job.record
    yield "You asked for", asked_plain(intent.request)
    yield "Waiting for", age_plain(time.time() - intent.created)
    if queued and record is not None and record.expected_start is not None:
        left = record.expected_start.timestamp() - time.time()
        yield "Slurm expects to start it", f"in {age_plain(left)}" if left >= 1 else "at any moment"
    if intent.job_id is not None:
        yield "Job", str(intent.job_id)
    if intent.node:
        yield "Computer", intent.node
    if queued and record is not None and record.reason:
        yield "Slurm's reason", record.reason


def asked_plain(request: Mapping[str, Any]) -> str:
    """What a stored request asks for: 2 CPUs, 4 GB of memory and 1 h100 GPU for 3 hours in gpu."""
    parts = [
        counted(int(request["cpus"]), "CPU"),
        f"{memory_plain(Memory.parse(str(request['memory'])))} of memory",
    ]
    if gpus := int(request["gpus"]):
        parts.append(counted(gpus, f"{request['gpu_type']} GPU".strip()))
    hours = time_plain(TimeLimit.parse(str(request["hours"])))
    return f"{listed(parts)} for {hours}, in partition {request['partition']}"


def _ended(intent: Intent) -> Status:
    outcome = intent.outcome
    if outcome is None:
        return Status("ended", "The server ended.", 100, job_id=intent.job_id)
    return Status(
        step="ended",
        message=outcome.plain,
        percent=100,
        remedy=outcome.remedy,
        log=outcome.detail,
        job_id=intent.job_id,
        kind=outcome.kind,
    )


def _none() -> Status:
    return Status("none", "This server is not running.", 0)
