"""The cluster's facts, kept in memory: what forms and validation use without waiting."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from slurmhub.slurm.client import SlurmClient
from slurmhub.slurm.errors import SlurmError
from slurmhub.slurm.records import ClusterFacts
from slurmhub.slurm.version import SlurmVersion, support_warning

# Facts younger than this, in seconds, are not asked for again.
FRESH = 20.0


class FactsCache:
    """The newest facts that Slurm gave, and when; asked for only while somebody looks.

    `prepare` is what takes long with new facts: it runs in a thread before anybody gets them.
    """

    def __init__(
        self,
        client: SlurmClient,
        *,
        log: logging.Logger,
        prepare: Callable[[ClusterFacts], object] | None = None,
    ) -> None:
        self._client = client
        self._log = log
        self._prepare = prepare
        self._task: asyncio.Task[None] | None = None
        self._taken = 0.0
        self._warned = False
        self.facts: ClusterFacts | None = None
        self.trouble: str | None = None

    @property
    def age(self) -> float | None:
        """Seconds since the facts were taken; None while there are none."""
        return time.monotonic() - self._taken if self.facts else None

    def refresh(self, fresh: float = FRESH) -> asyncio.Task[None]:
        """Ask Slurm again in the background, unless the facts are already asked for, or fresh.

        Fresh they are for `fresh` seconds.
        """
        if self._task is None or (self._task.done() and (self.age is None or self.age > fresh)):
            self._task = asyncio.get_running_loop().create_task(self._ask())
        return self._task

    async def within(self, seconds: float) -> ClusterFacts | None:
        """The facts; when there are none yet, wait for them, at most `seconds`."""
        task = self.refresh()
        if self.facts is None:
            await asyncio.wait({task}, timeout=seconds)
        return self.facts

    async def address(self, node: str) -> str | None:
        """Slurm's address for a node (NodeAddr in slurm.conf); None when it names no such node."""
        found = self._address(node)
        if found is None:
            if self._task is not None:
                await asyncio.wait({self._task})
            self._task = asyncio.get_running_loop().create_task(self._ask())
            await asyncio.wait({self._task})
            found = self._address(node)
        return found

    def _address(self, node: str) -> str | None:
        nodes = self.facts.nodes if self.facts else ()
        return next((record.address for record in nodes if record.name == node), None)

    async def _ask(self) -> None:
        try:
            facts = await self._client.facts()
        except SlurmError as error:
            self.trouble = str(error)
            self._log.warning("The cluster's facts could not be read. %s", error)
        else:
            if self._prepare is not None:
                await asyncio.to_thread(self._prepare, facts)
            self.facts = facts
            self.trouble = None
            self._taken = time.monotonic()
            self._warn_of_version(self.facts.version)

    def _warn_of_version(self, version: SlurmVersion) -> None:
        warning = support_warning(version)
        if warning and not self._warned:
            self._warned = True
            self._log.warning(warning)
