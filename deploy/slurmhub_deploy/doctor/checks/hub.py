"""The hub: whether it answers, may do what it needs, and fits the environment of jobs."""

from __future__ import annotations

from collections.abc import Iterator

from slurmhub_deploy.doctor.facts import Facts
from slurmhub_deploy.doctor.finding import Said

_HELPERS = ("slurmhub-as-user", "slurmhub-account")


def hubs_answer(facts: Facts) -> Iterator[Said]:
    """Hubs that do not answer on their own port."""
    for host, hubs in facts.seen("hubs"):
        for name, seen in hubs.items():
            if seen.health != 200:
                said = f"status {seen.health}" if seen.health else seen.said
                yield Said(
                    facts.hubs[name]["domain"],
                    f"the hub on {host} does not answer: {said}",
                    f"`slurmhub logs hub`, `slurmhub ssh {host} -- systemctl status"
                    f" slurmhub-{name}`",
                )


def courses_answer(facts: Facts) -> Iterator[Said]:
    """Services of courses that do not answer, or whose database does not."""
    for host, hubs in facts.seen("hubs"):
        for name, seen in hubs.items():
            if seen.courses:
                yield Said(
                    facts.hubs[name]["domain"],
                    f"the service of its courses on {host} does not answer: {seen.courses}",
                    f"`slurmhub ssh {host} -- journalctl -u slurmhub-{name}-courses -n 50`; a"
                    " status 503 is its database",
                )


def courses_have_folders(facts: Facts) -> Iterator[Said]:
    """Hosts with the folders of courses that do not do what the service of courses asks for."""
    for host, hubs in facts.seen("hubs"):
        for name, seen in hubs.items():
            if seen.folders:
                kept = facts.hubs[name].get("courses", {}).get("folders", {})
                server = kept.get("server", host)
                yield Said(
                    facts.hubs[name]["domain"],
                    f"{server}, asked from {host} for the folders of its courses, says:"
                    f" {seen.folders}",
                    f"Run `slurmhub up`; `slurmhub ssh {server} -- journalctl -t"
                    " slurmhub-course-folders -t sudo -t sshd -n 50`.",
                )


def helpers_may_run(facts: Facts) -> Iterator[Said]:
    """Hubs whose account may not run the helpers: no server starts, or no account is made."""
    for _host, hubs in facts.seen("hubs"):
        for name, seen in hubs.items():
            made = facts.hubs[name]["accounts"]["source"] == "made"
            for helper in _HELPERS if made else _HELPERS[:1]:
                if not any(helper in line for line in seen.rights):
                    yield Said(
                        facts.hubs[name]["domain"],
                        f"its account may not run {helper} with sudo",
                        "Run `slurmhub up --only hub`; by hand: `slurmhub helper install`.",
                    )
            for line in seen.rights:
                if "ALL" in line.partition(")")[2].replace("NOPASSWD:", "").split():
                    yield Said(
                        facts.hubs[name]["domain"],
                        "its account may run everything with sudo: whoever controls the hub is"
                        " root",
                        "Take it out of the sudoers files but for /etc/sudoers.d/slurmhub*.",
                    )


def releases_agree(facts: Facts) -> Iterator[Said]:
    """Environments of jobs whose JupyterHub is not that of the hub."""
    for _host, hubs in facts.seen("hubs"):
        for name, seen in hubs.items():
            mine = (seen.releases or {}).get("jupyterhub")
            if mine is None:
                continue
            nodes = _nodes(facts, name)
            for node, packages in facts.seen("jupyter", "compute"):
                theirs = packages.get("jupyterhub")
                if node not in nodes or theirs is None or _major(theirs) == _major(mine):
                    continue
                yield Said(
                    node,
                    f"has JupyterHub {theirs} for servers, and the hub"
                    f" {facts.hubs[name]['domain']} {mine}",
                    "Run `slurmhub up --only jupyter`: both are to have the same major release.",
                    "warning",
                )


def jobs_have_jupyter(facts: Facts) -> Iterator[Said]:
    """Nodes without the environment that servers run in."""
    for host, packages in facts.seen("jupyter", "compute"):
        lacking = [name for name, release in packages.items() if release is None]
        if lacking:
            yield Said(
                host,
                f"its environment for servers lacks {', '.join(lacking)}",
                "Run `slurmhub up --only jupyter`.",
            )


def _nodes(facts: Facts, hub: str) -> set[str]:
    cluster = facts.made_clusters.get(facts.hubs[hub]["cluster"])
    return set(cluster["nodes"]) if cluster else set()


def _major(release: str) -> str:
    return release.partition(".")[0]
