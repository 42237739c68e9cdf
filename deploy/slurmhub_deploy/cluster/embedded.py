"""The cluster as a whole: made, started, disturbed on purpose, stopped without a trace."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from slurmhub_deploy.cluster import conf, daemons
from slurmhub_deploy.cluster.layout import Layout, Ports, choose_ports
from slurmhub_deploy.cluster.plan import ClusterPlan
from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.processes import (
    ProcessId,
    end_all,
    processes_with_environment,
    processes_with_file_in,
)

_DAEMONS = ("slurmd", "slurmctld", "slurmdbd", "mariadbd", "munged")
# The database is the distribution's own, whichever Slurm it serves.
_MARIADB = Path("/usr/sbin/mariadbd")
_MARIADB_INSTALL = Path("/usr/bin/mariadb-install-db")


@dataclass(frozen=True)
class Programs:
    """Where Slurm's commands, daemons and plugins are (None: where they were installed for)."""

    bin_dir: Path = Path("/usr/bin")
    sbin_dir: Path = Path("/usr/sbin")
    plugin_dir: Path | None = None


class EmbeddedCluster:
    """A running Slurm of one's own; also a context manager that starts and stops it.

    Everything it knows is on disk under the plan's root, so another process can make the same
    object for the same root and stop what the first one started.
    """

    def __init__(self, plan: ClusterPlan, programs: Programs | None = None) -> None:
        self.plan = plan
        self.layout = Layout(plan.root)
        self._programs = programs or Programs()
        sbin = self._programs.sbin_dir
        self._munged = daemons.munged(sbin / "munged", self.layout)
        self._controller = daemons.slurmctld(sbin / "slurmctld", self.layout)
        self._database = daemons.database(_MARIADB, self.layout)
        self._slurmdbd = daemons.slurmdbd(sbin / "slurmdbd", self.layout)
        self._slurmd = {
            node.name: daemons.slurmd(sbin / "slurmd", self.layout, node.name)
            for node in plan.nodes
        }

    @property
    def conf(self) -> Path:
        """The cluster's slurm.conf."""
        return self.layout.conf

    @property
    def bin_dir(self) -> Path:
        """Where sbatch, squeue and the others are."""
        return self._programs.bin_dir

    def env(self) -> dict[str, str]:
        """The environment in which Slurm's commands speak to this cluster and to no other."""
        return {
            "PATH": f"{self._programs.bin_dir}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "SLURM_CONF": str(self.conf),
            # Where slurmdbd finds its database; nothing else looks there.
            "MYSQL_UNIX_PORT": str(self.layout.database_socket),
        }

    def run(self, *argv: str, check: bool = True, input: str | None = None) -> str:  # noqa: A002
        """Run one of Slurm's commands as this account; its standard output, stripped."""
        done = self._run(argv, input)
        if check and done.returncode != 0:
            raise DeployError(
                f"{argv[0]} failed with {done.returncode}: {done.stderr.strip()}",
                remedy=f"Read {self.layout.log_of('slurmctld')}.",
            )
        return done.stdout.strip()

    def node_address(self, node: str) -> str:
        """The address of a node of the plan."""
        return next(n.address for n in self.plan.nodes if n.name == node)

    # Start and stop

    def start(self) -> None:
        """Write the configuration, start every daemon, return when every node is idle.

        Raises DeployError when a daemon does not come up, and leaves nothing running then.
        """
        self._refuse_other_owner()
        self._make_folders()
        self._write(choose_ports(self.plan))
        try:
            self.munge_start()
            if self.plan.accounting:
                self._accounting_start()
            self.controller_start()
            for daemon in self._slurmd.values():
                daemon.start(self.env())
            self.wait_until_idle()
        except BaseException:
            self.stop()
            raise

    def stop(self, *, grace: float = 3.0) -> None:
        """Cancel every job, wait `grace` seconds for them, end everything that belongs to us.

        The folder stays, for its logs; it is the caller's to remove.
        """
        self.cancel_jobs(grace)
        # A node's daemon waits for its step daemons, so these go first.
        self._sweep()
        for daemon in self._slurmd.values():
            daemon.stop()
        self._controller.stop()
        self._slurmdbd.stop()
        self._database.stop()
        self._munged.stop()
        # What has no record, because its start was cut short.
        for program in _DAEMONS:
            end_all(self._running(program), grace=0.5)
        self._sweep()
        if self.plan.memory_held:
            self._release_control_groups()

    def cancel_jobs(self, grace: float) -> None:
        """Cancel every job and wait for their ends, at most `grace` seconds."""
        if self._controller.process() is not None and self._munged.process() is not None:
            jobs = self._run(("squeue", "--all", "--noheader", "--format=%A"))
            if jobs.stdout.split():
                self._run(("scancel", *sorted(set(jobs.stdout.split()))))
        limit = time.monotonic() + grace
        for step in self._running("slurmstepd"):
            step.wait(max(0.0, limit - time.monotonic()))

    def __enter__(self) -> EmbeddedCluster:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def remove(self) -> None:
        """Stop, and delete the cluster's folder with everything in it."""
        self.stop()
        shutil.rmtree(self.plan.root, ignore_errors=True)

    # Disturbances, for tests

    def munge_start(self) -> None:
        """Start munged and wait until it answers."""
        self._munged.start(self.env())
        self._munged.wait_for(
            lambda: _connects_unix(self.layout.munge_socket), seconds=10, what="it answered"
        )

    def munge_stop(self) -> None:
        """End munged: from now on nobody can speak to anybody."""
        self._munged.stop()

    def accounting_stop(self) -> None:
        """End slurmdbd: the controller goes on with what it knows."""
        self._slurmdbd.stop()

    def accounting_start(self) -> None:
        """Start slurmdbd, and wait until it answers."""
        self._slurmdbd.start(self.env())
        self._slurmdbd.wait_for(self._accounting_answers, seconds=20, what="it answered")

    def controller_start(self) -> None:
        """Start slurmctld with the state it left, and wait until it answers."""
        self._controller.start(self.env())
        self._controller.wait_for(self._controller_answers, seconds=20, what="it answered")

    def controller_stop(self) -> None:
        """End slurmctld in the orderly way; it saves its state."""
        self._controller.stop(grace=20)

    def controller_kill(self) -> None:
        """End slurmctld with SIGKILL."""
        self._controller.stop(number=signal.SIGKILL)

    def controller_process(self) -> ProcessId | None:
        """The running slurmctld, to suspend it with SIGSTOP for instance."""
        return self._controller.process()

    def reconfigure(self, *lines: str) -> None:
        """Add lines to slurm.conf and have every daemon read it again."""
        text = self.conf.read_text()
        self.conf.write_text(text + "".join(f"{line}\n" for line in lines))
        self.run("scontrol", "reconfigure")

    def slurmd_start(self, node: str) -> None:
        """Start the daemon of one node; `wait_until_idle` waits for it."""
        self._slurmd[node].start(self.env())

    def slurmd_stop(self, node: str) -> None:
        """End the daemon of one node; its jobs go on under their step daemons."""
        self._slurmd[node].stop()

    def wait_until_idle(self, seconds: float = 20) -> None:
        """Wait until every node is idle; raises DeployError when one is not in time."""
        self._controller.wait_for(self._all_idle, seconds=seconds, what="every node was idle")

    def node_states(self) -> dict[str, str]:
        """Each node's state in short ("idle", "mix", "down*"); empty when nobody answers."""
        done = self._run(("sinfo", "--noheader", "--all", "--Node", "--format=%N %t"))
        return dict(line.split() for line in done.stdout.splitlines())

    # Inside

    def _accounting_start(self) -> None:
        """Make the database, and start what serves it; the controller registers itself there."""
        me = pwd.getpwuid(os.geteuid()).pw_name
        done = subprocess.run(
            [
                *(str(_MARIADB_INSTALL), "--no-defaults", f"--datadir={self.layout.database}"),
                *(f"--user={me}", "--skip-test-db", "--skip-name-resolve"),
            ],
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        if done.returncode != 0:
            raise DeployError(
                f"No database could be made for the accounting: {done.stderr.strip()[-500:]}",
                remedy="Read what it says; is there room on the disk?",
            )
        self._database.start(self.env())
        self._database.wait_for(
            lambda: _connects_unix(self.layout.database_socket), seconds=20, what="it answered"
        )
        self.accounting_start()

    def _accounting_answers(self) -> bool:
        return self._run(("sacctmgr", "--noheader", "show", "cluster")).returncode == 0

    def _run(
        self, argv: tuple[str, ...], text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.bin_dir / argv[0]), *argv[1:]],
            env=self.env(),
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd="/",
            # A terminal's Ctrl-C is for whoever owns the cluster, not for what it just runs.
            start_new_session=True,
        )

    def _refuse_other_owner(self) -> None:
        me = pwd.getpwuid(os.geteuid()).pw_name
        if self.plan.owner != me:
            raise DeployError(
                f"The cluster {self.plan.name} belongs to {self.plan.owner}, but {me} starts it.",
                remedy=f"Start it as {self.plan.owner}.",
            )

    def _make_folders(self) -> None:
        self.plan.root.mkdir(parents=True, exist_ok=True)
        for folder, mode in self.layout.folders():
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
        for node in self.plan.nodes:
            for index in range(sum(count for _, count in node.gpus)):
                device = self.layout.device(node.name, index)
                device.parent.mkdir(exist_ok=True)
                device.unlink(missing_ok=True)
                device.symlink_to("/dev/null")
        key = os.open(self.layout.munge_key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(key, "wb") as file:
            file.write(secrets.token_bytes(128))

    def _write(self, ports: Ports) -> None:
        hostname = socket.gethostname().partition(".")[0]
        self.layout.conf.write_text(
            conf.slurm_conf(
                self.plan,
                self.layout,
                ports,
                hostname=hostname,
                plugin_dir=self._programs.plugin_dir,
            )
        )
        if self.plan.accounting:
            self.layout.slurmdbd_conf.touch(mode=0o600)
            self.layout.slurmdbd_conf.write_text(
                conf.slurmdbd_conf(
                    self.plan,
                    self.layout,
                    ports,
                    hostname=hostname,
                    plugin_dir=self._programs.plugin_dir,
                )
            )
        self.layout.gres_conf.write_text(conf.gres_conf(self.plan, self.layout))
        self.layout.cgroup_conf.write_text(
            conf.cgroup_conf(self._version(), memory_held=self.plan.memory_held)
        )

    def _version(self) -> tuple[int, int]:
        # slurm.conf is written before this: without one, the command fails even here.
        done = self._run(("sinfo", "--version"))
        major, minor = done.stdout.split()[-1].split(".")[:2]
        return int(major), int(minor)

    def _all_idle(self) -> bool:
        for daemon in self._slurmd.values():
            daemon.require()
        return set(self.node_states().values()) == {"idle"}

    def _controller_answers(self) -> bool:
        done = self._run(("scontrol", "ping"))
        return done.returncode == 0 and " is UP" in done.stdout

    def _sweep(self) -> None:
        """End what is left of jobs: step daemons, and what they were to look after."""
        end_all(self._running("slurmstepd"), grace=0.2)
        jobs = processes_with_environment({"SLURM_CONF": str(self.conf)}, named=["SLURM_JOB_ID"])
        end_all(jobs, grace=0.2)

    def _release_control_groups(self) -> None:
        """Remove the groups that Slurm leaves behind: slurm_NODE for each controller."""
        for node in self.plan.nodes:
            for group in Path("/sys/fs/cgroup").glob(f"*/slurm_{node.name}"):
                # The deepest first; one that the kernel has not let go of yet stays, and is empty.
                for folder in sorted((group, *group.rglob("*/")), reverse=True):
                    with contextlib.suppress(OSError):
                        folder.rmdir()

    def _running(self, program: str) -> Iterator[ProcessId]:
        return processes_with_file_in(self.plan.root, program=program)


def _connects_unix(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
