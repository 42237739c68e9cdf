"""The cluster's nodes, reduced once to what matters for every offer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from slurmhub.options.partitions import ANY_TYPE, Free, Window
from slurmhub.options.request import MOST_COUNTED, usable_feature, usable_gpu_type
from slurmhub.options.words import SHARD
from slurmhub.slurm.gres import Gres, gpu_count, gpus, without_totals
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.records import ClusterFacts, NodeRecord, PartitionRecord
from slurmhub.slurm.reservations import ReservationRecord


@dataclass(frozen=True)
class Kind:
    """Nodes that are alike for a job, except in memory; `closed` are their maintenances."""

    cpus: int
    counts: tuple[tuple[str, int], ...]
    gpu_total: int
    features: tuple[str, ...]
    closed: tuple[Window, ...]


@dataclass(frozen=True)
class Equipment:
    """One node."""

    kind: Kind
    usable: bool
    mebibytes: int
    cpus_idle: int
    gpus: tuple[tuple[str, int, int], ...]

    @classmethod
    def of(cls, node: NodeRecord, closed: tuple[Window, ...], *, reserved: bool) -> Equipment:
        """Reduce a node; what is `reserved` now is free for nobody else."""
        there, used = _counts(node.gres), _counts(node.gres_used)
        # Uses may carry no type; where all GPUs are of one type they are of that one.
        if len(there) == 1:
            used = {next(iter(there)): sum(used.values())}
        per_gpu = 0
        if shards := sum(one.count for one in node.gres if one.name == SHARD):
            per_gpu = max(1, shards // max(1, gpu_count(node.gres)))
        counts = tuple((name, count) for name, count in sorted(there.items()) if count)
        open_now = node.usable and not reserved
        shards_used = sum(one.count for one in node.gres_used if one.name == SHARD)
        free = [
            (name, max(0, count - used.get(name, 0)) if open_now else 0, count)
            for name, count in counts
        ]
        if per_gpu:
            taken = per_gpu * gpu_count(node.gres_used) + shards_used
            free.append((SHARD, max(0, shards - taken) if open_now else 0, shards))
            # Slurm gives shards of one GPU to a job, unless it is set up otherwise.
            counts = (*counts, (SHARD, min(per_gpu, MOST_COUNTED)))
        kind = Kind(
            cpus=node.cpus,
            counts=counts,
            gpu_total=sum(count for name, count in counts if name != SHARD),
            features=tuple(sorted(name for name in set(node.features) if usable_feature(name))),
            closed=closed,
        )
        return cls(
            kind=kind,
            usable=node.usable,
            mebibytes=node.memory.mebibytes,
            cpus_idle=min(node.cpus_idle, node.cpus) if open_now else 0,
            gpus=tuple(free),
        )


@dataclass(frozen=True)
class Group:
    """Some nodes of one partition: their kinds, each with the most memory, and what is free."""

    kinds: tuple[tuple[Kind, Memory], ...]
    free: Free
    usable: bool

    @classmethod
    def of(cls, members: Sequence[Equipment]) -> Group | None:
        """Those that can be used, or else all, which may come back; None where there is none."""
        usable = [node for node in members if node.usable]
        most: dict[Kind, int] = {}
        for node in usable or members:
            if node.kind.cpus >= 1 and node.mebibytes >= 1:
                most[node.kind] = max(most.get(node.kind, 0), node.mebibytes)
        if not most:
            return None
        kinds = tuple((kind, Memory(mebibytes)) for kind, mebibytes in most.items())
        return cls(kinds, _free(usable or members), bool(usable))


@dataclass(frozen=True, eq=False)
class Site:
    """All that offers need of a cluster's facts, whoever asks.

    `groups` has each partition's nodes; `reserved` those of each partition that each reservation
    has, by the names of both. `kept` is for what is derived from this, and ends with it.
    """

    facts: ClusterFacts
    groups: Mapping[str, Group]
    reserved: Mapping[tuple[str, str], Group]
    kept: dict[object, object] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: ClusterFacts) -> Site:
        """Reduce the facts: tens of milliseconds for thousands of nodes, so not for every form."""
        closed = _closed(facts.reservations)
        own = {node.name: node for node in facts.nodes}
        held = _held(facts.reservations, facts.taken_at, own)
        nodes = {
            name: Equipment.of(node, closed.get(name, ()), reserved=name in held)
            for name, node in own.items()
        }
        groups: dict[str, Group] = {}
        reserved: dict[tuple[str, str], Group] = {}
        for record in facts.partitions:
            members = [nodes[name] for name in record.nodes if name in nodes]
            found = Group.of(members)
            if found is None:
                continue
            groups[record.name] = found
            for one in facts.reservations:
                inside = _inside(record, one, own, closed)
                if inside is not None:
                    reserved[record.name, one.name] = inside
        return cls(facts, groups, reserved)


# The newest facts last; few, because they are large.
_sites: list[Site] = []


def site_of(facts: ClusterFacts) -> Site:
    """The facts, reduced; done once for each of the newest few facts, from any thread."""
    for site in tuple(_sites):
        if site.facts is facts:
            return site
    site = Site.of(facts)
    _sites.append(site)
    del _sites[:-2]
    return site


def _inside(
    record: PartitionRecord,
    reservation: ReservationRecord,
    own: Mapping[str, NodeRecord],
    closed: Mapping[str, tuple[Window, ...]],
) -> Group | None:
    """What a reservation has of a partition, to those who may use it."""
    names = set(reservation.nodes) & set(record.nodes)
    return Group.of(
        [
            Equipment.of(
                own[name],
                () if reservation.maintenance else closed.get(name, ()),
                reserved=False,
            )
            for name in sorted(names)
            if name in own
        ]
    )


def _closed(reservations: Iterable[ReservationRecord]) -> dict[str, tuple[Window, ...]]:
    """The maintenances of each node, in order."""
    found: dict[str, set[Window]] = {}
    for one in reservations:
        if one.maintenance and not one.floating and one.start and one.end:
            for name in one.nodes:
                found.setdefault(name, set()).add((one.start, one.end))
    return {name: tuple(sorted(windows)) for name, windows in found.items()}


def _held(
    reservations: Iterable[ReservationRecord], now: datetime, own: Mapping[str, NodeRecord]
) -> set[str]:
    """The nodes that a reservation holds whole at this moment."""
    held: set[str] = set()
    for one in reservations:
        if one.start and one.end and one.start <= now < one.end:
            whole = sum(own[name].cpus for name in one.nodes if name in own)
            if one.cpus is None or one.cpus >= whole:
                held |= set(one.nodes)
    return held


def _counts(resources: Iterable[Gres]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in without_totals(gpus(resources)):
        name = _type_name(one.type)
        found[name] = found.get(name, 0) + min(one.count, MOST_COUNTED)
    return found


@lru_cache(maxsize=1024)
def _type_name(gpu_type: str | None) -> str:
    """The type as it can be asked for; the others count as GPUs without a type."""
    usable = gpu_type and usable_gpu_type(gpu_type) and gpu_type != SHARD
    return gpu_type if gpu_type and usable else ANY_TYPE


def _free(members: Sequence[Equipment]) -> Free:
    by_type: dict[str, list[int]] = {}
    for node in members:
        for name, free, there in node.gpus:
            sums = by_type.setdefault(name, [0, 0])
            sums[0] += free
            sums[1] += there
    return Free(
        cpus=sum(node.cpus_idle for node in members),
        cpus_there=sum(node.kind.cpus for node in members),
        gpus=tuple((name, free, there) for name, (free, there) in sorted(by_type.items())),
    )
