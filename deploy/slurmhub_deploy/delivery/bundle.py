"""A bundle: everything that hosts need to be set up without the internet, in one folder.

    manifest.json   what it is for, and the SHA-256 of each file
    packages.tar    packages of the distribution, with all that they depend on, and their index
    wheels.tar      what the two locks of Python name
    proxy.tar.gz    the proxy, installed by its lock

They are chosen and fetched in a fresh tree of the distribution that the hosts have. The manifest is
written last: a folder without one is no bundle.
"""

from __future__ import annotations

import json
import platform
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from slurmhub.assets import asset
from slurmhub_deploy.delivery.apt_index import sha256_of, write_index
from slurmhub_deploy.delivery.role_packages import packages_of_roles
from slurmhub_deploy.delivery.tree import Tree
from slurmhub_deploy.errors import DeployError

SUITES = {"bookworm": ("Debian", "12")}
"""What hosts may have: the suite, and what Ansible calls the distribution and its release."""

FILES = ("packages.tar", "wheels.tar", "proxy.tar.gz")
_WHOLE = ".whole"
# Not for hosts without internet, where the proxy comes as it is.
_LEFT_OUT = frozenset({"npm"})
# Packages that are in no free part of the distribution, or of which a host has one of several.
_OTHERWISE = frozenset({"zfsutils-linux", "zfs-dkms", "sackd", "apptainer"})


def make_bundle(to: Path, suite: str, say: Callable[[str], None]) -> Path:
    """Make a bundle in a folder that is empty or not there. Raises DeployError."""
    if suite not in SUITES:
        raise DeployError(
            f"No bundle can be made for {suite}.", remedy=f"There are: {', '.join(SUITES)}."
        )
    if to.exists() and any(to.iterdir()):
        raise DeployError(
            f"{to} is not empty, and a bundle is not mixed with another.",
            remedy="Name another folder, or remove that one.",
        )
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=".bundle-") as scratch:
        tree = Tree(Path(scratch) / "tree", suite, say)
        tree.make()
        _packages(tree, to / "packages.tar", Path(scratch) / "packages", say)
        _wheels(tree, to / "wheels.tar", Path(scratch) / "wheels")
        _proxy(tree, to / "proxy.tar.gz")
    return _manifest(to, suite)


def wanted_packages() -> dict[str, list[str]]:
    """By role what is fetched."""
    return {
        role: [name for name in names if name not in _LEFT_OUT | _OTHERWISE]
        for role, names in packages_of_roles().items()
    }


def _packages(tree: Tree, file: Path, scratch: Path, say: Callable[[str], None]) -> None:
    scratch.mkdir()
    tree.run("apt-get", "update", "--quiet")
    fetch = ("apt-get", "install", "--quiet", "--yes", "--download-only", "--no-install-recommends")
    # Also what the tree has itself: a host may have an older one.
    there = tree.run("dpkg-query", "--show", "--showformat", "${Package}\\n").split()
    tree.run(*fetch, "--reinstall", *there, what="packages of the tree itself")
    for role, names in wanted_packages().items():
        if names:
            tree.run(*fetch, *names, what=f"packages of the role {role}")
    for deb in (tree.root / "var/cache/apt/archives").glob("*.deb"):
        shutil.copy(deb, scratch / deb.name)
    say(f"{write_index(scratch)} packages")
    _archive(scratch, file, "packages")


def _wheels(tree: Tree, file: Path, scratch: Path) -> None:
    tree.run(
        *("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", "python3-venv"),
        what="Python",
    )
    tree.run("python3", "-m", "venv", "/root/venv")
    for lock in ("hub.lock", "jupyter.lock"):
        shutil.copy(asset(f"requirements/{lock}"), tree.root / "root" / lock)
        tree.run(
            *("/root/venv/bin/pip", "download", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--require-hashes", "--only-binary=:all:", "--dest=/root/wheels"),
            *("--requirement", f"/root/{lock}"),
            what=f"wheels of {lock}",
        )
    shutil.copytree(tree.root / "root/wheels", scratch)
    _archive(scratch, file, "wheels")


def _proxy(tree: Tree, file: Path) -> None:
    tree.run(
        *("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", "nodejs", "npm"),
        what="Node",
    )
    folder = tree.root / "root/proxy"
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(asset(name), folder / name)
    tree.run(
        *("npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"),
        "--prefix=/root/proxy",
        what="the proxy",
    )
    with tarfile.open(file, "w:gz") as archive:
        archive.add(folder / "node_modules", arcname="node_modules", filter=_of_root)


def _archive(folder: Path, file: Path, name: str) -> None:
    """A folder as an archive, with a last file that says that it was unpacked whole."""
    with tarfile.open(file, "w") as archive:
        for each in sorted(folder.iterdir()):
            archive.add(each, arcname=f"{name}/{each.name}", filter=_of_root)
        mark = folder.parent / _WHOLE
        mark.write_text("")
        archive.add(mark, arcname=f"{name}/{_WHOLE}", filter=_of_root)


def _of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


def _manifest(to: Path, suite: str) -> Path:
    distribution, release = SUITES[suite]
    files = {name: sha256_of(to / name) for name in FILES}
    made = datetime.now(timezone.utc)
    manifest = {
        "version": 1,
        "name": f"{made:%Y%m%d}-{files['packages.tar'][:12]}",
        "made": made.isoformat(timespec="seconds"),
        "distribution": distribution,
        "release": release,
        "architecture": platform.machine(),
        "files": files,
    }
    path = to / "manifest.json"
    path.write_text(json.dumps(manifest, indent=2) + "\n")
    return path


def verify_bundle(folder: Path) -> list[str]:
    """What of a bundle is not as its manifest says. Raises DeployError if there is none."""
    try:
        files = dict(json.loads((folder / "manifest.json").read_text())["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DeployError(
            f"{folder} is not a bundle: {error}.", remedy="Make one with 'slurmhub bundle'."
        ) from error
    return [
        name
        for name, digest in files.items()
        if not (folder / name).is_file() or sha256_of(folder / name) != digest
    ]
