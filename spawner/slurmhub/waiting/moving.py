"""A server that may move from the job that waits to another one that starts sooner."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from slurmhub import compat
from slurmhub.job.crossing import Person, person
from slurmhub.job.job import Job
from slurmhub.job.outcome import NEVER_LISTENED
from slurmhub.job.payload import Submission
from slurmhub.keys import new_nonce, server_token
from slurmhub.ledger import Intent
from slurmhub.options.request import JobRequest
from slurmhub.slurm.command import Account
from slurmhub.waiting.outlook import Outlook
from slurmhub.waiting.switch import may_switch

if TYPE_CHECKING:
    from slurmhub.options.offer import Offer
    from slurmhub.runtime import Runtime


class Moving:
    """The spawner's part in a switch. Mixed into the spawner, whose attributes it uses."""

    job: Job | None

    if TYPE_CHECKING:

        @property
        def runtime(self) -> Runtime:
            """The hub's jobs and its view of the cluster."""

        def offer(self) -> Offer | None:
            """What this person may ask for now."""

        def account_name(self) -> str:
            """The name of the Unix account of this person."""

        async def submission(
            self, request: JobRequest, nonce: str
        ) -> tuple[Intent, Account, Submission]:
            """Everything that one submission of this server takes."""

        def request_job(self, intent: Intent, account: Account, submission: Submission) -> Job:
            """Ask Slurm for a job."""

        def take(self, job: Job) -> None:
            """Make a job this server's."""

        def patience(self, job: Job) -> float | None:
            """Seconds a job may still take."""

    async def owner(self) -> Person:
        """The Unix account that jobs of this server run as; raises AccountUnknown."""
        return await asyncio.to_thread(person, self.account_name())

    async def ask_for_alternative(self, request: JobRequest, to: Job) -> Job | None:
        """Ask for a second job that takes the place of the first if it starts sooner.

        None when the first does not wait any more, or has an alternative already.
        """
        intent, account, submission = await self.submission(request, new_nonce())
        intent.alternative_to = to.intent.nonce
        # Both may have come about while the submission was prepared.
        if not may_switch(to) or self.runtime.jobs.switch.alternative(to) is not None:
            return None
        return self.request_job(intent, account, submission)

    def outlook(self, job: Job) -> Outlook:
        """What somebody who waits for this job may look forward to."""
        found = self.runtime.waiting.outlook(job, self.offer(), self)
        return replace(found, silent_since=self.runtime.jobs.watcher.silent_since)

    async def await_second(self, job: Job, second: Job) -> None:
        """Wait for news, at most until the second job has had its time to listen."""
        left = self.patience(second)
        if left is not None and left <= 0:
            self.runtime.jobs.cancel(second, NEVER_LISTENED)
        else:
            await job.change(left)

    async def move_to(self, successor: Job) -> Job:
        """Make this server's the job that it has moved to, with token and OAuth client."""
        self.follow_successor()
        await compat.refresh_oauth_client(self)
        return successor

    def follow_successor(self) -> Job | None:
        """The job that is this server now: it may have moved while nobody looked."""
        while self.job is not None and self.job.successor is not None:
            self.job.on_withdrawn = None
            successor = self.job.successor
            compat.adopt_token(self, server_token(self.runtime.key, successor.intent.nonce))
            self.take(successor)
        return self.job
