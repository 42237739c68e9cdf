"""One daemon of the cluster: started in the foreground, recorded, waited for, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from slurmhub_deploy.cluster.layout import Layout
from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.processes import ProcessId

# How often something that gives no event is looked at, in seconds.
_LOOK_EVERY = 0.03


@dataclass(frozen=True)
class Daemon:
    """A program that stays in the foreground, with its record and its log in the layout."""

    name: str
    argv: tuple[str, ...]
    layout: Layout

    def start(self, environment: Mapping[str, str]) -> None:
        """Start it in a session of its own, where a terminal's Ctrl-C does not reach it."""
        try:
            with self.layout.log_of(f"{self.name}.out").open("ab") as output:
                process = subprocess.Popen(
                    self.argv,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self.layout.root,
                    start_new_session=True,
                )
        except FileNotFoundError as error:
            raise DeployError(
                f"The program {self.argv[0]} is not there.",
                remedy="Install Slurm and munge: apt-get install slurm-wlm munge",
            ) from error
        ProcessId.of(process.pid).save(self._record)
        # The record is what counts from here on; without this, Python would warn that a child
        # outlives its object.
        process.returncode = 0

    def process(self) -> ProcessId | None:
        """The running process of the last start, also one that another program made."""
        process = ProcessId.load(self._record)
        return process if process is not None and process.alive() else None

    def stop(self, *, grace: float = 5.0, number: signal.Signals = signal.SIGTERM) -> None:
        """End it; it is gone when this returns."""
        process = ProcessId.load(self._record)
        if process is not None:
            process.send(number)
            process.end(grace=grace)
        self._record.unlink(missing_ok=True)

    def wait_for(self, ready: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Wait until `ready` is true; raises DeployError when it dies first or time runs out."""
        limit = time.monotonic() + seconds
        while not ready():
            process = self.process()
            if process is None or process.wait(_LOOK_EVERY):
                raise DeployError(
                    f"{self.name} ended before {what}. Its last words: {self.last_words()}",
                    remedy=f"Read {self.layout.log_of(self.name)}.",
                )
            if time.monotonic() > limit:
                raise DeployError(
                    f"{self.name} runs, but not {what} after {seconds:.0f} s."
                    f" Its last words: {self.last_words()}",
                    remedy=f"Read {self.layout.log_of(self.name)}.",
                )

    def last_words(self, lines: int = 3) -> str:
        """The end of what it wrote."""
        for path in (self.layout.log_of(self.name), self.layout.log_of(f"{self.name}.out")):
            text = path.read_text(errors="replace").strip() if path.exists() else ""
            if text:
                return " / ".join(text.splitlines()[-lines:])
        return "(none)"

    @property
    def _record(self) -> Path:
        return self.layout.record_of(self.name)


def munged(program: Path, layout: Layout) -> Daemon:
    """munged(8) with the cluster's own key and socket."""
    argv = [
        str(program),
        "--foreground",
        f"--key-file={layout.munge_key}",
        f"--socket={layout.munge_socket}",
        f"--pid-file={layout.run}/munged.pid",
        f"--seed-file={layout.munge_key.parent}/seed",
        f"--log-file={layout.log_of('munged')}",
        "--num-threads=4",
    ]
    if os.geteuid() != 0:
        # An ordinary account's socket is for that account only; munged asks for more than that.
        argv.append("--force")
    return Daemon("munged", tuple(argv), layout)


def slurmctld(program: Path, layout: Layout) -> Daemon:
    """slurmctld(8), the controller."""
    return Daemon("slurmctld", (str(program), "-D", "-f", str(layout.conf)), layout)


def slurmd(program: Path, layout: Layout, node: str) -> Daemon:
    """slurmd(8) for one node."""
    return Daemon(
        f"slurmd-{node}", (str(program), "-D", "-f", str(layout.conf), "-N", node), layout
    )
