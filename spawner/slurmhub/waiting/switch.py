"""Two jobs for one server: an alternative that may start sooner, beside the job that waits.

The first job keeps its place in the queue until the server of the second listens. There is one
server at any time: the job whose intent is no alternative to another. All of this is decided here,
from what the ledger holds, so that it is decided alike after a restart of the hub.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from slurmhub.job.job import Job, label
from slurmhub.ledger import Outcome
from slurmhub.slurm.states import Phase

if TYPE_CHECKING:
    import logging

    from slurmhub.jobs import Jobs

_START_AGAIN = "You can start it again."
SWITCHED = Outcome(
    "switched", "This server moved to another job, which started sooner.", _START_AGAIN
)
NOT_NEEDED = Outcome("not-needed", "The first job started before this one, which was given up.", "")
GIVEN_UP = Outcome("given-up", "You gave this request up; the first one waits on.", "")
# Alternatives that ended like this leave nothing to tell of.
_EXPECTED = frozenset({NOT_NEEDED.kind, GIVEN_UP.kind})


def may_switch(job: Job) -> bool:
    """Whether an alternative may be asked for: the job waits for its first start."""
    intent = job.intent
    # A job that was submitted a moment ago has not been seen yet.
    phase = job.phase in (Phase.PENDING, Phase.UNKNOWN)
    waits = phase and intent.job_id is not None and intent.started is None
    return waits and intent.live and intent.alternative_to is None and not intent.restarts


class Switch:
    """Decides which of two jobs is the server, whenever there is news of either."""

    def __init__(self, jobs: Jobs, *, log: logging.Logger) -> None:
        self._jobs = jobs
        self._log = log
        # By the nonce of the first.
        self._seconds: dict[str, Job] = {}

    def add(self, job: Job) -> None:
        """Follow the news of a job from here on."""
        job.on_news = self.settle
        if job.intent.alternative_to is not None:
            self._seconds[job.intent.alternative_to] = job

    def alternative(self, job: Job) -> Job | None:
        """The live job that is to replace this one, if it starts sooner."""
        other = self._seconds.get(job.intent.nonce)
        return other if other is not None and other.intent.live else None

    def together(self, job: Job) -> list[Job]:
        """The jobs that end when this one is cancelled: its alternative, and itself."""
        second = self.alternative(job)
        return [job] if second is None else [second, job]

    def settle_all(self) -> None:
        """Decide what the last hub left undecided."""
        for job in list(self._seconds.values()):
            self.settle(job)

    def settle(self, job: Job) -> None:
        """There is news of a job: decide, as far as it can be decided now."""
        nonce = job.intent.alternative_to
        first = self._jobs.by_nonce(nonce) if nonce is not None else job
        second = self._seconds.get(nonce or job.intent.nonce)
        if second is None or (nonce is not None and second is not job):
            return
        if not second.intent.live:
            self._lost(first, second)
        elif first is None or not first.intent.live:
            # Whoever cancels the first cancels the second with it: this one ended by itself.
            self._promote(first, second)
        elif second.listening and not first.listening:
            self._log.info("%s moves to job %s.", label(first.intent), second.intent.job_id)
            self._promote(first, second)
            self._jobs.cancel(first, SWITCHED)
        elif first.listening or (first.intent.started and not second.intent.started):
            self._jobs.cancel(second, NOT_NEEDED)
        if first is not None and first is not job:
            first.wake()

    def _promote(self, first: Job | None, second: Job) -> None:
        del self._seconds[str(second.intent.alternative_to)]
        second.intent.alternative_to = None
        if first is None or not first.intent.live:
            self._jobs.ledger.note(second.intent)
        else:
            # Written with the cancellation of the first: no hub finds two servers, or none.
            self._jobs.ledger.hold(second.intent)
        if first is not None:
            first.successor = second

    def _lost(self, first: Job | None, second: Job) -> None:
        del self._seconds[str(second.intent.alternative_to)]
        outcome = second.intent.outcome
        if first is not None and outcome is not None and outcome.kind not in _EXPECTED:
            first.lost_alternative = outcome
