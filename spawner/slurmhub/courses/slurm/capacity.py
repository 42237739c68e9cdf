"""Whether a class fits at its time, on which nodes, and what would fit where it does not.

A class gets whole nodes. Slurm 22.05 reserves nodes or cores, and neither GPUs nor memory ("TRES
type 'gres/gpu' not supported with reservations"): jobs of others on the cores that are left would
take what the class needs. The nodes are named, since Slurm, when asked for a number of them, takes
any of the partition, and fewer without a word where there are not enough.

Seen with 22.05 (scontrol(1), "Reservations"):
- a reservation is refused on nodes with jobs that end after its start ("Requested nodes are busy"),
  unless IGNORE_JOBS is asked for, and on nodes of another one;
- a server whose time reaches into another reservation of the node is not started there. Room for a
  class therefore is where nothing else is reserved until its servers have ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from slurmhub.courses.slurm.desired import Each
from slurmhub.slurm.gres import gpu_count
from slurmhub.slurm.records import NodeRecord, PartitionRecord

SEARCHED = timedelta(days=7)
"""How far from its time a class that does not fit is looked for another."""

_NEVER = datetime.max.replace(tzinfo=timezone.utc)
_STEP = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Nodes that are not free from `start` until `end`, and then for servers that go on (`tail`).

    With `account`, a job of it has them; otherwise it is a reservation, `reservation` its name.
    """

    nodes: frozenset[str]
    start: datetime
    end: datetime | None
    tail: timedelta = timedelta()
    account: str | None = None
    reservation: str = ""

    def meets(self, start: datetime, end: datetime, tail: timedelta) -> bool:
        """Whether both want the same moment."""
        mine = _NEVER if self.end is None else self.end + self.tail
        if self.account is not None:
            return mine > start and self.start < end
        return mine > start and self.start < end + tail


@dataclass(frozen=True, kw_only=True)
class Room:
    """The room that a class needs; `keep` are nodes that its `reservation` has already."""

    account: str
    partition: str
    start: datetime
    end: datetime
    seats: int
    each: Each
    keep: frozenset[str] = frozenset()
    reservation: str = ""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """It fits on these nodes; with `ignore_jobs`, beside jobs of its own course."""

    nodes: tuple[str, ...]
    seats: int
    ignore_jobs: bool = False


@dataclass(frozen=True, kw_only=True)
class Shortage:
    """It does not fit: there are only so many seats, on these nodes.

    `away` is how many more there would be if every node of the partition were in service, `at` the
    nearest moment at which it would fit, None: none in a week.
    """

    seats: int
    wanted: int
    nodes: tuple[str, ...] = ()
    away: int = 0
    at: datetime | None = None
    why: str = ""

    def __str__(self) -> str:
        if self.why:
            return self.why
        words = [f"There is room for {self.seats} of {self.wanted} servers."]
        if self.away:
            words.append(f"Computers that are out of service now have room for {self.away} more.")
        if self.at is None:
            words.append("It would fit at no other time in the week before and after.")
        else:
            words.append(f"It would fit at {_said(self.at)}.")
        return " ".join(words)

    def of_class(self, start: datetime) -> str:
        """The same of a class that begins then."""
        return f"The class of {_said(start)} does not fit. {self}"


def _said(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


class Cluster:
    """Nodes, partitions and what claims them, for questions about room."""

    def __init__(
        self,
        nodes: Iterable[NodeRecord],
        partitions: Iterable[PartitionRecord],
        claims: Iterable[Claim],
        *,
        now: datetime,
    ) -> None:
        self.nodes: Mapping[str, NodeRecord] = {node.name: node for node in nodes}
        self.now = now
        self._partitions = {partition.name: partition for partition in partitions}
        self._claims: dict[str, list[Claim]] = {}
        for claim in claims:
            self.claim(claim)

    def claim(self, claim: Claim) -> None:
        """From now on these nodes are taken at that time."""
        for node in claim.nodes:
            self._claims.setdefault(node, []).append(claim)

    def place(self, room: Room) -> Placed | Shortage:
        """Nodes for a class: those that it has, then as few others as possible."""
        closed = self._closed(room)
        if closed:
            return Shortage(seats=0, wanted=room.seats, why=closed)
        free = self._free(room, room.start, room.end)
        chosen = choose(free, room.seats, room.keep, self._surplus(free, room.each))
        if chosen is not None:
            own = any(
                claim.account == room.account and claim.meets(room.start, room.end, timedelta())
                for node in set(chosen) - room.keep
                for claim in self._claims.get(node, ())
            )
            seats = sum(free[node] for node in chosen)
            return Placed(nodes=chosen, seats=seats, ignore_jobs=own)
        names = tuple(sorted(free))
        everything = sum(
            seats_on(node, room.each, self._partitions[room.partition])
            for node in self.nodes.values()
            if room.partition in node.partitions and not node.usable
        )
        short = Shortage(seats=sum(free.values()), wanted=room.seats, nodes=names, away=everything)
        return replace(short, at=self._other_time(room))

    def _closed(self, room: Room) -> str:
        """Why the partition takes no server of this course at any time, or nothing."""
        partition = self._partitions.get(room.partition)
        if partition is None:
            return f"The cluster has no partition {room.partition}."
        if not partition.up:
            return f"The partition {room.partition} is closed."
        allowed = partition.allow_accounts
        if (allowed is not None and room.account not in allowed) or (
            room.account in partition.deny_accounts
        ):
            return f"The partition {room.partition} is not open to the account {room.account}."
        longest = partition.max_time.seconds
        if longest is not None and timedelta(seconds=longest) < room.each.lasts:
            return f"The partition {room.partition} ends servers sooner than the course does."
        return ""

    def _free(self, room: Room, start: datetime, end: datetime) -> dict[str, int]:
        """The seats of each node on which nothing is in the way at this time."""
        partition = self._partitions[room.partition]
        found = {}
        for node in self.nodes.values():
            if room.partition not in node.partitions or not node.usable:
                continue
            seats = seats_on(node, room.each, partition)
            if seats and not self._in_the_way(node.name, room, start, end):
                found[node.name] = seats
        return found

    def _in_the_way(self, node: str, room: Room, start: datetime, end: datetime) -> bool:
        for claim in self._claims.get(node, ()):
            if claim.reservation and claim.reservation == room.reservation:
                continue
            if claim.account is not None and (claim.account == room.account or node in room.keep):
                # Who has a server of the course already is one of those for whom the room is.
                continue
            if claim.meets(start, end, room.each.lasts):
                return True
        return False

    def _surplus(self, free: Mapping[str, int], each: Each) -> frozenset[str]:
        """Nodes whose GPUs nobody would use."""
        if each.gpus:
            return frozenset()
        return frozenset(name for name in free if gpu_count(self.nodes[name].gres))

    def _other_time(self, room: Room) -> datetime | None:
        """The nearest start at which it would fit: just after, or just before, what is there."""
        length, tail = room.end - room.start, room.each.lasts
        earliest = max(self.now, room.start - SEARCHED)
        starts = {_after(self.now)}
        for claims in self._claims.values():
            for claim in claims:
                starts.add(_before(claim.start - length - tail))
                if claim.end is not None:
                    starts.add(_after(claim.end + claim.tail))
        near = [start for start in starts if earliest <= start <= room.start + SEARCHED]
        for start in sorted(near, key=lambda one: (abs(one - room.start), one < room.start)):
            free = self._free(replace(room, keep=frozenset()), start, start + length)
            if sum(free.values()) >= room.seats:
                return start
        return None


def seats_on(node: NodeRecord, each: Each, partition: PartitionRecord | None = None) -> int:
    """How many servers have room on a node that has nothing else."""
    cpus = node.cpus
    if partition is not None:
        most = partition.max_memory_per_node
        if most is not None and each.memory > most.mebibytes:
            return 0
        cpus = min(cpus, partition.max_cpus_per_node or cpus)
    seats = min(cpus // each.cpus, node.memory.mebibytes // each.memory)
    if each.gpus:
        seats = min(seats, gpu_count(node.gres, each.gpu_type) // each.gpus)
    if partition is not None and partition.exclusive:
        seats = min(seats, 1)
    return seats


def free_on(node: NodeRecord, each: Each) -> int:
    """How many more servers have room on a node now."""
    memory = node.memory.mebibytes - node.memory_allocated.mebibytes
    seats = min(node.cpus_idle // each.cpus, memory // each.memory)
    if each.gpus:
        left = gpu_count(node.gres, each.gpu_type) - gpu_count(node.gres_used, each.gpu_type)
        seats = min(seats, left // each.gpus)
    return max(0, seats)


def choose(
    free: Mapping[str, int],
    seats: int,
    keep: frozenset[str] = frozenset(),
    avoid: frozenset[str] = frozenset(),
) -> tuple[str, ...] | None:
    """Few nodes that have so many seats together, kept ones first; None: all have too few.

    Asked again with what it chose as `keep`, it chooses the same.
    """

    def order(name: str) -> tuple[bool, bool, int, str]:
        return (name not in keep, name in avoid, -free[name], name)

    chosen: list[str] = []
    missing = seats
    left = sorted(free, key=order)
    while missing > 0:
        if not left:
            return None
        name = left[0]
        if name not in keep and free[name] > missing:
            # The last one: the smallest that is large enough.
            fits = [one for one in left if free[one] >= missing]
            name = min(fits, key=lambda one: (one in avoid, free[one], one))
        left.remove(name)
        chosen.append(name)
        missing -= free[name]
    for name in sorted(chosen, key=lambda one: (free[one], one)):
        if missing + free[name] <= 0:
            chosen.remove(name)
            missing += free[name]
    return tuple(sorted(chosen))


def job_claims(
    jobs: Iterable[tuple[Sequence[str], datetime | None, str]], *, now: datetime
) -> tuple[Claim, ...]:
    """What running jobs hold: of each its nodes, its end, and its account."""
    return tuple(
        Claim(nodes=frozenset(nodes), start=now, end=ends, account=account)
        for nodes, ends, account in jobs
        if nodes
    )


def _after(moment: datetime) -> datetime:
    """The next quarter of an hour."""
    over = timedelta(minutes=moment.minute % 15, seconds=moment.second)
    over += timedelta(microseconds=moment.microsecond)
    return moment - over + (_STEP if over else timedelta())


def _before(moment: datetime) -> datetime:
    rounded = _after(moment)
    return rounded if rounded == moment else rounded - _STEP
