"""What a person is told of a server that has ended, besides what happened to it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from slurmhub.job.outcome import memory_asked, memory_kills, memory_peak
from slurmhub.ledger import Intent
from slurmhub.options.offer import Offer
from slurmhub.options.words import age_plain, hours_typed, memory_typed, span_plain, time_plain
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit

if TYPE_CHECKING:
    from slurmhub.runtime import Runtime

# Half as much again as a job is known to have used, and at least twice what it asked for.
_MEMORY_FACTOR = 2
_PEAK_FACTOR = 1.5
_TIME_FACTOR = 2
# What is not older than this is just now, in seconds.
JUST_NOW = 20.0
# Ends of which only Slurm knows, and after which the place of a server that listened is forgotten.
_TOLD_BY_SLURM = frozenset({"cancelled", "deadline", "node-fail", "preempted", "timeout"})
_OUTPUT = re.compile(r'^#SBATCH --output="?(.+?)"?$', re.MULTILINE)


@dataclass(frozen=True)
class Suggestion:
    """Options to start again with: the words of a link, and what it fills in on the form."""

    words: str
    query: Mapping[str, str]


@dataclass(frozen=True)
class Ending:
    """A server's last job, seen from its end; times in words, `at` in ISO 8601.

    `ago` is empty for what was just now, `ran` for a job that did not run; `was_ready` is
    False where its server is known never to have listened. `nonce` tells this job from the others.
    """

    nonce: str
    at: str
    ago: str
    ran: str
    was_ready: bool
    has_log: bool
    suggestion: Suggestion | None = None
    facts: tuple[tuple[str, str], ...] = field(default=())


class EndingTold:
    """Mixed into the spawner, for the page of a server that does not run."""

    if TYPE_CHECKING:
        user: Any
        name: str

        @property
        def runtime(self) -> Runtime: ...

    def ending(self) -> Ending | None:
        """How the last job of this server came to its end; None while it runs or never did."""
        intent = self.runtime.jobs.ledger.last(self.user.name, self.name)
        return ending_of(intent, self.runtime.offer()) if intent is not None else None


def ending_of(intent: Intent, offer: Offer | None) -> Ending | None:
    """What is told of the end of this job; None when it has not ended."""
    ended = intent.ended or intent.cancel_requested
    if ended is None:
        return None
    # While Slurm has not confirmed it, the job may run on.
    ran = ended - intent.started if intent.started is not None and intent.ended else 0.0
    return Ending(
        nonce=intent.nonce,
        at=datetime.fromtimestamp(ended, timezone.utc).isoformat(timespec="seconds"),
        ago=age_plain(time.time() - ended) if time.time() - ended >= JUST_NOW else "",
        ran=span_plain(ran) if ran >= 1 else "",
        was_ready=_was_ready(intent),
        has_log=intent.started is not None,
        suggestion=_suggestion(intent, offer),
        facts=tuple(_facts(intent)),
    )


def _was_ready(intent: Intent) -> bool:
    kind = intent.outcome.kind if intent.outcome else ""
    by_slurm = intent.started is not None and kind in _TOLD_BY_SLURM
    return kind != "unreachable" and (intent.address is not None or by_slurm)


def _suggestion(intent: Intent, offer: Offer | None) -> Suggestion | None:
    kind = intent.outcome.kind if intent.outcome else ""
    if kind in ("out-of-memory", "killed"):
        return _more_memory(intent, offer)
    if kind == "timeout":
        return _more_time(intent, offer)
    if kind == "idle-gpu":
        query = {"gpus": "0", "gpu_type": ""}
        return Suggestion("Start without a GPU", query)
    return _more_memory(intent, offer) if memory_kills(intent) else None


def _more_memory(intent: Intent, offer: Offer | None) -> Suggestion | None:
    """Enough for what the job used, as far as its partition gives that much to one job."""
    asked, peak = memory_asked(intent), memory_peak(intent)
    if asked is None:
        return None
    wanted = asked.mebibytes * _MEMORY_FACTOR
    if peak is not None:
        wanted = max(wanted, int(peak.mebibytes * _PEAK_FACTOR))
    more = Memory(-(-wanted // 1024) * 1024)
    partition = offer.partition(str(intent.request.get("partition"))) if offer else None
    if partition is not None:
        cpus = int(intent.request.get("cpus") or 1)
        more = partition.memory_for(cpus, min(more, partition.max_memory))
    if more <= asked:
        return None
    return Suggestion(f"Start with {more.plain()} of memory", {"memory": memory_typed(more)})


def _more_time(intent: Intent, offer: Offer | None) -> Suggestion | None:
    """Twice the time, as far as its partition gives that much."""
    asked = TimeLimit.parse(str(intent.request.get("hours", "UNLIMITED")))
    if not asked.minutes:
        return None
    longer = TimeLimit.of_minutes(asked.minutes * _TIME_FACTOR)
    partition = offer.partition(str(intent.request.get("partition"))) if offer else None
    if partition is not None:
        longer = min(longer, partition.max_time)
    if longer <= asked:
        return None
    return Suggestion(f"Start with {time_plain(longer)}", {"hours": hours_typed(longer)})


def _facts(intent: Intent) -> Iterator[tuple[str, str]]:
    if intent.job_id is not None:
        yield "Job", str(intent.job_id)
    if intent.node:
        yield "Computer", intent.node
    peak = memory_peak(intent)
    if peak is not None:
        yield "Most memory it was seen to use", peak.plain()
    if kills := memory_kills(intent):
        yield "Programs ended for want of memory", str(kills)
    log = _log_file(intent)
    if log and intent.started is not None:
        yield "Its log", log


def _log_file(intent: Intent) -> str:
    """Where Slurm wrote the output of the job, on the computers of the cluster."""
    named = _OUTPUT.search(intent.script)
    return named[1].replace("%j", str(intent.job_id)) if named else ""
