"""Whether wishes fit a partition, and the request that completes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from slurmhub.options.limits import SiteLimits
from slurmhub.options.narrowing import Terms, settled, under
from slurmhub.options.partitions import NodeShape, PartitionOffer, Share
from slurmhub.options.refusal import Problem, shown
from slurmhub.options.request import JobRequest
from slurmhub.options.words import (
    counted,
    gpus_said,
    hours_typed,
    listed,
    memory_plain,
    moment_plain,
    time_plain,
)
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit

# What is offered can still be asked for so many minutes later.
_MINUTES_TO_START = 5


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """The values that were given; None is a value that was left open.

    `any_type` tells "GPUs of any type" (given) from a type that was left open.
    """

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    reservation: str | None = None
    features: tuple[str, ...] = ()
    cpus: int | None = None
    memory: Memory | None = None
    gpu_type: str | None = None
    any_type: bool = False
    gpus: int | None = None
    time: TimeLimit | None = None

    def settled(self) -> Wishes:
        """The same with the number of GPUs that a type alone implies: one, or none of no type."""
        if self.gpus is not None:
            return self
        if self.gpu_type is not None:
            return replace(self, gpus=1)
        return replace(self, gpus=0) if self.any_type else self

    @property
    def share(self) -> Share:
        """The part of a node that is wished for, and for how long."""
        return Share(self.cpus, self.memory, self.gpus, self.gpu_type, self.features, self.time)

    @property
    def terms(self) -> Terms:
        """The account, the QOS and the reservation that are wished for."""
        return Terms(self.account, self.qos, self.reservation)


def problems_in(
    partition: PartitionOffer, wishes: Wishes, *, with_gpus: Sequence[str] = ()
) -> list[Problem]:
    """Everything in the (settled) wishes that the partition cannot give; empty if they fit.

    The partition is already narrowed to the wished terms. `with_gpus` names the partitions to
    point to when this one has no GPU.
    """
    found = [
        *_cpus_problem(partition, wishes.cpus),
        *_memory_problem(partition, wishes.memory),
        *_gpu_problem(partition, wishes, with_gpus),
        *_features_problem(partition, wishes.features),
        *_time_problem(partition, wishes.time),
    ]
    # A bound that is broken alone is the clearer thing to say.
    if not any(problem.field != "hours" for problem in found):
        share = replace(wishes.share, time=None) if found else wishes.share
        found += _together_problem(partition, share)
    return found


def completed(
    partition: PartitionOffer, wishes: Wishes, before: Wishes, limits: SiteLimits
) -> JobRequest:
    """The request that keeps every wish and fills what was left open.

    Open values come from `before` (the last accepted ones), then from the site's defaults, each
    lowered to what still fits. The wishes must be settled and fit the partition under their own
    terms, to which it is narrowed here.
    """
    terms = settled(partition, wishes.terms, before.terms)
    narrowed = under(partition, terms)
    if problems_in(narrowed, wishes):
        # Nobody asked for what was used before; what was asked for goes before it.
        terms = settled(partition, wishes.terms, Terms())
        narrowed = under(partition, terms)
    features = wishes.features
    if not features and narrowed.holding(replace(wishes.share, features=before.features)):
        features = before.features
    share = replace(wishes.share, features=features)
    gpu_type, gpus = _open_gpus(narrowed, wishes, before, limits, share)
    share = replace(share, gpus=gpus, gpu_type=gpu_type)
    memory = wishes.memory or _open_memory(narrowed, share, before.memory or limits.default_memory)
    cpus = wishes.cpus
    if cpus is None:
        shapes = narrowed.holding(replace(share, memory=memory))
        wanted = max(before.cpus or limits.default_cpus, narrowed.cpus_for(memory))
        cpus = min(wanted, max(shape.cpus for shape in shapes))
    longest = in_good_time(narrowed, replace(share, cpus=cpus, memory=memory))
    return JobRequest(
        partition=partition.name,
        account=terms.account,
        qos=terms.qos,
        reservation=terms.reservation,
        features=features,
        cpus=cpus,
        memory=memory,
        gpu_type=gpu_type,
        gpus=gpus,
        time=wishes.time or min(before.time or narrowed.default_time, longest),
    )


def in_good_time(partition: PartitionOffer, share: Share) -> TimeLimit:
    """The longest time to offer for a share that fits: some minutes are left to press Start."""
    longest = partition.longest(share)
    if longest.minutes is None or longest >= partition.time_bound:
        return longest
    minutes = longest.minutes - _MINUTES_TO_START
    rounded = minutes - minutes % 5
    return TimeLimit.of_minutes(max(rounded, 1))


def _open_gpus(
    partition: PartitionOffer, wishes: Wishes, before: Wishes, limits: SiteLimits, share: Share
) -> tuple[str | None, int]:
    usual_type, usual = before.gpu_type, before.gpus
    if usual is None:
        usual_type, usual = limits.default_gpu_type, limits.default_gpus
    rest = replace(share, gpus=None, gpu_type=None)
    gpus, gpu_type = wishes.gpus, wishes.gpu_type
    if gpus is None:
        gpu_type = usual_type
        gpus = min(usual, _most_gpus(partition.holding(rest), gpu_type))
    elif gpus and gpu_type is None and not wishes.any_type:
        fits = gpus <= _most_gpus(partition.holding(rest), usual_type)
        gpu_type = usual_type if fits else None
    if gpus == 0:
        return None, 0
    return gpu_type or partition.sole_gpu_type, gpus


def _open_memory(partition: PartitionOffer, share: Share, wanted: Memory) -> Memory:
    most = max(shape.memory for shape in partition.holding(share))
    cpus = share.cpus or max(shape.cpus for shape in partition.holding(share))
    return partition.memory_for(cpus, min(wanted, most))


def _most_gpus(shapes: Sequence[NodeShape], gpu_type: str | None) -> int:
    return max((shape.gpu_count(gpu_type) for shape in shapes), default=0)


def _at_most(partition: PartitionOffer, amount: str) -> str:
    """What bounds a job, in the words of what it is bounded by."""
    name, qos, reservation = partition.name, partition.qos, partition.reservation
    if reservation is not None:
        return (
            f"One job in reservation {reservation} of partition {name} can have at most {amount}."
        )
    if qos is not None:
        return f"With QOS {qos}, one job in partition {name} can have at most {amount}."
    return f"One job in partition {name} can have at most {amount}."


def _cpus_problem(partition: PartitionOffer, cpus: int | None) -> list[Problem]:
    most = partition.max_cpus
    if cpus is None or cpus <= most:
        return []
    message = _at_most(partition, counted(most, "CPU"))
    return [Problem("cpus", shown(cpus), message, limit=str(most))]


def _memory_problem(partition: PartitionOffer, memory: Memory | None) -> list[Problem]:
    if memory is None or memory <= partition.max_memory:
        return []
    most = memory_plain(partition.max_memory)
    message = _at_most(partition, f"{most} of memory")
    return [Problem("memory", memory_plain(memory), message, limit=most)]


def _gpu_problem(
    partition: PartitionOffer, wishes: Wishes, with_gpus: Sequence[str]
) -> list[Problem]:
    name, gpus, gpu_type = partition.name, wishes.gpus, wishes.gpu_type
    if gpus == 0 and gpu_type is not None:
        message = "A type of GPU is chosen, but no GPU: ask for 1 or more, or choose no type."
        return [Problem("gpus", "0", message)]
    if not gpus:
        return []
    if not partition.has_gpus:
        others = f" These have: {', '.join(with_gpus)}." if with_gpus else ""
        message = f"Partition {name} has no GPUs.{others}"
        return [Problem("gpus", shown(gpus), message, limit="0")]
    most = partition.max_gpus(gpu_type)
    if not most and gpu_type is not None:
        message = f"Partition {name} has no GPUs of this type."
        choices = partition.gpu_types or ("none",)
        found = [Problem("gpu_type", shown(gpu_type), message, choices=choices)]
        return found + _gpu_problem(partition, replace(wishes, gpu_type=None), with_gpus)
    if gpus <= most:
        return []
    message = _at_most(partition, gpus_said(most, gpu_type))
    return [Problem("gpus", shown(gpus), message, limit=str(most))]


def _features_problem(partition: PartitionOffer, features: Sequence[str]) -> list[Problem]:
    missing = [name for name in features if name not in partition.features]
    if not missing:
        return []
    choices = partition.features or ("none",)
    if len(missing) == 1:
        message = f"No node of partition {partition.name} has this feature."
    else:
        message = f"No node of partition {partition.name} has these features."
    return [Problem("features", shown(", ".join(missing)), message, choices=choices)]


def _time_problem(partition: PartitionOffer, time: TimeLimit | None) -> list[Problem]:
    if time is None or time <= partition.max_time:
        return []
    most = time_plain(partition.max_time)
    name, qos, reservation = partition.name, partition.qos, partition.reservation
    if partition.maintenance is not None:
        message = _before_maintenance(partition, partition.maintenance, most)
    elif reservation is not None:
        message = (
            f"A job in reservation {reservation} of partition {name} can run for at most {most}."
        )
    elif qos is not None:
        message = f"With QOS {qos}, a job in partition {name} can run for at most {most}."
    else:
        message = f"A job in partition {name} can run for at most {most}."
    offered = hours_typed(in_good_time(partition, Share()))
    choices = (offered,) if partition.maintenance is not None else ()
    return [Problem("hours", time_plain(time), message, limit=most, choices=choices)]


def _before_maintenance(partition: PartitionOffer, begins: datetime, most: str) -> str:
    return (
        f"Maintenance of partition {partition.name} begins at {moment_plain(begins)}: "
        f"a job of now can run for at most {most}."
    )


def _together_problem(partition: PartitionOffer, share: Share) -> list[Problem]:
    """Each value is there, but no node has them all: name one that would have to be less."""
    if partition.holding(share):
        return []
    if share.time is not None:
        timeless = replace(share, time=None)
        if partition.holding(timeless):
            return [_time_beside(partition, timeless, share.time)]
        share = timeless
    said = _said(share)
    for field in said:
        most = _most_beside(partition, share, field)
        if most is not None:
            others = listed([words for other, words in said.items() if other != field])
            limit, amount = most
            message = (
                f"With {others}, one job in partition {partition.name} can have at most {amount}."
            )
            return [Problem(field, said[field], message, limit=limit)]
    field, *others_said = said
    message = (
        f"No node of partition {partition.name} has this together with "
        f"{listed([said[other] for other in others_said])}: ask for less of each."
    )
    return [Problem(field, said[field], message)]


def _time_beside(partition: PartitionOffer, share: Share, time: TimeLimit) -> Problem:
    """Nodes that have the share are there, but for a shorter time."""
    longest = partition.longest(share)
    best = max(partition.holding(share), key=lambda shape: shape.time)
    most = time_plain(longest)
    if best.until is not None:
        message = (
            f"Maintenance of the nodes that have this begins at {moment_plain(best.until)}: "
            f"a job of now can run there for at most {most}."
        )
    else:
        message = f"The nodes that have this can be had for at most {most}."
    choices = (hours_typed(in_good_time(partition, share)),)
    return Problem("hours", time_plain(time), message, limit=most, choices=choices)


def _said(share: Share) -> dict[str, str]:
    said = {}
    if share.cpus is not None:
        said["cpus"] = counted(share.cpus, "CPU")
    if share.memory is not None:
        said["memory"] = f"{memory_plain(share.memory)} of memory"
    if share.features:
        said["features"] = f"feature {listed(share.features)}"
    if share.gpus:
        said["gpus"] = gpus_said(share.gpus, share.gpu_type)
    return said


def _most_beside(partition: PartitionOffer, share: Share, field: str) -> tuple[str, str] | None:
    """The most of one field that fits beside the others, if that is something but less."""
    if field == "cpus":
        shapes = partition.holding(replace(share, cpus=None))
        cpus = max((shape.cpus for shape in shapes), default=0)
        if 0 < cpus < (share.cpus or 0):
            return str(cpus), counted(cpus, "CPU")
    elif field == "memory" and share.memory is not None:
        shapes = partition.holding(replace(share, memory=None))
        memory = max((shape.memory for shape in shapes), default=Memory(0))
        if share.cpus is not None:
            memory = partition.memory_for(share.cpus, memory)
        if Memory(0) < memory < share.memory:
            return memory_plain(memory), f"{memory_plain(memory)} of memory"
    elif field == "gpus":
        shapes = partition.holding(replace(share, gpus=None))
        gpus = _most_gpus(shapes, share.gpu_type)
        if shapes and gpus < (share.gpus or 0):
            return str(gpus), gpus_said(gpus, share.gpu_type)
    return None
