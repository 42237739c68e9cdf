"""What may be asked for now: the cluster's own bounds, narrowed by the site's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import cached_property

from slurmhub.options.equipment import site_of
from slurmhub.options.fitting import Wishes, completed
from slurmhub.options.limits import SiteLimits
from slurmhub.options.maintenance import LONGEST
from slurmhub.options.narrowing import Terms, terms_problems, under
from slurmhub.options.opening import Opened, opened
from slurmhub.options.partitions import PartitionOffer, ReservationOffer
from slurmhub.options.refusal import Problem, Refusal, shown
from slurmhub.options.request import JobRequest
from slurmhub.options.terms import (
    AccountChoice,
    AccountChoices,
    Rights,
    reservation_terms,
    why_shut,
)
from slurmhub.slurm.records import ClusterFacts

_NOBODY = Rights(name="")

__all__ = ["LONGEST", "ClosedPartition", "Offer", "nothing_offered"]


@dataclass(frozen=True)
class ClosedPartition:
    """A partition that could be chosen if it took jobs; `reason` completes "it ..."."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What may be asked for, as it was known at `taken_at` (UTC).

    `partitions` are in the cluster's order; `default` names the one that is chosen when nothing
    else is said, None only where there is none at all. `rights` are those of the person it is
    for, None where nobody's are considered.
    """

    taken_at: datetime
    partitions: tuple[PartitionOffer, ...]
    closed: tuple[ClosedPartition, ...]
    default: str | None
    limits: SiteLimits
    rights: Rights | None = None

    @classmethod
    def from_facts(
        cls,
        facts: ClusterFacts,
        limits: SiteLimits,
        rights: Rights | None = None,
        *,
        now: datetime | None = None,
    ) -> Offer:
        """Narrow the facts to what this site lets people choose, and this person use, at `now`."""
        choices = AccountChoices(rights or _NOBODY)
        offers: list[PartitionOffer] = []
        closed: list[ClosedPartition] = []
        for one in opened(site_of(facts), limits, now or datetime.now(timezone.utc)):
            shut = why_shut(one.record, rights) if rights is not None else None
            reason = one.reason or shut
            if one.offer is None or reason:
                closed.append(ClosedPartition(shown(one.record.name), reason or ""))
            else:
                offers.append(_personal(one, limits, rights, choices) if rights else one.offer)
        return cls(
            taken_at=facts.taken_at,
            partitions=tuple(offers),
            closed=tuple(closed),
            default=_default_name([offer.name for offer in offers], facts, limits),
            limits=limits,
            rights=rights,
        )

    @cached_property
    def _by_name(self) -> dict[str, PartitionOffer]:
        return {partition.name: partition for partition in self.partitions}

    @property
    def names(self) -> tuple[str, ...]:
        """The partitions that can be chosen."""
        return tuple(self._by_name)

    @cached_property
    def gpu_types(self) -> tuple[str, ...]:
        """The named types of GPU of all partitions, in order."""
        return tuple(sorted({name for one in self.partitions for name in one.gpu_types}))

    @cached_property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that can be chosen somewhere, in order."""
        if self.limits.account is not None:
            return ()
        return tuple(sorted({a.name for one in self.partitions for a in one.accounts}))

    @cached_property
    def qos(self) -> tuple[str, ...]:
        """The QOS that can be chosen somewhere, in order."""
        if self.limits.qos is not None:
            return ()
        choices = (account for one in self.partitions for account in one.accounts)
        return tuple(sorted({qos.name for account in choices for qos in account.qos}))

    @cached_property
    def reservations(self) -> tuple[str, ...]:
        """The reservations that can be chosen somewhere, in order."""
        return tuple(sorted({r.name for one in self.partitions for r in one.reservations}))

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The features that some nodes have and others do not, in order."""
        shapes = [shape for one in self.partitions for shape in one.shapes]
        every = set.intersection(*(set(shape.features) for shape in shapes)) if shapes else set()
        return tuple(sorted({name for shape in shapes for name in shape.features} - every))

    @property
    def awaits_accounting(self) -> bool:
        """Whether there is accounting that has not answered yet."""
        return self.rights is not None and self.rights.awaited

    @cached_property
    def with_gpus(self) -> tuple[str, ...]:
        """The partitions that have GPUs."""
        return tuple(one.name for one in self.partitions if one.has_gpus)

    def partition(self, name: str | None) -> PartitionOffer | None:
        """The partition of that name, if it can be chosen."""
        return self._by_name.get(name) if name is not None else None

    def why_closed(self, name: str) -> str | None:
        """Why a partition takes no jobs now, if that is so and may be told."""
        return next((one.reason for one in self.closed if one.name == name), None)

    def default_request(self) -> JobRequest:
        """What is asked for by who leaves everything open; Refusal where nothing is offered."""
        partition = self.partition(self.default)
        if partition is None:
            raise nothing_offered(self)
        return completed(partition, Wishes(), Wishes(), self.limits)

    def allows(self, request: JobRequest) -> bool:
        """Whether the request is inside this offer."""
        partition = self.partition(request.partition)
        if partition is None:
            return False
        terms = Terms(request.account, request.qos, request.reservation)
        if terms_problems(partition, terms, awaited=self.awaits_accounting):
            return False
        narrowed = under(partition, terms)
        wishes = Wishes(
            cpus=request.cpus,
            memory=request.memory,
            gpus=request.gpus,
            gpu_type=request.gpu_type,
            features=request.features,
            time=request.time,
        )
        return request.time <= narrowed.max_time and bool(narrowed.holding(wishes.share))


def nothing_offered(offer: Offer) -> Refusal:
    """No partition takes jobs: said with each one's reason."""
    reasons = " ".join(f"Partition {one.name} {one.reason}." for one in offer.closed)
    message = f"No partition of the cluster takes jobs at the moment. {reasons}".strip()
    return Refusal(
        [Problem("partition", "", message)],
        what="No server can be started now.",
        remedy="Try again later, or ask the people who run this hub.",
    )


def _personal(
    one: Opened, limits: SiteLimits, rights: Rights, choices: AccountChoices
) -> PartitionOffer:
    """A partition's offer with what this person may choose there."""
    assert one.offer is not None  # noqa: S101 - the caller has looked
    accounts = _fixed(choices.of(one.record), limits)
    reservations = []
    for held in one.held:
        terms = reservation_terms(held.record, rights)
        if terms is not None:
            reservations.append(ReservationOffer(terms=terms, shapes=held.shapes))
    return replace(one.offer, accounts=accounts, reservations=tuple(reservations))


def _fixed(choices: tuple[AccountChoice, ...], limits: SiteLimits) -> tuple[AccountChoice, ...]:
    """The choices that the site's own account and QOS leave; those are then the usual ones."""
    if limits.account is None and limits.qos is None:
        return choices
    found = []
    for one in choices:
        account = one
        if limits.account is not None:
            if one.name != limits.account:
                continue
            account = replace(account, default=True)
        if limits.qos is not None:
            kept = [replace(qos, default=True) for qos in one.qos if qos.name == limits.qos]
            account = replace(account, qos=tuple(kept), usual_qos=limits.qos)
        found.append(account)
    return tuple(found)


def _default_name(names: Sequence[str], facts: ClusterFacts, limits: SiteLimits) -> str | None:
    for name in (limits.default_partition, *(p.name for p in facts.partitions if p.default)):
        if name in names:
            return name
    return names[0] if names else None
