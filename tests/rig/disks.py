"""Disks of files, and zfs-fuse, for tests of what lies on disks."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rig.hub import until

_KSTAT = Path("/zfs-kstat")


@contextmanager
def disk(folder: Path, name: str, megabytes: int) -> Iterator[str]:
    """A block device of a file in this folder: nothing but zeros."""
    file = folder / name
    with file.open("wb") as image:
        image.truncate(megabytes * 1024 * 1024)
    found = subprocess.run(
        ["losetup", "--find", "--show", str(file)], check=True, capture_output=True, text=True
    )
    device = found.stdout.strip()
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)
        file.unlink()


@contextmanager
def mounted(device: str, folder: Path, options: str = "noatime") -> Iterator[Path]:
    """The file system of a device, mounted."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", options, device, str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


class Zfs:
    """A running zfs-fuse in a mount namespace of its own, which forgets its pools when it ends."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def words(self, *argv: str) -> list[str]:
        """The words that run a program where that file system is mounted."""
        return ["nsenter", f"--mount=/proc/{self._process.pid}/ns/mnt", "--", *argv]

    def run(self, *argv: str) -> str:
        """What a program wrote there; it must end well."""
        done = subprocess.run(self.words(*argv), check=False, capture_output=True, text=True)
        assert done.returncode == 0, (argv, done.stdout, done.stderr)
        return done.stdout


@contextmanager
def zfs_fuse() -> Iterator[Zfs]:
    """Start it, as root; it ends with the test."""
    there = _KSTAT.exists()
    own = " && ".join(
        f"mount -t tmpfs none {place}" for place in ("/run/zfs", "/etc/zfs", "/var/lib/zfs")
    )
    for place in ("/run/zfs", "/var/lib/zfs"):
        Path(place).mkdir(exist_ok=True)
    process = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", f"{own} && exec zfs-fuse --no-daemon"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    zfs = Zfs(process)

    def answers() -> bool:
        argv = zfs.words("zpool", "list", "-H")
        return subprocess.run(argv, check=False, capture_output=True).returncode == 0

    try:
        until(answers, what="zfs-fuse")
        yield zfs
        for pool in zfs.run("zpool", "list", "-H", "-o", "name").split():
            zfs.run("zpool", "export", pool)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, 9)
        process.wait(20)
        if not there and _KSTAT.exists():
            _KSTAT.rmdir()
