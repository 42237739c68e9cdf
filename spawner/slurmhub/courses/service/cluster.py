"""The cluster of the courses: what Slurm has of them, and whether a course would fit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time, timezone
from zoneinfo import ZoneInfo

from slurmhub.courses.model import Course, State
from slurmhub.courses.policy import Rates
from slurmhub.courses.service import measures
from slurmhub.courses.service.on_cluster import on_cluster, with_course
from slurmhub.courses.service.settings import ClusterSettings, ServiceSettings
from slurmhub.courses.slurm.actual import look
from slurmhub.courses.slurm.desired import ClusterSite, CourseOnCluster, account_of, desired
from slurmhub.courses.slurm.planning import make_plan
from slurmhub.courses.slurm.reconciler import Outcome, Reconciler, Report
from slurmhub.courses.stored import Snapshot, Stored
from slurmhub.courses.use import Use, use_of
from slurmhub.errors import SlurmhubError
from slurmhub.slurm.managing import ManagingClient

_log = logging.getLogger("slurmhub.courses.slurm")


def _now() -> datetime:
    return datetime.now(timezone.utc)


Result = tuple[Outcome, State]
"""What became of a course in a round, and what it was at when that began."""


class _Reconciler(Reconciler):
    """Keeps what each course was at when the round began that its outcome is of."""

    states: Mapping[str, State] = {}
    results: Mapping[str, Result] = {}

    async def once(self) -> Report:
        try:
            report = await super().once()
        except SlurmhubError:
            measures.failed("slurm")
            raise
        if report.away:
            measures.failed("slurm")
        else:
            measures.succeeded("slurm")
        return report

    def _tell(self, report: Report) -> None:
        super()._tell(report)
        self.results = {
            key: (outcome, self.states[key])
            for key, outcome in report.outcomes.items()
            if key in self.states
        }


class CourseCluster:
    """One cluster for all courses of the hub; `snapshot` is how they are read, in a thread."""

    def __init__(
        self,
        client: ManagingClient,
        site: ClusterSite,
        snapshot: Callable[[], Snapshot],
        *,
        prefix: str = "",
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.site = site
        self._client, self._snapshot, self._prefix, self._clock = client, snapshot, prefix, clock
        self.reconciler = _Reconciler(client, self._courses, site, log=_log, clock=clock)

    @classmethod
    def of(
        cls, given: ClusterSettings, settings: ServiceSettings, snapshot: Callable[[], Snapshot]
    ) -> CourseCluster:
        """The one of these settings."""
        client = ManagingClient(given.bin_dir, given.conf)
        site = given.site(settings.hub, settings.policy)
        return cls(client, site, snapshot, prefix=given.account_prefix)

    @property
    def results(self) -> Mapping[str, Result]:
        """Of each course, by its key, whether Slurm has all that it should; of the last round."""
        return self.reconciler.results

    async def run(self, changed: asyncio.Event) -> None:
        """Have Slurm be as the courses say, until cancelled."""
        await self.reconciler.run(changed)

    async def answer(self, course: Course) -> tuple[str, ...]:
        """Why this course would not have all that it asks for, class by class; none: it would.

        Counts with what is reserved, and with the classes of all other courses to the end of
        their terms. Raises SlurmhubError when Slurm or the database is away.
        """
        now = self._clock()
        snapshot = await asyncio.to_thread(self._snapshot)
        there = on_cluster(snapshot, now, prefix=self._prefix, ahead=None)
        wanted = desired(with_course(there, course, now), self.site, now)
        actual = await look(self._client, self.site, wanted, now=now)
        plan = await asyncio.to_thread(lambda: make_plan(wanted, actual, self.site, now=now))
        return tuple(plan.waiting.get(course.key, ()))

    async def used(self, stored: Stored, rates: Rates) -> Use:
        """What the course used since it was made, or its term began, until now or its end.

        Raises SlurmhubError when Slurm is away.
        """
        zone = ZoneInfo(stored.course.timezone)
        made = datetime.fromtimestamp(stored.created, zone).date()
        first = min(made, stored.course.term.first)
        until = self._clock()
        if stored.ended is not None:
            until = datetime.fromtimestamp(stored.ended, timezone.utc)
        since = datetime.combine(first, time(), zone)
        usage = await self._client.usage(account_of(stored.key), since, until)
        return await asyncio.to_thread(
            lambda: use_of(usage, stored.course, rates, until=until, first=first)
        )

    async def _courses(self) -> Sequence[CourseOnCluster]:
        snapshot = await asyncio.to_thread(self._snapshot)
        self.reconciler.states = {one.key: one.state for one in snapshot.courses}
        return on_cluster(snapshot, self._clock(), prefix=self._prefix)
