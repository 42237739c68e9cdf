"""The place in the queue: one look at all pending jobs, shared by everybody who waits."""

from __future__ import annotations

import asyncio
import logging
import time

from slurmhub.job.job import Job
from slurmhub.slurm.client import SlurmClient
from slurmhub.slurm.errors import SlurmError
from slurmhub.slurm.pending import PendingJobs

# The queue is looked at only while somebody waits and looks, and then at most this often, in
# seconds; where Slurm takes long to tell, so much more seldom.
REST = 30.0
SHARE = 60.0
# What was seen longer ago than this, in seconds, is not told any more.
STALE = 180.0


class QueueView:
    """The newest picture of the queue; asked for again in the background."""

    def __init__(self, client: SlurmClient, *, log: logging.Logger) -> None:
        self._client = client
        self._log = log
        self._pending: PendingJobs | None = None
        self._taken = 0.0
        self._next = 0.0
        self._task: asyncio.Task[None] | None = None

    def before(self, job: Job) -> int | None:
        """How many jobs are before this one in its partition; None where it is not known."""
        self.refresh()
        record = job.record
        if self._pending is None or record is None or time.monotonic() - self._taken > STALE:
            return None
        return self._pending.before(record.job_id, record.partition)

    def refresh(self) -> asyncio.Task[None] | None:
        """Look at the queue again, unless that was done a moment ago."""
        idle = self._task is None or self._task.done()
        if idle and time.monotonic() >= self._next:
            self._task = asyncio.get_running_loop().create_task(self._look())
        return self._task

    async def _look(self) -> None:
        began = time.monotonic()
        try:
            # Part of a queue would give a place that is too good to be true.
            seen = await self._client.sees_all_jobs()
            self._pending = await self._client.pending() if seen else None
        except SlurmError as error:
            self._log.debug("The queue is not known now: %s", error)
        else:
            self._taken = began
        took = time.monotonic() - began
        self._next = time.monotonic() + max(REST, took * SHARE)
