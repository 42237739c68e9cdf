"""Makes Slurm have what the courses should have: looks, says what it will do, does it, again.

Nothing of a round is kept: the next one looks anew. Whatever was done or not when this process, or
Slurm, went away in between, the next round goes on from what is there.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from slurmhub.courses.slurm import measures
from slurmhub.courses.slurm.actual import Actual, look
from slurmhub.courses.slurm.desired import ClusterSite, CourseOnCluster, Desired, desired
from slurmhub.courses.slurm.planning import make_plan
from slurmhub.courses.slurm.steps import Plan, Step
from slurmhub.errors import SlurmhubError
from slurmhub.slurm.errors import SlurmError, SlurmMissing, SlurmUnreachable
from slurmhub.slurm.managing import ManagingClient, StillInUse

Source = Callable[[], Awaitable[Sequence[CourseOnCluster]]]
"""All courses of the hub with their states, ended ones too. May raise SlurmhubError."""

INTERVAL = 60.0
"""Seconds between rounds when nothing was changed."""

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds before the next try when Slurm or the database is away; doubled each time."""

# A round whose steps make others possible is followed by another at once, so many times.
_ROUNDS_AT_ONCE = 3


@dataclass(frozen=True)
class Outcome:
    """Whether Slurm has all that a course should have; `reasons`, in words, why it has not."""

    reasons: tuple[str, ...] = ()

    @property
    def realised(self) -> bool:
        return not self.reasons

    def __str__(self) -> str:
        return "realised" if self.realised else "waiting: " + " ".join(self.reasons)


@dataclass(frozen=True)
class Report:
    """What one round did, and how each course is now; `away` where Slurm did not answer."""

    done: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    strays: tuple[str, ...] = ()
    away: str = ""


class Reconciler:
    """Looks after one cluster for the courses of one hub. There should be one at a time.

    Two would not do harm: what the other did is found done, or refused by Slurm, and seen in the
    next round.
    """

    def __init__(
        self,
        client: ManagingClient,
        source: Source,
        site: ClusterSite,
        *,
        log: logging.Logger,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._client, self._source, self._site = client, source, site
        self._log, self._clock = log, clock
        self.outcomes: dict[str, Outcome] = {}
        self._told: dict[str, Outcome] = {}

    async def plan(self) -> Plan:
        """What would be done now; changes nothing. Raises SlurmhubError."""
        plan, _ = await self._plan()
        return plan

    async def _plan(self) -> tuple[Plan, Desired]:
        await self._refuse_without_accounting()
        now = self._clock()
        wanted = desired(await self._source(), self._site, now)
        actual: Actual = await look(self._client, self._site, wanted, now=now)
        # Thousands of nodes and a term of classes would hold up the event loop.
        plan = await asyncio.to_thread(lambda: make_plan(wanted, actual, self._site, now=now))
        return plan, wanted

    async def once(self) -> Report:
        """One round. Raises SlurmhubError when it cannot be known what there is or should be."""
        with measures.ROUND_SECONDS.time():
            try:
                plan, wanted = await self._plan()
                report = await self._carry_out(plan, wanted)
            except (SlurmUnreachable, SlurmMissing):
                measures.ROUNDS.labels("unanswered").inc()
                raise
            except SlurmhubError:
                measures.ROUNDS.labels("failed").inc()
                raise
        measures.ROUNDS.labels("unanswered" if report.away else "done").inc()
        self._tell(report)
        return report

    async def settle(self) -> Report:
        """Rounds until one finds nothing to do, a few at most; the last one's report.

        Its `done` and `failed` are those of all of them.
        """
        done: list[str] = []
        failed: list[str] = []
        for _ in range(_ROUNDS_AT_ONCE):
            report = await self.once()
            done += report.done
            failed += report.failed
            if not report.done or report.failed or report.away:
                break
        return replace(report, done=tuple(done), failed=tuple(failed))

    async def run(self, changed: asyncio.Event) -> None:
        """Round after round, until cancelled; at once when `changed` is set."""
        pause = FIRST_PAUSE
        while True:
            changed.clear()
            try:
                report = await self.settle()
                away = report.away
            except SlurmhubError as error:
                away = str(error)
            if away:
                self._log.warning("Courses wait for Slurm. %s", away)
                # Spread out, so that many hubs do not come back in the same second.
                await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            pause = FIRST_PAUSE
            waiting = asyncio.create_task(changed.wait())
            try:
                await asyncio.wait({waiting}, timeout=INTERVAL)
            finally:
                waiting.cancel()

    # Inside

    async def _refuse_without_accounting(self) -> None:
        if not await self._client.cluster():
            raise SlurmhubError(
                "The cluster has no accounting (slurmdbd), so courses cannot have limits.",
                remedy="Set AccountingStorageType=accounting_storage/slurmdbd in slurm.conf.",
            )
        if "limits" not in await self._client.enforced():
            raise SlurmhubError(
                "The cluster does not keep the limits of its accounting.",
                remedy="Add limits to AccountingStorageEnforce in slurm.conf.",
            )

    async def _carry_out(self, plan: Plan, wanted: Desired) -> Report:
        reasons = {key: list(why) for key, why in plan.waiting.items()}
        done: list[str] = []
        failed: list[str] = []
        stopped: set[str] = set()
        away = ""
        for step in plan.steps:
            if away or step.course in stopped:
                reasons.setdefault(step.course, []).append(f"Not done yet: {step.words}.")
                continue
            self._log.info("Slurm: %s.", step)
            error = await self._do(step)
            if error is None:
                done.append(str(step))
                continue
            self._log.warning("Slurm: not done: %s. %s", step, error)
            failed.append(f"{step}: {error}")
            reasons.setdefault(step.course, []).append(_why(step, error))
            if isinstance(error, (SlurmUnreachable, SlurmMissing)):
                away = str(error)
            elif step.needed:
                stopped.add(step.course)
        keys = {one.key for one in wanted.courses} | wanted.unwanted
        common = reasons.get("", [])
        outcomes = {key: Outcome((*common, *reasons.get(key, ()))) for key in keys}
        return Report(tuple(done), tuple(failed), outcomes, plan.strays, away)

    async def _do(self, step: Step) -> SlurmError | None:
        outcome = "done"
        try:
            await step.do(self._client)
        except (SlurmUnreachable, SlurmMissing) as error:
            # It may have been done; the next round sees.
            outcome = "unknown"
            return error
        except StillInUse as error:
            outcome = "in-use"
            return error
        except SlurmError as error:
            outcome = "refused"
            return error
        finally:
            measures.STEPS.labels(step.kind, outcome).inc()
        return None

    def _tell(self, report: Report) -> None:
        self.outcomes = report.outcomes
        realised = sum(one.realised for one in report.outcomes.values())
        measures.COURSES.labels("realised").set(realised)
        measures.COURSES.labels("waiting").set(len(report.outcomes) - realised)
        measures.STRAYS.set(len(report.strays))
        for key, outcome in sorted(report.outcomes.items()):
            if self._told.get(key) != outcome:
                self._log.info("Course %s in Slurm: %s", key, outcome)
        self._told = report.outcomes


def _why(step: Step, error: SlurmError) -> str:
    if isinstance(error, StillInUse):
        return f"Slurm still has jobs there: {step.words} waits for them."
    return f"Slurm did not {step.words}: {error}"
