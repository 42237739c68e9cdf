"""Whether wishes fit a partition, and the request that completes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from slurmhub.options.limits import SiteLimits
from slurmhub.options.partitions import NodeShape, PartitionOffer, Share
from slurmhub.options.refusal import Problem, shown
from slurmhub.options.request import JobRequest
from slurmhub.options.words import counted, listed, memory_plain, time_plain
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """The values that were given; None is a value that was left open.

    `any_type` tells "GPUs of any type" (given) from a type that was left open.
    """

    partition: str | None = None
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
        """The part of a node that is wished for."""
        return Share(self.cpus, self.memory, self.gpus, self.gpu_type)


def problems_in(
    partition: PartitionOffer, wishes: Wishes, *, with_gpus: Sequence[str] = ()
) -> list[Problem]:
    """Everything in the (settled) wishes that the partition cannot give; empty if they fit.

    `with_gpus` names the partitions to point to when this one has no GPU.
    """
    found = [
        *_cpus_problem(partition, wishes.cpus),
        *_memory_problem(partition, wishes.memory),
        *_gpu_problem(partition, wishes, with_gpus),
        *_time_problem(partition, wishes.time),
    ]
    # A bound that is broken alone is the clearer thing to say.
    if not any(problem.field != "hours" for problem in found):
        found += _together_problem(partition, wishes.share)
    return found


def completed(
    partition: PartitionOffer, wishes: Wishes, before: Wishes, limits: SiteLimits
) -> JobRequest:
    """The request that keeps every wish and fills what was left open.

    Open values come from `before` (the last accepted ones), then from the site's defaults, each
    lowered to what still fits. The wishes must be settled and fit the partition.
    """
    gpu_type, gpus = _open_gpus(partition, wishes, before, limits)
    share = Share(wishes.cpus, wishes.memory, gpus, gpu_type)
    memory = wishes.memory or _open_memory(partition, share, before.memory or limits.default_memory)
    cpus = wishes.cpus
    if cpus is None:
        shapes = partition.holding(replace(share, memory=memory))
        wanted = max(before.cpus or limits.default_cpus, partition.cpus_for(memory))
        cpus = min(wanted, max(shape.cpus for shape in shapes))
    time = wishes.time or min(before.time or partition.default_time, partition.max_time)
    return JobRequest(
        partition=partition.name,
        cpus=cpus,
        memory=memory,
        gpu_type=gpu_type,
        gpus=gpus,
        time=time,
    )


def _open_gpus(
    partition: PartitionOffer, wishes: Wishes, before: Wishes, limits: SiteLimits
) -> tuple[str | None, int]:
    usual_type, usual = before.gpu_type, before.gpus
    if usual is None:
        usual_type, usual = limits.default_gpu_type, limits.default_gpus
    rest = Share(wishes.cpus, wishes.memory)
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


def _cpus_problem(partition: PartitionOffer, cpus: int | None) -> list[Problem]:
    most = partition.max_cpus
    if cpus is None or cpus <= most:
        return []
    message = f"One job in partition {partition.name} can have at most {counted(most, 'CPU')}."
    return [Problem("cpus", shown(cpus), message, limit=str(most))]


def _memory_problem(partition: PartitionOffer, memory: Memory | None) -> list[Problem]:
    if memory is None or memory <= partition.max_memory:
        return []
    most = memory_plain(partition.max_memory)
    message = f"One job in partition {partition.name} can have at most {most} of memory."
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
    if not partition.max_gpus():
        others = f" These have: {', '.join(with_gpus)}." if with_gpus else ""
        message = f"Partition {name} has no GPUs.{others}"
        return [Problem("gpus", shown(gpus), message, limit="0")]
    most = partition.max_gpus(gpu_type)
    if not most:
        message = f"Partition {name} has no GPUs of this type."
        choices = partition.gpu_types or ("none",)
        found = [Problem("gpu_type", shown(gpu_type), message, choices=choices)]
        return found + _gpu_problem(partition, replace(wishes, gpu_type=None), with_gpus)
    if gpus <= most:
        return []
    message = f"One job in partition {name} can have at most {_gpus_said(most, gpu_type)}."
    return [Problem("gpus", shown(gpus), message, limit=str(most))]


def _time_problem(partition: PartitionOffer, time: TimeLimit | None) -> list[Problem]:
    if time is None or time <= partition.max_time:
        return []
    most = time_plain(partition.max_time)
    message = f"A job in partition {partition.name} can run for at most {most}."
    return [Problem("hours", time_plain(time), message, limit=most)]


def _together_problem(partition: PartitionOffer, share: Share) -> list[Problem]:
    """Each value is there, but no node has them all: name one that would have to be less."""
    if partition.holding(share):
        return []
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


def _said(share: Share) -> dict[str, str]:
    said = {}
    if share.cpus is not None:
        said["cpus"] = counted(share.cpus, "CPU")
    if share.memory is not None:
        said["memory"] = f"{memory_plain(share.memory)} of memory"
    if share.gpus:
        said["gpus"] = _gpus_said(share.gpus, share.gpu_type)
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
            return str(gpus), _gpus_said(gpus, share.gpu_type)
    return None


def _gpus_said(count: int, gpu_type: str | None) -> str:
    return counted(count, f"{gpu_type} GPU" if gpu_type else "GPU")
