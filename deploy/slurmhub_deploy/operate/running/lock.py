"""One run of a site at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from slurmhub_deploy.operate.errors import OperateError


@contextlib.contextmanager
def only_one(state: Path, what: str) -> Iterator[int]:
    """Hold the lock of the site whose folder this is; its descriptor.

    A run is given the descriptor, and so holds the lock until it has ended, whatever becomes of
    us. Raises OperateError if another run has it.
    """
    path = state / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OperateError(
                f"Another run is at work on this site: {_who(descriptor)}.",
                remedy="Wait until it has ended, or end it; its log is in"
                f" {state / 'log'}. Then run this again.",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{what}, process {os.getpid()}".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def refuse_if_busy(state: Path) -> None:
    """Raise OperateError if a run is at work now, before anybody is asked for anything."""
    with only_one(state, "slurmhub"):
        pass


def _who(descriptor: int) -> str:
    return os.pread(descriptor, 200, 0).decode(errors="replace") or "it does not say which"
