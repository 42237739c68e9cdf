"""What one partition can give to one job, and what of it is free."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from slurmhub.options.terms import AccountChoice, ReservationTerms
from slurmhub.options.words import SHARD
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import UNLIMITED, TimeLimit

Window = tuple[datetime, datetime]

ANY_TYPE = ""
"""Stands for GPUs that the cluster gives no type."""


@dataclass(frozen=True)
class Share:
    """A part of one node for a time; what is None is not determined."""

    cpus: int | None = None
    memory: Memory | None = None
    gpus: int | None = None
    gpu_type: str | None = None
    features: tuple[str, ...] = ()
    time: TimeLimit | None = None


@dataclass(frozen=True)
class NodeShape:
    """What one job can have of a node of this kind.

    `gpus` holds pairs of a type (or `ANY_TYPE`) and a count, in the order of the types;
    `gpu_total` is how many GPUs of all types together, without shards. `features` are sorted;
    `time` is how long a job can have it, because a maintenance begins at `until` (UTC), or the
    job's reservation ends (then `until` is None). `closed` are the maintenances that are known,
    each from when until when.
    """

    cpus: int
    memory: Memory
    gpus: tuple[tuple[str, int], ...] = ()
    gpu_total: int = 0
    features: tuple[str, ...] = ()
    time: TimeLimit = UNLIMITED
    until: datetime | None = None
    closed: tuple[Window, ...] = ()

    def gpu_count(self, gpu_type: str | None) -> int:
        """How many GPUs of a type; None counts all, as Slurm does when no type is named."""
        return self.gpu_total if gpu_type is None else dict(self.gpus).get(gpu_type, 0)

    def holds(self, share: Share) -> bool:
        """Whether the share is not more than this node has."""
        return (
            (share.cpus is None or share.cpus <= self.cpus)
            and (share.memory is None or share.memory <= self.memory)
            and (share.gpus is None or share.gpus <= self.gpu_count(share.gpu_type))
            and all(feature in self.features for feature in share.features)
            and (share.time is None or share.time <= self.time)
        )

    def covers(self, other: NodeShape) -> bool:
        """Whether whatever fits the other fits this one too."""
        counts = dict(self.gpus)
        return (
            self.cpus >= other.cpus
            and self.memory >= other.memory
            and self.gpu_total >= other.gpu_total
            and self.time >= other.time
            and (not self.closed or self.closed == other.closed)
            and all(counts.get(name, 0) >= count for name, count in other.gpus)
            and set(other.features) <= set(self.features)
        )


def largest(shapes: Iterable[NodeShape]) -> tuple[NodeShape, ...]:
    """The shapes that no other one covers, the best equipped first."""
    kept: list[NodeShape] = []
    # No shape covers one that comes before it in this order.
    for shape in sorted(set(shapes), key=_equipment, reverse=True):
        if not any(other.covers(shape) for other in kept):
            kept.append(shape)
    return tuple(kept)


def _equipment(shape: NodeShape) -> tuple[object, ...]:
    return (
        *(shape.gpu_total, shape.cpus, shape.memory, shape.time, not shape.closed),
        *(len(shape.features), shape.gpus, shape.features, shape.closed),
    )


@dataclass(frozen=True)
class Free:
    """What is idle on the nodes of a partition now; GPUs as (type, free, there)."""

    cpus: int
    cpus_there: int
    gpus: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReservationOffer:
    """A reservation that a person may use in one partition, on `shapes`; moments in UTC."""

    terms: ReservationTerms
    shapes: tuple[NodeShape, ...]

    @property
    def name(self) -> str:
        """The reservation's name."""
        return self.terms.name


@dataclass(frozen=True, kw_only=True)
class PartitionOffer:
    """One partition, as it may be asked for.

    `shapes` is never empty. `time_bound` is the longest time that partition and site allow,
    `open_time` the one without the partition's own. `memory_per_cpu` is Slurm's MaxMemPerCPU.
    `all_down` says that no node can start a job now, until `back` (UTC) if that is known; the
    shapes are then those of the nodes that are to come back. `accounts` and `reservations` are a
    person's choices, empty where there are none, or none are known; `qos` and `reservation` name
    what this offer is already narrowed to.
    """

    name: str
    shapes: tuple[NodeShape, ...]
    time_bound: TimeLimit
    default_time: TimeLimit
    open_time: TimeLimit = UNLIMITED
    memory_per_cpu: Memory | None = None
    free: Free | None = None
    all_down: bool = False
    back: datetime | None = None
    accounts: tuple[AccountChoice, ...] = ()
    reservations: tuple[ReservationOffer, ...] = ()
    qos: str | None = None
    reservation: str | None = None

    @cached_property
    def max_time(self) -> TimeLimit:
        """The longest time that one job can have."""
        return min(self.time_bound, max(shape.time for shape in self.shapes))

    @cached_property
    def maintenance(self) -> datetime | None:
        """When the maintenance begins that bounds the longest time; None where none does."""
        longest = max(self.shapes, key=lambda shape: shape.time)
        return longest.until if longest.time < self.time_bound else None

    @cached_property
    def max_cpus(self) -> int:
        """The most CPUs that one job can have."""
        return max(shape.cpus for shape in self.shapes)

    @cached_property
    def max_memory(self) -> Memory:
        """The most memory that one job can have."""
        return max(shape.memory for shape in self.shapes)

    @cached_property
    def gpu_types(self) -> tuple[str, ...]:
        """The named types of GPU, in order."""
        return tuple(sorted({name for s in self.shapes for name, _ in s.gpus} - {ANY_TYPE}))

    @cached_property
    def sole_gpu_type(self) -> str | None:
        """The type that every GPU has, if there is just one."""
        names = {name for shape in self.shapes for name, _ in shape.gpus} - {SHARD}
        return next(iter(names)) if len(names) == 1 and names != {ANY_TYPE} else None

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The features that one can ask for, in order."""
        return tuple(sorted({name for shape in self.shapes for name in shape.features}))

    @cached_property
    def has_gpus(self) -> bool:
        """Whether one job can have a GPU, or a part of one."""
        return any(count for shape in self.shapes for _, count in shape.gpus)

    def max_gpus(self, gpu_type: str | None = None) -> int:
        """The most GPUs of a type, or of any, that one job can have."""
        return max(shape.gpu_count(gpu_type) for shape in self.shapes)

    def holding(self, share: Share) -> tuple[NodeShape, ...]:
        """The kinds of nodes on which the share fits."""
        if (
            share.cpus is not None
            and share.memory is not None
            and share.memory > self.memory_for(share.cpus, share.memory)
        ):
            return ()
        return tuple(shape for shape in self.shapes if shape.holds(share))

    def longest(self, share: Share) -> TimeLimit:
        """How long a share that fits can be had."""
        return min(self.max_time, max(shape.time for shape in self.holding(share)))

    def memory_for(self, cpus: int, memory: Memory) -> Memory:
        """The memory, lowered to what a job with so many CPUs may have."""
        if self.memory_per_cpu is None:
            return memory
        return min(memory, Memory(self.memory_per_cpu.mebibytes * cpus))

    def cpus_for(self, memory: Memory) -> int:
        """The fewest CPUs with which a job may have so much memory."""
        if self.memory_per_cpu is None:
            return 1
        return max(1, -(-memory.mebibytes // self.memory_per_cpu.mebibytes))
