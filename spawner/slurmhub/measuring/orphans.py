"""Looks for jobs of this hub in Slurm that its ledger does not hold: they run for nobody.

Owners can edit the comments of their jobs, so that what is found is counted and left alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from slurmhub import metrics
from slurmhub.job.tag import JobTag
from slurmhub.jobs import Jobs
from slurmhub.slurm.client import SlurmClient
from slurmhub.slurm.errors import SlurmError

# Seconds from the hub's start to the first look, and between two: each reads the whole job table.
FIRST = 10.0
REST = 300.0


class Orphans:
    """Counts the jobs whose tag names this hub and whose nonce is none that it holds."""

    def __init__(
        self,
        jobs: Jobs,
        client: SlurmClient,
        *,
        hub_name: str,
        look_at_cluster: Callable[[], object],
        log: logging.Logger,
    ) -> None:
        self._jobs = jobs
        self._client = client
        self._hub_name = hub_name
        self._look_at_cluster = look_at_cluster
        self._log = log
        self._told: frozenset[int] = frozenset()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        await asyncio.sleep(FIRST)
        while True:
            try:
                # The gauges of the cluster must not grow old while nobody looks at a form.
                self._look_at_cluster()
                await self.look()
            except SlurmError as error:
                self._log.debug("Orphans could not be looked for: %s", error)
            except Exception:
                self._log.exception("Orphans could not be looked for; it is tried again.")
            await asyncio.sleep(REST)

    async def look(self) -> None:
        """Count once; raises SlurmError, and leaves the count as it was."""
        held = {job.intent.nonce for job in self._jobs.open()}
        found = frozenset(
            job_id
            for job_id, comment in await self._client.comments()
            if (tag := JobTag.from_comment(comment)) is not None
            and tag.hub == self._hub_name
            and tag.nonce not in held
            # Asked for while Slurm was answering.
            and self._jobs.by_nonce(tag.nonce) is None
        )
        metrics.ORPHANS.labels("unknown").set(len(found))
        for job_id in sorted(found - self._told):
            self._log.warning("Job %d names this hub, which knows no such job.", job_id)
        self._told = found
