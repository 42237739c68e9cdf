"""The proxy as the hubs' hosts get it: put together here by npm and its lock, and packed.

The hosts then need Node.js alone; npm would bring several hundred packages of the distribution.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from slurmhub.assets import asset
from slurmhub_deploy.delivery.wheels import digest_of
from slurmhub_deploy.errors import DeployError

ARCHIVE = "proxy.tar.gz"
_LAST = ".package-lock.json"
_SECONDS = 600
_INSTALL = ("ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")


def proxy_digest() -> str:
    """A name for the lock of the proxy: another one is another proxy."""
    return digest_of(asset("package.json"), asset("package-lock.json"))


def proxy_archive(cache: Path) -> Path:
    """The archive of the proxy's `node_modules`, made once for each lock. Raises DeployError."""
    archive = cache / f"proxy-{proxy_digest()}" / ARCHIVE
    if not archive.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".building-") as scratch:
            packed = Path(scratch, ARCHIVE)
            _pack(_installed(Path(scratch)), packed)
            packed.replace(archive)
    return archive


def _installed(folder: Path) -> Path:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(asset(name), folder / name)
    # First that of our own environment, of a release that is known to read the lock.
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    npm = shutil.which("npm", path=path)
    if npm is None:
        raise DeployError(
            "npm is not installed on this machine, which puts together the proxy for hubs.",
            remedy="pip install 'slurmhub[operate]', or npm by itself; hosts do not need it.",
        )
    try:
        done = subprocess.run(
            [npm, *_INSTALL],
            cwd=folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        said = "" if done.returncode == 0 else (done.stderr or done.stdout).strip()[-1500:]
    except subprocess.TimeoutExpired:
        said = f"it took longer than {_SECONDS} s"
    if said:
        raise DeployError(
            f"npm could not put together the proxy: {said}",
            remedy="Does this machine reach npm's registry? npm's own configuration is used.",
        )
    return folder / "node_modules"


def _pack(folder: Path, archive: Path) -> None:
    # Where an unpacking is cut off, what npm writes at its end is not there.
    names = sorted(folder.iterdir(), key=lambda each: (each.name == _LAST, each.name))
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(folder, arcname=folder.name, recursive=False, filter=of_root)
        for each in names:
            packed.add(each, arcname=f"{folder.name}/{each.name}", filter=of_root)


def of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """A file of an archive as every account of a host may read it, and root alone change it."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry
