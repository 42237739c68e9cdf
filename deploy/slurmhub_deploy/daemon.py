"""A program that stays in the foreground: started, recorded, waited for, ended."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.processes import ProcessId

# How often something that gives no event is looked at, in seconds.
_LOOK_EVERY = 0.03


@dataclass(frozen=True)
class Daemon:
    """A program with the files that belong to it.

    `record` names its process for whoever is to end it, `log` takes what it writes, and `folder`
    is where it works. `umask` is that of everything it makes.
    """

    name: str
    argv: tuple[str, ...]
    record: Path
    log: Path
    folder: Path
    umask: int = 0o022

    def start(self, environment: Mapping[str, str]) -> None:
        """Start it in a session of its own, where a terminal's Ctrl-C does not reach it."""
        try:
            with self.log.open("ab") as output:
                process = subprocess.Popen(
                    self.argv,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self.folder,
                    umask=self.umask,
                    start_new_session=True,
                )
        except FileNotFoundError as error:
            raise DeployError(
                f"The program {self.argv[0]} is not there.",
                remedy="Install the packages that script/demo names.",
            ) from error
        ProcessId.of(process.pid).save(self.record)
        # The record is what counts from here on; without this, Python would warn that a child
        # outlives its object.
        process.returncode = 0

    def process(self) -> ProcessId | None:
        """The running process of the last start, also one that another program made."""
        process = ProcessId.load(self.record)
        return process if process is not None and process.alive() else None

    def stop(self, *, grace: float = 5.0, number: signal.Signals = signal.SIGTERM) -> None:
        """End it; it is gone when this returns."""
        process = ProcessId.load(self.record)
        if process is not None:
            process.end(grace=grace, number=number)
        self.record.unlink(missing_ok=True)

    def wait_for(self, ready: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Wait until `ready` is true; raises DeployError when it dies first or time runs out."""
        limit = time.monotonic() + seconds
        while not ready():
            process = self.process()
            if process is None or process.wait(_LOOK_EVERY):
                raise self._ended(f"before {what}")
            if time.monotonic() > limit:
                raise DeployError(
                    f"{self.name} has run for {seconds:.0f} s before {what}."
                    f" Its last words: {self.last_words()}",
                    remedy=f"Read {self.log}.",
                )

    def require(self) -> ProcessId:
        """The running process; raises DeployError when there is none."""
        process = self.process()
        if process is None:
            raise self._ended("at once")
        return process

    def _ended(self, when: str) -> DeployError:
        return DeployError(
            f"{self.name} ended {when}. Its last words: {self.last_words()}",
            remedy=f"Read {self.log}.",
        )

    def last_words(self, lines: int = 3) -> str:
        """The end of what it wrote."""
        text = self.log.read_text(errors="replace").strip() if self.log.exists() else ""
        return " / ".join(text.splitlines()[-lines:]) or "(none)"
