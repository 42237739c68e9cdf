"""The folders of the courses: kept as the database says, and what became of each course's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from slurmhub.courses.folders.accounts import Accounts
from slurmhub.courses.folders.program import FoldersProgram
from slurmhub.courses.folders.reconciler import FoldersReconciler, Report
from slurmhub.courses.model import State
from slurmhub.courses.policy import Policy
from slurmhub.courses.service import measures
from slurmhub.courses.service.cluster import Result
from slurmhub.courses.slurm.reconciler import Outcome
from slurmhub.courses.stored import Snapshot
from slurmhub.errors import SlurmhubError

_log = logging.getLogger("slurmhub.courses.folders")


class _Reconciler(FoldersReconciler):
    """Keeps what each course was at when the round began that its outcome is of."""

    states: Mapping[str, State] = {}
    results: Mapping[str, Result] = {}

    async def once(self) -> Report:
        try:
            report = await super().once()
        except SlurmhubError:
            measures.failed("folders")
            raise
        measures.succeeded("folders")
        return report

    def _tell(self, outcomes: Mapping[str, Outcome], strays: frozenset[str]) -> None:
        super()._tell(outcomes, strays)
        self.results = {
            key: (outcome, self.states[key])
            for key, outcome in outcomes.items()
            if key in self.states
        }


class CourseFolders:
    """The folders of all courses of the hub; `program` is how root's own is run."""

    def __init__(
        self,
        program: FoldersProgram,
        snapshot: Callable[[], Snapshot],
        policy: Callable[[], Policy],
        accounts: Accounts,
    ) -> None:
        self.program = program
        self._snapshot = snapshot
        self.reconciler = _Reconciler(program, self._read, policy, accounts, log=_log)

    @property
    def results(self) -> Mapping[str, Result]:
        """Of each course, by its key, whether its folders are as they should; of the last round."""
        return self.reconciler.results

    async def run(self, changed: asyncio.Event) -> None:
        """Keep them so, until cancelled."""
        await self.reconciler.run(changed)

    def _read(self) -> Snapshot:
        found = self._snapshot()
        self.reconciler.states = {one.key: one.state for one in found.courses}
        return found
