"""A bundle: everything that hosts need to be set up without the internet, in one folder.

    manifest.json   what it is for, and the SHA-256 of each file
    packages.tar    packages of the distribution, with all that they depend on, and their index
    wheels.tar      what the two locks of Python name
    proxy.tar.gz    the proxy, installed by its lock

They are chosen and fetched in a fresh tree of the distribution that the hosts have. The manifest is
written last: a folder without one is no bundle.
"""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from slurmhub.assets import asset
from slurmhub_deploy.delivery.apt_index import write_index
from slurmhub_deploy.delivery.manifest import PYTHON_LOCKS, write_manifest
from slurmhub_deploy.delivery.proxy import ARCHIVE, of_root, proxy_archive
from slurmhub_deploy.delivery.role_packages import packages_of_roles
from slurmhub_deploy.delivery.tree import Tree
from slurmhub_deploy.errors import DeployError

SUITES = {"bookworm": ("Debian", "12")}
"""What hosts may have: the suite, and what Ansible calls the distribution and its release."""

_WHOLE = ".whole"
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
        say("the proxy")
        shutil.copy(proxy_archive(Path(scratch)), to / ARCHIVE)
    return write_manifest(to, *SUITES[suite])


def wanted_packages() -> dict[str, list[str]]:
    """By role what is fetched."""
    return {
        role: [name for name in names if name not in _OTHERWISE]
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
    for lock in PYTHON_LOCKS:
        shutil.copy(asset(f"requirements/{lock}"), tree.root / "root" / lock)
        tree.run(
            *("/root/venv/bin/pip", "download", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--require-hashes", "--only-binary=:all:", "--dest=/root/wheels"),
            *("--requirement", f"/root/{lock}"),
            what=f"wheels of {lock}",
        )
    shutil.copytree(tree.root / "root/wheels", scratch)
    _archive(scratch, file, "wheels")


def _archive(folder: Path, file: Path, name: str) -> None:
    """A folder as an archive, with a last file that says that it was unpacked whole."""
    with tarfile.open(file, "w") as archive:
        for each in sorted(folder.iterdir()):
            archive.add(each, arcname=f"{name}/{each.name}", filter=of_root)
        mark = folder.parent / _WHOLE
        mark.write_text("")
        archive.add(mark, arcname=f"{name}/{_WHOLE}", filter=of_root)
