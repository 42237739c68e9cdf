"""What a person is told of a server, from what the hub knows and without asking Slurm."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from slurmhub.announcing import facts as announced
from slurmhub.job.job import Job
from slurmhub.ledger import Intent
from slurmhub.options.words import age_plain, counted, gpus_said, listed, memory_plain, time_plain
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.reasons import plain_reason
from slurmhub.slurm.states import JobState, Phase
from slurmhub.slurm.times import TimeLimit
from slurmhub.waiting.outlook import Outlook

NO_OUTLOOK = Outlook()
NEVER_BEGAN = "never-began"


@dataclass(frozen=True)
class Status:
    """One server as its owner sees it; `waited` and `expected_start` are in seconds.

    `step` is one of: asking, queued, starting, ready, paused, stopping, ended, none.
    `facts` are labels with plain words for a page; `kind` is how an ended server ended, as
    `Outcome` has it. `before` is how many jobs come first in the queue, None where that is not
    known; `other` what became of a second request for this server; `sooner` what would start
    sooner, one sentence for each. `idle` is the warning that it ends because it does nothing.
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
    before: int | None = None
    other: str = ""
    sooner: tuple[str, ...] = ()
    idle: Mapping[str, object] | None = None

    def as_json(self) -> dict[str, Any]:
        """For the status endpoint."""
        return asdict(self)


_PAUSED = "The cluster has paused this job; it goes on by itself later, and nothing in it is lost."
_SILENT = "Slurm does not answer at the moment: this is the last it said. Your job is not affected."
_ASKED_AGAIN = "Slurm does not answer at the moment; the hub asks it again until it does."
_UNCONFIRMED = "Slurm has not confirmed that its job has ended; the hub asks again until it does."
ASKING = Status("asking", "The hub is preparing your server.", 2)


def status_of(
    job: Job | None, *, last: Intent | None = None, outlook: Outlook = NO_OUTLOOK
) -> Status:
    """The status of an open job, or of the server that `last` was."""
    if job is None or job.intent.ended is not None:
        intent = job.intent if job else last
        over = intent is not None and (intent.ended or intent.cancel_requested) is not None
        return _ended(intent) if intent is not None and over else _none()
    intent = job.intent
    if intent.cancel_requested is not None:
        words = ["The server is being stopped."]
        if outlook.silent_since is not None:
            words.append(_ASKED_AGAIN)
        return _open(job, "stopping", " ".join(words), 100)
    if job.listening:
        return _ready(job)
    if intent.job_id is None:
        return _open(job, "asking", "Slurm is asked for a job.", 5)
    status = _starting(job) if _has_place(job) else _queued(job)
    if outlook.silent_since is not None:
        status = replace(
            status,
            message=f"{status.message} {_SILENT}",
            facts=(*status.facts, _last_heard(outlook.silent_since)),
        )
    if status.step != "queued":
        return status
    return replace(
        status,
        before=outlook.before,
        other=_other(outlook),
        sooner=tuple(f"{one.words}: {one.promise}" for one in outlook.suggestions),
        facts=(*status.facts, *_outlook_facts(job, outlook)),
    )


def _has_place(job: Job) -> bool:
    return job.intent.started is not None or job.phase is Phase.RUNNING


def _starting(job: Job) -> Status:
    if _is_paused(job):
        return _open(job, "starting", " ".join([_PAUSED, "Its server starts then."]), 70)
    where = f" on {job.intent.node}" if job.intent.node else ""
    return _open(job, "starting", f"The job runs{where}; its server is starting.", 70)


def _is_paused(job: Job) -> bool:
    return job.record is not None and job.record.state is JobState.SUSPENDED


def _last_heard(since: float) -> tuple[str, str]:
    return "Last news from Slurm", f"{age_plain(time.time() - since)} ago"


def _other(outlook: Outlook) -> str:
    if outlook.second is not None:
        asked = asked_plain(outlook.second.intent.request)
        return f"You asked for this as well: {asked}. The job that starts first is your server."
    if outlook.lost is not None:
        return (
            f"Your other request came to nothing. {outlook.lost.plain} "
            "Your first job keeps its place."
        )
    return ""


def _outlook_facts(job: Job, outlook: Outlook) -> Iterator[tuple[str, str]]:
    record = job.record
    if outlook.before is not None and record is not None:
        yield "Place in the queue", _place_plain(outlook.before, record.partition)
    if outlook.start is not None and (record is None or record.expected_start is None):
        left = outlook.start - time.time()
        about = f"in about {age_plain(left)}" if left >= 1 else "at any moment"
        yield "Slurm's rough estimate", about


def _place_plain(before: int, partition: str) -> str:
    if before == 0:
        return f"no job is before yours in partition {partition}"
    if before == 1:
        return f"1 job is before yours in partition {partition}"
    return f"{before} jobs are before yours in partition {partition}"


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
    if _is_paused(job):
        words = " ".join([_PAUSED, "Until then its pages do not answer."])
        return _open(job, "paused", words, 100)
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
        idle=job.idle.as_json() if job.idle and step == "ready" else None,
    )


def _facts(job: Job, *, queued: bool) -> Iterator[tuple[str, str]]:
    intent, record = job.intent, job.record
    yield "You asked for", asked_plain(intent.request)
    yield "Waiting for", age_plain(time.time() - intent.created)
    if queued:
        yield from announced(str(intent.request["partition"]))
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
        parts.append(gpus_said(gpus, str(request["gpu_type"]) or None))
    hours = time_plain(TimeLimit.parse(str(request["hours"])))
    asked = f"{listed(parts)} for {hours}, in partition {request['partition']}"
    return ", ".join([asked, *_terms(request)])


def _terms(request: Mapping[str, Any]) -> Iterator[str]:
    """What else was asked for by name."""
    if account := request.get("account"):
        yield f"charged to account {account}"
    if qos := request.get("qos"):
        yield f"with QOS {qos}"
    if reservation := request.get("reservation"):
        yield f"in reservation {reservation}"
    if features := request.get("features"):
        yield f"on nodes with {listed(str(features).split(','))}"


def _ended(intent: Intent) -> Status:
    outcome = intent.outcome
    if outcome is None:
        return Status("ended", "The server ended.", 100, job_id=intent.job_id)
    late = intent.job_id is not None and intent.ended is None
    return Status(
        step="ended",
        message=f"{outcome.plain} {_UNCONFIRMED}" if late else outcome.plain,
        percent=100,
        remedy=outcome.remedy,
        log=outcome.detail,
        job_id=intent.job_id,
        kind=outcome.kind,
    )


def never_began(message: str, remedy: str) -> Status:
    """The status of a server for which not even a job could be asked for."""
    return Status("ended", message, 100, remedy=remedy, kind=NEVER_BEGAN)


def _none() -> Status:
    return Status("none", "This server is not running.", 0)
