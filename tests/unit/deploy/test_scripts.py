"""What the shell scripts say where they cannot install what is missing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
TOOLS = ("bash", "id", "basename", "cat", "sha256sum", "cut", "dirname", "env")


def library(lines: str, path: Path, become: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run lines of shell after script/lib/environments.bash, with only these programs."""
    source = PROJECT / "script" / "lib" / "environments.bash"
    code = f'set -euo pipefail; project={PROJECT}; source "{source}"; {lines}'
    return subprocess.run(
        [*become, "/bin/bash", "-c", code, "demo"],
        env={"PATH": str(path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with the simplest programs only: no package manager, no sudo."""
    for name in TOOLS:
        (tmp_path / name).symlink_to(Path("/usr/bin", name))
    return tmp_path


MISSING = "need_debian munge 'how the parts trust each other' program munged-is-not-here"


def test_without_a_package_manager_the_packages_are_named(tools: Path) -> None:
    done = library(f"{MISSING}; install_missing", tools)
    assert done.returncode == 1
    assert "munge: how the parts trust each other" in done.stdout
    assert "no apt-get, and lacks: munge" in done.stderr
    assert "What to do:" in done.stderr


def test_without_root_and_sudo_the_command_for_root_is_named(tools: Path) -> None:
    (tools / "apt-get").symlink_to("/bin/false")
    (tools / "id").unlink()
    (tools / "id").write_text("#!/bin/bash\necho 1000\n")
    (tools / "id").chmod(0o755)
    done = library(f"{MISSING}; install_missing", tools)
    assert done.returncode == 1
    assert "Only root can install them" in done.stderr
    assert "As root: apt-get install --no-install-recommends munge" in done.stderr


def test_what_is_there_is_not_installed(tools: Path) -> None:
    done = library("need_debian coreutils 'prints files' program cat; install_missing", tools)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_python_that_is_none_is_refused(tools: Path) -> None:
    done = library("SLURMHUB_PYTHON=/nowhere/python; need_python", tools)
    assert done.returncode == 1
    assert "SLURMHUB_PYTHON is /nowhere/python" in done.stderr


def test_the_distributions_python_is_preferred(tools: Path) -> None:
    done = library("find_python", tools)
    assert done.stdout.strip() == "/usr/bin/python3"


def test_the_cache_is_roots_or_ones_own(tools: Path) -> None:
    done = library("HOME=/home/jo; cache_folder", tools)
    expected = "/var/cache/slurmhub" if os.geteuid() == 0 else "/home/jo/.cache/slurmhub"
    assert done.stdout.strip() == expected
