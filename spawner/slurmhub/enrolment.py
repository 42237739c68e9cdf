"""People get into the hub's Slurm account before their first job, where the site wants that.

A cluster that enforces associations refuses jobs of people it does not know. The hub adds them with
its own account's right as an Operator (sacctmgr(1), AdminLevel).
"""

from __future__ import annotations

import asyncio
import logging

from slurmhub.slurm.accounting_cache import AccountingCache
from slurmhub.slurm.client import SlurmClient
from slurmhub.slurm.errors import SlurmError


class Enrolment:
    """Adds people to one Slurm account; to none if it is empty.

    Who was seen in it is not asked for again while the hub runs.
    """

    def __init__(
        self, client: SlurmClient, accounting: AccountingCache, account: str, *, log: logging.Logger
    ) -> None:
        self._client = client
        self._accounting = accounting
        self._account = account.lower()  # as Slurm has it
        self._log = log
        self._enrolled: set[str] = set()
        self._running: dict[str, asyncio.Task[None]] = {}

    async def ensure(self, name: str) -> None:
        """Have the person of this Unix account in the Slurm account.

        What goes wrong is logged, and left to Slurm, which says why it refuses the job.
        """
        if not self._account or name in self._enrolled:
            return
        task = self._running.get(name)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._enrol(name))
            self._running[name] = task
            task.add_done_callback(lambda _: self._running.pop(name, None))
        await asyncio.shield(task)

    async def _enrol(self, name: str) -> None:
        known = self._accounting.accounting
        if known is None or not any(
            one.account == self._account for one in known.associations.get(name, ())
        ):
            try:
                added = await self._client.enrol(name, self._account)
            except SlurmError as error:
                self._log.error(
                    "%s could not be put into the Slurm account %s. %s",
                    *(name, self._account, error),
                )
                return
            if added:
                self._log.info("%s is in the Slurm account %s now.", name, self._account)
        self._enrolled.add(name)
