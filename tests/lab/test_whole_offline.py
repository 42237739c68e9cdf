"""One machine without the internet becomes a hub by a bundle, ends, and is what it was again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.fleet.client import HeldFleet
from tests.lab.whole.alone import Alone
from tests.lab.whole.operator import Operator
from tests.rig.hub import until

_OF_THE_SITE = (
    *(
        "slurmhub-main",
        "slurmhub-main-proxy",
        "apache2",
        "shibd",
        "slurmctld",
        "slurmdbd",
        "slurmd",
    ),
    *("munge", "sssd", "slapd", "prometheus", "prometheus-alertmanager", "home-people.mount"),
    *("prometheus-node-exporter", "slurmhub-slurm-exporter", "slurmhub-main-probe.timer"),
    *("slurmhub-homes-main-hourly.timer", "slurmhub-main-backup.timer"),
)
_HUB_PEOPLE = (
    "import sqlite3; c = sqlite3.connect('/var/lib/slurmhub/main/jupyterhub.sqlite');"
    "print(c.execute('select id, name from users order by id').fetchall())"
)


@pytest.fixture(scope="module")
def alone() -> Iterator[Alone]:
    """An empty machine that reaches no mirror, an identity provider, and a site file."""
    fleet = HeldFleet.start(f"alone-{os.getpid()}")
    folder = Path(tempfile.mkdtemp(prefix="shub-alone-"))
    try:
        alone = Alone(folder, fleet)
        alone.prepare()
        yield alone
    finally:
        fleet.down()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def operator(alone: Alone) -> Operator:
    """Who has made a bundle."""
    operator = Operator(alone)
    assert "no bundle is in bundle" in operator.run("check", status=1)
    alone.make_bundle()
    return operator


@pytest.fixture(scope="module")
def up(alone: Alone, operator: Operator) -> Operator:
    """The machine is what the site file says, and the institution knows the hub."""
    assert "bundle: Bring the files" in operator.run("plan")
    operator.run("up", "--yes", "--no-smoke")
    assert alone.register() == 1
    return operator


def test_a_bundle_that_was_changed_on_its_way(alone: Alone, operator: Operator) -> None:
    wheels = alone.folder / "bundle/wheels.tar"
    with wheels.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.truncate(size - 1)
        said = operator.run("up", "--yes", status=1)
        file.truncate(size)
    assert "wheels.tar in" in said
    assert "is not what its manifest says" in said


def test_a_bundle_for_another_system(alone: Alone, operator: Operator) -> None:
    path = alone.folder / "bundle/manifest.json"
    text = path.read_text()
    path.write_text(json.dumps({**json.loads(text), "release": "13"}))
    said = operator.run("up", "--yes", status=1)
    path.write_text(text)
    assert "is for Debian 13" in said
    assert "this host has Debian 12" in said


def test_what_is_installed_is_of_the_bundle_alone(up: Operator, alone: Alone) -> None:
    sources = alone.on_host("apt-cache", "policy")
    assert "file:/var/lib/slurmhub/bundle/packages" in sources
    assert "debian.org" not in sources
    assert not alone.on_host("sh", "-c", "command -v npm || true")


def test_a_second_run_changes_nothing_and_a_student_can_work(up: Operator) -> None:
    said = up.run("up", "--yes")
    assert "Nothing was changed." in said
    assert "All of it works" in said


def test_down_and_up_again(up: Operator, alone: Alone) -> None:
    code = "import os, pathlib; pathlib.Path('kept').write_text('mine'); print(os.getuid())"
    uid = alone.visit("alice", code)
    before = _kept(alone)
    assert uid in before["account"]
    vault = (alone.folder / "vault.yml").read_bytes()

    assert "There is no terminal" in up.run("down", status=2)
    assert "Name one of: hub.main, measurements." in up.run(
        "down", "--yes", "--lose", "hub.mian", status=2
    )
    refused = up.run("down", "--yes", status=1)
    assert "Programs still use /home/people: alice (process" in refused
    assert "Nothing was changed." in refused
    assert set(_states(alone)) == {"active"}

    alone.on_host("scancel", "--user=alice")
    until(lambda: not alone.on_host("squeue", "--noheader"), what="the end of the job")
    assert "What stays: homes" in up.run("down", "--yes")
    assert "active" not in _states(alone)
    left = alone.on_host("sh", "-c", "ls /etc/systemd/system /etc/nftables.d")
    assert "slurmhub-" not in left.replace("srv-slurmhub-homes-main.mount", "")
    assert alone.on_host("cat", "/srv/slurmhub/homes/main/alice/kept") == "mine"
    assert "Nothing was changed." in up.run("down", "--yes")

    up.run("up", "--yes")
    assert (alone.folder / "vault.yml").read_bytes() == vault
    after = _kept(alone)
    assert {name: after[name] for name in before} == before
    assert alone.visit("alice", "print(open('kept').read())") == "mine"
    assert "Nothing was changed." in up.run("up", "--yes", "--no-smoke")


def test_what_is_lost_is_what_was_named(up: Operator, alone: Alone) -> None:
    before = _kept(alone)
    alone.on_host("scancel", "--user=alice")
    until(lambda: not alone.on_host("squeue", "--noheader"), what="the end of the job")
    up.run("down", "--yes", "--lose", "hub.main", "--lose", "measurements")
    for gone in ("/var/lib/slurmhub/main", "/var/lib/prometheus/metrics2"):
        assert alone.on_host("sh", "-c", f"test ! -e {gone} && echo gone") == "gone"
    up.run("up", "--yes")
    after = _kept(alone)
    assert after["account"] == before["account"]
    assert after["file"] == before["file"]
    assert "alice" not in after["hub"]


def _states(alone: Alone) -> list[str]:
    return alone.on_host("systemctl", "is-active", *_OF_THE_SITE, check=False).split()


def _kept(alone: Alone) -> dict[str, str]:
    """What must be the same after the site has ended and is back."""
    key = hashlib.sha256(alone.on_host("base64", "/etc/munge/munge.key").encode()).hexdigest()
    return {
        "account": alone.on_host("id", "alice"),
        "file": alone.on_host("stat", "--format=%u %i %y", "/home/people/alice/kept"),
        "hub": alone.on_host("python3", "-c", _HUB_PEOPLE),
        "munge": key,
        "accounting": alone.on_host(
            *("sacct", "--allusers", "--allocations", "--noheader", "--parsable2"),
            *("--format=jobid,user,start", "--starttime=now-1day"),
        ).splitlines()[0],
    }
