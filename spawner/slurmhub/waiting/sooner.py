"""What near a request would start sooner: fewer hours, less, or another place that is free.

Nothing is suggested that Slurm itself has not given a clearly earlier time, see `estimate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from slurmhub.errors import SlurmhubError
from slurmhub.options.offer import Offer
from slurmhub.options.request import JobRequest
from slurmhub.options.words import SHARD, age_plain, counted, gpus_said, memory_plain, time_plain
from slurmhub.slurm.gres import gpu_count
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.records import NodeRecord
from slurmhub.slurm.times import TimeLimit

# So many shapes are tried for one request, and so many shown.
MOST_TRIED = 5
MOST_SHOWN = 3
# Sooner by less than this, in seconds, or by less than a third of the wait, is not worth a click.
LEAST_GAIN = 300.0
LEAST_SHARE = 1 / 3
# What starts within this, in seconds, starts now.
NOW = 90.0

_HOURS = (60, 120, 240, 480)


@dataclass(frozen=True)
class Candidate:
    """A request near another one; `words` say how it differs, as a button has it."""

    words: str
    request: JobRequest


@dataclass(frozen=True)
class Suggestion:
    """Something that Slurm would start clearly sooner; `options` are as they are stored."""

    words: str
    promise: str
    options: Mapping[str, str | int]


def candidates(
    request: JobRequest,
    offer: Offer,
    nodes: Iterable[NodeRecord],
    grants: Callable[[JobRequest], bool],
) -> tuple[Candidate, ...]:
    """Requests near this one that are granted; those that fit into what is free come first.

    `grants` says whether the person may ask for one.
    """
    allowed = {
        one.request: one
        for one in _near(request, offer)
        if one.request != request and offer.allows(one.request) and grants(one.request)
    }
    wanted = {one.request.partition for one in allowed.values()}
    there = [node for node in nodes if node.usable and wanted.intersection(node.partitions)]
    ordered = sorted(allowed.values(), key=lambda one: not _fits_now(one.request, there))
    return tuple(ordered[:MOST_TRIED])


def promise(wait: float) -> str:
    """When something would start, `wait` seconds from now, in a sentence."""
    if wait <= NOW:
        return "It could start now."
    return f"It could start in about {age_plain(wait)}."


def clearly_sooner(wait: float, than: float) -> bool:
    """Whether waiting `wait` seconds is worth a change, for who waits `than` seconds otherwise."""
    gain = than - wait
    return gain >= LEAST_GAIN and gain >= than * LEAST_SHARE


def suggested(
    waits: Iterable[tuple[Candidate, float | None]], than: float | None
) -> tuple[Suggestion, ...]:
    """The candidates that are clearly sooner, the soonest first; none where nothing is known."""
    if than is None:
        return ()
    sooner = [
        (max(wait, NOW), one, wait)
        for one, wait in waits
        if wait is not None and clearly_sooner(wait, than)
    ]
    # Of those that start at the same minute, the order of the candidates is kept.
    sooner.sort(key=lambda found: found[0] // 60)
    return tuple(
        Suggestion(one.words, promise(wait), one.request.stored())
        for _, one, wait in sooner[:MOST_SHOWN]
    )


def _near(request: JobRequest, offer: Offer) -> Iterator[Candidate]:
    """Requests near this one, each different in one thing, those that give up least first."""
    for partition in offer.partitions:
        # Who needs no GPU leaves the partitions that have them to those who do.
        if request.gpus or not partition.max_gpus():
            words = f"Start in partition {partition.name} instead"
            yield from _changed(words, request, partition=partition.name)
    for gpu_type in offer.gpu_types if request.gpus and request.gpu_type else ():
        words = f"Start with {counted(request.gpus, f'{gpu_type} GPU')} instead"
        for partition in offer.partitions:
            # A part of a GPU is something else than a GPU.
            alike = (gpu_type == SHARD) == (request.gpu_type == SHARD)
            if partition.max_gpus(gpu_type) and gpu_type != request.gpu_type and alike:
                yield from _changed(words, request, gpu_type=gpu_type, partition=partition.name)
    asked = request.time.minutes or 0
    for minutes in sorted({*_HOURS, asked // 2}, reverse=True):
        if 30 <= minutes < asked:
            time = TimeLimit.of_minutes(minutes)
            yield from _changed(f"Start with {time_plain(time)} instead", request, time=time)
    for gpus in sorted({1, request.gpus // 2}, reverse=True):
        if 0 < gpus < request.gpus:
            kind = SHARD if request.gpu_type == SHARD else None
            words = f"Start with {gpus_said(gpus, kind)} instead"
            yield from _changed(words, request, gpus=gpus)
    cpus = request.cpus // 2
    if cpus:
        memory = Memory(max(1, request.memory.mebibytes // 2))
        words = f"Start with {counted(cpus, 'CPU')} and {memory_plain(memory)} of memory instead"
        yield from _changed(words, request, cpus=cpus, memory=memory)


def _changed(words: str, request: JobRequest, **changes: object) -> Iterator[Candidate]:
    try:
        changed = request.model_copy(update=changes)
    except (SlurmhubError, ValueError):
        return
    yield Candidate(words, changed)


def _fits_now(request: JobRequest, nodes: Iterable[NodeRecord]) -> bool:
    """Whether some node has room for this at the moment."""
    for node in nodes:
        free = node.memory.mebibytes - node.memory_allocated.mebibytes
        if (
            request.partition in node.partitions
            and request.cpus <= node.cpus_idle
            and request.memory.mebibytes <= free
            and _free_gpus(request, node)
        ):
            return True
    return False


def _free_gpus(request: JobRequest, node: NodeRecord) -> bool:
    if not request.gpus:
        return True
    there = gpu_count(node.gres, request.gpu_type)
    return there - gpu_count(node.gres_used, request.gpu_type) >= request.gpus
