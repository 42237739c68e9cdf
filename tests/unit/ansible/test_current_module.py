"""slurmhub_current by Ansible itself: what was written and never told to a unit is made up for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.rig.role_docs import ROLES

_MODULE = ROLES.parent / "library/slurmhub_current.py"
# Stands in for systemd: shows what is in a file, and notes acts as systemd 252 does.
_SYSTEMCTL = """#!{python} -IS
import datetime, json, pathlib, sys, time

folder = pathlib.Path("{folder}")
shown = json.loads((folder / "shown").read_text())
words = sys.argv[1:]


def now(*names):
    for name in names:
        at = datetime.datetime.now(datetime.timezone.utc)
        shown[name] = at.strftime("%a %Y-%m-%d %H:%M:%S.%f UTC")
        shown[name + "Monotonic"] = str(time.monotonic_ns() // 1000)


if words[0] == "show":
    assert words[1] == "--timestamp=us+utc"
    print("\\n".join("=".join(each) for each in shown.items()))
    sys.exit()
with (folder / "acts").open("a") as acts:
    acts.write(" ".join(words) + "\\n")
if words[0] == "daemon-reload":
    now("UnitsLoadTimestamp")
elif words[0] == "restart":
    now("InactiveExitTimestamp", "ActiveEnterTimestamp")
    for end in ("", "Monotonic"):
        shown["StateChangeTimestamp" + end] = shown["ActiveEnterTimestamp" + end]
elif words[0] == "reload":
    now("StateChangeTimestamp")
    shown["ReloadResult"] = "exit-code" if (folder / "refuses").exists() else "success"
(folder / "shown").write_text(json.dumps(shown))
sys.exit(words[0] == "reload" and shown["ReloadResult"] != "success")
"""


class Host:
    """A host with one unit that runs; its systemd says what it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "etc/a.conf"
        self.parts = folder / "etc/a.d"
        self.unit = folder / "etc/systemd/system/a.service"
        self.stamps = folder / "run/slurmhub/current"
        for file in (self.settings, self.parts / "1.conf", self.parts / "2.conf", self.unit):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("first\n")
        program = folder / "bin/systemctl"
        program.parent.mkdir()
        program.write_text(_SYSTEMCTL.format(python=sys.executable, folder=folder))
        program.chmod(0o755)
        self.show(ActiveState="active", ReloadResult="success")
        for act in ("daemon-reload", "restart"):
            self.systemctl(act)

    def systemctl(self, *words: str) -> None:
        """As a handler or a person does; not among the acts that are counted."""
        self._tick()
        before = self.acts
        subprocess.run([str(self.folder / "bin/systemctl"), *words], check=True)
        self._tick()
        (self.folder / "acts").write_text("".join(f"{act}\n" for act in before))

    def show(self, **shown: str) -> None:
        file = self.folder / "shown"
        known = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps(known | shown))

    def write(self, path: Path, text: str) -> None:
        self._tick()
        path.write_text(text)
        self._tick()

    @staticmethod
    def _tick() -> None:
        """The clock that files are dated by goes on; it may tick 250 times a second only."""
        time.sleep(0.01)

    @property
    def acts(self) -> list[str]:
        file = self.folder / "acts"
        return file.read_text().splitlines() if file.exists() else []

    def run(self, *, check: bool = False, **lists: list[str]) -> dict[str, Any]:
        """Run the module once; its result."""
        lists = lists or {
            "restart_for": [str(self.unit), str(self.settings)],
            "reload_for": [str(self.parts)],
        }
        arguments = {
            "name": "a.service",
            "stamps": str(self.stamps),
            **lists,
            "_ansible_check_mode": check,
            "_ansible_diff": True,
            "_ansible_remote_tmp": str(self.folder),
        }
        done = subprocess.run(
            [sys.executable, str(_MODULE)],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin"},
        )
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_unit_that_has_read_everything_is_left_alone(host: Host) -> None:
    for _ in range(2):
        assert not host.run()["changed"]
    assert host.acts == []


def test_a_file_that_was_never_told_restarts_it_once(host: Host) -> None:
    host.write(host.settings, "second\n")
    found = host.run()
    assert (found["changed"], found["state"], found["name"]) == (True, "restarted", "a.service")
    assert str(host.settings) in found["diff"]["prepared"]
    assert str(host.parts) not in found["diff"]["prepared"]
    assert not host.run()["changed"]
    assert host.acts == ["restart a.service"]


def test_so_it_does_after_a_run_that_found_all_well(host: Host) -> None:
    host.run()
    host.write(host.settings, "second\n")
    assert host.run()["state"] == "restarted"
    assert not host.run()["changed"]


def test_a_handler_that_ran_leaves_nothing_to_do(host: Host) -> None:
    host.run()
    host.write(host.settings, "second\n")
    host.systemctl("restart", "a.service")
    host.write(host.parts / "1.conf", "second\n")
    host.systemctl("reload", "a.service")
    assert not host.run()["changed"]
    assert host.acts == []


@pytest.mark.parametrize("before", [False, True], ids=["at first", "after a run"])
def test_a_file_that_was_removed_reloads_it(host: Host, before: bool) -> None:
    if before:
        host.run()
    host._tick()
    (host.parts / "2.conf").unlink()
    found = host.run()
    assert (found["state"], found["files"][0]) == ("reloaded", str(host.parts))
    assert not host.run()["changed"]
    assert host.acts == ["reload a.service"]


def test_a_restart_takes_up_what_a_reload_would(host: Host) -> None:
    host.write(host.settings, "second\n")
    host.write(host.parts / "1.conf", "second\n")
    assert host.run()["state"] == "restarted"
    assert not host.run()["changed"]
    assert host.acts == ["restart a.service"]


def test_a_reload_is_no_restart(host: Host) -> None:
    host.write(host.settings, "second\n")
    host.systemctl("reload", "a.service")
    assert host.run()["state"] == "restarted"


def test_a_reload_that_failed_counts_for_nothing(host: Host) -> None:
    host.write(host.parts / "1.conf", "nonsense\n")
    (host.folder / "refuses").touch()
    for _ in range(2):
        found = host.run()
        assert found["failed"]
        assert "journalctl -u a.service" in found["msg"]
    (host.folder / "refuses").unlink()
    assert host.run()["state"] == "reloaded"
    assert not host.run()["changed"]


def test_a_unit_that_systemd_has_not_read_is_read_and_restarted(host: Host) -> None:
    host.write(host.unit, "second\n")
    found = host.run()
    assert (found["reread"], found["state"]) == (True, "restarted")
    assert not host.run()["changed"]
    assert host.acts == ["daemon-reload", "restart a.service"]


def test_units_that_are_only_to_be_read(host: Host) -> None:
    host.write(host.unit, "second\n")
    found = host.run(reread_for=[f"{host.unit.parent}/a.*"])
    assert (found["changed"], found["state"], found["files"]) == (True, "", [str(host.unit)])
    assert not host.run(reread_for=[f"{host.unit.parent}/a.*"])["changed"]
    assert host.acts == ["daemon-reload"]


def test_two_tasks_of_one_unit_do_not_meet(host: Host) -> None:
    for _ in range(2):
        assert not host.run(restart_for=[str(host.settings)])["changed"]
        assert not host.run(restart_for=[str(host.parts)])["changed"]
    host.write(host.settings, "second\n")
    assert not host.run(restart_for=[str(host.parts)])["changed"]
    assert host.run(restart_for=[str(host.settings)])["state"] == "restarted"
    assert not host.run(restart_for=[str(host.parts)])["changed"]


def test_check_mode_says_it_and_does_nothing(host: Host) -> None:
    host.write(host.settings, "second\n")
    host.write(host.unit, "second\n")
    for _ in range(2):
        found = host.run(check=True)
        assert (found["changed"], found["state"], found["reread"]) == (True, "restarted", True)
    assert host.acts == []
    assert not host.stamps.exists()


@pytest.mark.parametrize("state", ["inactive", "failed"])
def test_a_unit_that_does_not_run_stays_so(host: Host, state: str) -> None:
    host.show(ActiveState=state)
    host.write(host.settings, "second\n")
    assert not host.run()["changed"]
    assert host.acts == []


def test_nothing_is_there_yet(host: Host) -> None:
    host.show(ActiveState="inactive", InactiveExitTimestamp="", InactiveExitTimestampMonotonic="0")
    found = host.run(check=True, restart_for=["/nonexistent/a"], reload_for=["/nonexistent/*"])
    assert not found["changed"]


def test_a_file_that_is_touched_is_the_same_file(host: Host) -> None:
    """A program that copies a host may set the times of what it has read."""
    host.run()
    host.write(host.settings, "first\n")
    host.settings.chmod(0o640)
    assert not host.run()["changed"]


def test_a_clock_that_is_set_back_restarts_nothing_again(host: Host) -> None:
    """The unit started an hour before what its file is dated by."""
    host.show(InactiveExitTimestamp="Sun 2020-11-22 01:33:24.302259 UTC")
    assert host.run()["state"] == "restarted"
    host.show(InactiveExitTimestamp="Sun 2020-11-22 01:33:24.302259 UTC")
    assert not host.run()["changed"]


def test_a_start_that_the_clock_has_in_the_future_counts_by_todays(host: Host) -> None:
    """What was written after a start is newer, though the clock was set back in between."""
    host.show(InactiveExitTimestamp="Sun 2036-11-23 01:33:24.302259 UTC")
    assert not host.run()["changed"]
    host.systemctl("restart", "a.service")
    host.show(InactiveExitTimestamp="Sun 2036-11-23 01:33:24.302259 UTC")
    host.write(host.settings, "second\n")
    assert host.run()["state"] == "restarted"


def test_a_link_that_leads_elsewhere(host: Host) -> None:
    (host.folder / "one").mkdir()
    (host.folder / "two").mkdir()
    link = host.folder / "link"
    link.symlink_to("one")
    host.systemctl("restart", "a.service")
    assert not host.run(restart_for=[str(link)])["changed"]
    host._tick()
    link.unlink()
    link.symlink_to("two")
    assert host.run(restart_for=[str(link)])["files"] == [str(link)]


def test_what_was_found_is_for_root_alone(host: Host) -> None:
    host.run()
    assert host.stamps.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in host.stamps.iterdir()] == [0o600]


def test_a_stamp_that_was_cut_off_is_none(host: Host) -> None:
    host.run()
    for file in host.stamps.iterdir():
        file.write_text('{"restart": {')
    assert not host.run()["changed"]
