"""Checks of profiles, by the code that reads them in the hub."""

from __future__ import annotations

from collections.abc import Iterator

from slurmhub.options.profiles import ProfilesWrong, read_profiles
from slurmhub.options.rules import Bounded, Chosen, Fixed, Rule, RuleWrong, read_rule
from slurmhub_deploy.site.checks.finding import Around, Said, one_of
from slurmhub_deploy.site.checks.hubs import gpu_types, gpus_there_are, partitions_of
from slurmhub_deploy.site.hubs import Hub, Profile
from slurmhub_deploy.site.model import Path

_WORDS = {"partition": "partition", "gpu_type": "GPU"}


def profiles_are_read(around: Around) -> Iterator[Said]:
    """The hub takes each profile, and no two have one name."""
    for name, hub in around.site.hubs.items():
        seen: dict[str, int] = {}
        for number, profile in enumerate(hub.profiles):
            path: Path = ("hubs", name, "profiles", number)
            first = seen.setdefault(profile.name, number)
            if first != number:
                yield Said(
                    (*path, "name"),
                    f"profiles[{first}] is called {profile.name} as well",
                    "Rename one of them: a link names one.",
                    (("hubs", name, "profiles", first),),
                )
            wrong = list(_fields(path, profile))
            yield from wrong or _whole(path, profile)


def profiles_fit_the_cluster(around: Around) -> Iterator[Said]:
    """What a profile fixes is on the cluster."""
    for name, hub in around.site.hubs.items():
        for number, profile in enumerate(hub.profiles):
            path: Path = ("hubs", name, "profiles", number, "fields")
            because: tuple[Path, ...] = (("clusters", hub.cluster), ("hubs", name, "cluster"))
            for field, value, remedy in _absent(around, hub, profile):
                reason = f"the cluster {hub.cluster} has no {_WORDS[field]} {value}"
                yield Said((*path, field), reason, remedy, because)
            yield from _gpus(around, hub, profile, path, because)


def _fields(path: Path, profile: Profile) -> Iterator[Said]:
    for field, said in profile.fields.items():
        try:
            read_rule(field, said)
        except RuleWrong as error:
            reason, _, remedy = str(error).partition(". ")
            yield Said((*path, "fields", field), reason, f"{remedy or 'Correct it'}.")


def _whole(path: Path, profile: Profile) -> Iterator[Said]:
    try:
        read_profiles([profile.as_data()])
    except ProfilesWrong as error:
        # The first line says that there is something, the others say what.
        for line in str(error.what).splitlines()[1:]:
            reason, _, remedy = line.partition(": ")[2].rstrip(".").partition(". ")
            yield Said(path, reason, f"{remedy or 'Correct it'}.")


def _rules(profile: Profile) -> dict[str, Rule]:
    rules = {}
    for field, said in profile.fields.items():
        try:
            rules[str(field)] = read_rule(field, said)
        except RuleWrong:
            # profiles_are_read tells of it.
            continue
    return rules


def _values(rule: Rule | None) -> tuple[str, ...]:
    if isinstance(rule, Fixed):
        return (rule.value,)
    return rule.choices if isinstance(rule, Chosen) else ()


def _absent(around: Around, hub: Hub, profile: Profile) -> Iterator[tuple[str, str, str]]:
    """Field, value and remedy of what a profile names and the cluster has not."""
    rules = _rules(profile)
    partitions = partitions_of(around, hub)
    for value in _values(rules.get("partition")):
        if partitions and value not in partitions:
            yield "partition", value, one_of(value, partitions, "partition")
    cluster = around.made_cluster(hub)
    types = [] if cluster is None else gpu_types(cluster)
    for value in _values(rules.get("gpu_type")):
        if cluster is not None and value not in {*types, "", "none", "shard"}:
            yield "gpu_type", value, gpus_there_are(types)


def _gpus(
    around: Around, hub: Hub, profile: Profile, path: Path, because: tuple[Path, ...]
) -> Iterator[Said]:
    cluster = around.made_cluster(hub)
    rule = _rules(profile).get("gpus")
    least = (
        rule.least if isinstance(rule, Bounded) else rule.value if isinstance(rule, Fixed) else ""
    )
    if cluster is None or not least or not least.isdigit():
        return
    most = max(sum(nodes.gpus.values()) for nodes in cluster.nodes)
    if int(least) > most:
        yield Said(
            (*path, "gpus"),
            f"no node of the cluster {hub.cluster} has {least} GPUs: at most {most}",
            "Ask for fewer: one server runs on one node.",
            because,
        )
