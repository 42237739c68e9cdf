"""One task that watches the cluster for every server of the hub.

Its rate does not depend on how many servers there are: a slow tick while all
is quiet, and a look at once, shared by all who ask, when there is news.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence

from slurmhub import metrics
from slurmhub.events import wait_at_most
from slurmhub.slurm.client import SlurmClient
from slurmhub.slurm.errors import SlurmError
from slurmhub.slurm.records import JobRecord

# After a burst of news, the first look comes this soon; each further one waits longer.
FIRST_LOOK = 4.0
GROWTH = 2.0
# Looks asked for in a burst are this far apart, so that a class starting at once shares them.
SPACING = 0.3


class Watcher:
    """Looks at the watched jobs and delivers what Slurm says of them.

    `subjects` names the job ids to look at; `deliver` gets the records found,
    and the ids that were asked for. A look that fails delivers nothing: silence
    is not news. `rest` is the longest time between two looks, in seconds.
    """

    def __init__(
        self,
        client: SlurmClient,
        *,
        subjects: Callable[[], Sequence[int]],
        deliver: Callable[[Sequence[int], Mapping[int, JobRecord]], None],
        log: logging.Logger,
        rest: float,
    ) -> None:
        self._client = client
        self._subjects = subjects
        self._deliver = deliver
        self._log = log
        self._rest = rest
        self._interval = rest
        self._due = time.monotonic() + rest
        self._wake = asyncio.Event()
        self._waiting: list[asyncio.Future[bool]] = []
        self.failures = 0
        self.looks = 0
        self._heard = time.time()

    @property
    def silent_since(self) -> float | None:
        """When Slurm was last heard of, in seconds since the epoch; None while it answers."""
        return self._heard if self.failures else None

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self._until_due()
            waiting, self._waiting = self._waiting, []
            found = await self._look()
            for future in waiting:
                if not future.done():
                    future.set_result(found)
            await asyncio.sleep(SPACING)

    def hurry(self) -> None:
        """Something was asked of Slurm: the next looks come sooner, then slow down again.

        The job itself says when it starts, listens and ends, so nothing is
        looked at right away.
        """
        self._interval = FIRST_LOOK
        self._due = min(self._due, time.monotonic() + FIRST_LOOK)
        self._wake.set()

    async def look(self) -> bool:
        """Wait for a look that begins after this call; False when Slurm did not answer."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._wake.set()
        return bool(await future)

    async def _until_due(self) -> None:
        while not self._waiting:
            self._wake.clear()
            left = self._due - time.monotonic()
            if left <= 0:
                self._interval = min(self._interval * GROWTH, self._rest)
                break
            await wait_at_most(self._wake, left)
        self._due = time.monotonic() + self._interval

    async def _look(self) -> bool:
        job_ids = list(self._subjects())
        if not job_ids:
            # Nothing to see is no answer, but nothing is missed either.
            metrics.WATCH_FAILURES.set(0)
            metrics.WATCH_NEWS.set(time.time())
            return True
        self.looks += 1
        began = time.monotonic()
        try:
            records = await self._client.jobs(job_ids)
        except SlurmError as error:
            self.failures += 1
            metrics.WATCH_FAILURES.set(self.failures)
            metrics.WATCH_LOOKS.labels("failed").inc()
            level = logging.WARNING if self.failures in (1, 10) else logging.DEBUG
            self._log.log(
                level,
                "Slurm did not answer (%d in a row); every server is kept as it was. %s",
                self.failures,
                error,
            )
            return False
        finally:
            metrics.WATCH_SECONDS.observe(time.monotonic() - began)
        metrics.WATCH_LOOKS.labels("answered").inc()
        self._answered()
        self._deliver(job_ids, records)
        return True

    def _answered(self) -> None:
        """All is known that there is to know."""
        if self.failures:
            self._log.info("Slurm answers again, after %d failed looks.", self.failures)
            self.failures = 0
        metrics.WATCH_FAILURES.set(0)
        self._heard = time.time()
        metrics.WATCH_NEWS.set(self._heard)
