"""munge, Slurm's daemons and nodes, and the rights of the hub's account there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from slurmhub_deploy.doctor.facts import Facts
from slurmhub_deploy.doctor.finding import Said
from slurmhub_deploy.doctor.nodes import is_unusable


def munge_is_understood(facts: Facts) -> Iterator[Said]:
    """Hosts whose munge does not run, or has another key or clock than the controller."""
    for host, munge in facts.seen("munge"):
        if not munge.works:
            yield Said(
                host,
                f"munge does not work: {munge.said}",
                f"`slurmhub ssh {host} -- systemctl restart munge`, then `slurmhub up --only"
                " slurm`.",
            )
        elif munge.understands is False:
            yield Said(
                host,
                f"munge does not understand the controller's credential: {munge.said}",
                "Another key, or clocks minutes apart. Compare /etc/munge/munge.key by its"
                " checksum.",
            )


def releases_fit(facts: Facts) -> Iterator[Said]:
    """Releases of Slurm that do not go together (slurm.schedmd.com/upgrades.html)."""
    for name, cluster in facts.made_clusters.items():
        head = facts.of(cluster["controller"]).slurm
        mine = head.releases.get("slurmctld", "") if head else ""
        if not mine:
            continue
        group = facts.inventory["all"]["children"][f"cluster_{name.replace('-', '_')}"]["hosts"]
        for host in group:
            slurm = facts.of(host).slurm
            for program, release in (slurm.releases if slurm else {}).items():
                if program == "slurmdbd" or _series(release) == _series(mine):
                    continue
                newer = _series(release) > _series(mine)
                yield Said(
                    host,
                    f"{program} is {release}, and the controller's slurmctld {mine}",
                    "Newer than the controller does not work: bring the controller forward."
                    if newer
                    else "Works while they are at most two releases apart; bring it forward.",
                    "error" if newer else "warning",
                )


def _series(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split(".")[:2] if part.isdigit())


def controllers_answer(facts: Facts) -> Iterator[Said]:
    """Controllers that do not answer those who submit."""
    for host, slurm in facts.seen("slurm", "hub", "controller", "compute"):
        if not slurm.answers:
            yield Said(
                host,
                f"slurmctld does not answer: {slurm.said}",
                "`slurmhub logs slurmctld`; munge, the clock, and port 6817 are looked at here as"
                " well.",
            )


def nodes_are_usable(facts: Facts) -> Iterator[Said]:
    """Nodes that start no jobs, with Slurm's reason."""
    for name, cluster in facts.made_clusters.items():
        slurm = facts.of(cluster["controller"]).slurm
        if slurm is None or not slurm.answers:
            continue
        bad = {node: seen for node, seen in slurm.nodes.items() if is_unusable(seen[0])}
        for node, (state, reason) in bad.items():
            planned = "drain" in state and "down" not in state
            yield Said(
                node,
                f"is {state}{f': {reason}' if reason else ''}",
                f"`slurmhub undrain {node}` when it is well again."
                if planned
                else f"`slurmhub logs node {node}`; see docs/operators/runbooks/nodes-unusable.md.",
                "warning" if planned or len(bad) < len(slurm.nodes) else "error",
            )
        for node in cluster["nodes"]:
            if node not in slurm.nodes:
                yield Said(
                    node,
                    f"is a node of {name} in the site file, and Slurm does not know it",
                    "Run `slurmhub up --only slurm`.",
                )


def hub_is_operator(facts: Facts) -> Iterator[Said]:
    """Hubs whose account may not extend jobs or see everybody's."""
    for hub in facts.hubs.values():
        levels = _of_cluster(facts, hub["cluster"])[0]
        if levels is not None and levels.get(hub["unix_account"]) not in (
            "Operator",
            "Administrator",
        ):
            yield Said(
                hub["domain"],
                f"its account {hub['unix_account']} is no Operator in Slurm's accounting",
                f"Run `slurmhub up --only slurm`; by hand: sacctmgr modify user"
                f" {hub['unix_account']} set adminlevel=Operator",
            )


def people_have_associations(facts: Facts) -> Iterator[Said]:
    """People whose jobs Slurm refuses, for they have no account in its accounting."""
    for hub in facts.hubs.values():
        associations = _of_cluster(facts, hub["cluster"])[1]
        accounts = facts.of(hub["host"]).accounts
        group = accounts.groups.get(hub["accounts"]["group"]) if accounts else None
        if associations is None or group is None:
            continue
        known: dict[str, set[str]] = defaultdict(set)
        for line in associations:
            user, _, account = line.partition("|")
            known[user].add(account)
        lacking = [each for each in group.members if not known[each]]
        if lacking:
            yield Said(
                hub["domain"],
                f"{len(lacking)} of its {len(group.members)} people have no association in Slurm,"
                f" such as {lacking[0]}",
                f"They get one when they sign in; by hand: sacctmgr add user {lacking[0]}"
                f" account={hub['accounts']['slurm_account']}",
                "warning",
            )


def _of_cluster(facts: Facts, name: str) -> tuple[dict[str, str] | None, tuple[str, ...] | None]:
    cluster = facts.made_clusters.get(name)
    slurm = facts.of(cluster["controller"]).slurm if cluster else None
    if slurm is None or slurm.levels is None:
        return None, None
    return dict(slurm.levels), slurm.associations
