"""What a class does not use goes back to the cluster while it lasts.

Servers run on beside what is given back: the reservation is FLEX, seen with Slurm 22.05. Only
nodes on which there is room are given back; a full one stays, so that who starts again there finds
a place. It depends on the moment and on what runs, and on nothing that would have to be kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from slurmhub.courses.policy import Early
from slurmhub.courses.slurm.capacity import choose, free_on
from slurmhub.courses.slurm.desired import Reservation
from slurmhub.slurm.records import NodeRecord


def still_needed(
    reservation: Reservation,
    has: Sequence[str],
    nodes: Mapping[str, NodeRecord],
    early: Early,
    now: datetime,
) -> tuple[str, ...] | None:
    """The nodes that a class keeps of those it has; None before its time has come.

    Nodes of which nothing is known stay; those that are out of service do not.
    """
    if not reservation.late(now, early):
        return None
    has = [name for name in has if name not in nodes or nodes[name].usable]
    free = {name: free_on(nodes[name], reservation.each) for name in has if name in nodes}
    full = [name for name in has if not free.get(name)]
    spare = {name: seats for name, seats in free.items() if seats}
    chosen = choose(spare, early.keep_spare)
    if chosen is None:
        return tuple(sorted(has))
    return tuple(sorted([*full, *chosen]))
