"""Whole hosts side by side: reached by known keys, apart from each other, and gone at the end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.fleet.client import HeldFleet
from tests.lab.fleet.fleet import names
from tests.rig.hub import until


@pytest.fixture
def fleet() -> Iterator[HeldFleet]:
    started = HeldFleet.start(f"fleet-{os.getpid()}")
    try:
        started.add(["one", "two"], {"one": ["shared:1"], "two": ["shared:1"]})
        yield started
    finally:
        started.down()


def ssh(fleet: HeldFleet, host: str, line: str) -> str:
    done = subprocess.run(
        ["ssh", "-F", fleet.ssh_config, host, line],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_hosts_are_fresh_and_reached_by_keys_that_were_known(fleet: HeldFleet) -> None:
    for host in ("one", "two"):
        assert ssh(fleet, host, "hostname; sudo id -un").split() == [host, "root"]
        assert "0 loaded units" in ssh(fleet, host, "systemctl --failed")
    assert ssh(fleet, "one", f"ping -c1 -W5 {fleet.address('two')} | grep received")
    other = fleet.ssh_config.with_name("known_hosts")
    other.write_text(other.read_text().replace("two,", "three,"))
    refused = subprocess.run(
        ["ssh", "-F", fleet.ssh_config, "two", "true"], capture_output=True, check=False, timeout=60
    )
    assert refused.returncode == 255, "a host whose key is not known"


def test_a_disk_of_two_hosts_is_one(fleet: HeldFleet) -> None:
    fleet.run("one", "mkdir", "/mnt/shared")
    subprocess.run(["mkfs.btrfs", "--quiet", _device(fleet)], check=True)
    for host in ("one", "two"):
        fleet.run(host, "mount", "/dev/vdb", "/mnt")
    fleet.write("one", "/mnt/told", "from one")
    assert fleet.run("two", "cat", "/mnt/told") == "from one"


def _device(fleet: HeldFleet) -> str:
    """The loop device, as this machine calls it."""
    number = fleet.run("one", "stat", "--format=%Lr", "/dev/vdb").strip()
    return f"/dev/loop{number}"


def test_a_host_goes_off_and_on_with_what_is_on_its_disk(fleet: HeldFleet) -> None:
    fleet.write("one", "/etc/kept", "kept")
    fleet.off("one")
    fleet.on("one")
    assert fleet.run("one", "cat", "/etc/kept") == "kept"
    fleet.reboot("one")
    assert fleet.run("one", "cat", "/etc/kept") == "kept"


def test_nothing_is_left_when_the_holder_is_killed() -> None:
    name = f"killed-{os.getpid()}"
    fleet = HeldFleet.start(name)
    fleet.add(["one"], {"one": ["disk:1"]})
    folder = fleet.folder
    device = _device(fleet)
    holder = _holder(name)
    os.kill(holder, signal.SIGKILL)
    until(lambda: not _attached(device), what="the end of its disk")
    until(lambda: name not in names(), what="the end of the fleet")
    assert not folder.exists()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/slurmhub-fleet-{folder.name}-*"))


def _holder(name: str) -> int:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        words = entry.read_bytes().split(b"\0")
        if b"hold" in words and name.encode() in words:
            return int(entry.parent.name)
    raise AssertionError(f"nobody holds {name}")


def _attached(device: str) -> bool:
    return Path(f"/sys/block/{Path(device).name}/loop").exists()
