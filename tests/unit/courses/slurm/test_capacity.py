"""Whether a class fits, where, and what would."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.courses.slurm.capacity import (
    Claim,
    Cluster,
    Placed,
    Room,
    Shortage,
    choose,
    free_on,
    seats_on,
)
from slurmhub.slurm.gres import Gres
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.records import NodeRecord, PartitionRecord
from slurmhub.slurm.times import TimeLimit
from tests.unit.courses.slurm.made import EACH, HOUR, NOW, node, partition

NODES = tuple(node(f"g{n}") for n in range(1, 5))


def cluster(
    *claims: Claim,
    nodes: tuple[NodeRecord, ...] = NODES,
    part: PartitionRecord | None = None,
) -> Cluster:
    return Cluster(nodes, (part or partition(),), claims, now=NOW)


def room(seats: int, starts: float = 24, keep: frozenset[str] = frozenset()) -> Room:
    start = NOW + starts * HOUR
    return Room(
        account="course-phys101",
        partition="gpu",
        start=start,
        end=start + HOUR,
        seats=seats,
        each=EACH,
        keep=keep,
        reservation="mine",
    )


def claim(
    first: float, last: float | None, *nodes: str, tail: float = 0, account: str | None = None
) -> Claim:
    return Claim(
        nodes=frozenset(nodes),
        start=NOW + first * HOUR,
        end=None if last is None else NOW + last * HOUR,
        tail=tail * HOUR,
        account=account,
        reservation="" if account else "theirs",
    )


@pytest.mark.parametrize(
    ("changes", "seats"),
    [
        ({}, 8),
        ({"gpus": 3}, 3),
        ({"cpus": 5}, 2),
        ({"memory": Memory(4096)}, 2),
        ({"gpus": 0}, 0),
    ],
)
def test_the_scarcest_of_a_node_counts(changes: dict[str, int], seats: int) -> None:
    assert seats_on(node("g1", **changes), EACH) == seats


def test_a_partition_may_leave_less_of_a_node() -> None:
    assert seats_on(NODES[0], EACH, partition(exclusive=True)) == 1
    assert seats_on(NODES[0], EACH, partition(max_cpus_per_node=6)) == 3
    assert seats_on(NODES[0], EACH, partition(max_memory_per_node=Memory(1024))) == 0


def test_only_gpus_of_the_right_type_count() -> None:
    mixed = node("g1", gres=(Gres("gpu", "h100", 2), Gres("gpu", "a100", 6)))
    wants = EACH.__class__(cpus=2, memory=2048, gpus=1, gpu_type="h100", lasts=HOUR)
    assert seats_on(mixed, wants) == 2


def test_what_is_free_now() -> None:
    assert free_on(node("g1", gpus_used=6), EACH) == 2
    assert free_on(node("g1", cpus_idle=3), EACH) == 1
    assert free_on(node("g1", memory_allocated=Memory(65536)), EACH) == 0


def test_few_nodes_and_the_last_no_larger_than_need_be() -> None:
    nodes = (*NODES, node("small", gpus=2))
    found = cluster(nodes=nodes).place(room(10))
    assert found == Placed(nodes=("g1", "small"), seats=10)


def test_a_class_without_gpus_leaves_the_gpus_to_others() -> None:
    nodes = (node("g1"), node("c1", gpus=0, cpus=8))
    wants = EACH.__class__(cpus=2, memory=2048, gpus=0, gpu_type=None, lasts=HOUR)
    found = Cluster(nodes, (partition(),), (), now=NOW).place(
        Room(account="a", partition="gpu", start=NOW, end=NOW + HOUR, seats=4, each=wants)
    )
    assert found == Placed(nodes=("c1",), seats=4)


def test_what_it_has_it_keeps() -> None:
    assert cluster().place(room(16, keep=frozenset({"g2", "g4"}))) == Placed(
        nodes=("g2", "g4"), seats=16
    )
    grown = cluster().place(room(17, keep=frozenset({"g2", "g4"})))
    assert isinstance(grown, Placed)
    assert {"g2", "g4"} < set(grown.nodes)
    shrunk = cluster().place(room(8, keep=frozenset({"g2", "g4"})))
    assert isinstance(shrunk, Placed)
    assert len(shrunk.nodes) == 1


@pytest.mark.parametrize(
    ("first", "last", "tail", "free"),
    [
        (20, 24, 0, True),
        (20, 24.5, 0, False),
        (20, 23, 2, False),
        (20, 22, 2, True),
        (26, 28, 0, False),
        (27, 28, 0, True),
        (20, None, 0, False),
    ],
    ids=["before", "into it", "its servers", "after them", "our servers", "after ours", "for ever"],
)
def test_another_reservation_is_in_the_way(
    first: float, last: float | None, tail: float, free: bool
) -> None:
    theirs = claim(first, last, "g1", tail=tail)
    found = cluster(theirs, nodes=NODES[:1]).place(room(1))
    assert isinstance(found, Placed) is free


def test_a_job_is_in_the_way_only_at_the_start_and_not_one_of_the_course() -> None:
    job = claim(0, 25, "g1", account="research")
    assert isinstance(cluster(job, nodes=NODES[:1]).place(room(1)), Shortage)
    ended = claim(0, 24, "g1", account="research")
    assert isinstance(cluster(ended, nodes=NODES[:1]).place(room(1)), Placed)
    own = claim(0, 25, "g1", account="course-phys101")
    assert cluster(own, nodes=NODES[:1]).place(room(1)) == Placed(
        nodes=("g1",), seats=8, ignore_jobs=True
    )


def test_a_shortage_says_how_many_and_when() -> None:
    theirs = claim(20, 30, "g1", "g2", "g3")
    found = cluster(theirs).place(room(20))
    assert found == Shortage(seats=8, wanted=20, nodes=("g4",), at=NOW + 30 * HOUR)
    assert str(found) == (
        "There is room for 8 of 20 servers. It would fit at 2026-10-06 15:00 UTC."
    )
    never = cluster().place(room(33))
    assert isinstance(never, Shortage)
    assert never.at is None
    assert "at no other time" in str(never)
    broken = cluster(nodes=(*NODES[:3], node("g4", usable=False))).place(room(32))
    assert isinstance(broken, Shortage)
    assert (broken.seats, broken.away) == (24, 8)


@pytest.mark.parametrize(
    ("part", "word"),
    [
        (partition(name="cpu"), "no partition gpu"),
        (partition(up=False), "closed"),
        (partition(allow_accounts=("research",)), "not open"),
        (partition(deny_accounts=("course-phys101",)), "not open"),
        (partition(max_time=TimeLimit.of_minutes(60)), "sooner"),
    ],
)
def test_a_partition_that_takes_no_such_server(part: PartitionRecord, word: str) -> None:
    found = cluster(part=part).place(room(1))
    assert isinstance(found, Shortage)
    assert word in str(found)


@given(
    free=st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 9)),
    seats=st.integers(1, 40),
    keep=st.frozensets(st.sampled_from("abcdefgh")),
    avoid=st.frozensets(st.sampled_from("abcdefgh")),
)
def test_what_was_chosen_is_enough_not_too_much_and_chosen_again(
    free: dict[str, int], seats: int, keep: frozenset[str], avoid: frozenset[str]
) -> None:
    chosen = choose(free, seats, keep, avoid)
    if chosen is None:
        assert sum(free.values()) < seats
        return
    total = sum(free[name] for name in chosen)
    assert total >= seats
    assert all(total - free[name] < seats for name in chosen), "none of them could be left out"
    assert choose(free, seats, frozenset(chosen), avoid) == chosen


@given(
    busy=st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 10), st.integers(1, 4)), max_size=12
    ),
    seats=st.integers(1, 32),
)
def test_the_time_that_is_named_really_fits(busy: list[tuple[int, int, int]], seats: int) -> None:
    claims = [claim(first, first + lasts, f"g{n}", tail=1) for first, lasts, n in busy]
    found = cluster(*claims).place(room(seats))
    if isinstance(found, Placed):
        return
    assert found.at is not None, "all is free after three days"
    starts: datetime = found.at
    again = cluster(*claims).place(room(seats, starts=(starts - NOW) / timedelta(hours=1)))
    assert isinstance(again, Placed)
