"""A small cluster as Slurm would describe it: two CPU nodes, GPU nodes of three kinds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from slurmhub.options.limits import SiteLimits
from slurmhub.options.offer import Offer
from slurmhub.slurm.gres import parse_gres
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.records import ClusterFacts, NodeRecord, PartitionRecord
from slurmhub.slurm.times import UNLIMITED, TimeLimit
from slurmhub.slurm.version import SlurmVersion


def make_node(name: str, **changes: Any) -> NodeRecord:
    values: dict[str, Any] = {
        "name": name,
        "address": "127.0.1.1",
        "state": "idle",
        "usable": True,
        "cpus": 8,
        "cpus_idle": 8,
        "memory": Memory(16000),
        "memory_allocated": Memory(0),
        "gres": (),
        "gres_used": (),
        "features": (),
        "partitions": (),
    }
    return NodeRecord(**values | changes)


def make_partition(name: str, *nodes: str, **changes: Any) -> PartitionRecord:
    values: dict[str, Any] = {
        "name": name,
        "default": False,
        "hidden": False,
        "up": True,
        "exclusive": False,
        "max_time": TimeLimit.parse("8:00:00"),
        "default_time": None,
        "allow_groups": None,
        "allow_accounts": None,
        "deny_accounts": (),
        "allow_qos": None,
        "deny_qos": (),
        "nodes": nodes,
        "max_cpus_per_node": None,
        "max_memory_per_node": None,
        "max_memory_per_cpu": None,
        "default_memory_per_node": None,
        "default_memory_per_cpu": None,
    }
    return PartitionRecord(**values | changes)


def make_facts(
    nodes: list[NodeRecord] | None = None, partitions: list[PartitionRecord] | None = None
) -> ClusterFacts:
    return ClusterFacts(
        taken_at=datetime(2026, 1, 31, 12, 0, tzinfo=timezone.utc),
        version=SlurmVersion(22, 5, 8),
        cluster_name="test",
        partitions=tuple(USUAL_PARTITIONS if partitions is None else partitions),
        nodes=tuple(USUAL_NODES if nodes is None else nodes),
    )


USUAL_NODES = [
    make_node("c1", cpus_idle=3),
    make_node("c2", cpus=64, cpus_idle=0, memory=Memory(256000)),
    make_node(
        "g1",
        memory=Memory(64 * 1024),
        gres=parse_gres("gpu:h100:4(S:0-1)"),
        gres_used=parse_gres("gpu:h100:2(IDX:0-1)"),
    ),
    make_node("m1", cpus=16, gres=parse_gres("gpu:a100:2,gpu:a100_3g.20gb:4")),
    make_node("u1", gres=parse_gres("gpu:4")),
]

USUAL_PARTITIONS = [
    make_partition("cpu", "c1", default=True),
    make_partition("gpu", "g1", max_time=TimeLimit.parse("1-00:00:00")),
    make_partition("mixed", "c2", "m1"),
    make_partition("plain", "u1", max_time=UNLIMITED),
    make_partition("secret", "c1", hidden=True),
    make_partition("drained", "c1", up=False),
]


@pytest.fixture
def facts() -> ClusterFacts:
    return make_facts()


@pytest.fixture
def offer(facts: ClusterFacts) -> Offer:
    return Offer.from_facts(facts, SiteLimits())


@pytest.fixture
def offer_of() -> Callable[..., Offer]:
    """An offer from nodes and partitions of the test's own, with limits."""

    def build(nodes: list[NodeRecord], partitions: list[PartitionRecord], **limits: Any) -> Offer:
        return Offer.from_facts(make_facts(nodes, partitions), SiteLimits(**limits))

    return build


@pytest.fixture
def node() -> Callable[..., NodeRecord]:
    return make_node


@pytest.fixture
def partition() -> Callable[..., PartitionRecord]:
    return make_partition
