"""A fleet that another process holds: its hosts by name, from here."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.lab.fleet.fleet import FLEETS, names

# A fleet's folder is short enough for the path of a socket.
SOCKET = "control"


class NoFleet(Exception):
    """There is no fleet of this name; says which there are."""


class HeldFleet:
    """A fleet by its name; `start` brings up one that is not there. Raises NoFleet."""

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def start(cls, name: str) -> HeldFleet:
        """A process that holds an empty fleet until it is asked to end."""
        log = log_of(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        ready, tell = os.pipe()
        with log.open("w") as output:
            subprocess.Popen(
                [*_HOLD, "--name", name, "--tell", str(tell)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(tell,),
                start_new_session=True,
            )
        os.close(tell)
        with os.fdopen(ready) as up:
            if not up.read():
                raise RuntimeError(log.read_text())
        return cls(name)

    def add(
        self,
        hosts: Sequence[str],
        disks: Mapping[str, Sequence[str]] | None = None,
        *,
        online: bool = True,
    ) -> None:
        """Start hosts; `disks` are those of each by name, with `:` and a size in GiB if wanted."""
        given = {host: list(each) for host, each in (disks or {}).items()}
        self.ask("add", hosts=list(hosts), disks=given, online=online)

    @property
    def ssh_config(self) -> Path:
        """For `ssh -F`."""
        return Path(self._facts["ssh_config"])

    @property
    def within(self) -> list[str]:
        """The words that run a program of this machine in the fleet's network, as a browser."""
        return list(self._facts["within"])

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return Path(self._facts["folder"])

    def address(self, host: str) -> str:
        """A host's address."""
        return str(self._facts["hosts"][host])

    @property
    def hosts(self) -> list[str]:
        """The names of its hosts."""
        return list(self._facts["hosts"])

    def command(self, host: str, *argv: str | Path) -> list[str]:
        """The words that run a program on a host as root."""
        words = [str(word) for word in argv]
        return list(json.loads(self.ask("command", host=host, argv=words)))

    def run(
        self, host: str, *argv: str | Path, feed: str = "", check: bool = True, seconds: float = 600
    ) -> str:
        """Run a program on a host as root; all that it said."""
        done = subprocess.run(
            self.command(host, *argv),
            input=feed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=seconds,
        )
        assert not check or done.returncode == 0, f"{host}: {argv}: {done.stdout}"
        return done.stdout

    def write(self, host: str, path: str, text: str, mode: str = "644") -> None:
        """Write a file of root's on a host."""
        self.run(host, "install", "-D", "-m", mode, "/dev/stdin", path, feed=text)

    def reboot(self, host: str) -> None:
        """Have it end everything in its order, and start again."""
        self.ask("reboot", host=host)

    def off(self, host: str) -> None:
        """Pull its plug."""
        self.ask("off", host=host)

    def on(self, host: str) -> None:
        """Start it again."""
        self.ask("on", host=host)

    def remove(self, host: str) -> None:
        """End it for good."""
        self.ask("remove", host=host)

    def down(self) -> None:
        """End all and remove it; returns when that is done."""
        self._send("down")

    def ask(self, what: str, **arguments: Any) -> str:
        """Have the holder do something; what it says of it. Raises RuntimeError if it failed."""
        answer = json.loads(self._send(what, **arguments))
        if "failed" in answer:
            raise RuntimeError(answer["failed"])
        return str(answer["said"])

    @property
    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.ask("facts"))
        return facts

    def _send(self, what: str, **arguments: Any) -> str:
        found = names()
        if self.name not in found:
            there = ", ".join(found) or "none"
            raise NoFleet(f"No fleet is named {self.name}. There are: {there}.")
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(found[self.name] / SOCKET))
            line.sendall(json.dumps({"what": what, **arguments}).encode() + b"\n")
            with line.makefile() as answers:
                return answers.read()


def log_of(name: str) -> Path:
    """What the process that holds a fleet said, if that failed."""
    return FLEETS / f"{name}.log"


_HOLD = (sys.executable, "-m", "tests.lab.fleet", "hold")
