"""How long a job's time limit is at this moment, and when it ends by it."""

from __future__ import annotations

import time

from slurmhub.job.job import Job
from slurmhub.ledger import Intent
from slurmhub.slurm.times import TimeLimit


def asked_minutes(intent: Intent) -> int | None:
    """The time limit that was asked for; None without one."""
    return TimeLimit.parse(str(intent.request.get("hours", "UNLIMITED"))).minutes


def limit_minutes(job: Job) -> int | None:
    """The job's time limit as Slurm has it, or as it was last known; None without one."""
    if job.record is not None and job.record.time_limit is not None:
        return job.record.time_limit.minutes
    return job.intent.time_limit or asked_minutes(job.intent)


def end_of(job: Job) -> float | None:
    """When the job reaches its time limit, in seconds since the epoch.

    None while it does not run, and without a limit.
    """
    started, minutes = job.intent.started, limit_minutes(job)
    if started is None or minutes is None:
        return None
    if job.record is not None and job.record.ends is not None:
        return job.record.ends.timestamp()
    return started + 60 * minutes


def seconds_left(job: Job) -> int | None:
    """Seconds until the job reaches its time limit, never below 0; None as for `end_of`."""
    end = end_of(job)
    return None if end is None else max(0, int(end - time.time()))
