"""What may be asked for now: the cluster's own bounds, narrowed by the site's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

from slurmhub.options.fitting import Wishes, completed
from slurmhub.options.limits import SiteLimits
from slurmhub.options.partitions import ANY_TYPE, Free, NodeShape, PartitionOffer, largest
from slurmhub.options.refusal import Problem, Refusal, shown
from slurmhub.options.request import MOST_COUNTED, PARTITION_NAME, JobRequest, usable_gpu_type
from slurmhub.slurm.gres import gpus, without_totals
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.records import ClusterFacts, NodeRecord, PartitionRecord
from slurmhub.slurm.times import TimeLimit

LONGEST = TimeLimit.of_minutes(365 * 24 * 60)
"""The longest time that may be asked for where neither the cluster nor the site has a limit."""

_USUAL_TIME = TimeLimit.of_minutes(60)
_NAME = re.compile(PARTITION_NAME)


@dataclass(frozen=True)
class ClosedPartition:
    """A partition that could be chosen if it took jobs; `reason` completes "it ..."."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What may be asked for, as it was known at `taken_at` (UTC).

    `partitions` are in the cluster's order; `default` names the one that is chosen when nothing
    else is said, None only where there is none at all.
    """

    taken_at: datetime
    partitions: tuple[PartitionOffer, ...]
    closed: tuple[ClosedPartition, ...]
    default: str | None
    limits: SiteLimits

    @classmethod
    def from_facts(cls, facts: ClusterFacts, limits: SiteLimits) -> Offer:
        """Narrow the facts to what this site lets people choose."""
        nodes = {node.name: _Equipment.of(node) for node in facts.nodes}
        offers: list[PartitionOffer] = []
        closed: list[ClosedPartition] = []
        for record in facts.partitions:
            if not _may_be_chosen(record, limits):
                continue
            found = _partition_offer(record, nodes, limits)
            if isinstance(found, PartitionOffer):
                offers.append(found)
            else:
                closed.append(ClosedPartition(shown(record.name), found))
        return cls(
            taken_at=facts.taken_at,
            partitions=tuple(offers),
            closed=tuple(closed),
            default=_default_name([offer.name for offer in offers], facts, limits),
            limits=limits,
        )

    @cached_property
    def _by_name(self) -> dict[str, PartitionOffer]:
        return {partition.name: partition for partition in self.partitions}

    @property
    def names(self) -> tuple[str, ...]:
        """The partitions that can be chosen."""
        return tuple(self._by_name)

    @cached_property
    def gpu_types(self) -> tuple[str, ...]:
        """The named types of GPU of all partitions, in order."""
        return tuple(sorted({name for one in self.partitions for name in one.gpu_types}))

    @cached_property
    def with_gpus(self) -> tuple[str, ...]:
        """The partitions that have GPUs."""
        return tuple(one.name for one in self.partitions if one.max_gpus())

    def partition(self, name: str | None) -> PartitionOffer | None:
        """The partition of that name, if it can be chosen."""
        return self._by_name.get(name) if name is not None else None

    def why_closed(self, name: str) -> str | None:
        """Why a partition takes no jobs now, if that is so and may be told."""
        return next((one.reason for one in self.closed if one.name == name), None)

    def default_request(self) -> JobRequest:
        """What is asked for by who leaves everything open; Refusal where nothing is offered."""
        partition = self.partition(self.default)
        if partition is None:
            raise nothing_offered(self)
        return completed(partition, Wishes(), Wishes(), self.limits)

    def allows(self, request: JobRequest) -> bool:
        """Whether the request is inside this offer."""
        partition = self.partition(request.partition)
        if partition is None or request.time > partition.max_time:
            return False
        wishes = Wishes(
            cpus=request.cpus,
            memory=request.memory,
            gpus=request.gpus,
            gpu_type=request.gpu_type,
        )
        return bool(partition.holding(wishes.share))


def nothing_offered(offer: Offer) -> Refusal:
    """No partition takes jobs: said with each one's reason."""
    reasons = " ".join(f"Partition {one.name} {one.reason}." for one in offer.closed)
    message = f"No partition of the cluster takes jobs at the moment. {reasons}".strip()
    return Refusal(
        [Problem("partition", "", message)],
        what="No server can be started now.",
        remedy="Try again later, or ask the people who run this hub.",
    )


@dataclass(frozen=True)
class _Equipment:
    """A node, reduced to what matters for an offer."""

    usable: bool
    mebibytes: int
    counts: tuple[tuple[str, int], ...]
    cpus: int
    cpus_idle: int
    gpus: tuple[tuple[str, int, int], ...]

    @classmethod
    def of(cls, node: NodeRecord) -> _Equipment:
        there: dict[str, int] = {}
        for one in without_totals(gpus(node.gres)):
            name = _type_name(one.type)
            there[name] = there.get(name, 0) + min(one.count, MOST_COUNTED)
        used: dict[str, int] = {}
        for one in without_totals(gpus(node.gres_used)):
            name = _type_name(one.type)
            used[name] = used.get(name, 0) + one.count
        # Uses may carry no type; where all GPUs are of one type they are of that one.
        if len(there) == 1:
            used = {next(iter(there)): sum(used.values())}
        counts = tuple((name, count) for name, count in sorted(there.items()) if count)
        return cls(
            usable=node.usable,
            mebibytes=node.memory.mebibytes,
            counts=counts,
            cpus=node.cpus,
            cpus_idle=min(node.cpus_idle, node.cpus) if node.usable else 0,
            gpus=tuple(
                (name, max(0, n - used.get(name, 0)) if node.usable else 0, n) for name, n in counts
            ),
        )


@lru_cache(maxsize=1024)
def _type_name(gpu_type: str | None) -> str:
    """The type as it can be asked for; the others count as GPUs without a type."""
    return gpu_type if gpu_type and usable_gpu_type(gpu_type) else ANY_TYPE


def _may_be_chosen(record: PartitionRecord, limits: SiteLimits) -> bool:
    if limits.partitions is None:
        return not record.hidden
    return record.name in limits.partitions


def _default_name(names: Sequence[str], facts: ClusterFacts, limits: SiteLimits) -> str | None:
    for name in (limits.default_partition, *(p.name for p in facts.partitions if p.default)):
        if name in names:
            return name
    return names[0] if names else None


def _partition_offer(
    record: PartitionRecord, nodes: Mapping[str, _Equipment], limits: SiteLimits
) -> PartitionOffer | str:
    """The offer of one partition, or why it takes no jobs."""
    if not _NAME.fullmatch(record.name):
        return "has a name that cannot be used here"
    if not record.up:
        return "is closed by the people who run the cluster"
    bounds = [time for time in (record.max_time, limits.max_time, LONGEST) if time is not None]
    minutes = (min(bounds).seconds or 0) // 60
    if minutes < 1:
        return "gives no job a whole minute"
    longest = TimeLimit.of_minutes(minutes)
    members = [nodes[name] for name in record.nodes if name in nodes]
    usable = [node for node in members if node.usable]
    shapes = largest(_narrowed(shape, record, limits) for shape in _shapes(usable or members))
    if not shapes:
        return "has no nodes"
    usual = limits.default_time or record.default_time or _USUAL_TIME
    return PartitionOffer(
        name=record.name,
        shapes=shapes,
        max_time=longest,
        default_time=TimeLimit.of_minutes(max(1, min(usual, longest).minutes or 1)),
        memory_per_cpu=_set(record.max_memory_per_cpu),
        free=_free(usable or members),
        all_down=not usable,
    )


def _shapes(members: Sequence[_Equipment]) -> list[NodeShape]:
    """The kinds of nodes; of those that differ in memory alone, the one with the most."""
    most: dict[tuple[int, tuple[tuple[str, int], ...]], int] = {}
    for node in members:
        kind = (node.cpus, node.counts)
        most[kind] = max(most.get(kind, 0), node.mebibytes)
    return [
        NodeShape(cpus, Memory(mebibytes), counts, sum(count for _, count in counts))
        for (cpus, counts), mebibytes in most.items()
        if cpus >= 1 and mebibytes >= 1
    ]


def _narrowed(shape: NodeShape, record: PartitionRecord, limits: SiteLimits) -> NodeShape:
    cpus = _least(shape.cpus, record.max_cpus_per_node or None, limits.max_cpus, MOST_COUNTED)
    bounds = (shape.memory, _set(record.max_memory_per_node), limits.max_memory)
    memory = min(bound for bound in bounds if bound is not None)
    per_cpu = _set(record.max_memory_per_cpu)
    if per_cpu is not None:
        memory = min(memory, Memory(per_cpu.mebibytes * cpus))
    counts = tuple((name, _least(n, limits.max_gpus)) for name, n in shape.gpus)
    total = _least(shape.gpu_total, limits.max_gpus)
    return NodeShape(cpus, memory, tuple(one for one in counts if one[1]), total)


def _set(bound: Memory | None) -> Memory | None:
    """The bound, or None where it is Slurm's zero for "no bound"."""
    return bound if bound is not None and bound.mebibytes else None


def _least(first: int, *others: int | None) -> int:
    return min([first, *(other for other in others if other is not None)])


def _free(members: Sequence[_Equipment]) -> Free:
    by_type: dict[str, list[int]] = {}
    for node in members:
        for name, free, there in node.gpus:
            sums = by_type.setdefault(name, [0, 0])
            sums[0] += free
            sums[1] += there
    return Free(
        cpus=sum(node.cpus_idle for node in members),
        cpus_there=sum(node.cpus for node in members),
        gpus=tuple((name, free, there) for name, (free, there) in sorted(by_type.items())),
    )
