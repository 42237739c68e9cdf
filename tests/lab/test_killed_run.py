"""A run is killed after it wrote files and before it told anybody: the next run makes up for it."""

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
_PLAYS = [
    {"hosts": "all", "become": True, "roles": ["base"]},
    {
        "hosts": "all",
        "become": True,
        "tasks": [
            *(
                {"ansible.builtin.import_role": {"name": "base", "tasks_from": f"{phase}.yml"}}
                for phase in ("preflight", "configure")
            ),
            {"name": _WAITS, "ansible.builtin.pause": {"seconds": 600}},
        ],
    },
]
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
        for name, play in zip(("whole", "killed"), _PLAYS, strict=True):
            (folder / f"{name}.yml").write_text(json.dumps([play]))

    def whole(self, **variables: object) -> list[dict[str, Any]]:
        """A run to its end; the tasks that changed something."""
        with self._start("whole", variables) as (run, events):
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
        self, name: str, variables: dict[str, object]
    ) -> Iterator[tuple[subprocess.Popen[bytes], Iterator[dict[str, Any]]]]:
        argv = ["-m", "ansible", "playbook", "-i", str(self._inventory), f"{name}.yml"]
        kept = {each: os.environ[each] for each in ("PATH", "HOME") if each in os.environ}
        reading, writing = os.pipe()
        with self._said.open("wb") as said:
            run = subprocess.Popen(
                [sys.executable, *argv, "--extra-vars", json.dumps(variables)],
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


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    fleet = HeldFleet.start(f"killed-{os.getpid()}")
    try:
        fleet.add(["one"])
        runs = Runs(fleet, tmp_path)
        yield runs
        runs.disconnect()
    finally:
        fleet.down()


def test_what_a_killed_run_wrote_is_in_force_after_the_next(runs: Runs) -> None:
    network = f"{runs.fleet.address('one').rpartition('.')[0]}.0/24"
    changed = {"base_ssh_from": [network], "base_time_servers": ["192.0.2.123"]}
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


def _firewall(runs: Runs) -> str:
    return runs.fleet.run("one", "nft", "list", "table", "inet", "slurmhub")


def _clocks(runs: Runs) -> str:
    return runs.fleet.run("one", "chronyc", "-n", "sources")
