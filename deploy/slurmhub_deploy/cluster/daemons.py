"""The daemons of a cluster: their command lines (munged(8), slurmctld(8), slurmd(8))."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from slurmhub_deploy.cluster.layout import Layout
from slurmhub_deploy.daemon import Daemon


def munged(program: Path, layout: Layout) -> Daemon:
    """munged(8) with the cluster's own key and socket."""
    argv = [
        str(program),
        "--foreground",
        f"--key-file={layout.munge_key}",
        f"--socket={layout.munge_socket}",
        f"--pid-file={layout.run}/munged.pid",
        f"--seed-file={layout.munge_key.parent}/seed",
        "--num-threads=4",
    ]
    if os.geteuid() != 0:
        # An ordinary account's socket is for that account only; munged asks for more than that.
        argv.append("--force")
    return _daemon("munged", argv, layout)


def slurmctld(program: Path, layout: Layout) -> Daemon:
    """slurmctld(8), the controller."""
    return _daemon("slurmctld", [str(program), "-D", "-f", str(layout.conf)], layout)


def database(program: Path, layout: Layout) -> Daemon:
    """mariadbd(8) for the accounting, on a socket alone."""
    argv = [
        str(program),
        "--no-defaults",
        f"--datadir={layout.database}",
        f"--socket={layout.database_socket}",
        f"--pid-file={layout.run}/database.pid",
        f"--user={pwd.getpwuid(os.geteuid()).pw_name}",
        "--skip-networking",
        # Its files need no privilege of their own: only the owner of this folder comes this far.
        "--skip-grant-tables",
        "--innodb-buffer-pool-size=64M",
        "--innodb-log-file-size=16M",
        "--innodb-flush-log-at-trx-commit=0",
    ]
    return _daemon("mariadbd", argv, layout)


def slurmdbd(program: Path, layout: Layout) -> Daemon:
    """slurmdbd(8), the accounting."""
    return _daemon("slurmdbd", [str(program), "-D"], layout)


def slurmd(program: Path, layout: Layout, node: str) -> Daemon:
    """slurmd(8) for one node."""
    # The step daemon must be of the same release: never the one at the path compiled in.
    stepd = program.with_name("slurmstepd")
    argv = [str(program), "-D", "-f", str(layout.conf), "-N", node, "-d", str(stepd)]
    return _daemon(f"slurmd-{node}", argv, layout)


def _daemon(name: str, argv: list[str], layout: Layout) -> Daemon:
    return Daemon(name, tuple(argv), layout.record_of(name), layout.out_of(name), layout.root)
