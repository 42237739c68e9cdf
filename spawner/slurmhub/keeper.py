"""The keeper: repeats unconfirmed cancels, and finds jobs whose submission was not answered."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from slurmhub import metrics
from slurmhub.job.job import Job, alteration, label, whole_label
from slurmhub.job.outcome import LOST
from slurmhub.job.tag import JobTag
from slurmhub.job.who import cancelled
from slurmhub.slurm.client import SlurmClient
from slurmhub.slurm.errors import SlurmError
from slurmhub.slurm.states import Phase

if TYPE_CHECKING:
    from slurmhub.jobs import Jobs

# How often the keeper repeats unconfirmed cancels and looks for lost answers, in seconds.
KEEPER_INTERVAL = 5.0
# A submission whose answer was lost may still reach the controller this long after its deadline.
LATE_ARRIVAL = 60.0
# After its launcher has ended, a job may run the site's epilogue this long.
EPILOGUE_GRACE = 600.0


class Keeper:
    """Looks after the open jobs of a hub where neither Slurm nor the job brings news."""

    def __init__(self, jobs: Jobs, client: SlurmClient, *, log: logging.Logger) -> None:
        self._jobs = jobs
        self._client = client
        self._log = log

    async def run(self) -> None:
        """Keep until cancelled."""
        while True:
            try:
                await self.once()
            except Exception:
                self._log.exception("The keeper of jobs failed once; it goes on.")
            await asyncio.sleep(KEEPER_INTERVAL)

    async def once(self) -> None:
        """See to every open job."""
        self._jobs.ledger.flush()
        if self._jobs.blind:
            await self._jobs.refresh_fingerprint()
        for job in self._jobs.take_absent():
            await self._jobs.examine(job)
        now = time.time()
        for job in self._jobs.open():
            intent = job.intent
            if intent.job_id is None:
                if not job.submitting:
                    await self._recover(job, now)
            elif intent.cancel_requested is not None or (
                intent.ended is not None and now - intent.ended > EPILOGUE_GRACE
            ):
                await self._repeat_cancel(job, now)
        self._jobs.show()

    async def _repeat_cancel(self, job: Job, now: float) -> None:
        # Slurm gives a job KillWait seconds to end; asking more often helps nobody.
        if job.intent.cancel_requested is None:
            self._jobs.cancel(job)
        elif now > job.cancel_again and job.phase is not Phase.ENDING:
            await self._jobs.send_cancel(job)

    async def learn_who(self, job: Job) -> None:
        """Say who cancelled a job that this hub did not, where the accounting knows it."""
        intent, before = job.intent, job.intent.outcome
        if intent.job_id is None or before is None:
            return
        try:
            by = await self._client.cancelled_by(intent.job_id)
        except SlurmError as error:
            self._log.warning("Who cancelled job %d is not known. %s", intent.job_id, error)
            return
        if by is not None:
            words = await asyncio.to_thread(cancelled, by, intent.uid)
            intent.outcome = replace(words, detail=before.detail, exit_code=before.exit_code)
            self._jobs.ledger.note(intent)
            self._log.info("%s: %s", whole_label(intent), words.plain)
            job.notify()

    async def _recover(self, job: Job, now: float) -> None:
        """Find the job of a submission whose answer was lost, by its tag."""
        intent = job.intent
        try:
            candidates = await self._client.jobs_of(intent.account)
        except SlurmError as error:
            self._log.debug("Cannot look for %s yet: %s", label(intent), error)
            return
        for record in candidates:
            tag = JobTag.from_comment(record.comment)
            ours = tag is not None and tag.nonce == intent.nonce and record.uid == intent.uid
            if ours and not self._jobs.holds(record.job_id) and alteration(intent, record) is None:
                self._log.info("Found %s again as job %d.", label(intent), record.job_id)
                metrics.ADOPTIONS.labels("tag").inc()
                self._jobs.identify(job, record.job_id)
                self._jobs.saw(job, record)
                if intent.cancel_requested is not None:
                    await self._jobs.send_cancel(job)
                return
        if now > intent.deadline + LATE_ARRIVAL:
            # Should it turn up after all, its announcement is refused and it ends itself.
            self._jobs.end(job, LOST, confirmed=True)
