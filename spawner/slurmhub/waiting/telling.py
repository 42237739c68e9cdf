"""What somebody who waits for a server is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from slurmhub.hub.status import ASKING, Status, never_began, status_of
from slurmhub.options.door import ServerFailed
from slurmhub.waiting.moving import Moving


class Telling(Moving):
    """The spawner's part in it. Mixed into the spawner, whose attributes it uses."""

    # Why the last start came to nothing before there was a job.
    never_began: ServerFailed | None = None

    if TYPE_CHECKING:
        user: Any
        name: str

        @property
        def pending(self) -> str | None:
            """What JupyterHub does with the server now: spawn, stop, check, or nothing."""

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """What the queue says, each time it says something new."""
        said = ""
        while True:
            status = self.status()
            if status.message != said:
                said = status.message
                yield {"progress": status.percent, "message": said}
            if self.job is None:
                await asyncio.sleep(0.2)
            else:
                await self.job.change(timeout=10)

    def status(self) -> Status:
        """What a person who waits is told."""
        job = self.follow_successor()
        if job is not None:
            outlook = self.outlook(job)
            second = outlook.second
            if second is not None and second.intent.started and not job.intent.started:
                return status_of(second)
            return status_of(job, outlook=outlook)
        if self.pending == "spawn":
            # The last job says nothing of the one that is about to be asked for.
            return ASKING
        if self.never_began is not None:
            return never_began(self.never_began.what, self.never_began.remedy)
        return status_of(None, last=self.runtime.jobs.ledger.last(self.user.name, self.name))
