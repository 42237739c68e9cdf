"""Programs of this machine that the lab runs."""

from __future__ import annotations

import subprocess
from pathlib import Path


def run(*argv: str | Path, feed: str = "", seconds: float = 600) -> str:
    """Run a program to its end and return its output; fail with all it said if it fails."""
    done = subprocess.run(
        [str(word) for word in argv],
        input=feed,
        capture_output=True,
        text=True,
        check=False,
        umask=0o022,
        timeout=seconds,
    )
    assert done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout
