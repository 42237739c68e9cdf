"""Checks of the machines."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from slurmhub_deploy.site.checks.finding import Around, Said, one_of
from slurmhub_deploy.site.clusters import MadeCluster
from slurmhub_deploy.site.hosts import Machine, machines_of
from slurmhub_deploy.site.model import Path


def ssh_from_is_kept_by_the_firewall(around: Around) -> Iterator[Said]:
    """Only the firewall keeps anybody from sshd."""
    base = around.site.base
    if base.ssh_from and not base.firewall:
        yield Said(
            ("base", "ssh_from"),
            "keeps nobody out, since `firewall` is false",
            "Take it out and keep others from sshd by your own firewall, or leave `firewall` out.",
        )


def names_differ(around: Around) -> Iterator[Said]:
    """No machine is in two entries."""
    seen: dict[str, str] = {}
    for machine in machines_of(around.site.hosts):
        other = seen.setdefault(machine.name, machine.entry)
        if other != machine.entry:
            yield Said(
                ("hosts", machine.entry),
                f"names {machine.name}, which `{other}` names as well",
                "Leave it in one of them.",
                (("hosts", other),),
            )


def addresses_differ(around: Around) -> Iterator[Said]:
    """No two machines have one address."""
    seen: dict[str, Machine] = {}
    for machine in around.site.machines.values():
        other = seen.setdefault(machine.address, machine)
        if other.entry == machine.entry != other.name and other is not machine:
            yield Said(
                ("hosts", machine.entry, "address"),
                "is so near the end of all addresses that there are not enough for these hosts",
                "Give a smaller first address.",
                (("hosts", machine.entry),),
            )
        elif other is not machine:
            yield Said(
                ("hosts", machine.entry, "address"),
                f"gives {machine.name} the address {machine.address}, which {other.name} has",
                "Give each host its own.",
                (("hosts", other.entry, "address"),),
            )
    public: dict[str, str] = {}
    for entry, host in around.site.hosts.items():
        if host.public_address and public.setdefault(host.public_address, entry) != entry:
            yield Said(
                ("hosts", entry, "public_address"),
                f"is that of {public[host.public_address]} as well",
                "Give each host its own.",
                (("hosts", public[host.public_address], "public_address"),),
            )


def hosts_exist(around: Around) -> Iterator[Said]:
    """Whoever names a host names one that there is."""
    known = list(around.site.machines)
    missing: dict[Path, list[str]] = {}
    for path, name in around.site.host_references():
        if name not in around.site.machines:
            missing.setdefault(path, []).append(name)
    for path, names in missing.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        is_are = "are not hosts" if more else "is not a host"
        yield Said(
            path,
            f"{names[0]}{more} {is_are} of this site",
            f"{one_of(names[0], known, 'host')} Or add it to `hosts`.",
            tuple(("hosts", name) for name in names),
        )


def hosts_are_used(around: Around) -> Iterator[Said]:
    """A machine that nothing names is set up as nothing."""
    used = {name for _, name in around.site.host_references()}
    # One that is not there may well be this one.
    if not used <= set(around.site.machines):
        return
    unused: dict[str, list[str]] = {}
    for machine in around.site.machines.values():
        if machine.name not in used:
            unused.setdefault(machine.entry, []).append(machine.name)
    for entry, names in unused.items():
        yield Said(
            ("hosts", entry),
            f"nothing is to run on {names[0]}" + (f" and {len(names) - 1} more" * (len(names) > 1)),
            "Name it where it is to serve, such as `clusters.NAME.login`, or take it out.",
            (("clusters",), ("hubs",), ("homes",), ("monitoring",), ("directory",)),
            level="warning",
        )


def one_machine_has_loopback(around: Around) -> Iterator[Said]:
    """An address of the machine itself is no use to others."""
    if len(around.site.machines) == 1:
        return
    for entry, host in around.site.hosts.items():
        if ipaddress.ip_address(host.address).is_loopback:
            yield Said(
                ("hosts", entry, "address"),
                "is an address of the machine itself, which the other hosts cannot reach",
                "Give its address on their network.",
            )


def controllers_are_apart(around: Around) -> Iterator[Said]:
    """Jobs of people beside the hub or the controller can bring it down."""
    if len(around.site.machines) == 1:
        return
    nodes = {
        name
        for cluster in around.site.clusters.values()
        if isinstance(cluster, MadeCluster)
        for name, _ in cluster.nodes_by_name()
    }
    for path, name in around.site.host_references():
        if path[-1] in {"host", "controller"} and name in nodes:
            yield Said(
                path,
                f"{name} is a compute node as well: people's jobs take its memory and its CPUs",
                "Give it a host of its own.",
                level="warning",
            )
