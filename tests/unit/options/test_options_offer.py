"""What is offered: the cluster's bounds, narrowed by the site's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from slurmhub.options.form import free_words, has_words
from slurmhub.options.limits import LimitsError, SiteLimits
from slurmhub.options.offer import LONGEST, Offer
from slurmhub.options.partitions import NodeShape, PartitionOffer, largest
from slurmhub.options.refusal import Refusal
from slurmhub.slurm.gres import parse_gres
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.records import ClusterFacts
from slurmhub.slurm.times import TimeLimit

Make = Callable[..., Any]


def named(offer: Offer, name: str) -> PartitionOffer:
    found = offer.partition(name)
    assert found is not None
    return found


def test_each_partition_has_its_own_bounds(offer: Offer) -> None:
    assert offer.names == ("cpu", "gpu", "mixed", "plain")
    assert offer.default == "cpu"
    assert offer.gpu_types == ("a100", "a100_3g.20gb", "h100")
    assert offer.with_gpus == ("gpu", "mixed", "plain")
    cpu, gpu = named(offer, "cpu"), named(offer, "gpu")
    assert (cpu.max_cpus, cpu.max_memory, cpu.max_gpus()) == (8, Memory(16000), 0)
    assert gpu.max_time == TimeLimit.parse("1-0")
    assert (gpu.max_gpus("h100"), gpu.sole_gpu_type) == (4, "h100")


def test_kinds_of_nodes_are_kept_apart(offer: Offer) -> None:
    mixed = named(offer, "mixed")
    assert mixed.shapes == (
        NodeShape(16, Memory(16000), (("a100", 2), ("a100_3g.20gb", 4)), 6),
        NodeShape(64, Memory(256000)),
    )
    assert (mixed.max_gpus("a100"), mixed.max_gpus(), mixed.sole_gpu_type) == (2, 6, None)


def test_gpus_without_a_type(offer: Offer) -> None:
    plain = named(offer, "plain")
    assert (plain.gpu_types, plain.max_gpus(), plain.sole_gpu_type) == ((), 4, None)


def test_a_partition_without_limit_gets_one(offer: Offer) -> None:
    assert named(offer, "plain").max_time == LONGEST


def test_hidden_partitions_are_offered_only_by_name(facts: ClusterFacts) -> None:
    offer = Offer.from_facts(facts, SiteLimits(partitions=("secret", "gpu", "gone")))
    assert offer.names == ("gpu", "secret")
    assert offer.default == "gpu"


def test_a_closed_partition_says_why(offer: Offer) -> None:
    assert offer.partition("drained") is None
    assert "closed" in str(offer.why_closed("drained"))
    assert offer.why_closed("secret") is None


def test_nodes_that_are_down_do_not_count(offer_of: Make, node: Make, partition: Make) -> None:
    nodes = [node("a"), node("b", cpus=128, usable=False)]
    found = named(offer_of(nodes, [partition("p", "a", "b")]), "p")
    assert (found.max_cpus, found.all_down) == (8, False)
    assert free_words(found) == "8 of 8 CPUs free"


def test_unless_all_are_down(offer_of: Make, node: Make, partition: Make) -> None:
    nodes = [node("a", usable=False), node("b", cpus=128, usable=False)]
    found = named(offer_of(nodes, [partition("p", "a", "b")]), "p")
    assert (found.max_cpus, found.all_down) == (128, True)
    assert "down" in free_words(found)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"up": False}, "closed"),
        ({"nodes": ()}, "no nodes"),
        ({"nodes": ("elsewhere",)}, "no nodes"),
        ({"max_time": TimeLimit.of_seconds(59)}, "minute"),
        ({"name": "a b"}, "name"),
        ({"name": "a\n#SBATCH"}, "name"),
    ],
)
def test_partitions_that_cannot_take_a_job(
    offer_of: Make, node: Make, partition: Make, changes: dict[str, Any], reason: str
) -> None:
    usual = partition("p", "a")
    assert offer_of([node("a")], [usual]).names == ("p",)
    values = {name: getattr(usual, name) for name in usual.__slots__} | changes
    offer = offer_of([node("a")], [type(usual)(**values)])
    assert offer.names == ()
    assert reason in offer.closed[0].reason
    with pytest.raises(Refusal, match="takes jobs"):
        offer.default_request()


def test_limits_of_the_partition(offer_of: Make, node: Make, partition: Make) -> None:
    record = partition(
        "p", "a", max_cpus_per_node=4, max_memory_per_cpu=Memory(1000), default_time=None
    )
    found = named(offer_of([node("a")], [record]), "p")
    assert (found.max_cpus, found.max_memory) == (4, Memory(4000))
    assert found.cpus_for(Memory(3001)) == 4
    zero = partition("p", "a", max_cpus_per_node=0, max_memory_per_node=Memory(0))
    found = named(offer_of([node("a")], [zero]), "p")
    assert (found.max_cpus, found.max_memory) == (8, Memory(16000))


def test_limits_of_the_site(facts: ClusterFacts) -> None:
    limits = SiteLimits(
        max_cpus=2,
        max_memory=Memory(2000),
        max_gpus=1,
        max_time=TimeLimit.parse("2:00:30"),
        default_partition="gpu",
        default_gpus=3,
        default_gpu_type="h100",
        default_cpus=100,
        default_memory=Memory(10**6),
        default_time=TimeLimit.parse("3:00:00"),
    )
    offer = Offer.from_facts(facts, limits)
    gpu = named(offer, "gpu")
    assert (gpu.max_cpus, gpu.max_memory, gpu.max_gpus("h100")) == (2, Memory(2000), 1)
    assert gpu.max_time == TimeLimit.parse("2:00:00")
    assert offer.default_request().stored() == {
        "partition": "gpu",
        "cpus": 2,
        "memory": "2000M",
        "gpu_type": "h100",
        "gpus": 1,
        "hours": "02:00:00",
    }
    none = Offer.from_facts(facts, SiteLimits(max_gpus=0))
    assert (none.with_gpus, none.gpu_types) == ((), ())


def test_defaults_are_small(offer: Offer) -> None:
    assert offer.default_request().stored() == {
        "partition": "cpu",
        "cpus": 1,
        "memory": "2048M",
        "gpu_type": "",
        "gpus": 0,
        "hours": "01:00:00",
    }


def test_the_partitions_own_default_time(offer_of: Make, node: Make, partition: Make) -> None:
    record = partition("p", "a", default_time=TimeLimit.of_seconds(1801))
    assert offer_of([node("a")], [record]).default_request().time == TimeLimit.of_minutes(31)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_cpus": 0},
        {"max_gpus": -1},
        {"default_cpus": 0},
        {"max_memory": Memory(0)},
        {"max_time": TimeLimit.of_seconds(30)},
        {"partitions": ()},
    ],
)
def test_limits_that_make_no_sense(wrong: dict[str, Any]) -> None:
    assert SiteLimits(max_cpus=1, max_gpus=0)
    with pytest.raises(LimitsError, match=next(iter(wrong))):
        SiteLimits(**wrong)


def test_words_of_a_partition(offer: Offer) -> None:
    gpu = named(offer, "gpu")
    assert has_words(gpu) == "up to 8 CPUs, 64 GB; GPUs: 4 \u00d7 h100; up to 24 hours"
    assert free_words(gpu) == "8 of 8 CPUs free, 2 of 4 h100 GPUs free"
    assert free_words(named(offer, "cpu")) == "3 of 8 CPUs free"
    assert "GPUs: 4;" in has_words(named(offer, "plain"))


def test_uses_without_a_type_are_counted(offer_of: Make, node: Make, partition: Make) -> None:
    gpus = {"gres": parse_gres("gpu:h100:4"), "gres_used": parse_gres("gpu:3")}
    found = named(offer_of([node("a", **gpus)], [partition("p", "a")]), "p")
    assert found.free is not None
    assert found.free.gpus == (("h100", 1, 4),)


def test_only_shapes_that_add_something_are_kept() -> None:
    big, same, wide = NodeShape(8, Memory(8)), NodeShape(8, Memory(8)), NodeShape(9, Memory(4))
    small = NodeShape(4, Memory(4))
    gpu = NodeShape(2, Memory(2), (("a", 1),), 1)
    assert set(largest([big, same, small, wide, gpu])) == {big, wide, gpu}
