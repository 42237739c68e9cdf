"""The operator of a site: `slurmhub` of this checkout, run in the folder with the site file."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.lab.whole.institution import Institution
from tests.rig.checkout import PROJECT

_MAIN = "from slurmhub_deploy.main import main; main()"
# Six hosts share one machine with whatever else it does.
_SECONDS = 3600


class Operator:
    """Runs `slurmhub` as an operator does at a terminal, without one."""

    def __init__(self, institution: Institution, checkout: Path = PROJECT) -> None:
        self._institution = institution
        self._checkout = checkout

    def command(self, *argv: str) -> list[str]:
        """The words that run it where the names lead to the hosts."""
        return self._institution.within(sys.executable, "-c", _MAIN, *argv)

    @property
    def environment(self) -> Mapping[str, str]:
        """What it is run with."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        code = f"{self._checkout / 'spawner'}:{self._checkout / 'deploy'}"
        return {
            **kept,
            "LANG": "C.UTF-8",
            "PYTHONPATH": code,
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, *argv: str, status: int = 0, site: str = "site.yml") -> str:
        """Run it, and return all that it said; `status` is the exit status that is right."""
        done = subprocess.run(
            self.command(*argv),
            cwd=self._institution.folder,
            env={**self.environment, "SLURMHUB_SITE": site},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        said = f"slurmhub {' '.join(argv)}: {done.returncode}\n{done.stdout}"
        assert done.returncode == status, said
        return done.stdout

    def json(self, *argv: str, status: int = 0, site: str = "site.yml") -> Any:
        """The same for a verb with --json."""
        said = self.run(*argv, "--json", status=status, site=site)
        return json.loads(said[said.index("{") :])

    def begin(self, *argv: str) -> Underway:
        """Begin it; what it says goes to a file."""
        return Underway(self.command(*argv), self._institution.folder, self.environment)

    def site_text(self) -> str:
        """What the site file says."""
        return (self._institution.folder / "site.yml").read_text()

    def changed_site(self, changes: Mapping[str, str]) -> str:
        """A second site file beside the first, with texts replaced; its name."""
        text = self.site_text()
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = Path(self._institution.folder, "changed.yml")
        path.write_text(text)
        return path.name


class Underway:
    """`slurmhub` at work, as a process to look at and to kill."""

    def __init__(self, argv: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._output = folder / "said"
        self._logs = folder / ".slurmhub/log"
        self._earlier = self._all_logs()
        with self._output.open("w") as output:
            self._process = subprocess.Popen(
                argv,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def said(self) -> str:
        """All that it has said so far."""
        return self._output.read_text()

    def wait_for_task(self, name: str) -> None:
        """Return when a task whose name begins so has begun. Fails if it ends before."""
        end = time.monotonic() + _SECONDS
        while not self._has_begun(name):
            assert self._process.poll() is None, f"{name!r} never began: {self.said}"
            assert time.monotonic() < end, f"{name!r} does not begin: {self.said}"
            time.sleep(0.2)

    def kill(self) -> None:
        """End it and every program that it has started, none of which can do anything more.

        What they have started on hosts goes on there, as after a cut of the control machine.
        """
        left = [self._process.pid]
        while left:
            pid = left.pop()
            # A program that is stopped starts no other.
            for number in (signal.SIGSTOP, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
                if number == signal.SIGSTOP:
                    left += _children(pid)
        self._process.wait(60)

    def _has_begun(self, name: str) -> bool:
        return any(f"TASK [{name}" in log.read_text() for log in self._all_logs() - self._earlier)

    def _all_logs(self) -> set[Path]:
        return set(self._logs.iterdir()) if self._logs.exists() else set()


def _children(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        words = " ".join((each / "children").read_text() for each in threads)
    except FileNotFoundError:
        return []
    return [int(word) for word in words.split()]
