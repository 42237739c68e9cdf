"""Checks of the hubs and what they let people have."""

from __future__ import annotations

from collections.abc import Iterator

from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit
from slurmhub_deploy.site.checks.finding import Around, Said, one_of
from slurmhub_deploy.site.clusters import MadeCluster
from slurmhub_deploy.site.hubs import Hub, courses_number_of, number_of
from slurmhub_deploy.site.model import Path


def names_exist(around: Around) -> Iterator[Said]:
    """A hub's cluster and homes are there."""
    site = around.site
    for name, hub in site.hubs.items():
        for setting, value, known in (
            ("cluster", hub.cluster, list(site.clusters)),
            ("homes", hub.homes, list(site.homes)),
        ):
            if value not in known:
                section = "clusters" if setting == "cluster" else "homes"
                yield Said(
                    ("hubs", name, setting),
                    f"there is no {value} in `{section}`",
                    one_of(value, known, setting),
                    ((section, value),),
                )
    used = {hub.cluster for hub in site.hubs.values()}
    # One that is not there may well be this one.
    if not used <= set(site.clusters):
        return
    for cluster in site.clusters:
        if cluster not in used:
            yield Said(
                ("clusters", cluster),
                "no hub uses this cluster",
                "Name it in a hub, or take it out.",
                (("hubs",),),
                level="warning",
            )


def numbers_differ(around: Around) -> Iterator[Said]:
    """The system accounts of two hubs are two."""
    seen: dict[int, tuple[str, Path]] = {}
    for name, number, path in _numbers(around):
        account, where = seen.setdefault(number, (name, path))
        if where != path:
            yield Said(
                path,
                f"the system accounts of {account} and {name} have one number, {number}",
                f"Give {name} another one: `uid: {number + 1}`.",
                (where, where[:2], path[:-1]),
            )
        accounts = around.site.hubs[str(path[1])].accounts
        if accounts.source == "made" and accounts.lowest_uid <= number <= accounts.highest_uid:
            yield Said(
                path,
                f"{number} is among the numbers that people are given",
                "Choose one that is not between lowest_uid and highest_uid.",
                (("hubs", path[1], "accounts"), path[:-1]),
            )


def _numbers(around: Around) -> Iterator[tuple[str, int, Path]]:
    """Each system account's number, and where it is set."""
    for name, hub in around.site.hubs.items():
        yield f"the hub {name}", number_of(name, hub), ("hubs", name, "uid")
        if hub.courses is not None:
            number = courses_number_of(name, hub.courses)
            yield f"the courses of {name}", number, ("hubs", name, "courses", "uid")


def domains_differ(around: Around) -> Iterator[Said]:
    """A browser knows a hub by its domain."""
    seen: dict[str, str] = {}
    for name, hub in around.site.hubs.items():
        first = seen.setdefault(hub.domain, name)
        if first != name:
            yield Said(
                ("hubs", name, "domain"),
                f"{hub.domain} is the domain of the hub {first}",
                "Give each hub its own: cookies of one would reach the other.",
                (("hubs", first, "domain"),),
            )
    for name, hub in around.site.hubs.items():
        for other, parent in around.site.hubs.items():
            if hub.domain.endswith(f".{parent.domain}"):
                yield Said(
                    ("hubs", name, "domain"),
                    f"is below {parent.domain}, the domain of the hub {other}: what runs in one can"
                    " set cookies for the other",
                    "Put hubs side by side: one.example.ca and two.example.ca.",
                    (("hubs", other, "domain"),),
                    level="warning",
                )


def limits_agree(around: Around) -> Iterator[Said]:
    """What is filled in first is within what is allowed."""
    for name, hub in around.site.hubs.items():
        limits = hub.limits
        path: Path = ("hubs", name, "limits")
        pairs: tuple[tuple[str, str, bool], ...] = (
            ("default_cpus", "max_cpus", _more(limits.default_cpus, limits.max_cpus)),
            ("default_gpus", "max_gpus", _more(limits.default_gpus, limits.max_gpus)),
            (
                "default_memory",
                "max_memory",
                _more(Memory.parse(limits.default_memory), _memory(limits.max_memory)),
            ),
            (
                "default_time",
                "max_time",
                _more(_time(limits.default_time), _time(limits.max_time)),
            ),
        )
        for usual, most, wrong in pairs:
            if wrong:
                yield Said(
                    (*path, usual),
                    f"{getattr(limits, usual)} is more than {most}, {getattr(limits, most)}",
                    f"Make it smaller, or {most} larger.",
                    ((*path, most),),
                )
        first = limits.default_partition
        if first and limits.partitions and first not in limits.partitions:
            yield Said(
                (*path, "default_partition"),
                f"{first} is not one of `partitions`",
                one_of(first, list(limits.partitions), "partition"),
                ((*path, "partitions"),),
            )


def limits_fit_the_cluster(around: Around) -> Iterator[Said]:
    """Limits name partitions of the cluster and are not beyond every node."""
    for name, hub in around.site.hubs.items():
        path: Path = ("hubs", name, "limits")
        yield from _partitions_exist(around, hub, path)
        cluster = around.made_cluster(hub)
        if cluster is None:
            continue
        largest = {
            "max_cpus": max(nodes.cpus for nodes in cluster.nodes),
            "max_memory": max(Memory.parse(nodes.memory) for nodes in cluster.nodes),
            "max_gpus": max(sum(nodes.gpus.values()) for nodes in cluster.nodes),
        }
        said = {
            "max_cpus": hub.limits.max_cpus,
            "max_memory": _memory(hub.limits.max_memory),
            "max_gpus": hub.limits.max_gpus,
        }
        for setting, value in said.items():
            if _more(value, largest[setting]):
                yield Said(
                    (*path, setting),
                    f"is more than any node of the cluster {hub.cluster} has",
                    "Make it smaller: one server runs on one node.",
                    (("clusters", hub.cluster, "nodes"), ("hubs", name, "cluster")),
                    level="warning",
                )


def gpus_exist(around: Around) -> Iterator[Said]:
    """GPUs are asked for by a type that the cluster has."""
    for name, hub in around.site.hubs.items():
        cluster = around.made_cluster(hub)
        kind = hub.limits.default_gpu_type
        if cluster is None or kind is None:
            continue
        known = gpu_types(cluster)
        if kind not in known:
            yield Said(
                ("hubs", name, "limits", "default_gpu_type"),
                f"no node of the cluster {hub.cluster} has GPUs of the type {kind}",
                gpus_there_are(known),
                (("clusters", hub.cluster, "nodes"), ("hubs", name, "cluster")),
            )


def hubs_have_hosts_of_their_own(around: Around) -> Iterator[Said]:
    """A host has one configuration of shibd, and that is one hub's."""
    first: dict[str, str] = {}
    for name, hub in around.site.hubs.items():
        other = first.setdefault(hub.host, name)
        if other != name:
            yield Said(
                ("hubs", name, "host"),
                f"the hub {other} is on {hub.host} as well: each hub needs a host of its own, as"
                " yet",
                "Give it another host.",
                (("hubs", other, "host"),),
            )


def somebody_can_start(around: Around) -> Iterator[Said]:
    """Without a profile and without everything there is nothing to press."""
    for name, hub in around.site.hubs.items():
        if hub.everything is False and not hub.profiles:
            yield Said(
                ("hubs", name, "everything"),
                "is false, and there are no profiles: nobody could start anything",
                "Add a profile, or take `everything: false` out.",
                (("hubs", name, "profiles"),),
            )


def gpus_there_are(types: list[str]) -> str:
    """Which types a cluster has; names that look alike are other things."""
    return f"There are: {', '.join(types)}." if types else "It has none."


def gpu_types(cluster: MadeCluster) -> list[str]:
    """The types of GPUs of a cluster, each once."""
    return list(dict.fromkeys(kind for nodes in cluster.nodes for kind in nodes.gpus))


def partitions_of(around: Around, hub: Hub) -> list[str]:
    """The partitions of a hub's cluster, as far as the file says."""
    cluster = around.site.clusters.get(hub.cluster)
    return [] if cluster is None else list(cluster.partitions)


def _partitions_exist(around: Around, hub: Hub, path: Path) -> Iterator[Said]:
    known = partitions_of(around, hub)
    if not known:
        return
    named: list[tuple[Path, str]] = [
        ((*path, "partitions", number), each) for number, each in enumerate(hub.limits.partitions)
    ]
    if hub.limits.default_partition:
        named.append(((*path, "default_partition"), hub.limits.default_partition))
    for place, partition in named:
        if partition not in known:
            yield Said(
                place,
                f"the cluster {hub.cluster} has no partition {partition}",
                one_of(partition, known, "partition"),
                (("clusters", hub.cluster), (*path[:2], "cluster")),
            )


def _more(value: object, most: object) -> bool:
    return value is not None and most is not None and value > most  # type: ignore[operator]


def _memory(text: str | None) -> Memory | None:
    return None if text is None else Memory.parse(text)


def _time(text: str | None) -> TimeLimit | None:
    return None if text is None else TimeLimit.parse(text)
