"""Homes on real file systems: made whole or not at all, filled up to their quota, and kept."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.rig.disks import Zfs, zfs_fuse
from tests.rig.homes import ALICE, BOB, MIB, Homes, homes_on

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes block devices")


@pytest.fixture(scope="module")
def zfs() -> Iterator[Zfs]:
    with zfs_fuse() as running:
        yield running


@pytest.fixture
def folder() -> Iterator[Path]:
    """Root's alone, unlike /tmp."""
    path = Path("/opt") / f"h{secrets.token_hex(3)}"
    path.mkdir(mode=0o755)
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(params=["btrfs", "zfs"])
def homes(request: pytest.FixtureRequest, folder: Path) -> Iterator[Homes]:
    zfs = request.getfixturevalue("zfs") if request.param == "zfs" else None
    with homes_on(request.param, folder, zfs) as made:
        yield made


@pytest.fixture
def btrfs(folder: Path) -> Iterator[Homes]:
    with homes_on("btrfs", folder) as made:
        yield made


@pytest.fixture
def plain(folder: Path) -> Iterator[Homes]:
    """ext4 without quotas."""
    with homes_on("ext4", folder) as made:
        made.set(quota=None)
        yield made


def write(homes: Homes, uid: int, path: Path, mebibytes: int) -> bool:
    """Whether somebody could write so much."""
    argv = ["dd", "if=/dev/urandom", f"of={path}", "bs=1M", f"count={mebibytes}", "conv=fsync"]
    return homes.as_person(uid, *argv).returncode == 0


def test_a_home_is_made_once(homes: Homes) -> None:
    home = homes.mount / "alice"
    assert homes.make() == {"ok": True, "home": str(home), "made": True, "quota": 20 * MIB}
    assert homes.make()["made"] is False
    shown = homes.run("stat", "--format=%u:%g:%a", home, home / ".bashrc").stdout.split()
    assert shown == [f"{ALICE}:{ALICE}:700", f"{ALICE}:{ALICE}:644"]
    assert homes.make("bob", ALICE)["made"] is True  # another name, the number as asked
    assert homes.make("alice", BOB)["kind"] == "home"


def test_a_quota_holds_and_space_can_be_freed(homes: Homes) -> None:
    homes.make()
    homes.make("bob", BOB)
    home = homes.mount / "alice"
    assert not write(homes, ALICE, home / "big", 40)
    homes.sync()
    found = homes.quota()
    assert (found["quota"], found["own"]) == (20 * MIB, False)
    assert 15 * MIB < found["used"] < 21 * MIB  # zfs counts its own blocks, too
    assert write(homes, BOB, homes.mount / "bob" / "small", 5)  # a neighbour is not hurt
    assert homes.as_person(ALICE, "rm", home / "big").returncode == 0
    homes.sync()
    assert write(homes, ALICE, home / "small", 5)


def test_a_quota_of_ones_own(homes: Homes) -> None:
    homes.make()
    for quota, own in ((60 * MIB, True), (None, True), ("default", False)):
        answer = homes.ask("set", homes="main", name="alice", quota=quota)
        expected = 20 * MIB if quota == "default" else quota
        assert (answer["quota"], answer["own"]) == (expected, own)
    homes.ask("set", homes="main", name="alice", quota=60 * MIB)
    assert write(homes, ALICE, homes.mount / "alice" / "big", 40)


def test_another_default_is_for_those_without_their_own(homes: Homes) -> None:
    homes.make()
    homes.make("bob", BOB)
    homes.ask("set", homes="main", name="bob", quota=60 * MIB)
    homes.set(quota=30 * MIB)
    assert homes.ask("settle", homes="main", check=True)["changed"] == ["alice"]
    assert homes.quota()["quota"] == 20 * MIB
    assert homes.ask("settle", homes="main", check=False)["changed"] == ["alice"]
    assert (homes.quota()["quota"], homes.quota("bob")["quota"]) == (30 * MIB, 60 * MIB)
    assert homes.ask("settle", homes="main", check=False)["changed"] == []


def test_neighbours_see_nothing(homes: Homes) -> None:
    homes.make()
    homes.make("bob", BOB)
    for path in ("alice", "alice/.bashrc"):
        assert homes.as_person(BOB, "cat", homes.mount / path).returncode != 0
    assert homes.as_person(BOB, "ls", homes.mount / "alice").returncode != 0


# What is killed, comes twice, or is not there

PLACES = {
    "btrfs": [
        "        os.chmod(path, 0o700)\n\n    def _discard(self, path: str) -> None:\n        if",
        "            copy_skeleton(self.settings",
        "            self._limit(new, uid, quota)",
        "            os.rename(new, self.path(name))",
    ],
    "zfs": [
        "        path = self.path(name)\n        if not os.path.ismount(path):",
        "        self.limit(name, uid, quota)\n        copy",
        "        os.chown(path, uid, gid)\n        run(",
        '        run("zfs", "set", "slurmhub:state=made"',
    ],
}


def test_what_is_half_made_is_finished(homes: Homes) -> None:
    for number, line in enumerate(PLACES[homes.backend]):
        name, uid = f"p{number}", ALICE + number
        request = {"verb": "make", "homes": "main", "name": name, "uid": uid, "gid": uid}
        indent = " " * (len(line) - len(line.lstrip()))
        with homes.changed(line, f"{indent}os.kill(os.getpid(), 9)\n{line}"):
            for _ in range(2):
                killed = homes.run(homes.program, stdin=request)
                # What was whole before the end is found by the second call.
                assert killed.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL, 0)
        assert homes.make(name, uid)["ok"] is True
        home = homes.mount / name
        shown = homes.run("stat", "--format=%u", home, home / ".bashrc").stdout.split()
        assert shown == [str(uid)] * 2
        assert homes.quota(name)["quota"] == 20 * MIB
        assert not homes.run("sh", "-c", f"ls -d {homes.mount}/.*new").stdout


def test_ten_at_once(btrfs: Homes) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: btrfs.make(), range(10)))
    assert sorted(answer["made"] for answer in answers) == [False] * 9 + [True]


def test_nothing_is_made_below_a_mount_that_is_away(btrfs: Homes) -> None:
    btrfs.run("umount", btrfs.mount)
    answer = btrfs.make()
    assert (answer["kind"], list(btrfs.mount.iterdir())) == ("away", [])
    assert btrfs.care("snapshot", "main", "hourly").returncode == 1
    # Another file system in its place is not it.
    btrfs.run("mount", "-t", "tmpfs", "none", btrfs.mount)
    assert btrfs.make()["kind"] == "away"
    assert list(btrfs.mount.iterdir()) == []


def test_a_file_system_without_quotas(plain: Homes) -> None:
    made = plain.make()
    assert (made["made"], made["quota"]) == (True, None)
    assert plain.quota() == {"ok": True, "quota": None, "own": False, "used": None}
    plain.set(quota=20 * MIB)
    answer = plain.make("bob", BOB)
    assert answer["kind"] == "failed"
    assert "no user quotas are kept there" in answer["message"]
    assert not (plain.mount / "bob").exists()


def test_a_full_disk(btrfs: Homes) -> None:
    btrfs.run("dd", "if=/dev/urandom", f"of={btrfs.mount}/filler", "bs=1M")
    assert btrfs.make()["kind"] == "full"
    assert [each.name for each in btrfs.mount.iterdir()] == ["filler"]
    (btrfs.mount / "filler").unlink()
    btrfs.sync()
    assert btrfs.make()["made"] is True


# Who may ask for what


def test_a_hub_may_only_make_and_look(btrfs: Homes) -> None:
    hub = ("--for-hub", "main")
    assert btrfs.ask("make", *hub, name="alice", uid=ALICE, gid=ALICE)["made"] is True
    assert btrfs.ask("get", *hub, name="alice")["quota"] == 20 * MIB
    for verb, request in (
        ("set", {"name": "alice", "quota": None}),
        ("settle", {"check": False}),
        ("usage", {}),
    ):
        assert btrfs.ask(verb, *hub, **request)["kind"] == "invalid"
    answer = btrfs.ask("get", *hub, homes="others", name="alice")
    assert answer["kind"] == "forbidden"


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        ({"name": "../etc", "uid": ALICE, "gid": ALICE}, "invalid"),
        ({"name": ".slurmhub", "uid": ALICE, "gid": ALICE}, "invalid"),
        ({"name": "alice", "uid": 0, "gid": ALICE}, "forbidden"),
        ({"name": "alice", "uid": ALICE, "gid": 0}, "forbidden"),
        ({"name": "alice", "uid": True, "gid": ALICE}, "invalid"),
        ({"name": "alice", "uid": 2**40, "gid": ALICE}, "forbidden"),
        ({"name": "alice"}, "invalid"),
        ({"name": "alice", "uid": ALICE, "gid": ALICE, "quota": 1}, "invalid"),
    ],
)
def test_requests_that_are_refused(btrfs: Homes, request_: dict[str, object], kind: str) -> None:
    assert btrfs.ask("make", homes="main", **request_)["kind"] == kind
    assert btrfs.ask("make", homes="../main", **request_)["kind"] == "invalid"
    assert list(btrfs.mount.iterdir()) == []


def test_a_link_in_its_place_is_not_followed(btrfs: Homes) -> None:
    (btrfs.mount / "alice").symlink_to("/etc")
    assert btrfs.make()["kind"] == "home"
    assert Path("/etc").stat().st_uid == 0


# Snapshots


def test_a_deleted_file_comes_back_without_an_administrator(btrfs: Homes) -> None:
    btrfs.make()
    btrfs.make("bob", BOB)
    notes = btrfs.mount / "alice" / "notes"
    btrfs.as_person(ALICE, "sh", "-c", f"echo mine >{notes}; chmod 755 {btrfs.mount}/alice")
    assert btrfs.care("snapshot", "main", "hourly").returncode == 0
    assert btrfs.as_person(ALICE, "rm", notes).returncode == 0
    (snapshot,) = (btrfs.mount / ".snapshots" / "alice").iterdir()
    assert btrfs.as_person(ALICE, "cp", snapshot / "notes", notes).returncode == 0
    assert notes.read_text() == "mine\n"
    # Nobody else, though the home was open to all when it was taken; and nobody changes it.
    for words in (("ls", snapshot), ("cat", snapshot / "notes"), ("ls", snapshot.parent.parent)):
        assert btrfs.as_person(BOB, *words).returncode != 0
    assert btrfs.as_person(ALICE, "rm", snapshot / "notes").returncode != 0


def test_a_full_home_is_in_its_snapshot(btrfs: Homes) -> None:
    btrfs.make()
    assert not write(btrfs, ALICE, btrfs.mount / "alice" / "big", 40)
    assert btrfs.care("snapshot", "main", "hourly").returncode == 0
    (snapshot,) = (btrfs.mount / ".snapshots" / "alice").iterdir()
    assert (snapshot / "big").stat().st_size > 15 * MIB
    btrfs.as_person(ALICE, "rm", btrfs.mount / "alice" / "big")
    btrfs.sync()
    assert btrfs.quota()["used"] < MIB  # what snapshots hold is not counted


def snapshots(homes: Homes) -> list[str]:
    """Those of alice."""
    if homes.backend == "zfs":
        argv = ["zfs", "list", "-H", "-r", "-t", "snapshot", "-o", "name"]
        lines = homes.run(*argv, f"p{homes.folder.name}/homes/alice").stdout.split()
        return sorted(line.partition("@")[2] for line in lines)
    return sorted(each.name for each in (homes.mount / ".snapshots" / "alice").iterdir())


def by_hand(homes: Homes, name: str) -> None:
    """An administrator's own snapshot."""
    if homes.backend == "zfs":
        done = homes.run("zfs", "snapshot", f"p{homes.folder.name}/homes/alice@{name}")
    else:
        target = homes.mount / ".snapshots" / "alice" / name
        words = ["btrfs", "subvolume", "snapshot", "-r"]
        done = homes.run(*words, homes.mount / "alice", target)
    assert done.returncode == 0, done.stderr


def test_too_many_go_but_only_ours_and_never_the_newest(homes: Homes) -> None:
    homes.make()
    assert homes.care("snapshot", "main", "daily").returncode == 0
    others = ["2001-01-01_00-00-00_hourly", "before-the-upgrade"]
    for name in others:
        by_hand(homes, name)
    for _ in range(4):
        time.sleep(1.05)  # a snapshot's name has seconds
        assert homes.care("snapshot", "main", "hourly").returncode == 0
    ours = [name for name in snapshots(homes) if name not in others]
    assert [name.rpartition("_")[2] for name in ours] == ["daily", "hourly", "hourly"]
    assert set(others) <= set(snapshots(homes))
    # Nothing is kept any more: the newest stays all the same.
    homes.set("care", snapshots={})
    assert homes.care("snapshot", "main", "hourly").returncode == 0
    assert sorted(snapshots(homes)) == sorted([*others, ours[-1]])


def test_none_are_taken_on_a_disk_that_is_nearly_full(btrfs: Homes) -> None:
    btrfs.make()
    assert btrfs.care("snapshot", "main", "hourly").returncode == 0
    before = snapshots(btrfs)
    btrfs.run("dd", "if=/dev/urandom", f"of={btrfs.mount}/filler", "bs=1M")
    done = btrfs.care("snapshot", "main", "hourly")
    assert (done.returncode, "nearly full" in done.stderr) == (1, True)
    assert snapshots(btrfs) == before


# Figures


def test_figures_name_nobody(homes: Homes) -> None:
    homes.make()
    homes.make("bob", BOB)
    write(homes, ALICE, homes.mount / "alice" / "big", 40)
    homes.sync()
    assert homes.care("snapshot", "main", "hourly").returncode == 0
    done = homes.care("measure", "main")
    assert done.returncode == 0, done.stderr
    text = (homes.folder / "homes.prom").read_text()
    assert 'slurmhub_homes_people{homes="main"} 2\n' in text
    assert 'slurmhub_homes_people_nearly_full{homes="main"} 1\n' in text
    assert 'slurmhub_homes_snapshot_timestamp_seconds{homes="main",kind="daily"} 0\n' in text
    assert "alice" not in text
    assert (homes.folder / "homes.prom").stat().st_mode & 0o777 == 0o644


def test_a_reserve_that_an_administrator_can_set_free(btrfs: Homes) -> None:
    reserve = btrfs.mount / ".slurmhub" / "reserve"
    assert btrfs.care("measure", "main").returncode == 0
    assert reserve.stat().st_size == 4 * MIB
    btrfs.run("dd", "if=/dev/urandom", f"of={btrfs.mount}/filler", "bs=1M")
    reserve.unlink()
    btrfs.sync()
    assert btrfs.care("measure", "main").returncode == 0
    assert not reserve.exists()  # not while the disk is full
