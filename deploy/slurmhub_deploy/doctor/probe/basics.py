"""What the looks share: commands with a limit, threads with a limit, Prometheus's text."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterable

COMMAND = 20
"""Seconds for one command."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def run(*argv: str, text: str | None = None, seconds: float = COMMAND) -> tuple[int, str, str]:
    """Exit status, output, complaints of a command; raises OSError, subprocess.TimeoutExpired."""
    done = subprocess.run(
        argv,
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        env={"PATH": PATH, "LANG": "C.UTF-8"},
        cwd="/",
    )
    return done.returncode, done.stdout, done.stderr.strip()[-500:]


def at_once(threads: list[threading.Thread], seconds: float) -> None:
    """Run all, and wait for them so long together."""
    limit = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, limit - time.monotonic()))


def figures(lines: Iterable[str], *prefixes: str) -> dict[str, float]:
    """Values of Prometheus's text format, by metric and labels; not buckets of histograms."""
    found = {}
    for line in lines:
        series, _space, value = line.strip().rpartition(" ")
        if series.startswith(prefixes) and "_bucket{" not in series:
            found[series] = float(value)
    return found
