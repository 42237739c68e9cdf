"""Processes that are found again by number and start time, and ended for certain.

A number alone may by now belong to somebody else's process, and a name always may. Number, start
time and boot together name one process for ever, so a record on disk is enough for another
program, or the same one after it was killed, to end what was started.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class ProcessId:
    """One process: its number, its start in clock ticks since boot, and the boot (see proc(5))."""

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> ProcessId:
        """The process that has this number now; raises ProcessLookupError when there is none."""
        found = _state_and_start(pid)
        if found is None:
            raise ProcessLookupError(pid)
        return cls(pid, found[1], _BOOT_ID.read_text().strip())

    def alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        found = _state_and_start(self.pid)
        return (
            found is not None
            and found[0] not in "ZX"
            and found[1] == self.started
            and self.boot == _BOOT_ID.read_text().strip()
        )

    def save(self, path: Path) -> None:
        """Write the record so that a reader sees all of it or nothing."""
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(asdict(self)))
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> ProcessId | None:
        """The record in this file; None when there is none."""
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None

    def send(self, number: signal.Signals) -> bool:
        """Signal this process and no other; False when it is gone already."""
        with _opened(self) as handle:
            if handle is None:
                return False
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, number)
            return True

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended, at most this long; whether it has."""
        with _opened(self) as handle:
            if handle is None:
                return True
            poller = select.poll()
            poller.register(handle, select.POLLIN)
            return bool(poller.poll(seconds * 1000))

    def end(self, *, grace: float, number: signal.Signals = signal.SIGTERM) -> None:
        """Signal it, SIGKILL it if it still runs after `grace` seconds; it is gone at return."""
        self.send(number)
        if not self.wait(grace):
            self.send(signal.SIGKILL)
            self.wait(10)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)


def end_all(processes: Iterable[ProcessId], *, grace: float) -> None:
    """End several at once, so that their grace periods pass together."""
    listed = list(processes)
    for process in listed:
        process.send(signal.SIGTERM)
    limit = time.monotonic() + grace
    for process in listed:
        if not process.wait(max(0.0, limit - time.monotonic())):
            process.end(grace=10, number=signal.SIGKILL)


def processes_with_file_in(root: Path, *, program: str) -> Iterator[ProcessId]:
    """Every process of this program that has a file open under `root`.

    The program is known by its executable's name, with or without a distribution's suffix
    (Debian's slurmstepd is a link to slurmstepd-wlm).
    What /proc does not show to this account is left out.
    """
    prefix = f"{root}/"
    for pid in _pids():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            folder = Path("/proc", str(pid))
            if Path(os.readlink(folder / "exe")).name.partition("-")[0] != program:
                continue
            process = ProcessId.of(pid)
            if any(_target(link).startswith(prefix) for link in (folder / "fd").iterdir()):
                yield process


def processes_with_environment(
    wanted: Mapping[str, str], *, named: Iterable[str] = ()
) -> Iterator[ProcessId]:
    """Every process whose environment at its start held all of `wanted` and every name in `named`.

    What /proc does not show to this account is left out, and so is the calling process.
    """
    entries = {f"{name}={value}".encode() for name, value in wanted.items()}
    needed = {name.encode() for name in named}
    for pid in _pids():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            process = ProcessId.of(pid)
            environment = Path("/proc", str(pid), "environ").read_bytes().split(b"\0")
            names = {entry.partition(b"=")[0] for entry in environment}
            if entries.issubset(environment) and needed.issubset(names):
                yield process


def processes_of_account(uid: int) -> Iterator[ProcessId]:
    """Every process whose real or effective user is this one; the calling process is left out."""
    for pid in _pids():
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            status = Path("/proc", str(pid), "status").read_text()
            line = next(line for line in status.splitlines() if line.startswith("Uid:"))
            if str(uid) in line.split()[1:3]:
                yield ProcessId.of(pid)


@contextlib.contextmanager
def _opened(process: ProcessId) -> Iterator[int | None]:
    """A handle on exactly this process; None when it has ended."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        yield None
        return
    try:
        # Only once the handle is held can the number no longer pass to another process.
        yield handle if process.alive() else None
    finally:
        os.close(handle)


def _state_and_start(pid: int) -> tuple[str, int] | None:
    try:
        text = Path("/proc", str(pid), "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The program's name stands in parentheses and may itself contain any character.
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])


def _pids() -> Iterator[int]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            yield int(entry.name)


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except FileNotFoundError:
        return ""
