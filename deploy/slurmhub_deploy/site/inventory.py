"""From a site to Ansible's inventory: hosts, groups and variables, as plain data.

A pure function: the same site gives the same inventory. Groups are named for what their hosts are
(`role_compute` ...) and for whose they are (`hub_NAME`, `cluster_NAME`); a play takes both, as in
`role_compute:&cluster_main`. All have an underscore, which no host has: to Ansible a group and a
host of one name are a mistake. Secrets are in it as where they come from.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from slurmhub_deploy.site.clusters import ExistingCluster, MadeCluster
from slurmhub_deploy.site.course_folders import homes_of_hub
from slurmhub_deploy.site.courses_service import courses_service
from slurmhub_deploy.site.front import front_settings, metadata_folder
from slurmhub_deploy.site.homes import NfsHomes
from slurmhub_deploy.site.hosts import Machine
from slurmhub_deploy.site.hub_config import hub_config, ports_of
from slurmhub_deploy.site.hubs import account_of, number_of, people_of
from slurmhub_deploy.site.metadata import copies
from slurmhub_deploy.site.model import Site
from slurmhub_deploy.site.slurm_entities import course_accounts, slurm_accounts, slurm_operators
from slurmhub_deploy.site.texts import names_in

ROLES = (
    "role_hub",
    "role_controller",
    "role_database",
    "role_login",
    "role_compute",
    "role_gpu",
    "role_storage",
    "role_directory",
    "role_monitoring",
)
"""The groups by what a host is; all are there, also without hosts."""

Inventory = dict[str, Any]


def inventory(site: Site, folder: Path = Path()) -> Inventory:
    """The inventory of a site that was checked, in the form of Ansible's yaml plugin.

    `folder` is that of the site file, which files beside it are relative to.
    """
    groups = _groups(site)
    return {
        "all": {
            "hosts": {
                name: _host(site, machine, folder) for name, machine in site.machines.items()
            },
            "vars": _for_all(site),
            "children": {
                name: {"hosts": {host: {} for host in site.machines if host in hosts}}
                | ({"vars": variables} if (variables := _of_group(site, name)) else {})
                for name, hosts in groups.items()
            },
        }
    }


def _groups(site: Site) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = {role: set() for role in ROLES}
    for name, hub in site.hubs.items():
        groups["role_hub"].add(hub.host)
        groups[f"hub_{_word(name)}"] = {hub.host}
    for name, cluster in site.clusters.items():
        members: set[str] = set()
        if isinstance(cluster, MadeCluster):
            members = _of_cluster(groups, cluster)
        # A hub submits to its cluster, and a cluster mounts the homes of its hubs.
        members |= {hub.host for hub in site.hubs.values() if hub.cluster == name}
        groups[f"cluster_{_word(name)}"] = members
    for homes in site.homes.values():
        if not isinstance(homes, NfsHomes):
            groups["role_storage"].add(homes.server)
    if site.directory.kind == "made":
        groups["role_directory"].add(site.directory.host)
    if site.monitoring is not None:
        groups["role_monitoring"].add(site.monitoring.host)
    return groups


def _of_cluster(groups: dict[str, set[str]], cluster: MadeCluster) -> set[str]:
    """The hosts of a cluster, which are put into the groups of what they are."""
    database = cluster.database or cluster.controller
    nodes = dict(cluster.nodes_by_name())
    groups["role_controller"].add(cluster.controller)
    groups["role_database"].add(database)
    groups["role_login"] |= set(cluster.login)
    groups["role_compute"] |= set(nodes)
    groups["role_gpu"] |= {name for name, each in nodes.items() if each.gpus}
    return {cluster.controller, database, *cluster.login, *nodes}


def _word(name: str) -> str:
    """Ansible wants groups to be words; names of the site have no underscore of their own."""
    return name.replace("-", "_")


def _host(site: Site, machine: Machine, folder: Path) -> dict[str, Any]:
    host = machine.host
    # Of several hosts in one entry the public address is the first one's alone.
    public = host.public_address if machine.address == host.address else None
    variables: dict[str, Any] = {
        "ansible_host": public or machine.address,
        "ansible_port": host.ssh_port or site.ssh.port,
        "ansible_user": host.ssh_user or site.ssh.user,
        "slurmhub_address": machine.address,
    }
    arguments = []
    if site.ssh.config:
        arguments += ["-F", str(folder / site.ssh.config)]
    if site.ssh.jump:
        arguments += ["-J", site.ssh.jump]
    if arguments:
        variables["ansible_ssh_common_args"] = shlex.join(arguments)
    if variables["ansible_user"] != "root":
        variables["ansible_become"] = True
    for cluster in site.clusters.values():
        if isinstance(cluster, MadeCluster):
            node = dict(cluster.nodes_by_name()).get(machine.name)
            if node is not None:
                variables["slurmhub_node"] = node.model_dump(mode="json", exclude={"hosts"})
    return variables


def _for_all(site: Site) -> dict[str, Any]:
    return {
        "slurmhub_site_version": site.version,
        "slurmhub_institution": _plain(site.institution),
        # Of a role: every play opens ports, and must know whether anything reads of them.
        "base_firewall": site.base.firewall,
        "slurmhub_base": _plain(site.base),
        "slurmhub_addresses": {name: each.address for name, each in site.machines.items()},
        "slurmhub_directory": _plain(site.directory),
        "slurmhub_clusters": {name: _cluster(site, name) for name in site.clusters},
        "slurmhub_homes": {name: _homes(site, name) for name in site.homes},
        "slurmhub_hubs": {name: _hub(site, name) for name in site.hubs},
        "slurmhub_monitoring": None if site.monitoring is None else _plain(site.monitoring),
    }


def _of_group(site: Site, group: str) -> dict[str, Any]:
    """A cluster's hosts know which one they are in, where it is the only one."""
    for name, cluster in site.clusters.items():
        if group == f"cluster_{_word(name)}" and isinstance(cluster, MadeCluster):
            hub_hosts = {hub.host for hub in site.hubs.values() if hub.cluster != name}
            if not hub_hosts & _groups(site)[group]:
                return {"slurmhub_cluster": name}
    return {}


def _cluster(site: Site, name: str) -> dict[str, Any]:
    cluster = site.clusters[name]
    data = _plain(cluster)
    if isinstance(cluster, ExistingCluster):
        return data
    data["database"] = cluster.database or cluster.controller
    data["nodes"] = {host: _plain(node) | {"hosts": host} for host, node in cluster.nodes_by_name()}
    for node in data["nodes"].values():
        del node["hosts"]
    for partition in data["partitions"].values():
        partition["nodes"] = names_in(partition["nodes"])
    data["accounts"] = slurm_accounts(site, name)
    data["operators"] = slurm_operators(site, name)
    if parents := course_accounts(site, name):
        data["course_accounts"] = parents
    return data


def _homes(site: Site, name: str) -> dict[str, Any]:
    """With the hosts that use them: the hubs' own, and where those hubs' jobs run."""
    hubs = [hub for hub in site.hubs.values() if name in homes_of_hub(site.homes, hub)]
    people = {hub.host for hub in hubs if hub.homes == name}
    hosts = {hub.host for hub in hubs}
    for hub in hubs:
        cluster = site.clusters[hub.cluster]
        if isinstance(cluster, MadeCluster):
            hosts |= {*cluster.login, *(host for host, _ in cluster.nodes_by_name())}
    return _plain(site.homes[name]) | {
        "hosts": [host for host in site.machines if host in hosts],
        "hub_hosts": [host for host in site.machines if host in people],
    }


def _hub(site: Site, name: str) -> dict[str, Any]:
    hub = site.hubs[name]
    data = _plain(hub)
    data["accounts"]["group"] = people_of(name, hub)
    data["accounts"]["slurm_account"] = hub.accounts.slurm_account or name
    data["sign_in"]["hub_session_hours"] = (
        hub.sign_in.hub_session_hours or hub.sign_in.session_hours
    )
    data["profiles"] = [profile.as_data() for profile in hub.profiles]
    del data["courses"]
    if hub.courses is not None:
        data["courses"] = courses_service(site, name, hub.courses)
    tls = site.tls_of(hub)[1]
    data["tls"] = _plain(tls)
    if tls.kind == "acme":
        contact = site.institution.technical or site.institution.support
        data["tls"]["mail"] = tls.mail or contact.mail
    return data | {
        "unix_account": account_of(name),
        "unix_uid": number_of(name, hub),
        "config": hub_config(site, name),
        "ports": dict(zip(("hub", "proxy"), ports_of(site, name), strict=True)),
        "front": front_settings(site, name).model_dump(mode="json"),
        "front_files": copies(hub.sign_in.metadata, metadata_folder(name)),
    }


def _plain(model: Any) -> dict[str, Any]:
    return dict(model.model_dump(mode="json"))
