"""What Slurm has of the courses of a hub.

Only what carries the hub's mark counts as its own: an account by its Organization, a QOS by its
Description, a reservation by its name and by being for exactly one account of the hub's
(reservations have no comment in 22.05). Nothing else is ever changed or removed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from slurmhub.courses.slurm.capacity import Claim, job_claims
from slurmhub.courses.slurm.desired import (
    PREFIX,
    ClusterSite,
    Desired,
    account_of,
    key_of_reservation,
)
from slurmhub.slurm.entities import Association, Qos, by_account
from slurmhub.slurm.managing import ManagingClient
from slurmhub.slurm.records import ClusterFacts, JobRecord
from slurmhub.slurm.reservations import ReservationRecord
from slurmhub.slurm.states import JobState


@dataclass(frozen=True, kw_only=True)
class Actual:
    """What is there now.

    `organizations` are all accounts with theirs, `accounts` the associations of the hub's own and
    of the one above them, `members` who is in them, `jobs` how many unfinished jobs each person has
    with each of the hub's accounts and `waiting` how many of them have not begun, `claims` what
    running jobs hold.
    """

    facts: ClusterFacts
    organizations: Mapping[str, str]
    accounts: Mapping[str, Association]
    members: Mapping[str, Mapping[str, Association]]
    qos: Mapping[str, Qos]
    reservations: Mapping[str, ReservationRecord]
    jobs: Mapping[str, Mapping[str, int]]
    claims: tuple[Claim, ...]
    waiting: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def foreign(self, account: str, site: ClusterSite) -> bool:
        """Whether an account of this name is there that is not this hub's."""
        return self.organizations.get(account, site.mark) != site.mark


async def look(
    client: ManagingClient, site: ClusterSite, wanted: Desired, *, now: datetime
) -> Actual:
    """Ask Slurm; raises SlurmError. Changes nothing."""
    classes = any(course.reservations for course in wanted.courses)
    organizations, qos, facts, running = await asyncio.gather(
        client.accounts(), client.all_qos(), client.facts(), _running(client, asked=classes)
    )
    own = {
        name
        for name, organization in organizations.items()
        if name.startswith(PREFIX) and organization == site.mark
    }
    found = await client.associations({*own, site.parent})
    members: dict[str, dict[str, Association]] = {name: {} for name in own}
    for one in found:
        if one.user and one.account in own:
            members[one.account][one.user] = one
    jobs, waiting = await _unfinished(client, own & _losing(wanted, members))
    return Actual(
        facts=facts,
        organizations=organizations,
        accounts=by_account(found),
        members=members,
        qos=qos,
        reservations=_own_reservations(facts, own, now),
        jobs=jobs,
        claims=_claims(running, now),
        waiting=waiting,
    )


def _losing(wanted: Desired, members: Mapping[str, Mapping[str, Association]]) -> set[str]:
    """The accounts that somebody is to leave, or that are to go."""
    losing = {account_of(key) for key in wanted.unwanted}
    for course in wanted.courses:
        if members.get(course.account.name, {}).keys() - course.members:
            losing.add(course.account.name)
    return losing


async def _running(client: ManagingClient, *, asked: bool) -> list[JobRecord]:
    return await client.occupants() if asked else []


_Counts = dict[str, Counter[str]]


async def _unfinished(client: ManagingClient, accounts: set[str]) -> tuple[_Counts, _Counts]:
    """How many jobs each person has with each account, and how many of them wait."""
    found: _Counts = {name: Counter() for name in accounts}
    waiting: _Counts = {name: Counter() for name in accounts}
    if accounts:
        for job in await client.occupants(accounts):
            if job.account in found:
                found[job.account][job.user] += 1
                if job.state is JobState.PENDING:
                    waiting[job.account][job.user] += 1
    return found, waiting


def _own_reservations(
    facts: ClusterFacts, own: set[str], now: datetime
) -> dict[str, ReservationRecord]:
    """Those that are not over: Slurm shows one in use for a minute after its end."""
    return {
        one.name: one
        for one in facts.reservations
        if (key := key_of_reservation(one.name)) is not None
        and account_of(key) in own
        and one.accounts == (account_of(key),)
        and (one.end is None or one.end > now)
    }


def _claims(jobs: list[JobRecord], now: datetime) -> tuple[Claim, ...]:
    return job_claims(((job.node_list, job.ends, job.account) for job in jobs), now=now)
