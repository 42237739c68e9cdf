"""Homes on a disk of a file, with copies of the programs that look after them, below one folder."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slurmhub.assets import asset
from tests.rig.disks import Zfs, disk, mounted
from tests.rig.hub import until

MIB = 1024 * 1024
ALICE, BOB = 70001, 70002


@dataclass
class Homes:
    """Homes called `main`; `words` stand before a program that is to see their mount."""

    folder: Path
    mount: Path
    backend: str
    words: list[str] = field(default_factory=list)

    @property
    def program(self) -> Path:
        return self.folder / "slurmhub-home"

    def ask(self, verb: str, *arguments: str, **request: Any) -> dict[str, Any]:
        """The answer of slurmhub-home."""
        done = self.run(self.program, *arguments, stdin={"verb": verb, **request})
        assert done.stderr == "", done.stderr
        answer = dict(json.loads(done.stdout))
        assert done.returncode == (0 if answer["ok"] else 1)
        return answer

    def make(self, name: str = "alice", uid: int = ALICE, **more: Any) -> dict[str, Any]:
        return self.ask("make", homes="main", name=name, uid=uid, gid=uid, **more)

    def quota(self, name: str = "alice") -> dict[str, Any]:
        return self.ask("get", homes="main", name=name)

    def care(self, *words: str) -> subprocess.CompletedProcess[str]:
        """slurmhub-homes-care."""
        return self.run(self.folder / "slurmhub-homes-care", *words)

    def run(self, *argv: str | Path, stdin: Any = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.words, *(str(word) for word in argv)],
            input=None if stdin is None else json.dumps(stdin),
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def as_person(self, uid: int, *argv: str | Path) -> subprocess.CompletedProcess[str]:
        """What somebody does in their home."""
        who = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"]
        return self.run(*who, *argv)

    def sync(self) -> None:
        """What was written counts from then on."""
        assert self.run("sync").returncode == 0

    def set(self, kind: str = "", **settings: object) -> None:
        """Change settings of slurmhub-home, or with `care` of the other program."""
        path = self.folder / "etc" / f"main{kind and '.'}{kind}.json"
        before = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**before, **settings}))

    @contextmanager
    def changed(self, old: str, new: str) -> Iterator[None]:
        """Meanwhile slurmhub-home has another line."""
        before = self.program.read_text()
        assert before.count(old) == 1
        self.program.write_text(before.replace(old, new))
        yield
        self.program.write_text(before)


@contextmanager
def homes_on(backend: str, folder: Path, zfs: Zfs | None = None) -> Iterator[Homes]:
    """A fresh file system of 300 MiB; the folder must be root's, and so all above it."""
    mount = folder / "homes"
    with ExitStack() as stack:
        device = stack.enter_context(disk(folder, "disk", 300))
        made = Homes(folder, mount, backend, zfs.words() if zfs else [])
        if zfs is not None:
            pool = f"p{folder.name}"
            zfs.run("zpool", "create", "-m", "none", pool, device)
            stack.callback(_destroy, zfs, pool)
            mount.mkdir()
            zfs.run("zfs", "create", "-o", f"mountpoint={mount}", f"{pool}/homes")
        else:
            subprocess.run([f"mkfs.{backend}", "-q", device], check=True, capture_output=True)
            stack.enter_context(mounted(device, mount))
            if backend == "btrfs":
                subprocess.run(["btrfs", "quota", "enable", str(mount)], check=True)
        _install(made, f"p{folder.name}/homes" if zfs else None)
        yield made


def _destroy(zfs: Zfs, pool: str) -> None:
    def gone() -> bool:
        argv = zfs.words("zpool", "destroy", pool)
        return subprocess.run(argv, check=False, capture_output=True).returncode == 0

    # It is busy for a moment after somebody wrote.
    until(gone, what="the end of the pool")


def _install(homes: Homes, dataset: str | None) -> None:
    (homes.folder / "etc").mkdir()
    skeleton = homes.folder / "skel"
    skeleton.mkdir()
    (skeleton / ".bashrc").write_text("# a start\n")
    for name in ("slurmhub-home", "slurmhub-homes-care"):
        text = asset(f"libexec/{name}").read_text()
        for constant, place in (("/etc/slurmhub/homes", "etc"), ("/run/slurmhub-homes", "run")):
            text = text.replace(f'_FOLDER = "{constant}"', f'_FOLDER = "{homes.folder}/{place}"')
        (homes.folder / name).write_text(text)
        (homes.folder / name).chmod(0o755)
    common: dict[str, Any] = {"backend": homes.backend, "mount": str(homes.mount)}
    common["dataset"] = dataset
    homes.set("", **common, quota=20 * MIB, skeleton=str(skeleton))
    homes.set("care", **common, snapshots={"hourly": 2, "daily": 1}, reserve=4 * MIB,
              metrics=str(homes.folder / "homes.prom"))  # fmt: skip
