"""Ctrl-C and SIGTERM, noticed at the places where the demo waits and nowhere else.

A signal that raises in the middle of any statement could part a process from its record. Here it
only wakes up whoever waits, so that each step is either done or was never begun.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.processes import ProcessId

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """The person, or the system, asked for the end."""


class Interrupts:
    """Catches the signals that ask for the end; make one, in the main thread, at the very start."""

    def __init__(self) -> None:
        self._asked = False
        self._woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wake = wake
        for number in _SIGNALS:
            signal.signal(number, self._ask)

    def check(self) -> None:
        """Raise Interrupted if the end was asked for."""
        if self._asked:
            raise Interrupted

    def pause(self, seconds: float) -> None:
        """Wait; raises Interrupted at once when the end is asked for."""
        self._poll([], seconds)
        self.check()

    def wait(self, processes: Sequence[ProcessId], seconds: float | None = None) -> bool:
        """Wait until one of them has ended (True), or for so long; raises Interrupted."""
        handles: list[int] = []
        try:
            for process in processes:
                try:
                    handles.append(os.pidfd_open(process.pid))
                except ProcessLookupError:
                    return True
                if not process.alive():
                    return True
            ended = self._poll(handles, seconds)
        finally:
            for handle in handles:
                os.close(handle)
        self.check()
        return ended

    def run(
        self,
        argv: Sequence[str],
        *,
        what: str,
        remedy: str,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Run a program to its end; raises DeployError with its last lines if it fails.

        When the end is asked for, the program and its children are ended first.
        """
        self.check()
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None  # noqa: S101 - for the type checker: a pipe was asked for
        output = b""
        try:
            with process.stdout:
                while True:
                    self._poll([process.stdout.fileno()], None)
                    self.check()
                    chunk = os.read(process.stdout.fileno(), 65536)
                    if not chunk:
                        break
                    output = (output + chunk)[-4000:]
            status = process.wait()
        except BaseException:
            _kill_group(process)
            raise
        if status != 0:
            tail = output.decode(errors="replace").strip().splitlines()[-8:]
            raise DeployError("\n".join([f"{what}: {argv[0]} failed.", *tail]), remedy=remedy)

    def relay(self, source: int, target: IO[str], *, until: bytes) -> bool:
        """Pass on what arrives on a descriptor, up to a mark (True) or its end (False)."""
        while True:
            self._poll([source], None)
            self.check()
            chunk = os.read(source, 65536)
            before, mark, _ = chunk.partition(until)
            target.write(before.decode(errors="replace"))
            target.flush()
            if mark or not chunk:
                return bool(mark)

    def until(
        self, true: Callable[[], bool], *, process: ProcessId, seconds: float, every: float = 0.05
    ) -> bool:
        """Look again and again; False when the process ended or the time ran out first."""
        limit = time.monotonic() + seconds
        while not true():
            if self.wait([process], every) or time.monotonic() > limit:
                return true()
        return True

    def _poll(self, handles: Sequence[int], seconds: float | None) -> bool:
        poller = select.poll()
        poller.register(self._woken, select.POLLIN)
        for handle in handles:
            poller.register(handle, select.POLLIN)
        found = poller.poll(None if seconds is None else seconds * 1000)
        return any(handle != self._woken for handle, _ in found)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True
        try:
            os.write(self._wake, b"!")
        except BlockingIOError:
            return  # the pipe is full of earlier requests, which serve as well


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    for number, seconds in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
