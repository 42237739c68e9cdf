"""This checkout, as a clone of it would be."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def copy_checkout(target: Path) -> Path:
    """Copy what git knows of this checkout, or would know; returns the target."""
    listed = subprocess.run(
        ["git", "-C", PROJECT, "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (PROJECT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, target / name)
    return target
