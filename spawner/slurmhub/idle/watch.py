"""Watches which servers do nothing, warns their owners, and ends them: one task for the hub.

When a server was last used it reports itself, else JupyterHub's proxy knows; what CPUs and GPUs do
the jobs tell. What is not known never counts as doing nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from slurmhub.idle.policy import IdlePolicy
from slurmhub.idle.words import Idle, ended, warned
from slurmhub.job.job import Job, label
from slurmhub.jobs import Jobs
from slurmhub.slurm.states import JobState

# A GPU that is busy for less than this, in percent, does nothing: drivers wake it now and then.
BUSY_PERCENT = 5
# A job computes while at least so much of one CPU is busy: an idle server takes a hundredth.
BUSY_CPUS = 0.5
# Seconds between two looks at most; they cost one query of the hub's own database.
LONGEST_PAUSE = 30.0
# What a job told of its GPUs says nothing any more after so many of its reports are missing.
STALE_REPORTS = 3

LastUsed = Callable[[], Mapping[tuple[str, str], float]]
"""By owner and name of a server: when it was last used, in seconds since the epoch."""


class IdleWatch:
    """Ends idle servers by the site's `policies`, by name of profile.

    `usage_interval` is how often jobs tell of their use, in seconds. Nobody is ended within a
    warning's time of this hub's start: it has heard nothing while it was away, and warns anew.
    """

    def __init__(
        self,
        jobs: Jobs,
        policies: Mapping[str, IdlePolicy],
        *,
        last_used: LastUsed,
        usage_interval: float,
        log: logging.Logger,
    ) -> None:
        self._jobs = jobs
        self._policies = policies
        self._last_used = last_used
        self._stale = STALE_REPORTS * usage_interval
        self._log = log
        self._gpus_since: dict[str, float] = {}
        self._kept: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch, if there is a policy."""
        if self._policies:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def close(self) -> None:
        """Watch no more; servers go on."""
        if self._task is not None:
            self._task.cancel()

    def keep(self, job: Job) -> None:
        """Its owner needs the server: count from now, as if it had just been used."""
        self._kept[job.intent.nonce] = time.time()
        self._gpus_since.pop(job.intent.nonce, None)
        self._withdraw(job)

    async def _run(self) -> None:
        shortest = min(policy.warning for policy in self._policies.values())
        while True:
            try:
                self.look()
            except Exception:
                self._log.exception("Idle servers could not be looked for; it is tried again.")
            await asyncio.sleep(min(LONGEST_PAUSE, max(0.5, shortest / 4)))

    def look(self) -> None:
        """See to every server that a policy is for."""
        concerned = [(job, policy) for job in self._jobs.open() if (policy := self._policy(job))]
        nonces = {job.intent.nonce for job, _ in concerned}
        for known in (self._gpus_since, self._kept):
            for nonce in known.keys() - nonces:
                del known[nonce]
        if not concerned:
            return
        used, now = self._last_used(), time.time()
        for job, policy in concerned:
            intent = job.intent
            last = used.get((intent.username, intent.server), 0.0)
            used_at = max(last, self._kept.get(intent.nonce, 0.0), _computed(job))
            self._see_to(job, policy, used_at, now)

    def _policy(self, job: Job) -> IdlePolicy | None:
        paused = job.record is not None and job.record.state is JobState.SUSPENDED
        if not job.listening or paused:
            return None
        profile = str(job.intent.request.get("profile") or "")
        return self._policies.get(profile, self._policies.get(""))

    def _see_to(self, job: Job, policy: IdlePolicy, used: float, now: float) -> None:
        since = max(used, job.intent.started or job.intent.created)
        reasons = []
        if policy.server is not None:
            reasons.append((since + policy.server, "server", since))
        gpus_since = self._gpus_idle_since(job, now)
        if policy.gpu is not None and gpus_since is not None:
            reasons.append((gpus_since + policy.gpu, "gpu", gpus_since))
        due = [reason for reason in reasons if now >= reason[0] - policy.warning]
        if not due:
            self._withdraw(job)
            return
        ends_at, kind, began = min(due)
        if job.idle is None or job.idle.kind != kind:
            self._warn(job, warned(kind, max(ends_at, now + policy.warning), now - began))
        elif asyncio.get_running_loop().time() >= job.idle.due:
            self._end(job, now - began)

    def _gpus_idle_since(self, job: Job, now: float) -> float | None:
        """Since when all the GPUs of a job do nothing; None when one works, or nothing is known."""
        intent = job.intent
        usage: dict[str, Any] = intent.usage or {}
        gpus, at = usage.get("gpus") or [], float(usage.get("at") or 0.0)
        busy = [gpu.get("busy") for gpu in gpus]
        known = bool(busy) and None not in busy and now - at <= self._stale
        if not known or max(busy) >= BUSY_PERCENT:
            self._gpus_since.pop(intent.nonce, None)
            return None
        began = max(at, self._kept.get(intent.nonce, 0.0))
        return self._gpus_since.setdefault(intent.nonce, began)

    def _warn(self, job: Job, idle: Idle) -> None:
        self._log.info("%s is idle (%s): its owner is warned.", label(job.intent), idle.kind)
        job.idle = idle
        job.intent.idle_warned = time.time()
        self._jobs.ledger.note(job.intent)
        job.notify()

    def _withdraw(self, job: Job) -> None:
        if job.idle is None and job.intent.idle_warned is None:
            return
        job.idle = job.intent.idle_warned = None
        self._jobs.ledger.note(job.intent)
        job.notify()

    def _end(self, job: Job, seconds: float) -> None:
        if job.idle is None:
            return
        self._log.info("%s is ended: idle (%s).", label(job.intent), job.idle.kind)
        self._jobs.cancel(job, ended(job.idle.kind, seconds))


def _computed(job: Job) -> float:
    """When the job last told that it computes, in seconds since the epoch; 0.0 if it does not."""
    usage = job.intent.usage or {}
    computes = (usage.get("cpu_busy") or 0.0) >= BUSY_CPUS
    return float(usage.get("at") or 0.0) if computes else 0.0
