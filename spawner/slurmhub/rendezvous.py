"""How a job tells the hub that it started, listens, what it uses, that it is about to end.

A job is trusted with one thing: the number of the port its server listens on.
Who it is follows from the token that only its own submission was given, where
it runs from Slurm. Everything else it might say is refused, and counted.
"""

from __future__ import annotations

import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slurmhub import metrics
from slurmhub.job.job import Job, alteration
from slurmhub.job.outcome import LAUNCHER_REASONS, told_by_launcher
from slurmhub.jobs import Jobs
from slurmhub.keys import server_token
from slurmhub.ledger import Outcome
from slurmhub.session.use import LEAST_PAUSE, checked, keep
from slurmhub.slurm.states import Phase

MAX_BODY = 64 * 1024
MAX_TAIL = 4096

# What each event may carry; nothing else is read.
_FIELDS: dict[str, dict[str, tuple[type, ...]]] = {
    "started": {},
    "listening": {"port": (int,)},
    "warning": {"seconds_left": (int, type(None))},
    "usage": {"use": (dict,)},
    "ended": {
        "exit_code": (int, type(None)),
        "signal": (int, type(None)),
        "why": (str,),
        "tail": (str,),
    },
}
# What some jobs have to tell besides: those that could be measured, and began with this release.
_MORE: dict[str, dict[str, tuple[type, ...]]] = {"ended": {"use": (dict,)}}
EVENTS = frozenset(_FIELDS)


@dataclass(frozen=True)
class Answer:
    """What the launcher is answered: an HTTP status and a JSON body."""

    status: int
    body: Mapping[str, Any]


class Refused(Exception):
    """An announcement that is not acted on; `reason` is counted."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message


NOT_YET = Answer(425, {"slurmhub": "not yet", "message": "Ask again in a moment."})


class Rendezvous:
    """Judges what jobs say. `forbidden_ports` are those of the hub and its proxy.

    `address_of` turns Slurm's node name into the address that the hub connects
    to. `certify` makes a server certificate for an address, or None without
    internal_ssl.
    """

    def __init__(
        self,
        jobs: Jobs,
        *,
        key: bytes,
        ports: tuple[int, int],
        forbidden_ports: Callable[[], frozenset[int]],
        address_of: Callable[[str], Awaitable[str | None]],
        certify: Callable[[Job, str], Awaitable[Mapping[str, str] | None]],
        log: logging.Logger,
    ) -> None:
        self._jobs = jobs
        self._key = key
        self._ports = ports
        self._forbidden = forbidden_ports
        self._address_of = address_of
        self._certify = certify
        self._log = log

    async def hear(self, nonce: str, event: str, token: str, body: bytes) -> Answer:
        """Judge one message from a job."""
        try:
            job = self._authenticate(nonce, token)
            said = _read(event, body)
            self._check_identity(job, said)
            if event == "ended":
                return self._ended(job, said)
            if event == "warning":
                return self._warning(job, said)
            if event == "usage":
                return self._usage(job, said)
            place = await self._place(job, said)
            if place is None:
                return NOT_YET
            if event == "started":
                return await self._started(job, place)
            return self._listening(job, place, said["port"])
        except Refused as refusal:
            metrics.ANNOUNCEMENTS_REFUSED.labels(refusal.reason).inc()
            self._log.warning("Refused a message from a job (%s).", refusal.reason)
            return Answer(refusal.status, {"slurmhub": refusal.reason, "message": refusal.message})

    def _authenticate(self, nonce: str, token: str) -> Job:
        expected = server_token(self._key, nonce)
        if not hmac.compare_digest(expected.encode(), token.encode(errors="replace")):
            raise Refused(403, "token", "This token does not belong to this job.")
        job = self._jobs.by_nonce(nonce)
        if job is None or job.intent.ended is not None:
            raise Refused(410, "ended", "The hub holds this job for ended.")
        return job

    def _check_identity(self, job: Job, said: Mapping[str, Any]) -> None:
        intent = job.intent
        if intent.job_id is not None and said["job"] != intent.job_id:
            raise Refused(403, "other-job", "This is not the job that was submitted.")
        if said["restarts"] < intent.restarts:
            raise Refused(410, "stale", "This job has been restarted since.")

    async def _place(self, job: Job, said: Mapping[str, Any]) -> str | None:
        """The address of the job's node, from Slurm; None when it is not known yet."""
        intent = job.intent
        if intent.job_id is None:
            # The submission's answer is on its way, or was lost: then the keeper finds the job.
            return None
        if not self._is_placed(job, said) and not await self._jobs.watcher.look():
            return None
        if not self._is_placed(job, said) or job.record is None:
            return None
        if intent.cancel_requested is not None:
            raise Refused(410, "cancelled", "This job has been cancelled.")
        altered = alteration(intent, job.record)
        if altered is not None:
            self._end_altered(job, altered)
        return await self._address_of(job.record.batch_host or "")

    @staticmethod
    def _is_placed(job: Job, said: Mapping[str, Any]) -> bool:
        record = job.record
        return (
            record is not None
            and job.phase is Phase.RUNNING
            and record.restarts == said["restarts"]
            and bool(record.batch_host)
        )

    def _end_altered(self, job: Job, altered: str) -> None:
        words = Outcome(
            "altered",
            f"This job was changed after the hub asked for it: {altered}.",
            "Start it again, and choose what you need on the form.",
        )
        job.intent.outcome = words
        self._jobs.cancel(job)
        raise Refused(410, "altered", words.plain)

    async def _started(self, job: Job, address: str) -> Answer:
        return Answer(200, {"tls": await self._certify(job, address)})

    def _listening(self, job: Job, address: str, port: int) -> Answer:
        low, high = self._ports
        intent = job.intent
        if not low <= port <= high:
            raise Refused(409, "port-range", f"Ports of jobs lie between {low} and {high}.")
        if port in self._forbidden():
            raise Refused(409, "port-forbidden", "That port belongs to the hub or its proxy.")
        if job.listening:
            if (intent.address, intent.port) == (address, port):
                return Answer(200, {})
            raise Refused(403, "second-port", "This job has announced another port already.")
        neighbour = self._jobs.at(address, port)
        if neighbour is not None:
            # One of the two is wrong, and only Slurm knows whether the other still runs.
            self._jobs.watcher.hurry()
            raise Refused(409, "port-taken", "Another job was announced at that place.")
        intent.address, intent.port = address, port
        self._jobs.measuring.listening(intent)
        self._jobs.ledger.note(intent)
        job.notify()
        return Answer(200, {})

    def _warning(self, job: Job, said: Mapping[str, Any]) -> Answer:
        left = said["seconds_left"]
        self._log.info("Job %s nears its time limit (%s s left).", job.intent.job_id, left)
        job.seconds_left_told = left
        job.notify()
        return Answer(200, {})

    def _usage(self, job: Job, said: Mapping[str, Any]) -> Answer:
        now = time.monotonic()
        if job.use_told is not None and now - job.use_told < LEAST_PAUSE:
            raise Refused(429, "too-often", f"Tell it every {LEAST_PAUSE:g} seconds at most.")
        job.use_told = now
        use = _use(said)
        if said["restarts"] == job.intent.restarts and job.intent.live:
            keep(job.intent, use, time.time())
        return Answer(200, {})

    def _ended(self, job: Job, said: Mapping[str, Any]) -> Answer:
        if said["why"] not in LAUNCHER_REASONS:
            raise Refused(400, "field", "The reason is not one the launcher gives.")
        if job.intent.job_id is None:
            # It died before the submission's answer was heard: its last words must not be lost.
            return NOT_YET
        use = _use(said) if "use" in said else None
        if said["restarts"] == job.intent.restarts:
            if use is not None:
                keep(job.intent, use, time.time())
            told = told_by_launcher(
                said["why"], said["exit_code"], said["signal"], _printable(said["tail"]), job.intent
            )
            self._jobs.told_end(job, told)
        return Answer(200, {})


def _use(said: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return checked(said["use"])
    except ValueError as error:
        raise Refused(400, "field", f"Not a use: {error}.") from error


def _read(event: str, body: bytes) -> dict[str, Any]:
    """The fields of one event, exactly; anything more, less or of another type is refused."""
    if event not in _FIELDS:
        raise Refused(400, "event", "There is no such event.")
    if len(body) > MAX_BODY:
        raise Refused(413, "size", "The message is too long.")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "json", "The message is not JSON.") from error
    expected: dict[str, tuple[type, ...]] = {"job": (int,), "restarts": (int,)} | _FIELDS[event]
    more = _MORE.get(event, {})
    if not isinstance(said, dict) or set(said) - set(more) != set(expected):
        raise Refused(400, "field", f"The message must hold {', '.join(sorted(expected))} only.")
    expected |= {name: types for name, types in more.items() if name in said}
    for name, types in expected.items():
        if type(said[name]) not in types:
            raise Refused(400, "field", f"{name} is of the wrong type.")
        if isinstance(said[name], int) and not -(2**31) <= said[name] < 2**31:
            raise Refused(400, "field", f"{name} is out of range.")
    return said


def _printable(tail: str) -> str:
    kept = tail[-MAX_TAIL:]
    return "".join(
        char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for char in kept
    )
