"""Slurm's accounting, kept in memory: one question for everybody, every few minutes at most."""

from __future__ import annotations

import asyncio
import logging
import time

from slurmhub.slurm.accounting import Accounting
from slurmhub.slurm.client import SlurmClient
from slurmhub.slurm.errors import SlurmError, SlurmMissing

# What is younger than this, in seconds, is not asked for again.
FRESH = 300.0
# After a question that failed, the next one waits so long, in seconds.
AGAIN = 60.0


class AccountingCache:
    """What slurmdbd last said; asked only while somebody looks.

    `accounting` is None where the cluster keeps none, and until slurmdbd has answered once:
    then `trouble` says why not.
    """

    def __init__(self, client: SlurmClient, *, log: logging.Logger) -> None:
        self._client = client
        self._log = log
        self._task: asyncio.Task[None] | None = None
        self._asked = 0.0
        self._taken: float | None = None
        self.accounting: Accounting | None = None
        self.trouble: str | None = None

    @property
    def age(self) -> float | None:
        """Seconds since slurmdbd answered; None while it has not."""
        return None if self._taken is None else time.monotonic() - self._taken

    def refresh(self) -> asyncio.Task[None]:
        """Ask again in the background, unless the answer is fresh or already asked for."""
        if self._task is None or (self._task.done() and self._is_due()):
            self._task = asyncio.get_running_loop().create_task(self._ask())
        return self._task

    async def within(self, seconds: float) -> Accounting | None:
        """The accounting; when nothing is known yet, wait for it, at most `seconds`."""
        task = self.refresh()
        if self._taken is None:
            await asyncio.wait({task}, timeout=seconds)
        return self.accounting

    def _is_due(self) -> bool:
        since = time.monotonic() - self._asked
        return since > (AGAIN if self.trouble else FRESH)

    async def _ask(self) -> None:
        self._asked = time.monotonic()
        try:
            self.accounting = await self._client.accounting()
        except SlurmMissing as error:
            # Without sacctmgr there is nothing to wait for.
            self._log.warning("Accounts and QOS are not offered. %s", error)
        except SlurmError as error:
            self._note(str(error))
            return
        self.trouble = None
        self._taken = time.monotonic()

    def _note(self, trouble: str) -> None:
        level = logging.DEBUG if self.trouble else logging.WARNING
        self._log.log(level, "Slurm's accounting could not be read. %s", trouble)
        self.trouble = trouble
