"""A maintenance ends what may be asked for, on its own nodes; parts of GPUs; what is free."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from tests.unit.options.conftest import make_facts, make_node, make_partition

from slurmhub.options.form import free_words, has_words
from slurmhub.options.limits import SiteLimits
from slurmhub.options.offer import Offer
from slurmhub.options.partitions import PartitionOffer
from slurmhub.options.reading import prefill, read_request
from slurmhub.options.refusal import Refusal
from slurmhub.options.words import moment_plain
from slurmhub.slurm.gres import Gres, parse_gres
from slurmhub.slurm.records import ClusterFacts
from slurmhub.slurm.reservations import ReservationRecord
from slurmhub.slurm.times import TimeLimit

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
MAINT = frozenset({"MAINT", "SPEC_NODES"})


def maintenance(*nodes: str, start: datetime = NOW + 3 * HOUR, **changes: Any) -> ReservationRecord:
    values: dict[str, Any] = {"end": start + HOUR, "users": ("root",), "flags": MAINT}
    return ReservationRecord(name="upgrade", start=start, nodes=nodes, **values | changes)


def facts_with(*reservations: ReservationRecord) -> ClusterFacts:
    nodes = [make_node("a"), make_node("b", cpus=4), make_node("c", cpus=32)]
    facts = make_facts(nodes, [make_partition("p", "a", "b"), make_partition("q", "c")])
    return replace(facts, reservations=reservations)


def offered(*reservations: ReservationRecord, now: datetime = NOW) -> Offer:
    return Offer.from_facts(facts_with(*reservations), SiteLimits(), now=now)


def partition(offer: Offer, name: str = "p") -> PartitionOffer:
    found = offer.partition(name)
    assert found is not None
    return found


def refusal(offer: Offer, **raw: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_request({"partition": "p", **raw}, offer)
    return caught.value


def test_times_end_before_the_maintenance() -> None:
    offer = offered(maintenance("a", "b"))
    longest = TimeLimit.of_minutes(178)
    assert partition(offer).max_time == longest
    assert read_request({"partition": "p", "hours": str(longest)}, offer).time == longest
    (problem,) = refusal(offer, hours="4").problems
    begins = moment_plain(NOW + 3 * HOUR)
    assert problem.message == (
        f"Maintenance of partition p begins at {begins}: "
        "a job of now can run for at most 2 hours 58 minutes."
    )
    assert (problem.field, problem.limit) == ("hours", "2 hours 58 minutes")
    (offered_time,) = problem.choices
    assert TimeLimit.parse("2:50:00") == read_request({"hours": offered_time}, offer).time
    assert f"until the maintenance at {begins}" in has_words(partition(offer))
    assert partition(offer, "q").max_time == TimeLimit.parse("8:00:00")


def test_the_form_offers_the_longest_time_that_ends_before_it() -> None:
    offer = offered(maintenance("a", "b", start=NOW + HOUR))
    values, problems = prefill({"partition": "p"}, offer, previous={"hours": "08:00:00"})
    assert problems == ()
    assert TimeLimit.parse(values["hours"]) == TimeLimit.parse("50:00")
    later = offered(maintenance("a", "b", start=NOW + HOUR), now=NOW + timedelta(minutes=5))
    assert read_request({"partition": "p", "hours": values["hours"]}, later).time.minutes == 50


def test_nodes_without_maintenance_are_the_best_there_are() -> None:
    offer = offered(maintenance("a"))
    assert partition(offer).max_time == TimeLimit.parse("8:00:00")
    assert read_request({"partition": "p", "cpus": "4", "hours": "8"}, offer).cpus == 4
    assert read_request({"partition": "p", "cpus": "8", "hours": "2"}, offer).cpus == 8
    (problem,) = refusal(offer, cpus="8", hours="8").problems
    assert problem.field == "hours"
    assert "Maintenance of the nodes that have this begins at" in problem.message
    assert (problem.limit, problem.choices) == ("2 hours 58 minutes", ("02:50:00",))


def test_a_maintenance_that_is_on_leaves_the_other_nodes() -> None:
    on = maintenance("a", start=NOW - HOUR, end=NOW + HOUR)
    offer = offered(on)
    assert (partition(offer).max_cpus, partition(offer).all_down) == (4, False)
    every = partition(offered(maintenance("a", "b", start=NOW - HOUR, end=NOW + HOUR)))
    assert (every.max_cpus, every.all_down) == (8, True)
    back = moment_plain(NOW + HOUR)
    assert f"in maintenance until {back}" in free_words(every)
    assert every.max_time == TimeLimit.parse("8:00:00"), "a job waits until it is over"


def test_one_that_is_over_or_never_comes_bounds_nothing() -> None:
    over = maintenance("a", "b", start=NOW - 3 * HOUR)
    floating = maintenance("a", "b", flags=MAINT | {"TIME_FLOAT"})
    ordinary = maintenance("a", "b", flags=frozenset({"SPEC_NODES"}))
    far = maintenance("a", "b", start=NOW + timedelta(days=500))
    for one in (over, floating, ordinary, far):
        assert partition(offered(one)).max_time == TimeLimit.parse("8:00:00")


def test_the_same_facts_at_another_minute() -> None:
    facts = facts_with(maintenance("a", "b"))
    for minutes, left in ((0, 178), (60, 118), (120, 58)):
        now = NOW + timedelta(minutes=minutes)
        offer = Offer.from_facts(facts, SiteLimits(), now=now)
        assert partition(offer).max_time == TimeLimit.of_minutes(left)


def test_reserved_nodes_are_not_free_for_others() -> None:
    held = maintenance("a", start=NOW - HOUR, end=NOW + HOUR, flags=frozenset(), users=("bob",))
    assert free_words(partition(offered(held))) == "4 of 12 CPUs free"
    part = replace(held, cpus=2)
    assert free_words(partition(offered(part))) == "12 of 12 CPUs free"


def test_shards_are_parts_of_one_gpu() -> None:
    node = make_node(
        "g",
        gres=parse_gres("gpu:h100:2,shard:h100:16"),
        gres_used=parse_gres("gpu:h100:1(IDX:0),shard:h100:3(0/8,3/8)"),
    )
    facts = make_facts([node], [make_partition("gpu", "g")])
    offer = Offer.from_facts(facts, SiteLimits(), now=NOW)
    gpu = partition(offer, "gpu")
    assert (gpu.max_gpus(), gpu.max_gpus("shard"), gpu.sole_gpu_type) == (2, 8, "h100")
    assert free_words(gpu) == ("8 of 8 CPUs free, 1 of 2 h100 GPUs free, 5 of 16 GPU shards free")
    request = read_request({"gpu_type": "shard", "gpus": "8"}, offer)
    assert request.gres == Gres("shard", None, 8)
    with pytest.raises(Refusal, match="at most 8 GPU shards"):
        read_request({"gpu_type": "shard", "gpus": "9"}, offer)
    assert read_request({"gpus": "1"}, offer).gres == Gres("gpu", "h100", 1)
    none = Offer.from_facts(facts, SiteLimits(max_gpus=0), now=NOW)
    assert none.with_gpus == ()
