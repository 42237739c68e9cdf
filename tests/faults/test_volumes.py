"""A volume is made of empty devices only: whatever else is on one is still there afterwards."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rig.disks import Zfs, disk, mounted, zfs_fuse
from tests.unit.ansible.modules import load

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes block devices")
volume = load("slurmhub_volume")
# Other disks of this machine may have the usual names.
NAME = f"t{secrets.token_hex(4)}"
PRECIOUS = f"p{secrets.token_hex(4)}"


class Programs:
    """What the module's Host asks of Ansible: to run a program; here, where zfs-fuse is."""

    def __init__(self, zfs: Zfs | None = None) -> None:
        self._zfs = zfs

    def get_bin_path(self, name: str, opt_dirs: list[str]) -> str | None:
        return shutil.which(name, path=":".join([*opt_dirs, "/usr/bin", "/bin"]))

    def run_command(self, argv: list[str], environ_update: dict[str, str]) -> tuple[int, str, str]:
        words = self._zfs.words(*argv) if self._zfs else argv
        done = subprocess.run(
            words, env=environ_update, check=False, capture_output=True, text=True
        )
        return done.returncode, done.stdout, done.stderr


def bring_about(
    backend: str, *devices: str, name: str = NAME, check: bool = False, zfs: Zfs | None = None
) -> Any:
    params = {"backend": backend, "name": name, "devices": list(devices), "layout": "stripe"}
    return volume.bring_about(params, volume.Host(Programs(zfs)), check=check)


def refused(backend: str, *devices: str, **more: Any) -> Any:
    """The refusal, after which nothing on the devices is another."""
    before = [digest(device) for device in devices if os.path.exists(device)]
    with pytest.raises(volume.Refused) as error:
        bring_about(backend, *devices, **more)
    assert [digest(device) for device in devices if os.path.exists(device)] == before
    return error.value


def digest(device: str) -> str:
    with open(device, "rb") as data:
        return hashlib.sha256(data.read()).hexdigest()


def run(*argv: str, stdin: bytes = b"") -> None:
    subprocess.run(argv, check=True, input=stdin, capture_output=True)


@pytest.fixture
def device(tmp_path: Path) -> Iterator[str]:
    with disk(tmp_path, "one", 160) as made:
        yield made


@pytest.fixture
def other(tmp_path: Path) -> Iterator[str]:
    with disk(tmp_path, "two", 160) as made:
        yield made


@pytest.mark.parametrize("backend", ["btrfs", "ext4"])
def test_an_empty_device_is_made_once(backend: str, device: str, tmp_path: Path) -> None:
    before = digest(device)
    would = bring_about(backend, device, check=True)
    assert (would.changed, would.state, digest(device)) == (True, "would be made", before)
    made = bring_about(backend, device)
    assert (made.changed, made.state) == (True, "made")
    after = digest(device)
    for check in (True, False):
        found = bring_about(backend, device, check=check)
        assert (found.changed, found.state, found.source) == (False, "existing", made.source)
    assert digest(device) == after


def test_several_devices_of_one_btrfs(device: str, other: str, tmp_path: Path) -> None:
    assert bring_about("btrfs", device, other).state == "made"
    assert bring_about("btrfs", other, device).state == "existing"
    with mounted(device, tmp_path / "at") as folder:
        shown = subprocess.run(
            ["btrfs", "filesystem", "df", str(folder)], check=True, capture_output=True, text=True
        )
        assert "Data, RAID1" in shown.stdout


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["mkfs.btrfs", "-q", "-L", PRECIOUS], f"btrfs of the name {PRECIOUS}"),
        (["mkfs.ext4", "-q"], "ext4"),
        (["mkswap"], "swap"),
        (["sfdisk", "--quiet"], "a partition table (gpt)"),
    ],
    ids=["btrfs", "ext4", "swap", "gpt"],
)
def test_what_has_something_on_it(device: str, argv: list[str], words: str) -> None:
    run(*argv, device, stdin=b"label: gpt\n" if argv[0] == "sfdisk" else b"")
    for backend in ("btrfs", "ext4", "xfs"):
        for check in (True, False):
            error = refused(backend, device, check=check)
            assert words in str(error)
            assert error.lost == ([PRECIOUS] if PRECIOUS in words else [device])


@pytest.mark.parametrize("place", [0, 1000, 4096 * 3, 64 * 1024 * 1024, 160 * 1024 * 1024 - 512])
def test_bytes_that_no_program_knows(device: str, place: int) -> None:
    with open(device, "r+b") as data:
        data.seek(place)
        data.write(b"ledger of 1998")
    error = refused("btrfs", device)
    assert "is not empty" in str(error)
    assert error.lost == [device]


def test_the_name_of_another_kind_of_file_system(device: str, other: str) -> None:
    run("mkfs.ext4", "-q", "-L", NAME, device)
    error = refused("btrfs", device)
    assert "is not btrfs" in str(error)
    assert error.lost == [NAME]
    # The name is on a disk that is not named: the empty one is left alone as well.
    assert "is not btrfs" in str(refused("btrfs", other))


def test_the_name_is_on_another_device(device: str, other: str) -> None:
    bring_about("btrfs", device)
    assert "`devices` does not name" in str(refused("btrfs", other))
    assert bring_about("btrfs").state == "existing"


def test_two_of_one_name(device: str, other: str) -> None:
    for each in (device, other):
        run("mkfs.ext4", "-q", "-L", NAME, each)
    assert "several file systems" in str(refused("ext4", device))


def test_a_device_that_is_mounted(device: str, tmp_path: Path) -> None:
    run("mkfs.ext4", "-q", device)
    with mounted(device, tmp_path / "at"), pytest.raises(volume.Refused, match="in use"):
        bring_about("btrfs", device)


def test_a_device_that_vanished(device: str) -> None:
    error = refused("btrfs", device, "/dev/disk/by-id/gone")
    assert "gone is not there" in str(error)


def test_a_mirror_of_which_one_is_away_is_found(device: str, other: str) -> None:
    bring_about("btrfs", device, other)
    found = bring_about("btrfs", device, "/dev/disk/by-id/gone")
    assert found.state == "existing"
    assert found.warnings == [f"/dev/disk/by-id/gone of {NAME} is not there"]


def test_one_device_under_two_names(device: str, tmp_path: Path) -> None:
    (tmp_path / "again").symlink_to(device)
    assert "named twice" in str(refused("btrfs", device, str(tmp_path / "again")))


def test_nothing_to_make_it_of(tmp_path: Path) -> None:
    assert "no `devices`" in str(refused("btrfs", name="nowhere"))
    (tmp_path / "file").write_bytes(b"")
    assert "not a block device" in str(refused("btrfs", str(tmp_path / "file")))


# ZFS, by zfs-fuse


@pytest.fixture(scope="module")
def zfs() -> Iterator[Zfs]:
    with zfs_fuse() as running:
        yield running


@pytest.fixture
def pools(zfs: Zfs) -> Iterator[Zfs]:
    yield zfs
    for pool in zfs.run("zpool", "list", "-H", "-o", "name").split():
        zfs.run("zpool", "destroy", pool)


def test_a_pool_that_is_merely_not_imported_is_imported(device: str, pools: Zfs) -> None:
    assert bring_about("zfs", device, check=True, zfs=pools).state == "would be made"
    assert bring_about("zfs", device, zfs=pools).state == "made"
    assert bring_about("zfs", device, zfs=pools).state == "existing"
    pools.run("zfs", "create", f"{NAME}/precious")
    pools.run("zpool", "export", NAME)
    would = bring_about("zfs", device, check=True, zfs=pools)
    assert (would.changed, would.state) == (True, "imported")
    assert pools.run("zpool", "list", "-H", "-o", "name") == ""
    assert bring_about("zfs", device, zfs=pools).state == "imported"
    assert f"{NAME}/precious" in pools.run("zfs", "list", "-H", "-o", "name")


def test_devices_of_another_pool(device: str, other: str, pools: Zfs) -> None:
    pools.run("zpool", "create", "-m", "none", PRECIOUS, device)
    # In use, and then merely there.
    assert device in str(refused_pool(device, pools))
    pools.run("zpool", "export", PRECIOUS)
    error = refused_pool(device, pools)
    assert f"zfs_member of the name {PRECIOUS}" in str(error)
    assert error.lost == [PRECIOUS]
    for backend in ("btrfs", "ext4"):
        assert "zfs_member" in str(refused(backend, device, zfs=pools))
    pools.run("zpool", "import", "-d", "/dev", PRECIOUS)


def test_a_pool_of_that_name_on_other_disks(device: str, other: str, pools: Zfs) -> None:
    pools.run("zpool", "create", "-m", "none", NAME, device)
    pools.run("zpool", "export", NAME)
    assert "`devices` does not name" in str(refused_pool(other, pools))
    pools.run("zpool", "import", "-d", "/dev", NAME)


def test_what_zfs_would_be_made_over(device: str, pools: Zfs) -> None:
    run("mkfs.ext4", "-q", "-L", PRECIOUS, device)
    assert refused_pool(device, pools).lost == [PRECIOUS]


def refused_pool(device: str, zfs: Zfs) -> Any:
    """A pool in use writes by itself: its digest is not compared."""
    with pytest.raises(volume.Refused) as error:
        bring_about("zfs", device, zfs=zfs)
    return error.value
