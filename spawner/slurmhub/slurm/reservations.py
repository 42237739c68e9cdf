"""Reservations: who may use them, when, and on which nodes.

Source: the manual of scontrol, "Reservations - Specifications for create, update, and delete".
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime

from slurmhub.slurm.errors import SlurmTextError
from slurmhub.slurm.nodelist import expand
from slurmhub.slurm.times import parse_timestamp
from slurmhub.slurm.tres import parse_tres

_NOTHING = frozenset({"", "(null)", "N/A"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationRecord:
    """One reservation; moments are in UTC, None where Slurm names none.

    An empty `users`, `groups`, `accounts` or `qos` does not restrict. The `not_` lists name who
    may not use it. `partition` and `partitions` are empty where any may be used.
    """

    name: str
    start: datetime | None
    end: datetime | None
    nodes: tuple[str, ...]
    partition: str = ""
    partitions: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    not_users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    not_accounts: tuple[str, ...] = ()
    qos: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    cpus: int | None = None

    @property
    def maintenance(self) -> bool:
        """Whether nothing else runs on its nodes while it lasts."""
        return "MAINT" in self.flags

    @property
    def floating(self) -> bool:
        """Whether its start moves on with time, so that it never comes."""
        return "TIME_FLOAT" in self.flags

    @property
    def flexible(self) -> bool:
        """Whether its jobs may begin before it, end after it and use other nodes as well."""
        return "FLEX" in self.flags


def read_reservations(output: str) -> tuple[ReservationRecord, ...]:
    """Records of what `scontrol -o show reservation` prints, one line for each reservation.

    They are made by operators, whose texts are trusted; one that cannot be read is left out.
    """
    found = []
    for line in output.splitlines():
        if line.startswith("ReservationName="):
            # One odd value must not hide the rest of the answer.
            with contextlib.suppress(SlurmTextError):
                found.append(_reservation(line))
    return tuple(found)


def _reservation(line: str) -> ReservationRecord:
    words: dict[str, str] = {}
    for word in line.split():
        name, equals, value = word.partition("=")
        if equals:
            # A comment comes last, and may hold anything.
            words.setdefault(name, value)
    users, not_users = _parted(words.get("Users", ""))
    accounts, not_accounts = _parted(words.get("Accounts", ""))
    qos, _ = _parted(words.get("QOS", ""))
    return ReservationRecord(
        name=words["ReservationName"],
        start=parse_timestamp(words.get("StartTime", "")),
        end=parse_timestamp(words.get("EndTime", "")),
        nodes=tuple(expand(words.get("Nodes", ""))),
        partition="".join(_names(words.get("PartitionName", ""))),
        partitions=_names(words.get("AllowedPartitions", "")),
        users=users,
        not_users=not_users,
        groups=_names(words.get("Groups", "")),
        accounts=accounts,
        not_accounts=not_accounts,
        qos=qos,
        flags=frozenset(_names(words.get("Flags", ""))),
        cpus=parse_tres(words.get("TRES", "")).cpus,
    )


def _names(text: str) -> tuple[str, ...]:
    return () if text in _NOTHING else tuple(name for name in text.split(",") if name)


def _parted(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names that are let in, and those that a minus sign keeps out."""
    names = _names(text)
    return (
        tuple(name for name in names if not name.startswith("-")),
        tuple(name[1:] for name in names if name.startswith("-")),
    )
