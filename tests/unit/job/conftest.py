"""Starts the real launcher, as a batch script does, against a hub of the test's own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from slurmhub.job.script import launcher_source
from tests.unit.job.fake_hub import TOKEN, FakeHub

ANYWHERE = "0.0.0.0"  # noqa: S104
PORTS = (40000, 44999)
GUARD_SECONDS = 25


@pytest.fixture(autouse=True)
def _wall_clock_guard() -> Iterator[None]:
    """No test here may hang, whatever the launcher does."""

    def too_long(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"longer than {GUARD_SECONDS} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(GUARD_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@dataclass
class Launched:
    """A running launcher, its log, and the folder in which its server leaves notes."""

    process: subprocess.Popen[bytes]
    log: Path
    notes: Path

    def end(self, seconds: float = 10) -> int:
        """Its exit status."""
        return self.process.wait(seconds)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def note(self, name: str, seconds: float = 10) -> str:
        """What the server noted under this name, once it did."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if (self.notes / name).exists() and (text := (self.notes / name).read_text()):
                return text
            time.sleep(0.01)
        raise AssertionError(f"no note {name}; the log: {self.said()}")


@dataclass
class Order:
    """What the hub orders, with everything that a test may want otherwise."""

    url: str
    environment: dict[str, str] = field(default_factory=dict)
    job_environment: dict[str, str] = field(default_factory=dict)
    token: str = TOKEN
    tls: dict[str, str] | None = None
    address: str = ANYWHERE
    ports: tuple[int, int] = PORTS
    launch_timeout: float = 10
    usage_interval: float = 300
    config: dict[str, str] | None = None

    def text(self, notes: Path) -> str:
        service = {"JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:0/user/alice/lab server/"}
        return json.dumps(
            {
                "environment": {"NOTES": str(notes), **service, **self.environment},
                "hub": {"url": self.url, "token": self.token, "tls": self.tls},
                "listen": {"address": self.address, "ports": list(self.ports)},
                "launch_timeout": self.launch_timeout,
                "usage_interval": self.usage_interval,
                **({"config": self.config} if self.config is not None else {}),
            }
        )


Launch = Callable[..., Launched]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """`launch(hub or order, server source, ...)` starts a launcher; all is ended afterwards."""
    started: list[Launched] = []

    def start(
        order: FakeHub | Order,
        server: str,
        *,
        edits: dict[str, str] | None = None,
        command: list[str] | None = None,
        **options: Any,
    ) -> Launched:
        order = order if isinstance(order, Order) else Order(order.url)
        folder = tmp_path / f"launch{len(started)}"
        notes = folder / "notes"
        notes.mkdir(parents=True)
        source = launcher_source()
        for old, new in (edits or {}).items():
            assert source.count(old) == 1
            source = source.replace(old, new)
        (folder / "launcher.py").write_text(source)
        (folder / "server.py").write_text(server)
        log = folder / "log"
        python = ["/usr/bin/python3", "-I", "-S"]
        argv = command if command is not None else [*python, str(folder / "server.py")]
        environ = {
            "PATH": os.environ["PATH"],
            "SLURM_JOB_ID": "4711",
            "TMPDIR": str(folder),
            "SLURMHUB_JOB": order.text(notes),
            **order.job_environment,
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*python, str(folder / "launcher.py"), "--", *argv],
                **{"env": environ, "stdout": output, "stderr": subprocess.STDOUT, **options},
            )
        launched = Launched(process, log, notes)
        started.append(launched)
        return launched

    yield start
    for launched in started:
        end_with_all_it_started(launched)


def end_with_all_it_started(launched: Launched) -> None:
    """The notes folder is in the environment of every process that the launcher started."""
    if launched.process.poll() is None:
        launched.process.kill()
    launched.process.wait()
    mark = os.fsencode(f"NOTES={launched.notes}\0")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                ours = mark in (entry / "environ").read_bytes()
            except OSError:
                continue
            if ours:
                os.kill(int(entry.name), signal.SIGKILL)


def accepts(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def server_of(running: Launched) -> int:
    """The process of the server that a launcher started."""
    pid = running.process.pid
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
