"""What there is on the cluster, from the facts that forms are made of: no further query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from prometheus_client import Gauge

from slurmhub import metrics
from slurmhub.slurm.gres import Gres, gpu_count
from slurmhub.slurm.records import ClusterFacts, NodeRecord

_MIB = 2**20


def show(facts: ClusterFacts) -> None:
    """Set the gauges of nodes, CPUs, memory and GPUs; may run in a thread."""
    nodes: Counter[tuple[str, str]] = Counter()
    cpus: Counter[tuple[str, str]] = Counter()
    memory: Counter[tuple[str, str]] = Counter()
    gpus: Counter[tuple[str, str]] = Counter()
    for partition in facts.partitions:
        for gauge in (cpus, memory, gpus):
            gauge.update({(partition.name, state): 0 for state in ("allocated", "idle")})
        nodes.update({(partition.name, state): 0 for state in ("usable", "unusable")})
    for node in facts.nodes:
        for name in node.partitions:
            nodes[name, "usable" if node.usable else "unusable"] += 1
            if node.usable:
                idle = min(node.cpus_idle, node.cpus)
                _part(cpus, name, node.cpus - idle, node.cpus)
                _part(memory, name, _bytes_taken(node), node.memory.mebibytes * _MIB)
                _part(gpus, name, _gpus(node.gres_used), _gpus(node.gres))
    for family, numbers in (
        (metrics.NODES, nodes),
        (metrics.CPUS, cpus),
        (metrics.MEMORY, memory),
        (metrics.GPUS, gpus),
    ):
        _set(family, numbers)
    metrics.FACTS_NEWS.set(facts.taken_at.timestamp())


def _part(into: Counter[tuple[str, str]], partition: str, taken: int, whole: int) -> None:
    taken = min(taken, whole)
    into[partition, "allocated"] += taken
    into[partition, "idle"] += whole - taken


def _bytes_taken(node: NodeRecord) -> int:
    return node.memory_allocated.mebibytes * _MIB


def _gpus(resources: Iterable[Gres]) -> int:
    return gpu_count(tuple(resources))


def _set(gauge: Gauge, numbers: Counter[tuple[str, str]]) -> None:
    """Set what there is, and take away what is no longer there; never empty meanwhile."""
    told = {
        (sample.labels["partition"], sample.labels["state"])
        for family in gauge.collect()
        for sample in family.samples
    }
    for labels, number in numbers.items():
        gauge.labels(*labels).set(number)
    for partition, state in told - numbers.keys():
        gauge.remove(partition, state)
