"""What an embedded cluster is made of: plain data, given by whoever wants one."""

from __future__ import annotations

import os
import pwd
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from slurmhub_deploy.errors import DeployError

# A Unix socket's path has at most 107 bytes (unix(7)); step daemons add "/spool/g1/g1_NNNNN.NNNNN".
_LONGEST_ROOT = 60


@dataclass(frozen=True)
class NodePlan:
    """A compute node: what it claims to have, whatever the machine really has.

    `memory` is in MiB. `gpus` are typed ("h100") with their count; each is a plain file. `shards`
    is into how many parts all its GPUs together are divided.
    """

    name: str
    address: str
    cpus: int = 8
    memory: int = 16384
    gpus: tuple[tuple[str, int], ...] = ()
    features: tuple[str, ...] = ()
    shards: int = 0


@dataclass(frozen=True)
class PartitionPlan:
    """A partition: its nodes, and further `Key=value` settings as slurm.conf(5) has them."""

    name: str
    nodes: tuple[str, ...]
    default: bool = False
    hidden: bool = False
    max_time: str = "UNLIMITED"
    default_time: str | None = None
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClusterPlan:
    """An embedded cluster.

    `root` is its own folder, made if need be; other accounts must be able to pass through it if
    their jobs are to run. `owner` is the account that runs every daemon: the one that starts it.
    `scheduling` is "fast" (jobs start at once) or "stock" (Slurm's own values: what sites run).
    With `accounting` it has a slurmdbd, and a database of its own (Debian's mariadb-server).
    With `memory_held` the kernel keeps each job to its memory (task/cgroup), which needs root.
    `kill_wait` and `min_job_age` are in seconds. `extra_lines` are added to slurm.conf as they are.
    """

    root: Path
    name: str
    nodes: tuple[NodePlan, ...]
    partitions: tuple[PartitionPlan, ...]
    owner: str = field(default_factory=lambda: pwd.getpwuid(os.geteuid()).pw_name)
    controller_address: str = "127.0.1.1"
    scheduling: Literal["fast", "stock"] = "fast"
    private_data: bool = False
    accounting: bool = False
    memory_held: bool = False
    kill_wait: int = 30
    min_job_age: int = 300
    extra_lines: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(os.fsencode(self.root)) > _LONGEST_ROOT:
            raise DeployError(
                f"The folder {self.root} is too deep for Slurm's sockets: more than"
                f" {_LONGEST_ROOT} bytes.",
                remedy="Choose a shorter one.",
            )


def standard_plan(
    root: Path,
    *,
    name: str = "embedded",
    scheduling: Literal["fast", "stock"] = "fast",
    private_data: bool = False,
    hidden_partition: bool = False,
    accounting: bool = False,
    kill_wait: int = 30,
    min_job_age: int = 300,
    extra_lines: tuple[str, ...] = (),
) -> ClusterPlan:
    """Two CPU nodes in `cpu`, one node with four typed GPUs in `gpu`; `hidden` on demand (n2)."""
    partitions: tuple[PartitionPlan, ...] = (
        PartitionPlan(
            "cpu", ("n1", "n2"), default=True, max_time="8:00:00", default_time="1:00:00"
        ),
        PartitionPlan("gpu", ("g1",), max_time="1-00:00:00", default_time="1:00:00"),
    )
    if hidden_partition:
        partitions += (PartitionPlan("hidden", ("n2",), hidden=True),)
    return ClusterPlan(
        root=root,
        name=name,
        nodes=(
            NodePlan("n1", "127.0.1.11"),
            NodePlan("n2", "127.0.1.12"),
            NodePlan("g1", "127.0.1.13", gpus=(("h100", 4),)),
        ),
        partitions=partitions,
        scheduling=scheduling,
        private_data=private_data,
        accounting=accounting,
        kill_wait=kill_wait,
        min_job_age=min_job_age,
        extra_lines=extra_lines,
    )


def scratch_root(prefix: str = "slurmhub-") -> Path:
    """A new folder for a cluster; other accounts may pass through it only if root made it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    if os.geteuid() == 0:
        folder.chmod(0o711)
    return folder
