"""The processes of a job on this machine, to make its server silent while the job goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STUB = b"stub_server.py"


def processes(job: int) -> dict[int, bytes]:
    """The command lines of the processes that have this job's environment, by process id."""
    mark = f"SLURM_JOB_ID={job}".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            # It ended meanwhile.
            continue
    return found


@contextmanager
def dead_unnoticed(job: int) -> Iterator[None]:
    """The job's server is dead, and until the end of this its launcher cannot say so."""
    found = processes(job)
    servers = [each for each, line in found.items() if STUB in line and b"launcher" not in line]
    assert servers, found
    rest = [each for each in found if each not in servers]
    for each in rest:
        os.kill(each, signal.SIGSTOP)
    try:
        for each in servers:
            os.kill(each, signal.SIGKILL)
        yield
    finally:
        for each in rest:
            if Path(f"/proc/{each}").exists():
                os.kill(each, signal.SIGCONT)
