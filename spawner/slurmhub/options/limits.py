"""What a site allows and prefers, over what its cluster has."""

from __future__ import annotations

from dataclasses import dataclass

from slurmhub.errors import SlurmhubError
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit


class LimitsError(SlurmhubError):
    """The site's limits contradict themselves."""


_USUAL_MEMORY = Memory(2048)


@dataclass(frozen=True, kw_only=True)
class SiteLimits:
    """The site's own bounds and defaults for one job; None leaves it to the cluster.

    `partitions` names those that may be chosen, hidden ones included; None is every partition
    that is not hidden. `account`, `qos` and `reservation` are what the site puts into every job,
    where people do not choose; every node has all `features`, and `choose_features` are those
    that people may choose, None for all. A default that does not fit a partition is lowered to
    what fits; without `default_time` it is the partition's own, or else an hour. Raises
    LimitsError.
    """

    max_cpus: int | None = None
    max_memory: Memory | None = None
    max_gpus: int | None = None
    max_time: TimeLimit | None = None
    partitions: tuple[str, ...] | None = None
    default_partition: str | None = None
    default_cpus: int = 1
    default_memory: Memory = _USUAL_MEMORY
    default_gpu_type: str | None = None
    default_gpus: int = 0
    default_time: TimeLimit | None = None
    account: str | None = None
    qos: str | None = None
    reservation: str | None = None
    features: tuple[str, ...] = ()
    choose_features: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        minute = TimeLimit.of_minutes(1)
        for name, amount, least in (
            ("max_cpus", self.max_cpus, 1),
            ("max_gpus", self.max_gpus, 0),
            ("default_cpus", self.default_cpus, 1),
            ("default_gpus", self.default_gpus, 0),
        ):
            if amount is not None and amount < least:
                raise _wrong(name, f"is {amount}", f"at least {least}")
        for name, memory in (
            ("max_memory", self.max_memory),
            ("default_memory", self.default_memory),
        ):
            if memory is not None and memory.mebibytes < 1:
                raise _wrong(name, "is nothing", "at least 1M")
        for name, time in (("max_time", self.max_time), ("default_time", self.default_time)):
            if time is not None and time < minute:
                raise _wrong(name, f"is {time}", "at least a minute (1:00)")
        if self.partitions is not None and not self.partitions:
            raise _wrong("partitions", "allows none", "at least one name, or leave it out")


def _wrong(name: str, what: str, remedy: str) -> LimitsError:
    return LimitsError(f"The limit {name} {what}.", remedy=f"Set it to {remedy}.")
