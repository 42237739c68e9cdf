"""Each partition as this site offers it at a moment, before it is known who asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from slurmhub.options.equipment import Group, Kind, Site
from slurmhub.options.limits import SiteLimits
from slurmhub.options.maintenance import LONGEST, held_at, open_at
from slurmhub.options.narrowing import whole_minutes
from slurmhub.options.partitions import NodeShape, PartitionOffer, largest
from slurmhub.options.request import MOST_COUNTED, PARTITION_NAME, TERM_NAME
from slurmhub.options.words import SHARD
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.records import PartitionRecord
from slurmhub.slurm.reservations import ReservationRecord
from slurmhub.slurm.times import TimeLimit

_USUAL_TIME = TimeLimit.of_minutes(60)
_NAME = re.compile(PARTITION_NAME)
_TERM = re.compile(TERM_NAME)
# So many ways of looking at one state of the cluster are kept: profiles, and a few minutes.
_MOST_KEPT = 32


@dataclass(frozen=True)
class Held:
    """A reservation with what it has of one partition."""

    record: ReservationRecord
    shapes: tuple[NodeShape, ...]


@dataclass(frozen=True)
class Opened:
    """A partition that may be chosen here: its offer, or why it takes no jobs."""

    record: PartitionRecord
    offer: PartitionOffer | None
    reason: str
    held: tuple[Held, ...] = ()


def opened(site: Site, limits: SiteLimits, now: datetime) -> tuple[Opened, ...]:
    """All partitions that this site lets people choose; kept, as they are the same for all."""
    minute = now.astimezone(timezone.utc).replace(second=0, microsecond=0)
    timeless = _kept(site, limits, lambda: _timeless(site, limits))
    if not site.facts.reservations:
        return timeless
    return _kept(
        site, (limits, minute), lambda: tuple(_at(one, limits, minute) for one in timeless)
    )


def _kept(site: Site, key: object, make: Callable[[], tuple[Opened, ...]]) -> tuple[Opened, ...]:
    found = site.kept.get(key)
    if not isinstance(found, tuple):
        found = make()
        if len(site.kept) >= _MOST_KEPT:
            # What is of one minute is soon made again.
            for old in [one for one in site.kept if isinstance(one, tuple)]:
                del site.kept[old]
        site.kept[key] = found
    return found


def _timeless(site: Site, limits: SiteLimits) -> tuple[Opened, ...]:
    records = (one for one in site.facts.partitions if _may_be_chosen(one, limits))
    return tuple(_opened(record, site, limits) for record in records)


def _at(one: Opened, limits: SiteLimits, now: datetime) -> Opened:
    """The same at this moment: for how long nodes can be had before they are closed."""
    offer = one.offer
    if offer is None:
        return one
    if any(shape.closed for shape in offer.shapes):
        shapes, back = open_at(offer.shapes, now)
        offer = replace(offer, shapes=shapes, back=back, all_down=offer.all_down or bool(back))
    held = []
    for each in one.held:
        shapes = held_at(each.record, each.shapes, now)
        if shapes:
            held.append(Held(each.record, shapes))
    fixed = next((each for each in held if each.record.name == limits.reservation), None)
    if fixed is not None:
        offer = replace(offer, shapes=fixed.shapes)
    return replace(one, offer=offer, held=() if limits.reservation else tuple(held))


def _may_be_chosen(record: PartitionRecord, limits: SiteLimits) -> bool:
    if limits.partitions is None:
        return not record.hidden
    return record.name in limits.partitions


def _opened(record: PartitionRecord, site: Site, limits: SiteLimits) -> Opened:
    open_time = min(time for time in (limits.max_time, LONGEST) if time is not None)
    bound = min(record.max_time, open_time)
    group = site.groups.get(record.name)
    reason = _closed(record, bound)
    if not reason and group is None:
        reason = "has no nodes"
    if reason or group is None:
        return Opened(record, None, reason)
    shapes = _shapes(group, record, limits)
    if not shapes:
        return Opened(record, None, "has no nodes that this hub may use")
    bound = whole_minutes(bound)
    usual = min(limits.default_time or record.default_time or _USUAL_TIME, bound)
    offer = PartitionOffer(
        name=record.name,
        shapes=shapes,
        time_bound=bound,
        default_time=TimeLimit.of_minutes(max(1, usual.minutes or 1)),
        open_time=whole_minutes(open_time),
        memory_per_cpu=_set(record.max_memory_per_cpu),
        free=group.free,
        all_down=not group.usable,
    )
    return Opened(record, offer, "", tuple(_held(record, site, limits)))


def _closed(record: PartitionRecord, bound: TimeLimit) -> str:
    if not _NAME.fullmatch(record.name):
        return "has a name that cannot be used here"
    if not record.up:
        return "is closed by the people who run the cluster"
    if bound < TimeLimit.of_minutes(1):
        return "gives no job a whole minute"
    return ""


def _held(record: PartitionRecord, site: Site, limits: SiteLimits) -> Iterator[Held]:
    """The reservations that have nodes of a partition."""
    for one in site.facts.reservations:
        group = site.reserved.get((record.name, one.name))
        if group is None or not _TERM.fullmatch(one.name):
            continue
        if not one.partitions or record.name in one.partitions:
            yield Held(one, _shapes(group, record, limits))


def _shapes(group: Group, record: PartitionRecord, limits: SiteLimits) -> tuple[NodeShape, ...]:
    """What one job can have of the nodes that have all that the site demands."""
    needed = set(limits.features)
    return largest(
        _most(
            _shape(kind, memory, record, limits)
            for kind, memory in group.kinds
            if needed <= set(kind.features)
        )
    )


def _most(shapes: Iterable[NodeShape]) -> list[NodeShape]:
    """Of those that differ in memory alone, the one with the most."""
    most: dict[NodeShape, Memory] = {}
    for shape in shapes:
        alike = replace(shape, memory=Memory(0))
        most[alike] = max(shape.memory, most.get(alike, shape.memory))
    return [replace(alike, memory=memory) for alike, memory in most.items()]


def _shape(
    kind: Kind,
    memory: Memory,
    record: PartitionRecord,
    limits: SiteLimits,
) -> NodeShape:
    cpus = _least(kind.cpus, record.max_cpus_per_node or None, limits.max_cpus, MOST_COUNTED)
    bounds = (memory, _set(record.max_memory_per_node), limits.max_memory)
    most = min(bound for bound in bounds if bound is not None)
    per_cpu = _set(record.max_memory_per_cpu)
    if per_cpu is not None:
        most = min(most, Memory(per_cpu.mebibytes * cpus))
    counts = ((name, _least(n, _most_of(name, n, limits))) for name, n in kind.counts)
    return NodeShape(
        cpus=cpus,
        memory=most,
        gpus=tuple(one for one in counts if one[1]),
        gpu_total=_least(kind.gpu_total, limits.max_gpus),
        features=_to_choose(kind.features, limits.choose_features),
        closed=kind.closed,
    )


def _to_choose(features: tuple[str, ...], allowed: tuple[str, ...] | None) -> tuple[str, ...]:
    if allowed is None:
        return features
    return tuple(name for name in features if name in allowed)


def _most_of(name: str, count: int, limits: SiteLimits) -> int | None:
    # All shards of one job are on one GPU, and so are less than a GPU, or one.
    if name == SHARD and limits.max_gpus:
        return count
    return limits.max_gpus


def _set(bound: Memory | None) -> Memory | None:
    """The bound, or None where it is Slurm's zero for "no bound"."""
    return bound if bound is not None and bound.mebibytes else None


def _least(first: int, *others: int | None) -> int:
    return min([first, *(other for other in others if other is not None)])
