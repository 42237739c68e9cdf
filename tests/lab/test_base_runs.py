"""Runs of the role `base` on a fresh host: one that is killed, and one that upgrades."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.lab.fleet.client import HeldFleet
from tests.rig.checkout import PROJECT

_WAITS = "Wait to be killed"
# Handlers run when all tasks of a play have ended, which here is never.
_PLAYS: dict[str, list[dict[str, Any]]] = {
    "whole": [{"ansible.builtin.import_role": {"name": "base"}}],
    "killed": [
        {"ansible.builtin.import_role": {"name": "base", "tasks_from": "preflight.yml"}},
        {"ansible.builtin.import_role": {"name": "base", "tasks_from": "configure.yml"}},
        {"name": _WAITS, "ansible.builtin.pause": {"seconds": 600}},
    ],
    "upgrade": [{"ansible.builtin.import_role": {"name": "base", "tasks_from": "upgrade.yml"}}],
}
_SECONDS = 300


class Runs:
    """Runs of the role `base` on one fresh host."""

    def __init__(self, fleet: HeldFleet, folder: Path) -> None:
        self.fleet = fleet
        self._folder = folder
        self._said = folder / "said"
        # Short enough for the path of a socket.
        self.connections = fleet.folder / "c"
        self._inventory = fleet.ssh_config.with_name("inventory.yml")
        for name, tasks in _PLAYS.items():
            play = {"hosts": "all", "become": True, "tasks": tasks}
            (folder / f"{name}.yml").write_text(json.dumps([play]))

    def whole(
        self, name: str = "whole", *, check: bool = False, **variables: object
    ) -> list[dict[str, Any]]:
        """A run to its end; the tasks that changed something, or would."""
        with self._start(name, variables, *(["--check"] if check else [])) as (run, events):
            ended = [each for each in events if each["event"] == "ended"]
            assert run.wait(_SECONDS) == 0, self._said.read_text()
        return [each for each in ended if each["status"] == "changed"]

    def killed(self, **variables: object) -> None:
        """A run that is killed when all is written, and no handler has run."""
        with self._start("killed", variables) as (run, events):
            for each in events:
                assert not (each["event"] == "task" and each["handler"]), each
                assert each.get("status") not in ("failed", "unreachable"), each
                if each["event"] == "task" and each["name"] == _WAITS:
                    os.killpg(run.pid, signal.SIGKILL)
            assert run.wait(_SECONDS) == -signal.SIGKILL

    def disconnect(self) -> None:
        """End the ssh processes that wait for a next task."""
        for socket in self.connections.iterdir():
            argv = ["ssh", "-F", "none", "-O", "exit", "-o", f"ControlPath={socket}", "unused"]
            subprocess.run(argv, check=False, capture_output=True, timeout=10)

    @contextmanager
    def _start(
        self, name: str, variables: dict[str, object], *options: str
    ) -> Iterator[tuple[subprocess.Popen[bytes], Iterator[dict[str, Any]]]]:
        argv = ["-m", "ansible", "playbook", "-i", str(self._inventory), "--diff", *options]
        kept = {each: os.environ[each] for each in ("PATH", "HOME") if each in os.environ}
        reading, writing = os.pipe()
        with self._said.open("wb") as said:
            run = subprocess.Popen(
                [sys.executable, *argv, "--extra-vars", json.dumps(variables), f"{name}.yml"],
                cwd=self._folder,
                env={
                    **kept,
                    "LANG": "C.UTF-8",
                    "PYTHONPATH": f"{PROJECT / 'spawner'}:{PROJECT / 'deploy'}",
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "ANSIBLE_CONFIG": str(PROJECT / "ansible/ansible.cfg"),
                    "ANSIBLE_HOME": str(self._folder),
                    "ANSIBLE_CALLBACK_PLUGINS": str(PROJECT / "ansible/callback_plugins"),
                    "ANSIBLE_CALLBACKS_ENABLED": "slurmhub_events",
                    "ANSIBLE_FORCE_HANDLERS": "True",
                    "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.connections),
                    "SLURMHUB_EVENTS_FD": str(writing),
                },
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                pass_fds=(writing,),
                start_new_session=True,
            )
        os.close(writing)
        try:
            with os.fdopen(reading) as lines:
                yield run, map(json.loads, lines)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)
            run.wait()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    fleet = HeldFleet.start(f"base-{os.getpid()}")
    try:
        fleet.add(["one"])
        runs = Runs(fleet, tmp_path_factory.mktemp("runs"))
        yield runs
        runs.disconnect()
    finally:
        fleet.down()


def test_what_a_killed_run_wrote_is_in_force_after_the_next(runs: Runs) -> None:
    network = f"{runs.fleet.address('one').rpartition('.')[0]}.0/24"
    changed: dict[str, Any] = {"base_ssh_from": [network], "base_time_servers": ["192.0.2.123"]}
    runs.whole()
    runs.killed(**changed)
    assert network in runs.fleet.run("one", "cat", "/etc/nftables.conf")
    assert network not in _firewall(runs)
    assert "192.0.2.123" not in _clocks(runs)

    told = {each["units"][0]["name"]: each for each in runs.whole(**changed)}
    assert {name: each["units"][0]["state"] for name, each in told.items()} == {
        "nftables.service": "reloaded",
        "chrony.service": "restarted",
    }
    assert "/etc/nftables.conf" in str(told["nftables.service"]["diff"])
    assert network in _firewall(runs)
    assert "192.0.2.123" in _clocks(runs)
    assert runs.whole(**changed) == []


def test_packages_are_upgraded_only_when_asked(runs: Runs) -> None:
    """The time zones of Debian's release are older than those of its security updates."""

    def versions() -> list[str]:
        said = runs.fleet.run("one", "apt-cache", "madison", "tzdata")
        return list(dict.fromkeys(line.split("|")[1].strip() for line in said.splitlines()))

    def installed() -> str:
        return runs.fleet.run("one", "dpkg-query", "--show", "--showformat=${Version}", "tzdata")

    newest, older = versions()[:2]
    runs.fleet.run(
        *("one", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes"),
        *("--allow-downgrades", f"tzdata={older}"),
    )
    (foreseen,) = runs.whole("upgrade", check=True)
    assert "tzdata" in str(foreseen["diff"])
    assert installed() == older
    assert len(runs.whole("upgrade")) == 1
    assert installed() == newest
    assert runs.whole("upgrade") == []


def _firewall(runs: Runs) -> str:
    return runs.fleet.run("one", "nft", "list", "table", "inet", "slurmhub")


def _clocks(runs: Runs) -> str:
    return runs.fleet.run("one", "chronyc", "-n", "sources")
