"""Slurm clusters: one that exists, or one to be made of the site's hosts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from slurmhub_deploy.front.settings import AbsolutePath
from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.secret_source import SecretSource
from slurmhub_deploy.site.texts import (
    Amount,
    Duration,
    FeatureName,
    GpuType,
    HostName,
    HostNames,
    Limit,
    Network,
    PartitionName,
    TermName,
    UnixName,
    names_in,
)

_MANY = 10**6

OWNED = (
    "AccountingStorageEnforce", "AccountingStorageHost", "AccountingStoragePort",
    "AccountingStorageTRES", "AccountingStorageType", "AuthType", "ClusterName", "CredType",
    "GresTypes", "Include", "NodeName", "NodeSet", "PartitionName", "SlurmUser", "SlurmctldHost",
    "SlurmctldLogFile", "SlurmctldPidFile", "SlurmctldPort", "SlurmdLogFile", "SlurmdPidFile",
    "SlurmdPort", "SlurmdSpoolDir", "SlurmdUser", "SrunPortRange", "StateSaveLocation",
)  # fmt: skip
"""Settings of slurm.conf(5) that follow from the rest of the site file."""
_OWNED = frozenset(name.lower() for name in OWNED)


def _setting(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{1,63}", value):
        raise ValueError("must be the name of a setting of slurm.conf(5), such as SlurmdTimeout")
    if value.lower() in _OWNED:
        raise ValueError("follows from the rest of this file")
    return value


SlurmSetting = Annotated[str, AfterValidator(_setting)]


class Nodes(SiteModel):
    """Compute nodes that are alike."""

    hosts: HostNames = Field(
        description="Which hosts: one, or several as in `c1,c2` or `c[01-40]`.",
        examples=["c[01-04]"],
    )
    cpus: Annotated[int, Field(ge=1, le=_MANY)] = Field(
        description="CPUs of each, as Slurm counts them.", examples=[32]
    )
    memory: Amount = Field(
        description="Memory of each that jobs may have; leave some to the system.",
        examples=["120G"],
    )
    gpus: dict[GpuType, Annotated[int, Field(ge=1, le=1000)]] = Field(
        default={}, description="GPUs of each: their type, and how many: `{h100: 4}`."
    )
    gpu_files: dict[GpuType, tuple[AbsolutePath, ...]] = Field(
        default={},
        description="The GPUs' device files, by their type; `/dev/nvidia0` and so on, in the order"
        " of the types' names, if absent.",
        examples=[{"mi210": ["/dev/dri/renderD128", "/dev/dri/renderD129"]}],
    )
    features: tuple[FeatureName, ...] = Field(
        default=(), description="Slurm's features, which people can ask for."
    )

    @property
    def names(self) -> list[str]:
        """The hosts, one by one."""
        return names_in(self.hosts)


class Partition(SiteModel):
    """A partition: nodes, and for how long a job may have them."""

    nodes: HostNames = Field(description="Its nodes, as in `c[01-04]`.", examples=["c[01-04]"])
    default: bool = Field(
        default=False, description="Whether jobs that name none come here: one of them."
    )
    hidden: bool = Field(default=False, description="Whether people do not see it.")
    max_time: Limit = Field(default="1-0", description="Longest time of a job; or UNLIMITED.")
    default_time: Duration = Field(
        default="1:00:00", description="Time of a job that asks for none."
    )
    groups: tuple[UnixName, ...] = Field(
        default=(), description="Unix groups whose members may use it; everybody if absent."
    )


class MadeCluster(SiteModel):
    """A cluster that is made of the site's hosts, with munge, accounting and its database."""

    kind: Literal["made"] = Field(description="`made`: of hosts of this site.")
    controller: HostName = Field(description="The host of slurmctld.", examples=["controller"])
    database: HostName | None = Field(
        default=None, description="The host of slurmdbd and MariaDB; the controller if absent."
    )
    login: tuple[HostName, ...] = Field(
        default=(), description="Hosts that people sign in to with ssh."
    )
    nodes: Annotated[tuple[Nodes, ...], Field(min_length=1)] = Field(
        description="The compute nodes, alike ones together.",
        examples=[[{"hosts": "c[01-04]", "cpus": 32, "memory": "120G"}]],
    )
    partitions: Annotated[dict[PartitionName, Partition], Field(min_length=1)] = Field(
        description="Its partitions by name.",
        examples=[{"cpu": {"nodes": "c[01-04]", "default": True}}],
    )
    scheduling: Literal["fast", "stock"] = Field(
        default="fast",
        description="`fast`: jobs are looked at as they come, so that servers start at once;"
        " `stock`: with Slurm's own delays.",
    )
    containment: Literal["cgroup", "process"] = Field(
        default="cgroup",
        description="`cgroup`: the kernel holds each job to its CPUs, memory and GPUs; `process`:"
        " for nodes without cgroups of their own, such as containers, only memory is watched.",
    )
    modules: tuple[AbsolutePath, ...] = Field(
        default=(),
        description="Folders of module files: with any, Lmod is installed on the login and the"
        " compute nodes, and `module` is known in every job.",
        examples=[["/opt/modulefiles"]],
    )
    containers: Literal["apptainer"] | None = Field(
        default=None,
        description="`apptainer`: people run containers with Apptainer on the login and the compute"
        " nodes; no program for containers if absent.",
    )
    extra: dict[SlurmSetting, str | int] = Field(
        default={},
        description="More settings of slurm.conf, over those that slurmhub has; not those that the"
        " cluster rests on: its name, hosts, ports, authentication and accounting.",
        examples=[{"SlurmdTimeout": 120}],
    )

    def nodes_by_name(self) -> Iterator[tuple[str, Nodes]]:
        """Each node and what it has; a node that two entries name comes twice."""
        for nodes in self.nodes:
            for name in nodes.names:
                yield name, nodes


class ExistingCluster(SiteModel):
    """A cluster that is there, and is left as it is but for what a hub needs of it."""

    not_here: ClassVar[Mapping[str, str]] = {
        "nodes": "The nodes of a cluster that exists are its own affair.",
        "controller": "The cluster's slurm.conf says it: give `slurm_conf` or `configless`.",
        "modules": "What a cluster that exists has is its own affair. What servers load is in"
        " `hubs.NAME.settings`, as `SlurmHubSpawner.modules`.",
        "containers": "What a cluster that exists has is its own affair.",
    }

    kind: Literal["existing"] = Field(description="`existing`: it is there already.")
    slurm_conf: AbsolutePath | None = Field(
        default=None,
        description="Its slurm.conf, on the hub's host; or `configless`.",
    )
    configless: tuple[HostName | str, ...] = Field(
        default=(),
        description="Its controllers, `host:port`, from whom slurm.conf is fetched.",
    )
    munge_key: SecretSource | None = Field(
        default=None,
        description="Where its munge key comes from; absent where the hub's host has it already.",
    )
    nodes_network: Network | None = Field(
        default=None,
        description="The network of its nodes, which must reach the hub, and the hub them.",
    )
    partitions: tuple[PartitionName, ...] = Field(
        default=(),
        description="Its partitions that hubs use, so that names can be checked here.",
    )
    account: TermName | None = Field(
        default=None,
        description="Slurm's account below which the hub may add people; absent where the"
        " cluster's operators add them.",
    )


Cluster = Annotated[MadeCluster | ExistingCluster, Field(discriminator="kind")]
