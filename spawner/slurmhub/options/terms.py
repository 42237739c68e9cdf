"""A person's choices beside resources: accounts, QOS and reservations, as Slurm grants them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from slurmhub.slurm.accounting import Association, JobLimits, QosRecord
from slurmhub.slurm.records import PartitionRecord
from slurmhub.slurm.reservations import ReservationRecord

_LIFTS_TIME = "PartitionTimeLimit"
_BEFORE_PARTITION = "OverPartQOS"
_WITH_RESERVATION = "RequiresReservation"


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What one person may use, as Slurm's accounting and the Unix groups have it.

    `name` is the Unix account. `groups` is None while they are not known. Without `known` there
    is no accounting, or it has not answered yet: then `awaited` says that it is to be waited
    for. `stale_seconds` is the age of what is known when slurmdbd no longer answers. `none_left`
    says that the person has accounts, and may choose none of them.
    """

    name: str
    groups: frozenset[str] | None = None
    known: bool = False
    awaited: bool = False
    stale_seconds: float | None = None
    associations: tuple[Association, ...] = ()
    default_account: str = ""
    none_left: bool = False
    qos: Mapping[str, QosRecord] = field(default_factory=dict)
    enforced: frozenset[str] = frozenset()

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that the person may charge anywhere, in order."""
        return tuple(sorted({one.account for one in self.associations}))


@dataclass(frozen=True, kw_only=True)
class QosChoice:
    """A QOS for an account in a partition, with all limits that one job has there.

    `default` is the one that is meant where none is named. `lifts_time` says that the
    partition's own time limit does not count; `needs_reservation` that it is only for jobs in a
    reservation.
    """

    name: str
    default: bool
    limits: JobLimits
    lifts_time: bool = False
    needs_reservation: bool = False


@dataclass(frozen=True, kw_only=True)
class AccountChoice:
    """An account for a partition.

    `usual_qos` is what Slurm takes for a job that names none, empty where it refuses such a job;
    `limits` are those of a job for which no QOS is known.
    """

    name: str
    default: bool
    qos: tuple[QosChoice, ...]
    usual_qos: str
    limits: JobLimits

    def qos_named(self, name: str | None) -> QosChoice | None:
        """The QOS of that name; without one, the one that is meant then."""
        if name is not None:
            return next((one for one in self.qos if one.name == name), None)
        return next((one for one in self.qos if one.default), None)


@dataclass(frozen=True, kw_only=True)
class ReservationTerms:
    """When a reservation can be used and by which accounts; None stands for all of them."""

    name: str
    start: datetime | None
    end: datetime | None
    accounts: tuple[str, ...] | None


def why_shut(record: PartitionRecord, rights: Rights) -> str | None:
    """Why a partition is not for this person; None when it is, or when that is not known."""
    groups, allowed = rights.groups, record.allow_groups
    if allowed is not None and groups is not None and groups.isdisjoint(allowed):
        return "is for other groups of people"
    if rights.associations and not any(_usable(record, rights)):
        return "is not for your accounts"
    return None


class AccountChoices:
    """The accounts that one person may charge, by partition; what is alike is worked out once."""

    def __init__(self, rights: Rights) -> None:
        self._rights = rights
        self._by_name = any(one.partition for one in rights.associations)
        self._known: dict[tuple[object, ...], tuple[AccountChoice, ...]] = {}

    def of(self, record: PartitionRecord) -> tuple[AccountChoice, ...]:
        """Those for a job in this partition, the usual one first."""
        alike = (
            *(record.allow_accounts, record.deny_accounts, record.allow_qos, record.deny_qos),
            *(record.qos, record.name if self._by_name else ""),
        )
        if alike not in self._known:
            self._known[alike] = _account_choices(record, self._rights)
        return self._known[alike]


def _account_choices(record: PartitionRecord, rights: Rights) -> tuple[AccountChoice, ...]:
    found: dict[str, AccountChoice] = {}
    for one in _usable(record, rights):
        if one.account not in found or one.partition:
            found[one.account] = _account_choice(record, rights, one)
    return tuple(sorted(found.values(), key=lambda choice: (not choice.default, choice.name)))


def reservation_terms(record: ReservationRecord, rights: Rights) -> ReservationTerms | None:
    """The terms of a reservation for this person; None when it is not for them."""
    if rights.name in record.not_users:
        return None
    if record.users and rights.name not in record.users:
        return None
    if record.groups and (rights.groups or frozenset()).isdisjoint(record.groups):
        return None
    own_qos = {name for one in rights.associations for name in one.qos}
    if record.qos and own_qos.isdisjoint(record.qos):
        return None
    accounts: tuple[str, ...] | None = None
    if record.accounts or record.not_accounts:
        accounts = tuple(
            name
            for name in rights.accounts
            if name not in record.not_accounts and (not record.accounts or name in record.accounts)
        )
        if not accounts:
            return None
    return ReservationTerms(
        name=record.name,
        start=record.start,
        end=record.end,
        accounts=accounts,
    )


def _usable(record: PartitionRecord, rights: Rights) -> Iterator[Association]:
    for one in rights.associations:
        if one.partition not in ("", record.name):
            continue
        if record.allow_accounts is not None:
            if one.account not in record.allow_accounts:
                continue
        elif one.account in record.deny_accounts:
            continue
        if one.qos and "qos" in rights.enforced and not _qos_names(record, one.qos):
            continue
        yield one


def _qos_names(record: PartitionRecord, names: Iterable[str]) -> list[str]:
    if record.allow_qos is not None:
        return [name for name in names if name in record.allow_qos]
    return [name for name in names if name not in record.deny_qos]


def _account_choice(
    record: PartitionRecord, rights: Rights, association: Association
) -> AccountChoice:
    names = _qos_names(record, association.qos)
    usual = _usual_qos(association)
    # Slurm refuses a job that names none where it takes none by itself, or one that may not.
    meant = usual if usual in names else min(names, default="")
    qos = [_qos_choice(record, rights, association, name, meant) for name in names]
    return AccountChoice(
        name=association.account,
        default=association.account == rights.default_account,
        qos=tuple(sorted(qos, key=lambda choice: (not choice.default, choice.name))),
        usual_qos=usual,
        limits=_limits(record, rights, association, None),
    )


def _usual_qos(association: Association) -> str:
    """What a job gets that names no QOS; empty where Slurm refuses such a job."""
    if association.default_qos:
        return association.default_qos
    if len(association.qos) == 1:
        return association.qos[0]
    # What slurmctld takes when nothing else is said.
    return "normal" if "normal" in association.qos else ""


def _qos_choice(
    record: PartitionRecord, rights: Rights, association: Association, name: str, meant: str
) -> QosChoice:
    qos = rights.qos.get(name) or QosRecord(name=name)
    return QosChoice(
        name=name,
        default=name == meant,
        limits=_limits(record, rights, association, qos),
        lifts_time=_LIFTS_TIME in qos.flags,
        needs_reservation=_WITH_RESERVATION in qos.flags,
    )


def _limits(
    record: PartitionRecord, rights: Rights, association: Association, qos: QosRecord | None
) -> JobLimits:
    """The partition's QOS goes before the job's, and that before the association."""
    if rights.enforced.isdisjoint({"limits", "safe"}):
        return JobLimits()
    layers = [one for one in (rights.qos.get(record.qos), qos) if one is not None]
    if qos is not None and _BEFORE_PARTITION in qos.flags:
        layers.reverse()
    limits = JobLimits()
    for layer in layers:
        limits = limits.over(layer.limits)
    return limits.over(association.limits)
