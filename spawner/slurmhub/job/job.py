"""One open job, as the hub knows it at this moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slurmhub.events import wait_at_most
from slurmhub.idle.words import Idle
from slurmhub.ledger import Intent, Outcome
from slurmhub.options.words import SHARD
from slurmhub.slurm.command import Account
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.records import JobRecord
from slurmhub.slurm.states import JobState, Phase
from slurmhub.slurm.times import TimeLimit

THREADS_OF_A_CORE = 2


@dataclass(eq=False)
class Job:
    """One open intent, with what is known of it at this moment."""

    intent: Intent
    account: Account
    record: JobRecord | None = None
    phase: Phase = Phase.UNKNOWN
    submitting: bool = False
    # Whether an earlier process of this hub asked for it, and no server has it yet.
    from_ledger: bool = False
    # Since when this process holds it, by the monotonic clock.
    held_since: float = field(default_factory=time.monotonic)
    invisible: bool = False
    # Seconds left before the time limit, as the launcher told when Slurm warned it.
    seconds_left_told: int | None = None
    # Seconds for which Slurm had paused it, and since when it does so now.
    paused: float = 0.0
    paused_since: float | None = None
    # When the job last told what it uses, by the monotonic clock.
    use_told: float | None = None
    # The warning that it ends because it does nothing.
    idle: Idle | None = None
    cancel_attempts: int = 0
    cancel_again: float = 0.0
    # Called, without arguments, when the server lost its place: ended, or requeued.
    on_withdrawn: Callable[[], None] | None = None
    # Called with this job at all news of it, before those who wait are woken.
    on_news: Callable[[Job], None] | None = None
    # The job that is this server since this one was given up for it.
    successor: Job | None = None
    # How the last alternative to this job ended, while this one waits on.
    lost_alternative: Outcome | None = None
    _change: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def listening(self) -> bool:
        """True once the job's server has announced itself, while it is its owner's server."""
        return self.intent.port is not None and self.intent.live

    def note_pause(self, record: JobRecord, now: float) -> None:
        """Keep account of the time in which Slurm has it paused; `now` as `paused_for` has it."""
        if record.state is JobState.SUSPENDED:
            self.paused_since = self.paused_since or now
        else:
            self.paused, self.paused_since = self.paused_for(now), None

    def paused_for(self, now: float) -> float:
        """For how many seconds it has been paused; `now` is in seconds since the epoch."""
        return self.paused + (now - self.paused_since if self.paused_since else 0.0)

    def notify(self) -> None:
        """There is news of this job: settle what follows, and wake all who wait for it."""
        if self.on_news is not None:
            self.on_news(self)
        self.wake()

    def wake(self) -> None:
        """Wake all who wait for news of this job."""
        event, self._change = self._change, asyncio.Event()
        event.set()

    async def change(self, timeout: float | None = None) -> None:
        """Wait for the next news of this job, or for `timeout` seconds."""
        await wait_at_most(self._change, timeout)


def alteration(intent: Intent, record: JobRecord) -> str | None:
    """What the owner of a job changed beyond what was granted, or None.

    Owners may edit their jobs with scontrol: a new name or comment changes
    nothing, another partition or more resources were never asked of the hub.
    """
    asked = intent.request
    if record.partition and record.partition != asked.get("partition"):
        return f"it was moved to partition {record.partition}"
    if moved := _other_terms(asked, record):
        return moved
    if more := _more_gpus(asked, record):
        return more
    # Slurm hands out whole cores, which may count twice what was asked for.
    if record.cpus > THREADS_OF_A_CORE * int(asked.get("cpus") or 0):
        return f"it was given {record.cpus} CPUs"
    if _more(record.memory, Memory.parse(str(asked.get("memory", "1T")))):
        return f"it was given {record.memory} of memory"
    limit = TimeLimit.parse(str(asked.get("hours", "UNLIMITED")))
    if intent.extended and intent.time_limit is not None:
        limit = max(limit, TimeLimit.of_minutes(intent.time_limit))
    if _more(record.time_limit, limit):
        return f"its time limit was made {record.time_limit}"
    return None


def _other_terms(asked: Mapping[str, Any], record: JobRecord) -> str | None:
    """What was asked for by name is as it was; Slurm writes these names in small letters."""
    account, qos = str(asked.get("account") or ""), str(asked.get("qos") or "")
    reservation = str(asked.get("reservation") or "")
    if account and record.account and record.account.lower() != account.lower():
        return f"it was charged to account {record.account}"
    if qos and record.qos and record.qos.lower() != qos.lower():
        return f"it was given QOS {record.qos}"
    if reservation and record.reservation and record.reservation != reservation:
        return f"it was moved to reservation {record.reservation}"
    return None


def _more_gpus(asked: Mapping[str, Any], record: JobRecord) -> str | None:
    """Shards are parts of GPUs: who asked for them has no whole ones, and the other way round."""
    wanted, sharing = int(asked.get("gpus") or 0), asked.get("gpu_type") == SHARD
    gpus = sum(gres.count for gres in record.gres if gres.name == "gpu")
    shards = sum(gres.count for gres in record.gres if gres.name == SHARD)
    if gpus > (0 if sharing else wanted):
        return f"it was given {gpus} GPUs"
    if shards > (wanted if sharing else 0):
        return f"it was given {shards} GPU shards"
    return None


def _more(given: Memory | TimeLimit | None, asked: Memory | TimeLimit) -> bool:
    return given is not None and given > asked


def label(intent: Intent) -> str:
    """Whose server this is and which submission, for logs."""
    server = f":{intent.server}" if intent.server else ""
    return f"{intent.username}{server} ({intent.nonce[:8]})"


def whole_label(intent: Intent) -> str:
    """The same with the job's number and node: what one looks for with Slurm's commands."""
    job = f", job {intent.job_id}" if intent.job_id is not None else ""
    return f"{label(intent)}{job}{f' on {intent.node}' if intent.node else ''}"
