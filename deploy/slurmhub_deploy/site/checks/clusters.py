"""Checks of the clusters."""

from __future__ import annotations

from collections.abc import Iterator

from slurmhub.slurm.times import TimeLimit
from slurmhub_deploy.site.checks.finding import Around, Said, one_of
from slurmhub_deploy.site.clusters import ExistingCluster, MadeCluster
from slurmhub_deploy.site.model import Path
from slurmhub_deploy.site.texts import names_in


def _made(around: Around) -> Iterator[tuple[Path, MadeCluster]]:
    for name, cluster in around.site.clusters.items():
        if isinstance(cluster, MadeCluster):
            yield ("clusters", name), cluster


def one_cluster_each(around: Around) -> Iterator[Said]:
    """A host has one slurm.conf, so it belongs to one cluster."""
    owner: dict[str, Path] = {}
    for path, name in around.site.host_references():
        if path[0] != "clusters":
            continue
        first = owner.setdefault(name, path)
        if first[1] != path[1]:
            yield Said(
                path,
                f"{name} belongs to the cluster {first[1]} already",
                "A host has one slurm.conf: give each cluster hosts of its own.",
                (first,),
            )


def nodes_once(around: Around) -> Iterator[Said]:
    """A node is described once."""
    for path, cluster in _made(around):
        seen: dict[str, int] = {}
        for number, nodes in enumerate(cluster.nodes):
            twice = [name for name in nodes.names if seen.setdefault(name, number) != number]
            if twice:
                first = seen[twice[0]]
                yield Said(
                    (*path, "nodes", number, "hosts"),
                    f"{twice[0]} is described in nodes[{first}] already",
                    "Leave it in one of them.",
                    ((*path, "nodes", first, "hosts"),),
                )


def partitions_have_nodes(around: Around) -> Iterator[Said]:
    """A partition is made of nodes of its cluster."""
    for path, cluster in _made(around):
        known = [name for name, _ in cluster.nodes_by_name()]
        for name, partition in cluster.partitions.items():
            missing = [each for each in names_in(partition.nodes) if each not in set(known)]
            if missing:
                yield Said(
                    (*path, "partitions", name, "nodes"),
                    f"{missing[0]} is not a node of this cluster",
                    f"{one_of(missing[0], known, 'node')} Or describe it in `nodes`.",
                    ((*path, "nodes"),),
                )


def one_default_partition(around: Around) -> Iterator[Said]:
    """Jobs that name no partition go to one of them."""
    for path, cluster in _made(around):
        chosen = [name for name, each in cluster.partitions.items() if each.default]
        for name in chosen[1:]:
            yield Said(
                (*path, "partitions", name, "default"),
                f"{chosen[0]} is the default partition already",
                "Keep `default: true` in one of them.",
                ((*path, "partitions", chosen[0], "default"),),
            )
        if not chosen and len(cluster.partitions) > 1:
            yield Said(
                (*path, "partitions"),
                "none of them is the default: a job that names no partition is refused",
                "Give one of them `default: true`.",
                tuple((*path, "partitions", name, "default") for name in cluster.partitions),
                level="warning",
            )


def partition_times_agree(around: Around) -> Iterator[Said]:
    """A job that asks for no time must fit."""
    for path, cluster in _made(around):
        for name, partition in cluster.partitions.items():
            if TimeLimit.parse(partition.default_time) > TimeLimit.parse(partition.max_time):
                here = (*path, "partitions", name)
                yield Said(
                    (*here, "default_time"),
                    f"{partition.default_time} is longer than max_time, {partition.max_time}",
                    "Make it shorter, or max_time longer.",
                    ((*here, "max_time"),),
                )


def gpu_files_agree(around: Around) -> Iterator[Said]:
    """Each GPU has a file, and each file is a GPU."""
    for path, cluster in _made(around):
        for number, nodes in enumerate(cluster.nodes):
            here = (*path, "nodes", number)
            for kind, files in nodes.gpu_files.items():
                count = nodes.gpus.get(kind, 0)
                if len(files) != count:
                    yield Said(
                        (*here, "gpu_files", kind),
                        "has another number of files than there are GPUs of that type:"
                        f" {len(files)} for {count}",
                        "Name a file for each GPU of that type.",
                        ((*here, "gpus"),),
                    )
            lacking = [kind for kind in nodes.gpus if kind not in nodes.gpu_files]
            if nodes.gpu_files and lacking:
                yield Said(
                    (*here, "gpu_files"),
                    f"says nothing of the GPUs of type {lacking[0]}",
                    "Name the files of all types, or of none.",
                    ((*here, "gpus"),),
                )


def existing_clusters_are_reached(around: Around) -> Iterator[Said]:
    """The hub's host needs the cluster's slurm.conf from somewhere."""
    for name, cluster in around.site.clusters.items():
        if not isinstance(cluster, ExistingCluster):
            continue
        path: Path = ("clusters", name)
        if (cluster.slurm_conf is None) == (not cluster.configless):
            yield Said(
                path,
                "must have one of `slurm_conf` and `configless`",
                "Say where slurm.conf is on the hub's host, or which controllers give it.",
                ((*path, "slurm_conf"), (*path, "configless")),
            )
