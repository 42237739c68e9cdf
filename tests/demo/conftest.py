"""Fixtures for the demo: a checkout, an account, and a look at what is left."""

from __future__ import annotations

import fcntl
import os
import pwd
import re
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.rig.checkout import PROJECT, copy_checkout

PEOPLE = ("student", "instructor", "operator")
ROOT_STATE = Path("/var/lib/slurmhub-demo")
ORDINARY = "slurmhub-test-jo"
_TURN = Path("/var/cache/slurmhub/demo.lock")
# What script/demo is run with; nothing of the test's own environment.
CLEAN = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"}


@dataclass
class DemoScript:
    """script/demo of a checkout, run by one account."""

    checkout: Path
    state: Path
    prefix: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, seconds: float = 60, **variables: str) -> Outcome:
        """Run it to its end."""
        done = subprocess.run(
            self._argv(arguments),
            env={**CLEAN, **self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it as a terminal would, in front."""
        return subprocess.Popen(
            self._argv(arguments),
            env={**CLEAN, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _argv(self, arguments: Sequence[str]) -> list[str]:
        return [*self.prefix, str(self.checkout / "script" / "demo"), *arguments]


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    status: int
    out: str
    err: str

    @property
    def url(self) -> str:
        """The address it printed."""
        found = re.search(r"http://127\.0\.0\.1:\d+", self.out)
        assert found, (self.out, self.err)
        return found[0]

    @property
    def passwords(self) -> dict[str, str]:
        """The accounts it printed, one on a line with its password."""
        pairs = [line.split() for line in self.out.splitlines()]
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[0] in PEOPLE}


@pytest.fixture(scope="module", autouse=True)
def _turn() -> Iterator[None]:
    """An account has one demo: files of tests that run side by side take turns."""
    with _TURN.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="module")
def warm(_turn: None) -> None:
    """Make the environments, so that no later start has to."""
    demo = DemoScript(PROJECT, ROOT_STATE)
    done = demo.run("--detach", "--port", str(free_port()), seconds=400)
    assert done.status == 0, f"{done.out}{done.err}\nIs a demo running? script/demo --stop"
    assert demo.run("--stop").status == 0


@pytest.fixture
def demo(warm: None) -> Iterator[DemoScript]:
    """Root's demo, from a checkout that nobody else can read; it must leave nothing."""
    with tempfile.TemporaryDirectory(prefix="slurmhub-test-") as folder:
        yield from _demo(DemoScript(copy_checkout(Path(folder) / "clone"), ROOT_STATE))


@pytest.fixture
def ordinary(warm: None) -> Iterator[DemoScript]:
    """The demo of an account that is not root's; it must leave nothing but its cache."""
    with tempfile.TemporaryDirectory(prefix="slurmhub-test-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "home"
        subprocess.run(["useradd", "--create-home", "--home-dir", home, ORDINARY], check=True)
        try:
            become = ["setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--init-groups"]
            uid = pwd.getpwnam(ORDINARY).pw_uid
            state = Path(f"/tmp/slurmhub-demo-{uid}")
            checkout = copy_checkout(Path(folder) / "clone")
            yield from _demo(DemoScript(checkout, state, become, {"HOME": str(home)}))
            assert _processes_of(uid) == []
        finally:
            subprocess.run(["userdel", ORDINARY], check=True)


def _demo(script: DemoScript) -> Iterator[DemoScript]:
    try:
        yield script
    finally:
        stopped = script.run("--stop")
    assert stopped.status == 0, stopped
    assert_nothing_left(script)


def assert_nothing_left(script: DemoScript) -> None:
    """No folder, account or process of this demo is there."""
    assert not script.state.exists()
    homes = f"{script.state}/homes/"
    assert [entry.pw_name for entry in pwd.getpwall() if entry.pw_dir.startswith(homes)] == []
    assert _processes_about(script.state) == []


def free_port() -> int:
    """A port of loopback that nobody holds at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def kill(pid: int) -> None:
    """SIGKILL."""
    os.kill(pid, signal.SIGKILL)


def _processes_about(state: Path) -> list[str]:
    """Living processes that have this folder on their command line or in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
            if f"{state}/".encode() in words + (process / "environ").read_bytes():
                found.append(words.replace(b"\0", b" ").decode(errors="replace"))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def _processes_of(uid: int) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            status = (process / "status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if f"\nUid:\t{uid}\t" in status and "\nState:\tZ" not in status:
            found.append(status.partition("\n")[0])
    return found
