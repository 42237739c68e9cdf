"""Running one external program: an argument list, a clean environment, a time limit.

Never a shell, nothing inherited from the hub's own environment, and nothing left running:
a program that is out of time, or whose caller was cancelled, is killed with its whole
process group and reaped.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from slurmhub.slurm.errors import (
    CommandError,
    ProgramMissing,
    ProgramOutputTooLarge,
    ProgramTimeout,
)
from slurmhub.slurm.starting import start_wholly

MAX_OUTPUT = 64 * 2**20
# How long a killed program may take to be reaped. A program of another user cannot be killed
# from here (sudo): it is then left to end by itself, and asyncio reaps it.
_REAP_SECONDS = 5.0
# How long the pipes may stay open after the program ended; what it wrote is read by then.
_PIPES_SECONDS = 0.5


@dataclass(frozen=True)
class Account:
    """The account a program runs as, when the hub itself is root."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True)
class Completed:
    """A program that ended by itself; `returncode` is negative when a signal ended it."""

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes

    @property
    def output(self) -> str:
        """Standard output as text; bytes that are not UTF-8 are replaced."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def complaint(self) -> str:
        """Standard error as text without blanks around it, for people and logs."""
        return self.stderr.decode("utf-8", "replace").strip()


async def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    stdin: bytes = b"",
    timeout: float,
    max_output: int = MAX_OUTPUT,
    account: Account | None = None,
) -> Completed:
    """Run a program to its end and return what it wrote.

    `timeout` is in seconds, `max_output` in bytes for standard output and error together.
    The program's environment is `env` and nothing else, its working directory is `/`.
    Raises ProgramMissing, ProgramTimeout or ProgramOutputTooLarge; a program that ends with
    an error is no exception here.
    """
    collector = _Collector(max_output)
    transport = await _start(argv, collector, env=env, account=account)
    try:
        _feed(transport, stdin)
        # Not wait_for, which before Python 3.12 may swallow a cancellation.
        done, _ = await asyncio.wait({collector.finished}, timeout=timeout)
        if not done:
            raise ProgramTimeout(
                f"{argv[0]} did not answer within {timeout:g} seconds and was stopped.",
                remedy="Look whether the service it asks is up and how busy it is.",
            )
    finally:
        await _end(transport, collector)
    if collector.overflowed:
        raise ProgramOutputTooLarge(
            f"{argv[0]} wrote more than {max_output} bytes and was stopped.",
            remedy="Run it by hand to see why it says so much.",
        )
    returncode = transport.get_returncode()
    if returncode is None:
        raise CommandError(
            f"{argv[0]} ended without a status.", remedy="Look into the system's log."
        )
    return Completed(tuple(argv), returncode, bytes(collector.out), bytes(collector.err))


class _Collector(asyncio.SubprocessProtocol):
    """Gathers what a program writes; `finished` is set when it ended or wrote too much."""

    def __init__(self, max_output: int) -> None:
        self.out = bytearray()
        self.err = bytearray()
        self.overflowed = False
        self._room = max_output
        loop = asyncio.get_running_loop()
        self.finished: asyncio.Future[None] = loop.create_future()
        self.exited: asyncio.Future[None] = loop.create_future()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._room -= len(data)
        if self._room < 0:
            self.overflowed = True
            self._finish()
        else:
            (self.out if fd == 1 else self.err).extend(data)

    def process_exited(self) -> None:
        if not self.exited.done():
            self.exited.set_result(None)
        # A descendant that went on by itself may hold the pipes open for ever.
        asyncio.get_running_loop().call_later(_PIPES_SECONDS, self._finish)

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish()

    def _finish(self) -> None:
        if not self.finished.done():
            self.finished.set_result(None)


async def _start(
    argv: Sequence[str],
    collector: _Collector,
    *,
    env: Mapping[str, str],
    account: Account | None,
) -> asyncio.SubprocessTransport:
    identity: dict[str, Any] = {}
    if account is not None:
        identity = {
            "user": account.uid,
            "group": account.gid,
            "extra_groups": list(account.groups),
        }
    starting = asyncio.get_running_loop().subprocess_exec(
        lambda: collector,
        *argv,
        env=dict(env),
        cwd="/",
        start_new_session=True,
        **identity,
    )

    async def end(started: tuple[asyncio.SubprocessTransport, _Collector]) -> None:
        await _end(started[0], collector)

    try:
        transport, _ = await start_wholly(starting, end)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ProgramMissing(
            f"{argv[0]} is not there.", remedy="Install it, or say where it is."
        ) from error
    except OSError as error:
        raise ProgramMissing(
            f"{argv[0]} could not be started: {error.strerror}.",
            remedy="Check that it is a program which this account may run.",
        ) from error
    return transport


def _feed(transport: asyncio.SubprocessTransport, stdin: bytes) -> None:
    pipe = cast("asyncio.WriteTransport | None", transport.get_pipe_transport(0))
    if pipe is not None:
        if stdin:
            pipe.write(stdin)
        pipe.write_eof()


async def _end(transport: asyncio.SubprocessTransport, collector: _Collector) -> None:
    """Leave nothing running: kill the group if the program has not ended, and reap it."""
    if transport.get_returncode() is None:
        # The program leads its own session, so its id is that of the group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(transport.get_pid(), signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        transport.close()
    if transport.get_returncode() is None:
        await asyncio.wait({collector.exited}, timeout=_REAP_SECONDS)
