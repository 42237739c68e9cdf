"""A PostgreSQL server of its own for tests, on a socket in a folder, gone when they end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Where Debian has its programs, by release; the newest is used.
_INSTALLED = Path("/usr/lib/postgresql")
ACCOUNT = "postgres"
"""Debian's account for it: the server refuses to run as root."""


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, None where it is not installed."""
    found = sorted(_INSTALLED.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    there = shutil.which("initdb")
    return Path(there).parent if there else None


@contextmanager
def postgresql() -> Iterator[str]:
    """A server while this lasts; yields SQLAlchemy's URL of a database in it."""
    bin_folder = programs()
    assert bin_folder is not None, "PostgreSQL is not installed"
    who = {"user": ACCOUNT, "group": ACCOUNT} if os.geteuid() == 0 else {}
    # A socket's path has at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="shub-pg-", dir="/tmp"))
    try:
        if who:
            shutil.chown(folder, ACCOUNT, ACCOUNT)
        data = folder / "data"
        make = ["initdb", "-D", str(data), "-U", "slurmhub", "-A", "trust", "-E", "UTF8"]
        _run([*make, "--locale=C", "--no-sync"], bin_folder, folder, who)
        # What survives a crash of the machine costs time, and this one needs nothing of it.
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        start = ["pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-w", "-t", "120"]
        _run([*start, "-o", options, "start"], bin_folder, folder, who)
        try:
            yield f"postgresql+psycopg://slurmhub@/postgres?host={folder}"
        finally:
            _run(["pg_ctl", "-D", str(data), "-m", "immediate", "stop"], bin_folder, folder, who)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(argv: list[str], bin_folder: Path, folder: Path, who: dict[str, str]) -> None:
    program = str(bin_folder / argv[0])
    # The server outlives pg_ctl, and must not hold a pipe of ours.
    with (folder / f"{argv[0]}.out").open("ab") as out:
        done = subprocess.run(
            [program, *argv[1:]],
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            check=False,
            **who,  # type: ignore[call-overload]
        )
    assert done.returncode == 0, (folder / f"{argv[0]}.out").read_text(errors="replace")
