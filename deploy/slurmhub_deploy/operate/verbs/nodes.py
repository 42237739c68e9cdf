"""Compute nodes of the site as Slurm sees them: taking them out of use, and who is on them.

Slurm is asked on the host of the cluster's controller, or on a hub's host where the cluster exists
already, as root. Sources: scontrol(1), squeue(1).
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slurmhub_deploy.operate.errors import UNUSABLE, OperateError
from slurmhub_deploy.operate.reaching import ssh_argv
from slurmhub_deploy.operate.site_file import OpenSite
from slurmhub_deploy.site.clusters import MadeCluster
from slurmhub_deploy.site.model import Site
from slurmhub_deploy.site.texts import names_in

_TIMEOUT = 60.0
_STATES = "--states=RUNNING,SUSPENDED,CONFIGURING,STOPPED,COMPLETING"
_FORMAT = "--format=%i|%u|%N|%e"

# States from which a node comes back when it is told to, see scontrol(1), State=RESUME.
_AWAY = ("DRAIN", "DOWN", "FAIL")

Ask = Callable[[Sequence[str]], str]
"""Runs one of Slurm's commands where it is to be run, and returns what it prints."""


@dataclass(frozen=True)
class Choice:
    """Nodes of one cluster, and the host that its Slurm is asked on."""

    cluster: str
    host: str
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class JobThere:
    """A job on a node; `until` is its latest end, in the time of the controller's host."""

    number: str
    owner: str
    nodes: str
    until: str


def chosen(site: Site, texts: Sequence[str], *, hub: str | None, cluster: str | None) -> Choice:
    """The nodes that are named, such as c[01-04], or all that a hub's people may use.

    `cluster` is needed for nodes of a cluster that exists, since the site file does not name them.
    Raises OperateError if a node is unknown, or they are of several clusters.
    """
    if hub is not None:
        return _of_hub(site, hub, texts)
    if not texts:
        raise _unusable("No node is named.", "Name one, such as c1 or c[01-04], or give --hub.")
    names = [name for text in texts for name in _expanded(text)]
    if cluster is None:
        owners = {_owner(site, name) for name in names}
        if len(owners) > 1:
            raise _unusable("They are nodes of several clusters.", "Name those of one at a time.")
        (cluster,) = owners
    elif cluster not in site.clusters:
        raise _unusable(
            f"There is no cluster {cluster} in the site file.",
            f"Name one of: {', '.join(site.clusters)}.",
        )
    return Choice(cluster, _host(site, cluster), tuple(dict.fromkeys(names)))


def _of_hub(site: Site, name: str, texts: Sequence[str]) -> Choice:
    if texts:
        raise _unusable("Nodes and --hub are both given.", "Give one of them.")
    if name not in site.hubs:
        raise _unusable(
            f"There is no hub {name} in the site file.", f"Name one of: {', '.join(site.hubs)}."
        )
    hub = site.hubs[name]
    cluster = site.clusters[hub.cluster]
    if not isinstance(cluster, MadeCluster):
        raise _unusable(
            f"The site file does not say which nodes the cluster {hub.cluster} has.",
            f"Name them, with --cluster {hub.cluster}.",
        )
    nodes = [
        node
        for partition, each in cluster.partitions.items()
        if partition in hub.limits.partitions or not (hub.limits.partitions or each.hidden)
        for node in names_in(each.nodes)
    ]
    return Choice(hub.cluster, _host(site, hub.cluster), tuple(dict.fromkeys(nodes)))


def _expanded(text: str) -> list[str]:
    try:
        return names_in(text)
    except ValueError as error:
        raise _unusable(f"{text} {error}.", "Name nodes as the site file does.") from error


def _owner(site: Site, name: str) -> str:
    known: list[str] = []
    for cluster, each in site.clusters.items():
        if isinstance(each, MadeCluster):
            nodes = [node for node, _ in each.nodes_by_name()]
            if name in nodes:
                return cluster
            known += nodes
    hint = f"Its nodes are: {', '.join(known)}." if known else "The site file names no nodes."
    raise _unusable(
        f"{name} is not a compute node of the site file.",
        f"{hint} For a node of a cluster that exists, give --cluster.",
    )


def _host(site: Site, name: str) -> str:
    cluster = site.clusters[name]
    if isinstance(cluster, MadeCluster):
        return cluster.controller
    hosts = [hub.host for hub in site.hubs.values() if hub.cluster == name]
    if not hosts:
        raise _unusable(f"No hub uses the cluster {name}.", "Ask Slurm on one of its own hosts.")
    return hosts[0]


def over_ssh(opened: OpenSite, host: str) -> Ask:
    """Commands on a host of the site, as root; each raises OperateError when it fails."""

    def ask(command: Sequence[str]) -> str:
        argv = ssh_argv(opened.host(host), command, terminal=False)
        try:
            ran = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OperateError(
                f"{host} did not answer: {error}.", remedy=f"Try 'slurmhub ssh {host}'."
            ) from error
        if ran.returncode == _SSH_FAILED:
            raise OperateError(
                f"{host} is not reached: {ran.stderr.strip()}",
                remedy=f"Try 'slurmhub ssh {host}'.",
            )
        if ran.returncode:
            raise OperateError(
                f"{command[0]} failed on {host}: {(ran.stderr or ran.stdout).strip()}",
                remedy="Look at Slurm there: 'slurmhub logs slurmctld', and sinfo --list-reasons.",
            )
        return ran.stdout

    return ask


# Of ssh itself, see ssh(1).
_SSH_FAILED = 255


def drain(ask: Ask, nodes: Sequence[str], reason: str) -> None:
    """Give the nodes no more jobs; those that run go on."""
    ask(["scontrol", "update", f"NodeName={','.join(nodes)}", "State=DRAIN", f"Reason={reason}"])


def undrain(ask: Ask, nodes: Sequence[str]) -> None:
    """Give the nodes jobs again; Slurm refuses to be asked for those that have them."""
    states = states_of(ask, nodes)
    away = [name for name in nodes if any(each in states.get(name, "") for each in _AWAY)]
    if away:
        ask(["scontrol", "update", f"NodeName={','.join(away)}", "State=RESUME"])


def jobs_on(ask: Ask, nodes: Sequence[str]) -> list[JobThere]:
    """The jobs that are on any of the nodes."""
    listed = ",".join(nodes)
    printed = ask(
        ["squeue", "--noheader", "--all", "--local", _STATES, f"--nodelist={listed}", _FORMAT]
    )
    return [JobThere(*line.split("|")) for line in printed.splitlines() if line.strip()]


def states_of(ask: Ask, nodes: Sequence[str]) -> dict[str, str]:
    """Each node's state in Slurm's words, such as DRAINED or IDLE."""
    printed = ask(["scontrol", "--oneliner", "show", "node", ",".join(nodes)])
    states = {}
    for line in printed.splitlines():
        words = dict(word.partition("=")[::2] for word in line.split() if "=" in word)
        if "NodeName" in words:
            states[words["NodeName"]] = words.get("State", "?")
    return states


def _unusable(what: str, remedy: str) -> OperateError:
    return OperateError(what, remedy=remedy, status=UNUSABLE)
