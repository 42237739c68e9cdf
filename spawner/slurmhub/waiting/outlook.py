"""All that is known for somebody who waits, from what is cached and without waiting for Slurm."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from slurmhub.announcing import draining
from slurmhub.errors import SlurmhubError
from slurmhub.job.crossing import Crossing
from slurmhub.job.job import Job
from slurmhub.job.script import trial_script
from slurmhub.ledger import Outcome
from slurmhub.options.request import JobRequest
from slurmhub.slurm.client import SlurmClient
from slurmhub.slurm.command import Account
from slurmhub.slurm.facts import FactsCache
from slurmhub.slurm.limits import limit_named
from slurmhub.slurm.states import Phase
from slurmhub.waiting.estimate import Estimate, Estimates
from slurmhub.waiting.place import QueueView
from slurmhub.waiting.sooner import Candidate, Suggestion, candidates, suggested
from slurmhub.waiting.switch import may_switch

if TYPE_CHECKING:
    from slurmhub.options.offer import Offer


@dataclass(frozen=True)
class Outlook:
    """What somebody who waits may look forward to.

    `before` is how many jobs come first in the partition, `start` when the job would start
    (seconds since the epoch): Slurm's plan, or else what a trial of it said. Both are None where
    they are not known. `silent_since` is when Slurm was last heard of, None while it answers.
    `second` is a job that may take the place of this one, `lost` how the last
    one that was to do so ended.
    """

    before: int | None = None
    start: float | None = None
    suggestions: tuple[Suggestion, ...] = ()
    second: Job | None = None
    lost: Outcome | None = None
    silent_since: float | None = None


@dataclass
class _Near:
    """The candidates for one job, as long as the cluster's facts are the same."""

    facts: object
    found: tuple[Candidate, ...] = ()


@dataclass
class Waiting:
    """What this hub knows of the queue and of what would start when."""

    queue: QueueView
    estimates: Estimates
    facts: FactsCache
    second_of: Callable[[Job], Job | None]
    _near: dict[str, _Near] = field(default_factory=dict)

    @classmethod
    def on(
        cls,
        client: SlurmClient,
        crossing: Crossing,
        facts: FactsCache,
        second_of: Callable[[Job], Job | None],
        *,
        log: logging.Logger,
    ) -> Waiting:
        """For one hub on one cluster; `second_of` finds the alternative to a job."""
        return cls(
            QueueView(client, log=log), Estimates(crossing.estimate, log=log), facts, second_of
        )

    def outlook(self, job: Job, offer: Offer | None, spawner: Any) -> Outlook:
        """What is known of a job now; what is missing or old is asked for in the background.

        `spawner` judges requests (`judge`, `grants`) and has the site's script policy.
        """
        second = self.second_of(job)
        if job.phase is not Phase.PENDING or not job.intent.live:
            return Outlook(second=second, lost=job.lost_alternative)
        before = self.queue.before(job)
        planned = job.record.expected_start if job.record else None
        start = planned.timestamp() if planned else None
        suggestions: tuple[Suggestion, ...] = ()
        # A trial asks whether nodes are free, and knows nothing of limits that are used up.
        if second is None and may_switch(job) and offer is not None and not _at_a_limit(job):
            own, suggestions = self._sooner(job, offer, spawner, start)
            start = start or own
        return Outlook(before, start, suggestions, second, job.lost_alternative)

    def estimate(self, request: JobRequest, account: Account, spawner: Any) -> Estimate | None:
        """When a job like this would start, as far as that is known already."""
        return self.estimates.of(
            request, account, lambda: trial_script(request, spawner.script_policy())
        )

    def _sooner(
        self, job: Job, offer: Offer, spawner: Any, planned: float | None
    ) -> tuple[float | None, tuple[Suggestion, ...]]:
        """When this job would start by a trial of it, and what would start clearly sooner.

        The first is None also where Slurm has a plan, which knows better.
        """
        try:
            request = spawner.judge(job.intent.request)
        except SlurmhubError:
            # It may not be asked for any more; what is near it may not be, either.
            return None, ()

        def wait_of(other: JobRequest) -> float | None:
            found = self.estimate(other, job.account, spawner)
            wait = found.wait if found else None
            return None if wait is None else self._without_own(wait, request, other)

        trial = wait_of(request)
        near = [
            one
            for one in self._candidates(job, request, offer, spawner)
            if draining(one.request.partition) is None
        ]
        waits = [(one, wait_of(one.request)) for one in near]
        if planned is not None:
            return None, suggested(waits, max(0.0, planned - time.time()))
        return None if trial is None else time.time() + trial, suggested(waits, trial)

    def _without_own(self, wait: float, own: JobRequest, other: JobRequest) -> float:
        """What `sbatch --test-only` says of a request, if the job that waits were not there.

        It adds the time of all jobs that wait in the partition, each as if it took a whole node
        and all nodes worked them off together; see _delayed_job_start_time in slurmctld.
        """
        partitions = self.facts.facts.partitions if self.facts.facts else ()
        sizes = {partition.name: len(partition.nodes) for partition in partitions}
        if other.partition != own.partition or not sizes.get(own.partition):
            return wait
        return max(0.0, wait - (own.time.seconds or 0) / sizes[own.partition])

    def _candidates(
        self, job: Job, request: JobRequest, offer: Offer, spawner: Any
    ) -> tuple[Candidate, ...]:
        self.facts.refresh()
        facts = self.facts.facts
        near = self._near.get(job.intent.nonce)
        if near is None or near.facts is not facts:
            if len(self._near) > 1000:
                self._near.clear()

            def granted(other: JobRequest) -> bool:
                return bool(spawner.grants(other, job.intent.request))

            nodes = facts.nodes if facts else ()
            near = _Near(facts, candidates(request, offer, nodes, granted))
            self._near[job.intent.nonce] = near
        return near.found


def _at_a_limit(job: Job) -> bool:
    """Whether the job waits for a limit of its QOS or account, or is held: not for nodes."""
    reason = job.record.reason.strip() if job.record else ""
    return reason.startswith("JobHeld") or limit_named(reason) is not None
