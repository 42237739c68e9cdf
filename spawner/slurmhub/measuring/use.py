"""CPU, memory and GPU seconds of jobs: what Slurm gave them, and what they told they used."""

from __future__ import annotations

from slurmhub import metrics
from slurmhub.job.job import Job
from slurmhub.measuring.labels import Bounds
from slurmhub.measuring.measures import Measures
from slurmhub.options.profiles import PROFILE
from slurmhub.slurm.gres import gpu_count
from slurmhub.slurm.records import JobRecord
from slurmhub.slurm.states import JobState, Phase

# A job is counted this often, in seconds, and when Slurm has ended it.
STEP = 30.0
_COUNTERS = (
    *(metrics.CPU_ALLOCATED, metrics.CPU_USED),
    *(metrics.MEMORY_ALLOCATED, metrics.MEMORY_USED),
    *(metrics.GPU_ALLOCATED, metrics.GPU_USED),
)


def who(job: Job, record: JobRecord, bounds: Bounds) -> tuple[str, str, str]:
    """Partition, account and course of a job. Of a server that is no course's that is its profile.

    An account is what Slurm charges, which an owner may change where it is not enforced.
    """
    profile = str(job.intent.request.get(PROFILE) or "")
    return (
        bounds.partition(record.partition),
        bounds.account(record.account),
        bounds.course(record.account, profile),
    )


def count(job: Job, now: float, measures: Measures, bounds: Bounds) -> None:
    """Count a job from when it was last counted until `now`, when Slurm told of it.

    What Slurm gave to a job that ended is counted to the very end. What a job says that it used is
    believed up to what it was given, and is nothing where it does not say. What a requeued job had
    while the hub was away is not known, and not counted.
    """
    record = job.record
    if record is None or record.phase is Phase.UNKNOWN:
        return
    final = record.phase is Phase.GONE
    if not final and not bounds.complete:
        return
    labels = who(job, record, bounds)
    done = measures.of(job.intent.nonce)
    if done.until is None and not final:
        for counter in _COUNTERS:
            # A counter must be seen at 0, or its first step is no increase.
            counter.labels(*labels)
    if record.started is None or record.phase is Phase.PENDING:
        return
    end = record.ends.timestamp() if final and record.ends is not None else now
    since = max(record.started.timestamp(), done.until or 0.0)
    seconds = end - since
    if seconds <= 0 or (seconds < STEP and not final):
        return
    if record.restarts != done.restarts:
        done.restarts, done.cpu_seconds = record.restarts, 0.0
    if record.state is not JobState.SUSPENDED:
        _allocated(record, seconds, labels)
        done.cpu_seconds += _used(job, record, seconds, done.cpu_seconds, labels)
    done.until = end
    measures.changed(job.intent.nonce)


def _allocated(record: JobRecord, seconds: float, labels: tuple[str, str, str]) -> None:
    metrics.CPU_ALLOCATED.labels(*labels).inc(record.cpus * seconds)
    metrics.MEMORY_ALLOCATED.labels(*labels).inc(_bytes(record) * seconds)
    metrics.GPU_ALLOCATED.labels(*labels).inc(gpu_count(record.gres) * seconds)


def _used(
    job: Job, record: JobRecord, seconds: float, before: float, labels: tuple[str, str, str]
) -> float:
    """Count what the job told of its use; returns how many CPU seconds were told since."""
    use = job.intent.usage
    if not use:
        return 0.0
    told = max(0.0, float(use["cpu_seconds"]) - before)
    metrics.CPU_USED.labels(*labels).inc(min(told, record.cpus * seconds))
    metrics.MEMORY_USED.labels(*labels).inc(min(use["memory"], _bytes(record)) * seconds)
    busy = sum((gpu["busy"] or 0) / 100 for gpu in use["gpus"])
    metrics.GPU_USED.labels(*labels).inc(min(busy, gpu_count(record.gres)) * seconds)
    return told


def _bytes(record: JobRecord) -> int:
    return record.memory.mebibytes * 2**20 if record.memory is not None else 0
