"""Where an embedded cluster keeps its files, and on which ports it listens."""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass
from pathlib import Path

from slurmhub_deploy.cluster.plan import ClusterPlan
from slurmhub_deploy.errors import DeployError

# Below the kernel's usual range for outgoing connections (ip(7): 32768 to 60999), so that no
# connection can take a port between the moment it was found free and the daemon's start.
_PORTS = range(20000, 32000)


@dataclass(frozen=True)
class Layout:
    """The paths of one cluster, all under its root."""

    root: Path

    @property
    def conf(self) -> Path:
        return self.root / "etc" / "slurm.conf"

    @property
    def gres_conf(self) -> Path:
        return self.root / "etc" / "gres.conf"

    @property
    def cgroup_conf(self) -> Path:
        return self.root / "etc" / "cgroup.conf"

    @property
    def slurmdbd_conf(self) -> Path:
        return self.root / "etc" / "slurmdbd.conf"

    @property
    def database(self) -> Path:
        return self.root / "database"

    @property
    def database_socket(self) -> Path:
        return self.run / "database.socket"

    @property
    def munge_key(self) -> Path:
        return self.root / "munge" / "key"

    @property
    def munge_socket(self) -> Path:
        return self.root / "run" / "munge.socket"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    def device(self, node: str, index: int) -> Path:
        """What stands for a GPU. Slurm takes the GPU's number from the trailing digits.

        It must be a character device, or jobs get no CUDA_VISIBLE_DEVICES: a link to /dev/null is
        one, and needs no privilege to make.
        """
        return self.root / "dev" / node / f"gpu{index}"

    def log_of(self, daemon: str) -> Path:
        return self.log / f"{daemon}.log"

    def out_of(self, daemon: str) -> Path:
        """What a daemon writes to its terminal."""
        return self.log / f"{daemon}.out"

    def record_of(self, daemon: str) -> Path:
        """Where the number and start time of a running daemon are written."""
        return self.run / f"{daemon}.process"

    def folders(self) -> tuple[tuple[Path, int], ...]:
        """Every folder with its mode: others pass only where a job's own processes must."""
        return (
            (self.root / "etc", 0o755),
            (self.root / "munge", 0o700),
            (self.run, 0o711),
            (self.log, 0o700),
            (self.state, 0o700),
            (self.spool, 0o711),
            (self.root / "dev", 0o755),
            (self.database, 0o700),
        )


@dataclass(frozen=True)
class Ports:
    """One port for the controller, one for each node in the plan's order, one for slurmdbd."""

    controller: int
    nodes: tuple[int, ...]
    accounting: int


def choose_ports(plan: ClusterPlan) -> Ports:
    """Ports that are free at this moment on every address of this machine."""
    controller, accounting, *nodes = free_ports(2 + len(plan.nodes))
    return Ports(controller, tuple(nodes), accounting)


def free_ports(count: int) -> list[int]:
    """So many ports that are free at this moment on every address of this machine."""
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        if len(found) == count:
            return found
        if _free(port):
            found.append(port)
    raise DeployError(
        f"No {count} free ports between {_PORTS.start} and {_PORTS.stop}.",
        remedy="End some of the programs that listen there.",
    )


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True
