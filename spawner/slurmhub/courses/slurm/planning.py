"""The whole plan of one round: every course, and where its classes have their room."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from slurmhub.courses.slurm import steps
from slurmhub.courses.slurm.actual import Actual
from slurmhub.courses.slurm.capacity import Claim, Cluster, Placed, Room, Shortage
from slurmhub.courses.slurm.desired import ClusterSite, Desired, Reservation, Wanted
from slurmhub.courses.slurm.early import still_needed
from slurmhub.slurm.managing import NewReservation
from slurmhub.slurm.records import ClusterFacts
from slurmhub.slurm.reservations import ReservationRecord

# An end that differs by less is the same: Slurm keeps whole minutes or seconds.
_SAME = timedelta(minutes=1)
# A class is made a moment later than planned.
_SOON = timedelta(seconds=5)


def make_plan(wanted: Desired, actual: Actual, site: ClusterSite, *, now: datetime) -> steps.Plan:
    """All steps of this round, and what stands in the way of the rest."""
    planning = steps.Planning(site, actual)
    for key in sorted(wanted.unwanted):
        steps.take_away(planning, key)
    if wanted.courses:
        steps.parent(planning)
    cluster = Cluster(
        actual.facts.nodes, actual.facts.partitions, _claimed(wanted, actual), now=now
    )
    ready = []
    for course in wanted.courses:
        _moved(planning, course)
        if steps.account_and_qos(planning, course):
            steps.people(planning, course)
            ready.append(course)
    # Classes that have their room keep it; then the nearest come first.
    rooms = [(one, course) for course in ready for one in course.reservations]
    rooms.sort(key=lambda pair: (pair[0].name not in actual.reservations, pair[0].start))
    for reservation, course in rooms:
        _room(planning, cluster, course.key, reservation, now)
    return planning.done(steps.strays(wanted, actual, site))


def foreign_claims(facts: ClusterFacts, own: set[str]) -> Iterator[Claim]:
    """What reservations hold that are not the hub's."""
    for one in facts.reservations:
        if one.name not in own and one.start is not None and one.nodes:
            yield Claim(
                nodes=frozenset(one.nodes), start=one.start, end=one.end, reservation=one.name
            )


def _claimed(wanted: Desired, actual: Actual) -> list[Claim]:
    """What jobs and reservations hold; not what is about to be ended."""
    claims = [*actual.claims, *foreign_claims(actual.facts, set(actual.reservations))]
    for course in wanted.courses:
        for reservation in course.reservations:
            there = actual.reservations.get(reservation.name)
            if there is not None:
                claims.append(_claim(reservation, there.nodes))
    return claims


def _claim(reservation: Reservation, nodes: tuple[str, ...]) -> Claim:
    return Claim(
        nodes=frozenset(nodes),
        start=reservation.start,
        end=reservation.end,
        tail=reservation.each.lasts,
        reservation=reservation.name,
    )


def _moved(planning: steps.Planning, course: Wanted) -> None:
    held = {one.name for one in course.reservations}
    for name, one in sorted(planning.actual.reservations.items()):
        if one.accounts == (course.account.name,) and name not in held:
            steps.end_reservation(planning, course.key, name)


def _room(
    planning: steps.Planning,
    cluster: Cluster,
    key: str,
    reservation: Reservation,
    now: datetime,
) -> None:
    there = planning.actual.reservations.get(reservation.name)
    if reservation.late(now, planning.site.early):
        if there is not None:
            _give_back(planning, cluster, key, reservation, there, now)
        return
    found = cluster.place(
        Room(
            account=reservation.account,
            partition=reservation.partition,
            start=max(reservation.start, now),
            end=reservation.end,
            seats=reservation.seats(now),
            each=reservation.each,
            keep=frozenset(there.nodes if there is not None else ()),
            reservation=reservation.name,
        )
    )
    if isinstance(found, Shortage):
        planning.wait(key, found.of_class(reservation.start))
    if there is None:
        if isinstance(found, Placed):
            _make(planning, key, reservation, found, now)
            cluster.claim(_claim(reservation, found.nodes))
        return
    # One that is there keeps what it has, even where that is not enough any more.
    nodes = found.nodes or there.nodes
    _change(planning, key, reservation, there, nodes)
    cluster.claim(_claim(reservation, nodes))


def _make(
    planning: steps.Planning, key: str, reservation: Reservation, found: Placed, now: datetime
) -> None:
    new = NewReservation(
        name=reservation.name,
        account=reservation.account,
        partition=reservation.partition,
        start=max(reservation.start, now + _SOON),
        end=reservation.end,
        nodes=found.nodes,
        ignore_jobs=found.ignore_jobs,
    )
    planning.step(
        *(key, "make-reservation"),
        f"reserve {', '.join(found.nodes)} for {reservation.seats(now)} servers"
        f" ({reservation.name})",
        lambda client: client.make_reservation(new),
        needed=False,
    )


def _change(
    planning: steps.Planning,
    key: str,
    reservation: Reservation,
    there: ReservationRecord,
    nodes: tuple[str, ...],
) -> None:
    name, end = reservation.name, reservation.end
    if there.end is not None and abs(there.end - end) >= _SAME:
        planning.step(
            *(key, "set-reservation", f"let {name} end at {end:%Y-%m-%d %H:%M} UTC"),
            lambda client: client.set_reservation(name, end=end),
            needed=False,
        )
    if set(nodes) != set(there.nodes):
        planning.step(
            *(key, "set-reservation", f"let {name} have {', '.join(nodes)}"),
            lambda client: client.set_reservation(name, nodes=nodes),
            needed=False,
        )


def _give_back(
    planning: steps.Planning,
    cluster: Cluster,
    key: str,
    reservation: Reservation,
    there: ReservationRecord,
    now: datetime,
) -> None:
    name = reservation.name
    nodes = still_needed(reservation, there.nodes, cluster.nodes, planning.site.early, now)
    if nodes is None or set(nodes) == set(there.nodes):
        return
    if not nodes:
        steps.end_reservation(planning, key, name)
        return
    back = sorted(set(there.nodes) - set(nodes))
    planning.step(
        *(key, "give-back", f"give {', '.join(back)} back from {name}, which few came to"),
        lambda client: client.set_reservation(name, nodes=nodes),
        needed=False,
    )


def room_for(
    facts: ClusterFacts, reservation: Reservation, claims: tuple[Claim, ...], *, now: datetime
) -> Placed | Shortage:
    """Whether a class fits that nobody has asked for yet: what an instructor is told."""
    cluster = Cluster(
        facts.nodes,
        facts.partitions,
        [*claims, *foreign_claims(facts, {reservation.name})],
        now=now,
    )
    return cluster.place(
        Room(
            account=reservation.account,
            partition=reservation.partition,
            start=reservation.start,
            end=reservation.end,
            seats=reservation.seats(now),
            each=reservation.each,
            reservation=reservation.name,
        )
    )
