"""Every open job of this hub: asked for once, watched, cancelled until it is gone.

Jobs belong to the hub and not to the spawner that asked for them: a cancelled
`start()`, a stopped spawner or a restarted hub loses none.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from slurmhub import metrics
from slurmhub.job.crossing import AccountUnknown, Crossing, NotCrossed, SubmissionRefused
from slurmhub.job.job import Job, label, whole_label
from slurmhub.job.outcome import STOPPED, VANISHED, ended_in_slurm, take_facts, with_log
from slurmhub.job.refused import not_submitted
from slurmhub.keeper import KEEPER_INTERVAL, Keeper
from slurmhub.ledger import Intent, Ledger, Outcome
from slurmhub.measuring.measuring import Measuring
from slurmhub.slurm.client import SlurmClient
from slurmhub.slurm.command import Account
from slurmhub.slurm.errors import JobUnknown, SlurmError
from slurmhub.slurm.records import JobRecord
from slurmhub.slurm.states import Phase, phase_of
from slurmhub.slurm.watcher import Watcher
from slurmhub.waiting.switch import Switch

# A cancel that Slurm does not confirm is repeated after ever longer pauses, up to this (seconds).
LONGEST_CANCEL_PAUSE = 300.0


class Jobs:
    """The open jobs of one hub on one cluster."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        client: SlurmClient,
        crossing: Crossing,
        accounts: Callable[[str], Account],
        log: logging.Logger,
        rest_interval: float,
    ) -> None:
        self.ledger = ledger
        self.measuring = Measuring(ledger, log=log)
        self._client = client
        self._crossing = crossing
        self._accounts = accounts
        self._log = log
        self._open: dict[str, Job] = {}
        self._by_id: dict[int, Job] = {}
        self._absent: set[Job] = set()
        self._fingerprint: str | None = None
        self._sighted = False
        # Each crossing is a process or three on the hub's host: a class that starts at once queues.
        self._crossings = asyncio.Semaphore(4 * (os.cpu_count() or 1))
        self._tasks: set[asyncio.Task[Any]] = set()
        self.watcher = Watcher(
            client,
            subjects=lambda: list(self._by_id),
            deliver=self._deliver,
            log=log,
            rest=rest_interval,
        )
        self.keeper = Keeper(self, client, log=log)
        self.switch = Switch(self, log=log)

    def start(self) -> None:
        """Take up every job the ledger knows, and begin to watch."""
        self.ledger.forget_old()
        for intent in self.ledger.open_intents():
            job = Job(intent, self._account(intent), from_ledger=True)
            self._open[intent.nonce] = job
            self.switch.add(job)
            if intent.job_id is not None:
                self._by_id[intent.job_id] = job
        self.measuring.begin(self.open())
        self.switch.settle_all()
        if self._open:
            self._log.info("Took up %d jobs from the ledger.", len(self._open))
            self.watcher.hurry()
        self._spawn(self.watcher.run())
        self._spawn(self.keeper.run())

    def _account(self, intent: Intent) -> Account:
        try:
            return self._accounts(intent.account)
        except AccountUnknown as error:
            self._log.error("%s still has a job. %s", label(intent), error)
            return Account(name=intent.account, uid=intent.uid, gid=intent.uid, groups=())

    async def close(self) -> None:
        """Stop watching; the jobs themselves go on."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.ledger.close()

    def open(self) -> list[Job]:
        """Every job that Slurm has not confirmed gone."""
        return list(self._open.values())

    def find(self, username: str, server: str) -> Job | None:
        """The job that is this server now, or None."""
        for job in self._open.values():
            if job.intent.serves(username, server):
                return job
        return None

    def by_nonce(self, nonce: str) -> Job | None:
        """The open job that was submitted under this nonce."""
        return self._open.get(nonce)

    def at(self, address: str, port: int) -> Job | None:
        """The job whose server was announced at this place, also while it is being cancelled."""
        for job in self._open.values():
            if (job.intent.address, job.intent.port) == (address, port):
                return job
        return None

    # Asking

    def request(
        self, intent: Intent, account: Account, *, payload: str, directories: Sequence[str]
    ) -> Job:
        """Ask Slurm for this job, once; the submission goes on whatever becomes of the caller.

        Raises `LedgerUnwritable` when the intent could not be written first.
        """
        self.ledger.begin(intent)
        job = Job(intent, account, submitting=True)
        self._open[intent.nonce] = job
        self.switch.add(job)
        self.measuring.asked(intent)
        self._spawn(self._submit(job, payload, directories))
        return job

    async def _submit(self, job: Job, payload: str, directories: Sequence[str]) -> None:
        intent = job.intent
        outcome = "accepted"
        try:
            async with self._crossings:
                job_id = await self._crossing.submit(
                    job.account,
                    script=intent.script,
                    payload=payload,
                    directories=directories,
                    deadline=intent.deadline,
                )
        except SubmissionRefused as refusal:
            outcome = refusal.kind
            if refusal.kind == "timeout":
                self._log.warning("Slurm did not answer the submission of %s.", label(intent))
            else:
                self._log.error("Slurm refused %s: %s", label(intent), refusal.message)
                account = intent.request.get("account")
                told = not_submitted(refusal.kind, refusal.message, account=account)
                self.end(job, told, confirmed=True)
        except NotCrossed as error:
            outcome = "not-crossed"
            self._log.error("%s was not submitted. %s", label(intent), error)
            self.end(job, Outcome(outcome, error.what, error.remedy), confirmed=True)
        except Exception as error:
            outcome = "unanswered"
            self._log.exception("The submission of %s was not answered.", label(intent))
            intent.outcome = Outcome("unanswered", str(error), "")
        else:
            self._log.info("%s is job %d.", label(intent), job_id)
            self.identify(job, job_id)
        finally:
            job.submitting = False
            metrics.SUBMISSIONS.labels(outcome).inc()
            job.notify()
        if intent.job_id is not None:
            await self._after_submission(job)

    async def _after_submission(self, job: Job) -> None:
        if job.intent.cancel_requested is not None:
            await self.send_cancel(job)
        elif self._sighted:
            self.watcher.hurry()
        else:
            await self._prove_sight(job)

    async def _prove_sight(self, job: Job) -> None:
        """See the first job this hub submits, or learn that this account cannot."""
        await self.refresh_fingerprint()
        if not await self.watcher.look():
            return
        if job.record is None:
            await self.examine(job)
        self._sighted = job.record is not None
        if not self._sighted and job.phase is Phase.UNKNOWN:
            job.invisible = True
            job.notify()

    def identify(self, job: Job, job_id: int) -> None:
        """Keep the id that Slurm gave this job, at once."""
        job.intent.job_id = job_id
        job.intent.outcome = None
        self._by_id[job_id] = job
        self.ledger.note(job.intent)

    # Ending

    def cancel(self, job: Job, outcome: Outcome = STOPPED) -> None:
        """Ask for the job's end; repeated by the keeper until Slurm confirms it.

        `outcome` is what its owner is told, unless the job has an outcome already. An alternative
        to it is cancelled as well.
        """
        both = self.switch.together(job)
        if job.intent.cancel_requested is None:
            for each in both:
                each.intent.cancel_requested = time.time()
                each.intent.outcome = each.intent.outcome or outcome
                self.ledger.hold(each.intent)
            # In one write: a hub that dies now leaves neither for a server that is wanted.
            self.ledger.flush()
            for each in both:
                each.notify()
        for each in both:
            self._spawn(self.send_cancel(each))

    async def send_cancel(self, job: Job) -> None:
        """Ask Slurm once for the job's end, as its owner."""
        job_id = job.intent.job_id
        if job_id is None or job.intent.confirmed_gone:
            return
        job.cancel_attempts += 1
        job.cancel_again = time.time() + min(
            KEEPER_INTERVAL * 2**job.cancel_attempts, LONGEST_CANCEL_PAUSE
        )
        try:
            async with self._crossings:
                known = await self._crossing.cancel(job.account, job_id)
        except SubmissionRefused as refusal:
            self._log.warning("Cancelling job %d failed: %s", job_id, refusal.message)
        except Exception as error:
            self._log.warning("Cancelling job %d failed, it is tried again: %s", job_id, error)
        else:
            if not known:
                self.end(job, job.intent.outcome or STOPPED, confirmed=True)
            await self.watcher.look()
            self.watcher.hurry()

    def end(self, job: Job, outcome: Outcome, *, confirmed: bool) -> None:
        """The server is gone; `confirmed` when Slurm says so, else it is watched on."""
        intent = job.intent
        first = intent.ended is None
        if first:
            intent.ended = time.time()
            self._log.info("%s ended (%s). %s", whole_label(intent), outcome.kind, outcome.plain)
        intent.outcome = outcome
        intent.port = None
        job.phase = Phase.GONE
        if confirmed:
            intent.confirmed_gone = True
            self._open.pop(intent.nonce, None)
            self._absent.discard(job)
            if intent.job_id is not None:
                self._by_id.pop(intent.job_id, None)
        self.measuring.ended(intent, outcome, first=first)
        self.ledger.note(intent)
        job.notify()
        if first and job.on_withdrawn:
            job.on_withdrawn()

    def told_end(self, job: Job, outcome: Outcome) -> None:
        """The launcher says that its server is gone; what becomes of the job Slurm will say."""
        intent = job.intent
        job.phase = Phase.ENDING
        if outcome.kind == "terminated" and intent.cancel_requested is None:
            # Somebody else ended it, or it is being requeued: the job may come back.
            intent.outcome = outcome
            self._withdraw(job)
        else:
            self.end(job, with_log(intent.outcome, outcome), confirmed=False)
        self.watcher.hurry()

    def requeued(self, job: Job, restarts: int) -> None:
        """The job left its node and waits again: its old place may be another's by now."""
        intent = job.intent
        intent.restarts = max(restarts, intent.restarts)
        intent.outcome = None
        self._log.warning("%s was requeued; its route is withdrawn.", label(intent))
        self._withdraw(job)

    def _withdraw(self, job: Job) -> None:
        intent = job.intent
        had_place = intent.port is not None
        intent.address = intent.port = intent.node = intent.started = None
        self.ledger.note(intent)
        job.notify()
        if had_place and job.on_withdrawn:
            job.on_withdrawn()

    # Watching

    def take_absent(self) -> list[Job]:
        """The jobs that a look did not show since this was last asked."""
        absent, self._absent = list(self._absent), set()
        return absent

    @property
    def blind(self) -> bool:
        """True while there are jobs to see and it is not known what this account sees."""
        return self._fingerprint is None and bool(self._by_id)

    def holds(self, job_id: int) -> bool:
        """Whether this number is one of the open jobs."""
        return job_id in self._by_id

    def _deliver(self, asked: Sequence[int], records: Mapping[int, JobRecord]) -> None:
        for job_id in asked:
            job = self._by_id.get(job_id)
            if job is None:
                continue
            record = records.get(job_id)
            if record is not None and record.uid == job.intent.uid:
                self.saw(job, record)
            else:
                # Not in the list, or the number is another's by now: only a single
                # look-up can tell, and the keeper makes it.
                self._absent.add(job)
        self.show()

    def saw(self, job: Job, record: JobRecord) -> None:
        """Take in what Slurm says of a job, which is known to be this one."""
        self._absent.discard(job)
        intent = job.intent
        phase = phase_of(record.state)
        if intent.seen_under is None and self._fingerprint is not None:
            intent.seen_under = self._fingerprint
            self.ledger.note(intent)
        news = phase is not job.phase or record.reason != (job.record and job.record.reason)
        job.note_pause(record, time.time())
        job.record, job.phase, job.invisible = record, phase, False
        self.measuring.saw(job)
        if phase is Phase.GONE:
            take_facts(intent, record)
            self.end(job, ended_in_slurm(record, intent), confirmed=True)
            if intent.outcome is not None and intent.outcome.kind == "cancelled":
                self._spawn(self.keeper.learn_who(job))
            return
        waits_again = phase is Phase.PENDING and intent.started is not None
        if record.restarts > intent.restarts or waits_again:
            self.requeued(job, record.restarts)
        if phase is Phase.RUNNING and intent.started is None and record.started is not None:
            intent.started, intent.node = record.started.timestamp(), record.batch_host
            self.ledger.note(intent)
        if news:
            job.notify()

    def show(self) -> None:
        """Show in the metrics how many jobs there are, and in what state."""
        self.measuring.show(self._open.values())

    async def examine(self, job: Job) -> None:
        """Ask for one job alone: the only look-up whose 'no' can mean that it is gone."""
        intent = job.intent
        if intent.job_id is None:
            return
        try:
            record = await self._client.job(intent.job_id)
            denied = record.uid != intent.uid
        except JobUnknown:
            denied = True
        except SlurmError as error:
            self._log.debug("Job %d is kept, Slurm did not say: %s", intent.job_id, error)
            return
        if not denied:
            self.saw(job, record)
            return
        await self.refresh_fingerprint()
        if intent.seen_under is not None and intent.seen_under == self._fingerprint:
            self.end(job, intent.outcome or VANISHED, confirmed=True)
        else:
            job.phase = Phase.UNKNOWN

    async def refresh_fingerprint(self) -> None:
        """Learn the configuration that this account sees jobs under, or that it is not known."""
        try:
            self._fingerprint = await self._client.fingerprint()
        except SlurmError as error:
            self._log.debug("Slurm's configuration is not known now: %s", error)
            self._fingerprint = None

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
