"""The whole site file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.clusters import Cluster, MadeCluster
from slurmhub_deploy.site.directory import Directory
from slurmhub_deploy.site.every_host import Base
from slurmhub_deploy.site.homes import Homes, NfsHomes
from slurmhub_deploy.site.hosts import Host, Machine, machines_of
from slurmhub_deploy.site.hubs import Hub
from slurmhub_deploy.site.institution import Institution, Ssh
from slurmhub_deploy.site.monitoring import Monitoring
from slurmhub_deploy.site.secret_source import SecretSource
from slurmhub_deploy.site.texts import ClusterName, HostNames, OwnName
from slurmhub_deploy.site.tls import LocalFile, Tls

VERSION = 1
Path = tuple[str | int, ...]
"""Where something is in the file: the keys, and the numbers of list items from 0, to it."""


class Vault(SiteModel):
    """The Ansible vault in which secrets are kept that were made or given."""

    file: LocalFile = Field(default="vault.yml", description="The vault, beside the site file.")
    password: SecretSource | None = Field(
        default=None, description="Where its password comes from; asked for if absent."
    )


class Site(SiteModel):
    """An institution's hubs and everything under them."""

    not_here: ClassVar[Mapping[str, str]] = {
        "accounts": "Accounts are set for each hub: `hubs.NAME.accounts`.",
        "sign_in": "It is set for each hub, or for all of them in `hub_defaults`.",
        "limits": "They are set for each hub, or for all of them in `hub_defaults`.",
        "profiles": "They are set for each hub, or for all of them in `hub_defaults`.",
    }

    version: Literal[1] = Field(description="The version of this format.", examples=[VERSION])
    institution: Institution = Field(
        description="Who runs the hubs.",
        examples=[
            {
                "name": "Example University",
                "information_url": "https://www.example.ca/hub",
                "privacy_url": "https://www.example.ca/privacy",
                "support": {"name": "Help desk", "mail": "help@example.ca"},
            }
        ],
    )
    ssh: Ssh = Field(default=Ssh(), description="How the hosts are reached to set them up.")
    base: Base = Field(default=Base(), description="What every host gets, whatever it is for.")
    vault: Vault = Field(default=Vault(), description="Where secrets are kept.")
    bundle: LocalFile | None = Field(
        default=None,
        description="Folder of a [bundle](offline.md), beside the site file, for hosts that do not"
        " reach the Internet.",
    )
    hosts: Annotated[dict[HostNames, Host], Field(min_length=1)] = Field(
        description="The machines, by short name.",
        examples=[{"hub": {"address": "192.0.2.10"}}],
    )
    directory: Directory = Field(description="Where accounts live.", examples=[{"kind": "files"}])
    clusters: Annotated[dict[ClusterName, Cluster], Field(min_length=1)] = Field(
        description="The Slurm clusters, by name.",
        examples=[{"main": {"kind": "existing", "slurm_conf": "/etc/slurm/slurm.conf"}}],
    )
    homes: Annotated[dict[OwnName, Homes], Field(min_length=1)] = Field(
        description="Homes, by name.",
        examples=[{"main": {"backend": "nfs", "server": "files", "export": "/export/homes"}}],
    )
    tls: Tls = Field(description="Certificates of the hubs.", examples=[{"kind": "acme"}])
    hub_defaults: dict[str, Any] = Field(
        default={},
        description="Settings of every hub that does not say otherwise, as in `hubs.NAME`.",
    )
    hubs: Annotated[dict[OwnName, Hub], Field(min_length=1)] = Field(
        description="The hubs, by name.", examples=[{}]
    )
    monitoring: Monitoring | None = Field(
        default=None, description="What watches the site; nothing if absent."
    )

    @cached_property
    def machines(self) -> dict[str, Machine]:
        """Every machine by its name; of two with one name the first."""
        found: dict[str, Machine] = {}
        for machine in machines_of(self.hosts):
            found.setdefault(machine.name, machine)
        return found

    def tls_of(self, hub: Hub) -> tuple[Path, Tls]:
        """The certificate settings of a hub, and where they are."""
        if hub.tls is None:
            return ("tls",), self.tls
        name = next(name for name, other in self.hubs.items() if other is hub)
        return ("hubs", name, "tls"), hub.tls

    def host_references(self) -> Iterable[tuple[Path, str]]:
        """Every place that names a host, and the host."""
        for name, hub in self.hubs.items():
            yield ("hubs", name, "host"), hub.host
        for name, cluster in self.clusters.items():
            if isinstance(cluster, MadeCluster):
                yield from _of_cluster(("clusters", name), cluster)
        for name, homes in self.homes.items():
            if not isinstance(homes, NfsHomes):
                yield ("homes", name, "server"), homes.server
        if self.directory.kind == "made":
            yield ("directory", "host"), self.directory.host
        if self.monitoring is not None:
            yield ("monitoring", "host"), self.monitoring.host


def _of_cluster(path: Path, cluster: MadeCluster) -> Iterable[tuple[Path, str]]:
    yield (*path, "controller"), cluster.controller
    if cluster.database is not None:
        yield (*path, "database"), cluster.database
    for number, host in enumerate(cluster.login):
        yield (*path, "login", number), host
    for number, nodes in enumerate(cluster.nodes):
        for host in nodes.names:
            yield (*path, "nodes", number, "hosts"), host
