"""More time for a job that runs: how much there may be, and asking Slurm for it.

People cannot lengthen their own jobs. The hub's account can, as an Operator in Slurm, and Slurm
then checks neither the partition's limit nor a QOS nor a reservation: the hub does.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

from slurmhub import metrics
from slurmhub.errors import SlurmhubError
from slurmhub.job.job import Job, label
from slurmhub.jobs import Jobs
from slurmhub.options.words import time_plain
from slurmhub.session.remaining import asked_minutes, end_of, limit_minutes
from slurmhub.slurm.accounting import Accounting
from slurmhub.slurm.accounting_cache import AccountingCache
from slurmhub.slurm.advice import advice
from slurmhub.slurm.client import SlurmClient
from slurmhub.slurm.errors import ChangeRefused, JobUnknown, SlurmDenied, SlurmError
from slurmhub.slurm.facts import FactsCache
from slurmhub.slurm.records import ClusterFacts
from slurmhub.slurm.times import TimeLimit

# Whether this account is an Operator is asked again after this long, in seconds.
RIGHT_KEPT = 600.0
# How long what became of an extension is said on the page of its server, in seconds.
ANSWER_SHOWN = 120.0
# How long an extension waits for the cluster's facts, in seconds.
FACTS_PATIENCE = 10.0
# An extension is worth its click from this many minutes on.
LEAST_MINUTES = 5
_OUTCOMES = {403: "denied", 503: "unanswered"}


class NotExtended(SlurmhubError):
    """The server has no more time than before; the text says why, for its owner."""

    def __init__(self, what: str, *, remedy: str = "", status: int = 409) -> None:
        super().__init__(what, remedy=remedy)
        self.status = status


@dataclass(frozen=True)
class ExtensionPolicy:
    """What the site gives: `step` minutes at a time, `most` in all; `max_time` of its own."""

    step: int
    most: int
    max_time: TimeLimit | None = None


@dataclass(frozen=True)
class Room:
    """The next extension: by so many minutes, to this limit in minutes; or why there is none."""

    minutes: int
    limit: int
    why: str = ""


def room(
    job: Job,
    policy: ExtensionPolicy,
    facts: ClusterFacts | None,
    accounting: Accounting | None = None,
) -> Room:
    """How much longer the job may run, with the tightest bound in words when it may not."""
    now, asked = limit_minutes(job), asked_minutes(job.intent)
    if not policy.most or now is None or asked is None:
        return Room(0, now or 0, "This server cannot be given more time.")
    if not job.listening:
        return Room(0, now, "Only a server that runs can be given more time.")
    bounds = [(now + policy.step, ""), *_bounds(job, policy, asked, facts, accounting)]
    limit, why = min(bounds, key=lambda bound: bound[0])
    if limit - now < min(LEAST_MINUTES, policy.step):
        return Room(0, now, why or "This server cannot be given more time.")
    return Room(limit - now, limit)


def _bounds(
    job: Job,
    policy: ExtensionPolicy,
    asked: int,
    facts: ClusterFacts | None,
    accounting: Accounting | None,
) -> Iterator[tuple[int, str]]:
    """Limits in minutes that the job's must not pass, each with what to say at it."""
    most = time_plain(TimeLimit.of_minutes(policy.most))
    yield asked + policy.most, f"A server can be given {most} more in all, and this one was."
    if policy.max_time is not None and policy.max_time.minutes is not None:
        longest = policy.max_time.minutes + policy.most
        words = time_plain(TimeLimit.of_minutes(longest))
        yield longest, f"No server may run for more than {words}."
    record = job.record
    qos_of_partition = ""
    name = str(job.intent.request.get("partition", ""))
    for partition in facts.partitions if facts else ():
        if partition.name == name:
            qos_of_partition = partition.qos
            if partition.max_time.minutes is not None:
                words = time_plain(partition.max_time)
                yield partition.max_time.minutes, f"Partition {name} ends jobs after {words}."
    if accounting is not None and "limits" in accounting.enforced:
        for qos in {qos_of_partition, record.qos if record else ""} & set(accounting.qos):
            longest_of_qos = accounting.qos[qos].limits.time
            if longest_of_qos is not None and longest_of_qos.minutes is not None:
                words = time_plain(longest_of_qos)
                yield longest_of_qos.minutes, f"The QOS {qos} ends jobs after {words}."
    yield from _reserved(job, facts)


def _reserved(job: Job, facts: ClusterFacts | None) -> Iterator[tuple[int, str]]:
    """Until when the job's nodes are free of reservations, and its own one lasts."""
    record, started = job.record, job.intent.started
    end = end_of(job)
    if facts is None or record is None or started is None or end is None:
        return
    for reservation in facts.reservations:
        own = bool(record.reservation) and reservation.name == record.reservation
        if own and reservation.end is not None and not reservation.flexible:
            minutes = int(reservation.end.timestamp() - started) // 60
            yield minutes, f"The reservation {reservation.name} ends then."
        begins = reservation.start.timestamp() if reservation.start else None
        theirs = not own and not reservation.floating and set(reservation.nodes)
        if begins is not None and theirs and theirs & set(record.node_list):
            over = reservation.end is not None and reservation.end.timestamp() <= time.time()
            # One that has begun already, beside this job, does not mind it.
            if not over and begins > time.time():
                minutes = int(begins - started) // 60
                yield minutes, f"Its computer is reserved afterwards ({reservation.name})."


class Extensions:
    """Extends jobs, one request for each at a time, and remembers what became of the last."""

    def __init__(
        self,
        jobs: Jobs,
        client: SlurmClient,
        facts: FactsCache,
        accounting: AccountingCache,
        *,
        log: logging.Logger,
    ) -> None:
        self._jobs, self._client, self._log = jobs, client, log
        self._facts, self._accounts = facts, accounting
        self._under_way: set[str] = set()
        self._right: tuple[bool, float] | None = None
        self._learning: asyncio.Task[None] | None = None
        self._answers: dict[str, tuple[str, bool, float]] = {}

    @property
    def offered(self) -> bool:
        """Whether this account was last seen to be an Operator."""
        return self._right is not None and self._right[0]

    def begin(self) -> None:
        """Learn in the background what is not known, or not any more."""
        if self._right is None or time.monotonic() - self._right[1] > RIGHT_KEPT:
            self._learn_once()

    async def learn_right(self) -> bool:
        """Ask Slurm whether this account may lengthen jobs; kept for a while."""
        if self._right is None or time.monotonic() - self._right[1] > RIGHT_KEPT:
            await asyncio.shield(self._learn_once())
        return self.offered

    def _learn_once(self) -> asyncio.Task[None]:
        """The question that is under way: everybody who asks meanwhile waits for its answer."""
        if self._learning is None or self._learning.done():
            self._learning = asyncio.get_running_loop().create_task(self._learn())
        return self._learning

    async def _learn(self) -> None:
        try:
            self._right = (await self._client.is_operator(), time.monotonic())
        except SlurmError as error:
            self._log.debug("Whether this account is an Operator is not known: %s", error)
            self._right = None

    def room(self, job: Job, policy: ExtensionPolicy) -> Room:
        """What the next extension would give by what is known now; asks nobody."""
        return room(job, policy, self._facts.facts, self._accounts.accounting)

    def answer(self, job: Job) -> tuple[str, bool] | None:
        """What became of this job's last extension, in words, and whether it was granted."""
        now = time.monotonic()
        self._answers = {k: v for k, v in self._answers.items() if now - v[2] < ANSWER_SHOWN}
        found = self._answers.get(job.intent.nonce)
        return found[:2] if found else None

    async def extend(self, job: Job, policy: ExtensionPolicy, seen: int | None) -> int:
        """Give the job more time; returns its new limit in minutes.

        `seen` is the limit, in minutes, that the person saw when they asked: who asks twice gets
        one extension. Raises NotExtended.
        """
        nonce = job.intent.nonce
        if nonce in self._under_way:
            raise NotExtended("This server is being given more time already.")
        self._under_way.add(nonce)
        try:
            limit, minutes = await self._extend(job, policy, seen)
        except NotExtended as refusal:
            metrics.EXTENSIONS.labels(_OUTCOMES.get(refusal.status, "refused")).inc()
            self._answers[nonce] = (str(refusal), False, time.monotonic())
            raise
        finally:
            self._under_way.discard(nonce)
        metrics.EXTENSIONS.labels("granted").inc()
        more = time_plain(TimeLimit.of_minutes(minutes))
        self._answers[nonce] = (f"The server has {more} more.", True, time.monotonic())
        return limit

    async def _extend(self, job: Job, policy: ExtensionPolicy, seen: int | None) -> tuple[int, int]:
        if not await self.learn_right():
            raise NotExtended("This hub may not give servers more time.", status=403)
        if not await self._jobs.watcher.look():
            raise _unanswered()
        if seen is not None and seen != limit_minutes(job):
            raise NotExtended("This server was given more time a moment ago.")
        # Limits and reservations as they are now; where they cannot be had, as they were.
        await asyncio.wait({self._facts.refresh(fresh=0)}, timeout=FACTS_PATIENCE)
        accounting = await self._accounts.within(FACTS_PATIENCE)
        if accounting is None and self._accounts.trouble:
            # A QOS may well bound the job, and nobody says how.
            raise _unanswered()
        found = room(job, policy, self._facts.facts, accounting)
        if not found.minutes:
            raise NotExtended(found.why)
        await self._ask(job, found)
        return found.limit, found.minutes

    async def _ask(self, job: Job, found: Room) -> None:
        """Set the limit. What is granted is written down first: a job whose limit the hub did not
        grant is held for altered by its owner."""
        intent, before = job.intent, (job.intent.time_limit, job.intent.extended)
        assert intent.job_id is not None  # noqa: S101 - it listens, so Slurm gave it a number
        asked = asked_minutes(intent) or found.limit
        intent.time_limit, intent.extended = found.limit, max(0, found.limit - asked)
        self._jobs.ledger.note(intent)
        try:
            await self._client.set_time_limit(intent.job_id, TimeLimit.of_minutes(found.limit))
        except SlurmError as error:
            known = isinstance(error, (ChangeRefused, SlurmDenied, JobUnknown))
            looked = known or await self._jobs.watcher.look()
            if known or (looked and limit_minutes(job) != found.limit):
                intent.time_limit, intent.extended = before
                self._jobs.ledger.note(intent)
            if known or not looked or limit_minutes(job) != found.limit:
                raise self._refused(job, error) from error
        self._log.info("%s may run %d minutes longer.", label(intent), found.minutes)
        # Slurm's warning was of the old end.
        job.seconds_left_told = None
        await self._jobs.watcher.look()
        job.notify()

    def _refused(self, job: Job, error: SlurmError) -> NotExtended:
        self._log.warning("%s was not given more time. %s", label(job.intent), error)
        if isinstance(error, JobUnknown):
            return NotExtended("The job of this server is gone.")
        if isinstance(error, SlurmDenied):
            self._right = (False, time.monotonic())
            return NotExtended("This hub may not give servers more time.", status=403)
        if isinstance(error, ChangeRefused):
            told = advice(error.said)
            return NotExtended(f"Slurm gives this server no more time. {told.plain}")
        return _unanswered()


def _unanswered() -> NotExtended:
    return NotExtended(
        "Slurm does not answer, so the server has no more time yet.",
        remedy="Try again in a minute; the server is not affected.",
        status=503,
    )
