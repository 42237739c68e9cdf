"""What the form's script knows: each partition's bounds, and what a person may choose in it."""

from __future__ import annotations

from collections.abc import Sequence

from slurmhub.language import told
from slurmhub.options.offer import Offer
from slurmhub.options.partitions import NodeShape, PartitionOffer
from slurmhub.options.terms import AccountChoice, QosChoice
from slurmhub.options.words import memory_plain, moment_plain, time_plain
from slurmhub.slurm.accounting import JobLimits
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit

Json = dict[str, object]


class FormData:
    """Gathers the data once for a page; what is the same in many places stands in it once."""

    def __init__(self, offer: Offer) -> None:
        self._times: dict[int, str] = {}
        self._memories: dict[int, str] = {}
        self._accounts: list[list[Json]] = []
        self._known: dict[tuple[AccountChoice, ...], int] = {}
        self._partitions = {one.name: self._partition(one) for one in offer.partitions}

    def as_json(self) -> Json:
        """For the page; times are in minutes and memory in MB, each with its words."""
        return {
            "partitions": self._partitions,
            "accounts": self._accounts,
            "times": self._times,
            "memories": self._memories,
        }

    def _partition(self, one: PartitionOffer) -> Json:
        found: Json = {
            "shapes": self._shapes(one.shapes),
            "time": self._time(one.time_bound),
            "open": self._time(one.open_time),
        }
        if one.accounts:
            found["accounts"] = self._account_set(one.accounts)
        if one.reservations:
            found["reservations"] = {
                held.name: {
                    "shapes": self._shapes(held.shapes),
                    "accounts": held.terms.accounts,
                }
                for held in one.reservations
            }
        return found

    def _shapes(self, shapes: Sequence[NodeShape]) -> list[Json]:
        return [self._shape(shape) for shape in shapes]

    def _shape(self, shape: NodeShape) -> Json:
        found: Json = {"cpus": shape.cpus, "memory": self._memory(shape.memory)}
        if shape.gpus:
            found["gpus"] = dict(shape.gpus)
            found["gpu_total"] = shape.gpu_total
        if shape.features:
            found["features"] = shape.features
        if not shape.time.unlimited:
            found["time"] = self._time(shape.time)
            found["until"] = moment_plain(shape.until) if shape.until is not None else ""
        return found

    def _account_set(self, accounts: tuple[AccountChoice, ...]) -> int:
        # Most partitions have the same accounts, with the same limits.
        if accounts not in self._known:
            self._known[accounts] = len(self._accounts)
            self._accounts.append([self._account(account) for account in accounts])
        return self._known[accounts]

    def _account(self, account: AccountChoice) -> Json:
        return {
            "name": account.name,
            "limits": self._limits(account.limits),
            "qos": [self._qos(qos) for qos in account.qos],
        }

    def _qos(self, qos: QosChoice) -> Json:
        return {
            "name": qos.name,
            "usual": qos.default,
            "limits": self._limits(qos.limits),
            "lifts": qos.lifts_time,
        }

    def _limits(self, limits: JobLimits) -> Json:
        found: Json = {}
        if limits.cpus is not None:
            found["cpus"] = limits.cpus
        if limits.memory is not None:
            found["memory"] = self._memory(limits.memory)
        if limits.time is not None:
            found["time"] = self._time(limits.time)
        if limits.gpus:
            found["gpus"] = {name or "": count for name, count in limits.gpus}
        return found

    def _time(self, time: TimeLimit) -> int:
        minutes = (time.seconds or 0) // 60
        if minutes not in self._times:
            self._times[minutes] = told(time_plain(time))
        return minutes

    def _memory(self, memory: Memory) -> int:
        if memory.mebibytes not in self._memories:
            self._memories[memory.mebibytes] = told(memory_plain(memory))
        return memory.mebibytes
