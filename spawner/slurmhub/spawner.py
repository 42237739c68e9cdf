"""JupyterHub's lifecycle on top of Slurm jobs: start, poll, stop, progress, adoption."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from batchspawner import SlurmSpawner
from jupyterhub.apihandlers import APIHandler
from traitlets import Integer, List, Unicode

from slurmhub import compat
from slurmhub.errors import SlurmhubError
from slurmhub.hub.ending import EndingTold
from slurmhub.hub.page_traits import PageTraits
from slurmhub.hub.rendezvous_handler import PATTERN, RendezvousHandler
from slurmhub.idle.settings import IdleTraits
from slurmhub.job.crossing import submission_deadline
from slurmhub.job.job import Job
from slurmhub.job.outcome import INVISIBLE, NEVER_LISTENED, QUEUED_TOO_LONG, UNREACHABLE, words_of
from slurmhub.job.payload import Submission, prepare
from slurmhub.job.who import Asker, stopped_by
from slurmhub.keys import new_nonce, server_token
from slurmhub.ledger import Intent, Outcome
from slurmhub.measuring.measuring import never_asked
from slurmhub.measuring.serving import ServingMeasured
from slurmhub.options.choice_traits import ChoiceTraits
from slurmhub.options.door import OptionsDoor, ServerFailed
from slurmhub.options.profiles import ProfileTraits
from slurmhub.options.request import JobRequest
from slurmhub.session.settings import SessionTraits
from slurmhub.slurm.command import Account
from slurmhub.traits import ClusterTraits, LimitTraits, ScriptTraits
from slurmhub.waiting.telling import Telling

compat.remove_inherited_handler()
compat.add_api_handler(PATTERN, RendezvousHandler)

# A job that waits in the queue must not run into JupyterHub's own limit on start().
QUEUE_WITHOUT_LIMIT = 366 * 24 * 3600
# JupyterHub's form waits a second for the server before it leads to the waiting page.
FORM_WAITS = 1.1
# Where nothing ever listens: the route and the address of a server that has no place.
NOWHERE = ("127.0.0.1", 1)


class SlurmHubSpawner(
    OptionsDoor,
    ClusterTraits,
    ScriptTraits,
    LimitTraits,
    ChoiceTraits,
    ProfileTraits,
    PageTraits,
    EndingTold,
    IdleTraits,
    SessionTraits,
    Telling,
    ServingMeasured,
    SlurmSpawner,  # type: ignore[misc]
):
    """Starts each single-user server as its owner's own Slurm job.

    See JupyterHub's "Spawners" reference for the lifecycle, and docs/operators
    for the settings.
    """

    start_timeout = Integer(
        QUEUE_WITHOUT_LIMIT, help="Leave it: queue_timeout and launch_timeout are the limits."
    ).tag(config=True)
    env_keep = List(
        Unicode(), [], help="Names taken from the hub's environment; none, unless a site insists."
    ).tag(config=True)

    job: Job | None = None
    request: JobRequest | None = None
    # Who asked JupyterHub to stop this server, as hub.stopping heard it.
    stop_asked_by: Asker | None = None
    _adopted = False
    _interrupted = False
    _return_status = 0

    # What the hub shares

    @property
    def hub_app(self) -> Any:
        """The JupyterHub application, or None outside one."""
        return compat.hub_app(self)

    # State

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up the job that the ledger holds for this server."""
        super().load_state(state)
        jobs = self.runtime.jobs
        job = jobs.by_nonce(state.get("nonce", ""))
        if job is None or not job.intent.live:
            # The state may be older than the move to another job.
            job = jobs.find(self.user.name, self.name) or job
        if job is not None:
            self.take(job)

    def get_state(self) -> dict[str, Any]:
        """The nonce: everything else is in the ledger."""
        state: dict[str, Any] = super().get_state()
        if self.job is not None:
            state["nonce"] = self.job.intent.nonce
        return state

    def clear_state(self) -> None:
        """Let go of the job; the ledger keeps it."""
        super().clear_state()
        if self.job is not None:
            self.job.on_withdrawn = None
        self.job = None
        self._adopted = False

    def take(self, job: Job) -> None:
        self.job = job
        self.job_id = str(job.intent.job_id or "")
        self.api_token = server_token(self.runtime.key, job.intent.nonce)
        job.on_withdrawn = self._withdrawn

    # Lifecycle

    async def start(self) -> str:
        """Ask for a job, unless this server has one, and wait until its server listens.

        Cancelling it loses nothing: the job belongs to the hub.
        """
        begun = time.monotonic()
        self.stop_asked_by = self.never_began = None
        job: Job | None = None
        try:
            job = self.runtime.jobs.find(self.user.name, self.name)
            if job is None:
                job = await self._ask_for_job()
            else:
                self.log.info(
                    "%s already has job %s; taking it up.", self._log_name, job.intent.job_id
                )
                compat.adopt_token(self, server_token(self.runtime.key, job.intent.nonce))
            self.take(job)
            await compat.refresh_oauth_client(self)
            job = await self._until_listening(job)
        except (SlurmhubError, ServerFailed) as error:
            failure = ServerFailed.of(error)
            failure.nonce = job.intent.nonce if job else ""
            self.never_began = None if job else never_asked(failure)
            if not isinstance(self.handler, APIHandler):
                # Who fails within a second gets JupyterHub's form again, which cannot say it all.
                await asyncio.sleep(max(0.0, begun + FORM_WAITS - time.monotonic()))
            raise failure from failure.__cause__
        return self._url(job)

    async def _ask_for_job(self) -> Job:
        if self.request is None:
            self.accept(self.user_options)
        assert self.request is not None  # noqa: S101 - accept() sets it or raises
        nonce = new_nonce()
        compat.adopt_token(self, server_token(self.runtime.key, nonce))
        return self.request_job(*await self.submission(self.request, nonce))

    async def submission(
        self, request: JobRequest, nonce: str
    ) -> tuple[Intent, Account, Submission]:
        owner = await self.owner()
        await self.runtime.enrolment.ensure(owner.account.name)
        token = server_token(self.runtime.key, nonce)
        submission = await prepare(self, request, nonce, owner, token=token)
        intent = Intent(
            nonce=nonce,
            username=self.user.name,
            server=self.name,
            account=owner.account.name,
            uid=owner.account.uid,
            request={**self.by_profile(), **request.stored()},
            script=submission.script,
            deadline=submission_deadline(self.submit_timeout),
        )
        return intent, owner.account, submission

    def request_job(self, intent: Intent, account: Account, submission: Submission) -> Job:
        return self.runtime.jobs.request(
            intent, account, payload=submission.payload, directories=submission.directories
        )

    async def _until_listening(self, job: Job) -> Job:
        """Wait for this job, or for the one that takes its place; returns the one that listens."""
        while not job.listening:
            intent = job.intent
            if job.successor is not None:
                job = await self.move_to(job.successor)
                continue
            if intent.ended is not None or intent.cancel_requested is not None:
                raise ServerFailed(words_of(intent.outcome))
            if job.invisible:
                await self._give_up(job, INVISIBLE)
            second = self.runtime.jobs.switch.alternative(job)
            if second is not None and second.intent.started and not intent.started:
                # Until that one has listened or failed, this one has time.
                await self.await_second(job, second)
                continue
            left = self.patience(job)
            if left is not None and left <= 0:
                await self._give_up(
                    job, QUEUED_TOO_LONG if intent.started is None else NEVER_LISTENED
                )
            await job.change(left)
        return job

    def patience(self, job: Job) -> float | None:
        """Seconds this server may still take, or None while it may wait for ever."""
        intent, now = job.intent, time.time()
        if intent.started is not None:
            return float(intent.started + job.paused_for(now) + self.launch_timeout - now)
        if self.queue_timeout:
            return float(intent.created + self.queue_timeout - now)
        return None

    async def _give_up(self, job: Job, outcome: Outcome) -> None:
        job.intent.outcome = outcome
        if outcome is INVISIBLE:
            self.log.error("Job %s cannot be seen. %s", job.intent.job_id, outcome.remedy)
        self.runtime.jobs.cancel(job, outcome)
        raise ServerFailed(words_of(outcome), remedy=outcome.remedy)

    async def poll(self) -> int | None:
        """None while the job may be there; unknown counts as there. No query is made."""
        job = self.follow_successor()
        if job is None:
            return self._return_status
        if job.intent.ended is None:
            return None
        outcome = job.intent.outcome
        self._return_status = (outcome.exit_code if outcome else None) or 0
        return self._return_status

    async def stop(self, now: bool = False) -> None:
        """Cancel the job; what Slurm does not confirm in time is cancelled on in the background."""
        job = self.follow_successor()
        if job is None:
            return
        job.on_withdrawn = None
        self.runtime.jobs.cancel(job, self._why_stopped(job))
        until = time.monotonic() + self.stop_timeout
        now = now or self._interrupted
        while not now and job.intent.ended is None and time.monotonic() < until:
            await job.change(until - time.monotonic())
        if job.intent.ended is None and not now:
            self.log.warning(
                "Slurm has not confirmed the end of job %s; it is cancelled again until it does.",
                job.intent.job_id,
            )

    def _why_stopped(self, job: Job) -> Outcome:
        if self.stop_asked_by is None and job.listening:
            # The hub itself stops a server whose job runs only when it gets no answer from it.
            return UNREACHABLE
        return stopped_by(self.stop_asked_by, self.user.name)

    # Adoption after a restart of the hub, and after a requeue

    async def get_url(self) -> str:
        """Where the server listens; waits for a pending job, and never raises.

        JupyterHub asks after its restart, for servers whose `poll()` says None.
        """
        job = self.job
        if job is not None:
            waiting = asyncio.get_running_loop().create_task(self._take_up(job))
            with compat.interruptible(self, waiting):
                await asyncio.wait([waiting])
            if not waiting.cancelled() and waiting.exception() is None:
                return f"{self._url(waiting.result())}{self.server.base_url}"
            if waiting.cancelled():
                self._interrupted = True
                compat.outlive_delete(self)
            else:
                self.log.warning("%s is not taken up: %s", self._log_name, waiting.exception())
        # Nothing to connect to: let the hub find that out at once rather than after a timeout.
        self.http_timeout = 0
        return f"http://{NOWHERE[0]}:{NOWHERE[1]}{self.server.base_url}"

    async def _take_up(self, job: Job) -> Job:
        self._adopted = True
        await self.runtime.jobs.watcher.look()
        if not job.listening:
            # The hub leaves the route of a server that it checks as it was.
            asyncio.get_running_loop().create_task(self._drop_route())
        job = await self._until_listening(job)
        self.server.proto = "https" if self.internal_ssl else "http"
        return job

    async def _drop_route(self) -> None:
        try:
            await compat.proxy(self).delete_user(self.user, self.name)
        except Exception:
            self.log.exception("The old route of %s could not be taken away.", self._log_name)

    def start_polling(self) -> None:
        """Called when the hub holds the server for running: the moment to mend what it left."""
        super().start_polling()
        asyncio.get_running_loop().create_task(self._settle())

    async def _settle(self) -> None:
        await compat.refresh_oauth_client(self)
        if self._adopted and self.ready:
            # JupyterHub adds routes only once every server of the hub is checked.
            self._adopted = False
            await compat.proxy(self).add_user(self.user, self.name)

    def _withdrawn(self) -> None:
        """The server has lost its place: at this moment, before anything can be awaited."""
        job = self.job
        if job is None or job.successor is not None:
            # A server that moved to another job has lost nothing.
            return
        if self.server is not None and job.intent.ended is None:
            self.server.ip, self.server.port = NOWHERE
        asyncio.get_running_loop().create_task(self._follow(job))

    async def _follow(self, job: Job) -> None:
        spawn = compat.spawning(self)
        if compat.is_starting(self) and spawn is not None:
            # start() still waits, or the hub waits for the old place, which leads nowhere now.
            await asyncio.wait([spawn])
        if self.job is not job or not self.server or compat.is_held(self):
            return
        with compat.held(self, asyncio.current_task()):
            await compat.proxy(self).delete_user(self.user, self.name)
            await self._until_back(job)
            if job.listening:
                self.server.ip, self.server.port = job.intent.address, job.intent.port
                self.user.db.commit()
                # Not add_user, which wants a ready server: it is ready once it has its route.
                data = {"user": self.user.name, "server_name": self.name}
                await compat.proxy(self).add_route(self.proxy_spec, self.server.host, data)
        if not job.listening:
            await self.poll_and_notify()

    async def _until_back(self, job: Job) -> None:
        try:
            await self._until_listening(job)
        except ServerFailed as error:
            self.log.warning("%s did not come back: %s", self._log_name, error)
        while job.intent.ended is None and not job.listening:
            await job.change()

    def _url(self, job: Job) -> str:
        scheme = "https" if self.internal_ssl else "http"
        address = job.intent.address or ""
        host = f"[{address}]" if ":" in address else address
        return f"{scheme}://{host}:{job.intent.port}"

    # What batchspawner and JupyterHub would do themselves

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Nothing of the account on the hub's host: the job has its own HOME, USER and SHELL."""
        return env

    async def create_certs(self) -> dict[str, str]:
        """Nothing yet: jobs get their certificates by other ways, off the event loop."""
        return {}

    async def move_certs(self, paths: dict[str, str]) -> dict[str, str]:
        """Nothing to move."""
        return paths
