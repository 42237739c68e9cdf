"""What there is on the cluster is told by partition, and what is no longer there is not told."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone

from slurmhub.measuring.cluster import show
from slurmhub.slurm.gres import Gres
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.records import ClusterFacts, NodeRecord, PartitionRecord
from slurmhub.slurm.times import TimeLimit
from slurmhub.slurm.version import SlurmVersion
from tests.unit.measuring.values import told, value

NODE = NodeRecord(
    name="n1",
    address="n1",
    state="mixed",
    usable=True,
    cpus=8,
    cpus_idle=2,
    memory=Memory(4096),
    memory_allocated=Memory(1024),
    gres=(Gres("gpu", "h100", 4),),
    gres_used=(Gres("gpu", "h100", 1),),
    features=(),
    partitions=("cpu", "gpu"),
)
TAKEN = datetime(2026, 11, 21, tzinfo=timezone.utc)


def partition(name: str) -> PartitionRecord:
    return PartitionRecord(
        name=name,
        default=False,
        hidden=False,
        up=True,
        exclusive=False,
        max_time=TimeLimit(None),
        default_time=None,
        allow_groups=None,
        allow_accounts=None,
        deny_accounts=(),
        allow_qos=None,
        deny_qos=(),
        nodes=(),
        max_cpus_per_node=None,
        max_memory_per_node=None,
        max_memory_per_cpu=None,
        default_memory_per_node=None,
        default_memory_per_cpu=None,
    )


def facts(nodes: list[NodeRecord], *partitions: str) -> ClusterFacts:
    return ClusterFacts(
        taken_at=TAKEN,
        version=SlurmVersion(22, 5, 8),
        cluster_name="c",
        partitions=tuple(partition(name) for name in partitions),
        nodes=tuple(nodes),
    )


def test_what_is_allocated_and_idle_of_usable_nodes() -> None:
    down = dataclasses.replace(NODE, name="n2", usable=False, partitions=("cpu",))
    show(facts([NODE, down], "cpu", "gpu"))
    for name in ("cpu", "gpu"):
        assert value("slurmhub_cluster_cpus", partition=name, state="allocated") == 6
        assert value("slurmhub_cluster_cpus", partition=name, state="idle") == 2
        assert value("slurmhub_cluster_gpus", partition=name, state="idle") == 3
        taken = value("slurmhub_cluster_memory_bytes", partition=name, state="allocated")
        assert taken == 2**30
    assert value("slurmhub_cluster_nodes", partition="cpu", state="unusable") == 1
    assert value("slurmhub_cluster_nodes", partition="gpu", state="unusable") == 0
    assert value("slurmhub_facts_last_success_timestamp_seconds") == TAKEN.timestamp()


def test_a_node_that_gives_more_than_it_has_is_full() -> None:
    over = dataclasses.replace(NODE, cpus_idle=99, memory_allocated=Memory(9999))
    show(facts([over], "cpu", "gpu"))
    assert value("slurmhub_cluster_cpus", partition="cpu", state="allocated") == 0
    assert value("slurmhub_cluster_memory_bytes", partition="cpu", state="idle") == 0


def test_a_partition_that_was_removed_is_told_no_more() -> None:
    show(facts([NODE], "cpu", "gpu"))
    show(facts([dataclasses.replace(NODE, partitions=("cpu",))], "cpu"))
    assert told("slurmhub_cluster_cpus", partition="cpu", state="idle")
    assert not told("slurmhub_cluster_cpus", partition="gpu", state="idle")
