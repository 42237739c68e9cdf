"""What a person who waits is told."""

from __future__ import annotations

import dataclasses
import time
from datetime import datetime, timedelta, timezone
from typing import Any

from slurmhub.hub.status import Status, status_of
from slurmhub.job.job import Job
from slurmhub.ledger import Outcome
from slurmhub.slurm.records import JobRecord
from slurmhub.slurm.states import JobState, Phase
from slurmhub.waiting.outlook import Outlook
from tests.unit.fakes import ALICE, intent, job_record

ASKED = {
    "partition": "gpu",
    "cpus": 2,
    "memory": "4096M",
    "gpus": 1,
    "gpu_type": "h100",
    "hours": "01:30:00",
}


def job(record: JobRecord | None = None, **changes: Any) -> Job:
    values = {"request": ASKED, "created": time.time() - 180, "job_id": 7, **changes}
    phase = record.phase if record is not None else Phase.UNKNOWN
    return Job(intent(**values), ALICE, record=record, phase=phase)


def told(status: Status) -> dict[str, str]:
    return dict(status.facts)


def test_who_waits_is_told_why_how_long_and_for_what() -> None:
    soon = datetime.now(timezone.utc) + timedelta(minutes=20, seconds=30)
    record = job_record(state=JobState.PENDING, reason="Priority", expected_start=soon)
    status = status_of(job(record))
    assert status.step == "queued"
    assert status.message.startswith("Job 7 waits in the queue. Other jobs were first")
    assert told(status) == {
        "You asked for": "2 CPUs, 4 GB of memory and 1 h100 GPU for 1.5 hours, in partition gpu",
        "Waiting for": "3 minutes",
        "Slurm expects to start it": "in 20 minutes",
        "Job": "7",
        "Slurm's reason": "Priority",
    }


def test_an_estimate_that_has_passed_is_no_negative_time() -> None:
    past = datetime.now(timezone.utc) - timedelta(minutes=1)
    record = job_record(state=JobState.PENDING, reason="Resources", expected_start=past)
    assert told(status_of(job(record)))["Slurm expects to start it"] == "at any moment"


def test_nothing_is_said_of_gpus_where_none_were_asked_for() -> None:
    request = ASKED | {"cpus": 1, "gpus": 0, "gpu_type": "", "memory": "512M"}
    asked = told(status_of(job(request=request)))["You asked for"]
    assert asked == "1 CPU and 512 MB of memory for 1.5 hours, in partition gpu"


def test_gpus_of_any_type_are_just_gpus() -> None:
    asked = told(status_of(job(request=ASKED | {"gpus": 2, "gpu_type": ""})))["You asked for"]
    assert "and 2 GPUs for" in asked


def test_a_job_that_runs_says_where_and_no_longer_why_it_waited() -> None:
    record = job_record(state=JobState.RUNNING, reason="None")
    status = status_of(job(record, started=time.time(), node="n1"))
    assert status.step == "starting"
    assert told(status)["Computer"] == "n1"
    assert "Slurm's reason" not in told(status)
    assert "Slurm expects to start it" not in told(status)


def test_while_slurm_is_silent_it_is_said_how_old_the_news_are() -> None:
    silent = Outlook(silent_since=time.time() - 125)
    waits = status_of(job(job_record(state=JobState.PENDING, reason="Priority")), outlook=silent)
    assert waits.step == "queued"
    assert "Slurm does not answer at the moment: this is the last it said." in waits.message
    assert told(waits)["Last news from Slurm"] == "2 minutes ago"
    starts = status_of(job(started=time.time(), node="n1"), outlook=silent)
    assert starts.step == "starting"
    assert "Your job is not affected." in starts.message
    stops = status_of(job(cancel_requested=time.time()), outlook=silent)
    assert stops.step == "stopping"
    assert stops.message.endswith("the hub asks it again until it does.")
    ready = status_of(job(port=20000), outlook=silent)
    assert ready.message == "The server is ready."


def test_a_paused_job_is_not_said_to_start_or_to_be_ready() -> None:
    record = job_record(state=JobState.SUSPENDED)
    starts = status_of(job(record, started=time.time(), node="n1"))
    assert (starts.step, starts.message.split(";")[0]) == (
        "starting",
        "The cluster has paused this job",
    )
    assert status_of(job(record, port=20000)).step == "paused"


def test_the_time_of_a_pause_is_counted_apart() -> None:
    one = job(job_record(state=JobState.RUNNING))
    running, paused = job_record(state=JobState.RUNNING), job_record(state=JobState.SUSPENDED)
    one.note_pause(running, 100.0)
    assert one.paused_for(110.0) == 0.0
    one.note_pause(paused, 120.0)
    one.note_pause(paused, 125.0)
    assert one.paused_for(130.0) == 10.0
    one.note_pause(running, 140.0)
    assert one.paused_for(900.0) == 20.0
    one.note_pause(paused, 1000.0)
    assert one.paused_for(1001.0) == 21.0


def test_a_stop_that_slurm_has_not_confirmed_is_told_as_that() -> None:
    outcome = Outcome("stopped", "You stopped this server.", "You can start it again.")
    open_still = dataclasses.replace(
        job().intent, cancel_requested=time.time(), outcome=outcome, started=time.time() - 60
    )
    status = status_of(None, last=open_still)
    assert status.step == "ended"
    assert status.message.startswith("You stopped this server. Slurm has not confirmed that")
    closed = dataclasses.replace(open_still, ended=time.time())
    assert status_of(None, last=closed).message == "You stopped this server."


def test_how_a_server_ended_is_told_with_its_kind() -> None:
    outcome = Outcome("stopped", "This server was stopped.", "You can start it again.")
    ended = dataclasses.replace(job().intent, ended=time.time(), outcome=outcome)
    status = status_of(None, last=ended)
    assert (status.step, status.kind, status.message) == ("ended", "stopped", outcome.plain)


def test_what_was_asked_for_by_name_is_said() -> None:
    named = {"account": "physics", "qos": "long", "reservation": "class", "features": "avx512,ib"}
    asked = told(status_of(job(job_record(), request={**ASKED, **named})))["You asked for"]
    assert asked == (
        "2 CPUs, 4 GB of memory and 1 h100 GPU for 1.5 hours, in partition gpu, charged to "
        "account physics, with QOS long, in reservation class, on nodes with avx512 and ib"
    )
    shards = {**ASKED, "gpus": 3, "gpu_type": "shard"}
    asked = told(status_of(job(job_record(), request=shards)))["You asked for"]
    assert "and 3 GPU shards for" in asked
