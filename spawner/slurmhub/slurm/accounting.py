"""What Slurm's accounting (slurmdbd) lets each person use: associations and QOS.

Source: the manuals of sacctmgr and, for which limit wins, Slurm's page on resource limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from slurmhub.slurm.errors import SlurmTextError
from slurmhub.slurm.gres import Gres, gpu_count
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit
from slurmhub.slurm.tres import Tres, parse_tres

ASSOCIATION_FIELDS = (
    *("User", "DefaultAccount", "Account", "Partition", "QOS", "DefaultQOS"),
    *("MaxWall", "MaxTRES"),
)
"""For `sacctmgr show user withassoc`, which repeats what accounts hand down to their people."""

QOS_FIELDS = ("Name", "Flags", "MaxWall", "MaxTRES", "MaxTRESPU", "GrpTRES")
"""For `sacctmgr show qos`."""


@dataclass(frozen=True, kw_only=True)
class JobLimits:
    """The most that one job may have; None where there is no limit.

    `gpus` are limits by type, with the type None for all types together.
    """

    time: TimeLimit | None = None
    cpus: int | None = None
    memory: Memory | None = None
    gpus: tuple[tuple[str | None, int], ...] = ()

    def over(self, other: JobLimits) -> JobLimits:
        """These limits where they are set, and the other's where they are not."""
        return JobLimits(
            time=other.time if self.time is None else self.time,
            cpus=other.cpus if self.cpus is None else self.cpus,
            memory=other.memory if self.memory is None else self.memory,
            gpus=tuple((dict(other.gpus) | dict(self.gpus)).items()),
        )


@dataclass(frozen=True, kw_only=True)
class Association:
    """One account that a person may charge; an empty `partition` stands for all of them.

    `default_qos` is empty where there is none of its own.
    """

    account: str
    partition: str = ""
    qos: tuple[str, ...] = ()
    default_qos: str = ""
    limits: JobLimits = JobLimits()


@dataclass(frozen=True, kw_only=True)
class QosRecord:
    """One QOS, and the most that a single job may have with it."""

    name: str
    flags: frozenset[str] = frozenset()
    limits: JobLimits = JobLimits()


@dataclass(frozen=True, kw_only=True)
class Accounting:
    """Everybody's rights at one moment, in UTC.

    `enforced` holds the words of AccountingStorageEnforce: where "limits" is not among them,
    limits are not kept.
    """

    taken_at: datetime
    enforced: frozenset[str]
    associations: Mapping[str, tuple[Association, ...]]
    default_accounts: Mapping[str, str]
    qos: Mapping[str, QosRecord]


def read_accounting(
    users: str, qos: str, *, taken_at: datetime, enforced: frozenset[str]
) -> Accounting:
    """What sacctmgr printed with `--parsable2` for the fields above. Raises SlurmTextError."""
    associations: dict[str, list[Association]] = {}
    defaults: dict[str, str] = {}
    for row in _rows(users, len(ASSOCIATION_FIELDS)):
        user, default, account, partition, names, default_qos, wall, tres = row
        defaults[user] = default
        if not account:
            continue
        associations.setdefault(user, []).append(
            Association(
                account=account,
                partition=partition,
                qos=_names(names),
                default_qos=default_qos,
                limits=_limits(wall, tres),
            )
        )
    records = {}
    for name, flags, wall, *tres_of in _rows(qos, len(QOS_FIELDS)):
        records[name] = QosRecord(
            name=name, flags=frozenset(_names(flags)), limits=_limits(wall, *tres_of)
        )
    return Accounting(
        taken_at=taken_at,
        enforced=enforced,
        associations={user: tuple(found) for user, found in associations.items()},
        default_accounts=defaults,
        qos=records,
    )


def _rows(output: str, width: int) -> Iterator[list[str]]:
    for line in output.splitlines():
        row = line.split("|")
        if len(row) != width:
            raise SlurmTextError(
                f"A row of sacctmgr has {len(row)} columns instead of {width}.",
                remedy="Run `sacctmgr show user withassoc` by hand and see what it prints.",
            )
        yield row


def _limits(wall: str, *lists: str) -> JobLimits:
    """One limit from a longest time and lists of resources: the least of each counts."""
    time = TimeLimit.parse(wall) if wall else None
    found = [parse_tres(text) for text in lists if text]
    return JobLimits(
        time=None if time is None or time.unlimited else time,
        cpus=min((one.cpus for one in found if one.cpus is not None), default=None),
        memory=min((one.memory for one in found if one.memory is not None), default=None),
        gpus=tuple(sorted(_gpu_limits(found).items(), key=lambda item: item[0] or "")),
    )


def _gpu_limits(lists: list[Tres]) -> dict[str | None, int]:
    least: dict[str | None, int] = {}
    for one in lists:
        for gres in one.gres:
            if gres.name == "gpu":
                count = _counted(one.gres, gres)
                least[gres.type] = min(count, least.get(gres.type, count))
    return least


def _counted(gres: tuple[Gres, ...], one: Gres) -> int:
    return one.count if one.type is None else gpu_count(gres, one.type)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)
