"""What an account, a QOS and a reservation leave of a partition, and which of them fit together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from slurmhub.options.partitions import NodeShape, PartitionOffer, ReservationOffer
from slurmhub.options.refusal import Problem
from slurmhub.options.terms import AccountChoice
from slurmhub.options.words import SHARD
from slurmhub.slurm.accounting import JobLimits
from slurmhub.slurm.times import TimeLimit

_NO_LIMITS = JobLimits()


@dataclass(frozen=True)
class Terms:
    """Who is charged, and by which rules; None leaves it to Slurm, and is no reservation."""

    account: str | None = None
    qos: str | None = None
    reservation: str | None = None


def under(partition: PartitionOffer, terms: Terms) -> PartitionOffer:
    """The partition as it is with these terms; a term that is no choice there changes nothing."""
    account = account_meant(partition, terms)
    qos = account.qos_named(terms.qos) if account is not None else None
    limits = _NO_LIMITS
    if account is not None:
        limits = account.limits if qos is None else qos.limits
    reservation = reservation_named(partition, terms.reservation)
    lifted = qos is not None and qos.lifts_time
    if reservation is None and limits == _NO_LIMITS and not lifted:
        return partition
    shapes = partition.shapes if reservation is None else reservation.shapes
    bound = partition.open_time if lifted else partition.time_bound
    return replace(
        partition,
        shapes=tuple(limited(shape, limits) for shape in shapes),
        time_bound=bound if limits.time is None else min(bound, whole_minutes(limits.time)),
        qos=qos.name if qos is not None else None,
        reservation=reservation.name if reservation is not None else None,
    )


def limited(shape: NodeShape, limits: JobLimits) -> NodeShape:
    """The shape within the limits of one job, except of its time."""
    cpus = shape.cpus if limits.cpus is None else min(shape.cpus, max(1, limits.cpus))
    memory = shape.memory if limits.memory is None else min(shape.memory, limits.memory)
    if not limits.gpus:
        alike = cpus == shape.cpus and memory == shape.memory
        return shape if alike else replace(shape, cpus=cpus, memory=memory)
    most = dict(limits.gpus)
    every = most.get(None)
    counts = []
    for name, count in shape.gpus:
        bounds = [most[name]] if name in most else []
        if every is not None and name != SHARD:
            bounds.append(every)
        counts.append((name, min([count, *bounds])))
    total = sum(count for name, count in counts if name != SHARD)
    return replace(
        shape,
        cpus=cpus,
        memory=memory,
        gpus=tuple(one for one in counts if one[1]),
        gpu_total=min(n for n in (shape.gpu_total, total, every) if n is not None),
    )


def whole_minutes(time: TimeLimit) -> TimeLimit:
    """The time without its seconds, at least a minute."""
    return time if time.seconds is None else TimeLimit.of_minutes(max(1, time.seconds // 60))


def account_meant(partition: PartitionOffer, terms: Terms) -> AccountChoice | None:
    """The account of that name, or the one that is charged where none is named."""
    if terms.account is not None:
        return next((one for one in partition.accounts if one.name == terms.account), None)
    allowed = _accounts_for(partition, reservation_named(partition, terms.reservation))
    return allowed[0] if allowed else None


def reservation_named(partition: PartitionOffer, name: str | None) -> ReservationOffer | None:
    """The reservation of that name, if it can be used there."""
    return next((one for one in partition.reservations if one.name == name), None)


def settled(partition: PartitionOffer, wished: Terms, before: Terms) -> Terms:
    """The terms of a job: as wished, else as before where that is still possible, else usual.

    What Slurm itself would choose is left to it.
    """
    reservation = wished.reservation
    if reservation is None and _fit(partition, replace(wished, reservation=before.reservation)):
        reservation = before.reservation
    name = wished.account
    mixed = replace(wished, account=before.account, reservation=reservation)
    if name is None and _fit(partition, mixed):
        name = before.account
    account = account_meant(partition, Terms(name, None, reservation))
    if name is None and account is not None and not account.default:
        name = account.name
    return Terms(name, _settled_qos(account, wished.qos, before.qos), reservation)


def terms_problems(partition: PartitionOffer, wished: Terms, *, awaited: bool) -> list[Problem]:
    """Everything in the terms that this partition does not have for this person.

    While the accounting is `awaited`, names of accounts and QOS are left to Slurm.
    """
    held = reservation_named(partition, wished.reservation)
    found = []
    if wished.reservation is not None and held is None:
        message = f"There is no such reservation for you in partition {partition.name}."
        choices = tuple(one.name for one in partition.reservations) or ("none",)
        found.append(Problem("reservation", wished.reservation, message, choices=choices))
    if awaited:
        return found
    account = account_meant(partition, wished)
    if wished.account is not None:
        found += _account_problem(partition, wished.account, held)
    if wished.qos is not None and (account is not None or wished.account is None):
        found += _qos_problem(partition, account, wished.qos)
    qos = account.qos_named(wished.qos) if account is not None else None
    if qos is not None and qos.needs_reservation and wished.reservation is None:
        message = f"QOS {qos.name} is for jobs in a reservation only: choose one."
        choices = tuple(one.name for one in partition.reservations) or ("none",)
        found.append(Problem("reservation", "", message, choices=choices))
    return found


def _fit(partition: PartitionOffer, terms: Terms) -> bool:
    """Whether these terms go together there, which each of them by itself does not say."""
    return not terms_problems(partition, terms, awaited=False)


def _account_problem(
    partition: PartitionOffer, name: str, held: ReservationOffer | None
) -> list[Problem]:
    if name not in [one.name for one in partition.accounts]:
        message = f"You have no such account for partition {partition.name}."
        choices = tuple(one.name for one in partition.accounts) or ("none",)
        return [Problem("account", name, message, choices=choices)]
    allowed = [one.name for one in _accounts_for(partition, held)]
    if held is not None and name not in allowed:
        message = f"Reservation {held.name} is not for this account."
        return [Problem("account", name, message, choices=tuple(allowed) or ("none",))]
    return []


def _qos_problem(
    partition: PartitionOffer, account: AccountChoice | None, name: str
) -> list[Problem]:
    names = tuple(one.name for one in account.qos) if account is not None else ()
    if name in names:
        return []
    if account is None or not names:
        message = f"There is no QOS to choose in partition {partition.name}."
        return [Problem("qos", name, message, choices=("none",))]
    message = f"Account {account.name} has no such QOS in partition {partition.name}."
    return [Problem("qos", name, message, choices=names)]


def _accounts_for(
    partition: PartitionOffer, held: ReservationOffer | None
) -> Sequence[AccountChoice]:
    if held is None or held.terms.accounts is None:
        return partition.accounts
    return [one for one in partition.accounts if one.name in held.terms.accounts]


def _settled_qos(
    account: AccountChoice | None, wished: str | None, before: str | None
) -> str | None:
    if wished is not None or account is None:
        return wished
    if before in [one.name for one in account.qos]:
        return before
    meant = account.qos_named(None)
    return meant.name if meant is not None and meant.name != account.usual_qos else None
