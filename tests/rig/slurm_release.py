"""The Slurm that tests run against: this machine's own, or the one of another Debian release.

The packages of another release are unpacked, not installed, and its loader and libraries are
written into its programs (patchelf(1)). They then run here as any other program does, for every
account, without a chroot, a namespace or a mount, and their jobs see this machine's own files.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from slurmhub_deploy.cluster.embedded import Programs
from slurmhub_deploy.errors import DeployError

VARIABLE = "SLURMHUB_TEST_SLURM"
TREES = Path("/var/cache/slurmhub/slurm")
# Which Debian has which Slurm.
SUITES = {"22.05": "bookworm", "24.11": "trixie", "26.05": "forky"}

_PACKAGES = (
    *("slurmctld", "slurmd", "slurm-client", "slurm-wlm-basic-plugins", "slurm-wlm-plugins"),
    *("slurmdbd", "slurm-wlm-mysql-plugin", "munge", "patchelf"),
)
_COMMANDS = (
    *("sacct", "sacctmgr", "salloc", "sbatch", "scancel", "scontrol", "sdiag", "sinfo"),
    *("sprio", "squeue", "srun", "sshare", "sstat", "munge", "unmunge"),
)
_DAEMONS = ("slurmctld", "slurmd", "slurmstepd", "slurmdbd", "munged")


@cache
def slurm_programs() -> Programs:
    """The Slurm that SLURMHUB_TEST_SLURM names ("24.11"), or this machine's own without it.

    What is not installed here is fetched, once: about ten seconds. Raises DeployError.
    """
    wanted, own = os.environ.get(VARIABLE, ""), Programs()
    if not wanted or _is(wanted, version_of(own)):
        return own
    if wanted not in SUITES:
        raise DeployError(
            f"{VARIABLE} is {wanted!r}, which is no release of Slurm that the tests know.",
            remedy=f"Use one of {', '.join(SUITES)}.",
        )
    found = _tree(SUITES[wanted])
    version = version_of(found)
    if not _is(wanted, version):
        raise DeployError(
            f"Debian {SUITES[wanted]} has Slurm {version}, not {wanted}.",
            remedy=f"Correct SUITES in {__file__}, then remove {found.bin_dir.parent}.",
        )
    return found


def version_of(programs: Programs) -> str:
    """The version that this controller says it has, as in "24.11.5"; empty if it is not there."""
    try:
        said = _run(str(programs.sbin_dir / "slurmctld"), "-V")
    except FileNotFoundError:
        return ""
    return said.split()[-1]


def _is(release: str, version: str) -> bool:
    return version == release or version.startswith(f"{release}.")


def _tree(suite: str) -> Programs:
    recipe = repr((suite, _PACKAGES, _COMMANDS, _DAEMONS))
    tree = TREES / f"{suite}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    TREES.mkdir(parents=True, exist_ok=True)
    with (TREES / f"{suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.exists():
            _make(suite, tree)
    return Programs(tree / "bin", tree / "sbin", tree / "lib" / "slurm-wlm")


def _make(suite: str, tree: Path) -> None:
    """Fetch and patch; the tree is complete as soon as it is there."""
    partial = tree.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o755)
    unpacked = partial / "unpacked"
    _unpack(suite, unpacked)
    # bookworm's packages still have both places.
    for libraries in (*unpacked.glob("lib/*-linux-gnu"), *unpacked.glob("usr/lib/*-linux-gnu")):
        shutil.copytree(libraries, partial / "lib", symlinks=True, dirs_exist_ok=True)
    for folder, names in (("bin", _COMMANDS), ("sbin", _DAEMONS)):
        (partial / folder).mkdir()
        for name in names:
            _patch(unpacked / "usr" / folder / name, partial / folder / name, tree)
    shutil.rmtree(unpacked)
    partial.rename(tree)


def _unpack(suite: str, folder: Path) -> None:
    """Packages and all that they need, as files alone: none of their scripts is run."""
    try:
        _run(
            # It dies with us, and in namespaces of its own, with all that it started.
            *("setpriv", "--pdeathsig", "KILL"),
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *("mmdebstrap", "--quiet", "--variant=extract", f"--include={','.join(_PACKAGES)}"),
            # Mirrors that keep an old state of Debian have an old date.
            '--aptopt=Acquire::Check-Valid-Until "false"',
            *(suite, str(folder)),
        )
    except FileNotFoundError as error:
        raise DeployError(
            f"The program {error.filename} is not there.",
            remedy="Install it: apt-get install mmdebstrap debian-archive-keyring util-linux",
        ) from error


def _patch(source: Path, target: Path, tree: Path) -> None:
    """A copy of a program that uses the loader and the libraries of the tree, once it is there."""
    if not source.exists():
        # Debian's daemons are alternatives, and links to these are made at installation.
        source = source.with_name(f"{source.name}-wlm")
    here = target.parent.parent / "lib"
    loader = next(here.glob("ld-linux*.so.*")).name
    _run(
        *(str(here / loader), "--library-path", str(here)),
        str(target.parent.parent / "unpacked" / "usr" / "bin" / "patchelf"),
        *("--set-interpreter", str(tree / "lib" / loader)),
        # An RPATH, unlike a RUNPATH, also holds for what plugins need.
        *("--force-rpath", "--set-rpath", f"{tree}/lib/slurm-wlm:{tree}/lib"),
        *("--output", str(target), str(source)),
    )


def _run(*argv: str) -> str:
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, umask=0o022
    )
    if done.returncode != 0:
        raise DeployError(
            f"{' '.join(argv)} failed with {done.returncode}: {done.stderr.strip()[-2000:]}",
            remedy="Read what it says; does apt reach its mirror?",
        )
    return done.stdout


if __name__ == "__main__":
    try:
        sys.stdout.write(f"Slurm {version_of(slurm_programs())} is at hand.\n")
    except DeployError as problem:
        sys.exit(str(problem))
