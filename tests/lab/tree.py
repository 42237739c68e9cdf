"""The files of a fresh Debian host, made once by mmdebstrap(1) and shared by all that start so."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from pathlib import Path

from tests.lab.programs import run

TREES = Path("/var/cache/slurmhub/hosts")


def tree(suite: str, packages: tuple[str, ...], hooks: tuple[str, ...] = ()) -> Path:
    """A folder with these packages and what they need: about fifteen seconds the first time.

    `hooks` are lines of shell run at the end, with the folder as $1.
    """
    recipe = repr((suite, packages, *hooks))
    files = TREES / f"{suite}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    TREES.mkdir(parents=True, exist_ok=True)
    with (TREES / f"{suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not files.exists():
            partial = files.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            run(
                *("setpriv", "--pdeathsig", "KILL"),
                *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
                *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}"),
                # Mirrors that keep an old state of Debian have an old date.
                '--aptopt=Acquire::Check-Valid-Until "false"',
                *(f"--customize-hook={hook}" for hook in hooks),
                *(suite, partial),
            )
            partial.rename(files)
    return files
