"""Counts what happens to the servers of a hub, each thing once, also across its restarts."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Collection, Iterable
from itertools import product
from typing import TypeVar

from slurmhub import metrics
from slurmhub.job.job import Job
from slurmhub.ledger import Intent, Ledger, Outcome
from slurmhub.measuring import labels, use
from slurmhub.measuring.measures import Measures
from slurmhub.slurm.states import Phase

# A job that no server has taken up after so many seconds has none: JupyterHub takes its servers up
# while it starts.
CLAIM_SECONDS = 120.0
# Ends of jobs whose server went on in another job, or never was one.
_NO_SPAWN = frozenset({"switched", "not-needed", "given-up"})
# Ends that somebody asked for.
_ASKED_FOR = frozenset({"stopped", "stopped-by-other", "cancelled"})
# Why most servers fail, or end while they are used.
_USUAL = (
    *("refused", "home", "cannot-start", "server-exited", "never-listened", "unreachable"),
    *("failed", "killed", "out-of-memory", "timeout", "node-fail", "preempted", "vanished"),
)
_STATES = ("asking", "pending", "starting", "listening", "ending", "unknown")


class Measuring:
    """What is counted of the jobs of one hub."""

    def __init__(self, ledger: Ledger, *, log: logging.Logger) -> None:
        self._measures = Measures(ledger.engine, log=log)
        # What was never told at 0 has no increase when it happens first.
        for kind in ("unclaimed", "unknown"):
            metrics.ORPHANS.labels(kind)
        metrics.SPAWNS.labels("ready", "")
        for reason in _USUAL:
            metrics.ENDS.labels(reason)
            metrics.SPAWNS.labels("failed", reason)

    def begin(self, jobs: Collection[Job]) -> None:
        """Go on where the last hub ended."""
        self._measures.begin({job.intent.nonce for job in jobs})
        for job in jobs:
            self.asked(job.intent)
            if job.listening and not self._measures.knows(job.intent.nonce):
                # It was served by a hub that did not write this down.
                self._measures.of(job.intent.nonce).ready = job.intent.created
                self._measures.changed(job.intent.nonce)

    def asked(self, intent: Intent) -> None:
        """A server is wanted: what will be measured of it is told as 0 until then."""
        for times in (metrics.QUEUE_SECONDS, metrics.LAUNCH_SECONDS, metrics.READY_SECONDS):
            times.labels(*labels.of_server(intent))

    def listening(self, intent: Intent) -> None:
        """The job has announced its server."""
        self._measures.of(intent.nonce)
        self._measures.changed(intent.nonce)
        if intent.started is not None:
            took = max(0.0, time.time() - intent.started)
            metrics.LAUNCH_SECONDS.labels(*labels.of_server(intent)).observe(took)

    def ready(self, intent: Intent) -> None:
        """The hub serves the server: counted the first time only."""
        measured = self._measures.of(intent.nonce)
        if measured.ready is None:
            measured.ready = time.time()
            self._measures.changed(intent.nonce)
            self._measures.flush()
            metrics.SPAWNS.labels("ready", "").inc()
            took = max(0.0, measured.ready - intent.created)
            metrics.READY_SECONDS.labels(*labels.of_server(intent)).observe(took)

    def saw(self, job: Job) -> None:
        """Slurm has just told of this job, and the hub has not yet taken in what it says."""
        record, intent = job.record, job.intent
        if record is not None and record.started is not None and intent.started is None:
            seen = record.phase in (Phase.RUNNING, Phase.GONE)
            if seen and not record.restarts:
                waited = max(0.0, record.started.timestamp() - intent.created)
                metrics.QUEUE_SECONDS.labels(*labels.of_server(intent)).observe(waited)
        use.count(job, time.time(), self._measures, labels.bounds())

    def ended(self, intent: Intent, outcome: Outcome, *, first: bool) -> None:
        """The server is gone; `first` when that was not known before."""
        if first:
            metrics.ENDS.labels(outcome.kind).inc()
            was_ready = self._measures.of(intent.nonce).ready is not None
            beside = intent.alternative_to is not None or outcome.kind in _NO_SPAWN
            if not was_ready and not beside:
                how = "cancelled" if outcome.kind in _ASKED_FOR else "failed"
                metrics.SPAWNS.labels(how, outcome.kind).inc()
        if intent.confirmed_gone:
            self._measures.forget(intent.nonce)

    def show(self, jobs: Iterable[Job]) -> None:
        """Set the gauges of open jobs, and write down what was counted."""
        metrics.JOBS.clear()
        unconfirmed = unclaimed = 0
        # A state that no job has is 0, not absent.
        partitions = labels.bounds().partitions() or ()
        numbers = Counter(dict.fromkeys(product(_STATES, partitions), 0))
        for job in jobs:
            _adopted(job)
            partition, _ = labels.of_server(job.intent)
            numbers[(state_of(job), partition)] += 1
            unconfirmed += job.intent.cancel_requested is not None
            unclaimed += _unclaimed(job)
        for (state, partition), number in numbers.items():
            metrics.JOBS.labels(state, partition).set(number)
        metrics.UNCONFIRMED_CANCELS.set(unconfirmed)
        metrics.ORPHANS.labels("unclaimed").set(unclaimed)
        self._measures.flush()


Failure = TypeVar("Failure", bound=BaseException)


def never_asked(error: Failure) -> Failure:
    """Count a server for which no job was even asked, by the kind of error; returns the error."""
    name = type(error.__cause__ or error).__name__
    reason = "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
    metrics.SPAWNS.labels("failed", reason).inc()
    return error


def state_of(job: Job) -> str:
    """The state of a job as its gauge tells it."""
    if job.intent.job_id is None:
        return "asking"
    if job.phase in (Phase.ENDING, Phase.GONE) or job.intent.cancel_requested is not None:
        return "ending"
    if job.phase is Phase.RUNNING:
        return "listening" if job.listening else "starting"
    return str(job.phase.value)


def _adopted(job: Job) -> None:
    if job.from_ledger and job.on_withdrawn is not None:
        job.from_ledger = False
        metrics.ADOPTIONS.labels("ledger").inc()


def _unclaimed(job: Job) -> bool:
    waited = time.monotonic() - job.held_since
    own = job.intent.live and job.intent.alternative_to is None
    return own and job.on_withdrawn is None and waited > CLAIM_SECONDS
