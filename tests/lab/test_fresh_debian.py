"""A new Debian 12, a person who may use sudo, and the clone: the first thing that anybody does."""

from __future__ import annotations

import re

from tests.demo.conftest import free_port
from tests.demo.visitor import Person
from tests.lab.host import Host
from tests.rig.checkout import copy_checkout

PASSWORD = "for-sudo-only"
PROMPT = "[sudo] password for jo:"


def test_the_demo_installs_what_it_needs_and_leaves_nothing_running(host: Host) -> None:
    assert not (host.root / "usr/sbin/slurmctld").exists(), "this host is not fresh"
    host.run("useradd", "--create-home", "--groups=sudo", "--shell=/bin/bash", "jo")
    host.run("sh", "-c", f"echo jo:{PASSWORD} | chpasswd")
    copy_checkout(host.root / "home/jo/slurmhub")
    host.run("chown", "--recursive", "jo:jo", "/home/jo/slurmhub")

    start = f"cd slurmhub && script/demo --detach --port {free_port()}"
    shown = host.terminal(start, "jo", {PROMPT: PASSWORD})
    assert "Debian packages to install:" in shown
    assert "slurmctld: Slurm's controller" in shown
    assert PROMPT in shown
    address = re.search(r"http://127\.0\.0\.1:\d+", shown)
    passwords = dict(
        re.findall(r"^ *(student|instructor|operator) +(\S+)\s*$", shown, re.MULTILINE)
    )
    assert address, shown
    assert set(passwords) == {"student", "instructor", "operator"}, shown

    student = Person(address[0], "student")
    student.sign_in(passwords["student"])
    assert student.start_server().status_code in (201, 202)
    assert "JupyterLab" in student.wait_for_lab().text
    # The distribution's own Slurm was installed, and not started.
    active = host.run("systemctl", "is-active", "munge", "slurmctld", "slurmd", check=False)
    assert "active" not in active.replace("inactive", "").split(), active

    host.run("sh", "-c", "cd ~/slurmhub && script/demo --stop", user="jo")
    assert host.run("find", "/proc", "-maxdepth", "1", "-user", "jo") == ""
    assert not list((host.root / "tmp").glob("slurmhub-demo*"))
    assert host.run("systemctl", "list-units", "--failed", "--no-legend") == ""


def test_a_second_start_asks_for_nothing(host: Host) -> None:
    start = f"cd slurmhub && script/demo --detach --port {free_port()}"
    shown = host.terminal(start, "jo", {})
    assert "Debian packages" not in shown
    assert "sudo" not in shown
    host.run("sh", "-c", "cd ~/slurmhub && script/demo --stop", user="jo")
