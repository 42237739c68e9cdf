"""The helper as a stream: its answer first, then the bytes of a file as fast as they are taken."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Sequence
from typing import Any

from slurmhub.events import result_within
from slurmhub.slurm.command import Account
from slurmhub.slurm.starting import start_wholly

# Seconds until the helper has opened a file, until the next bytes of it, and until it has ended.
_OPENING = 30.0
_STALLED = 60.0
_ENDING = 5.0
# Bytes taken from the helper at once; it waits when nobody takes more.
_PIECE = 64 * 1024


class NotOpened(Exception):
    """The helper could not be started, or gave no answer."""


@contextlib.asynccontextmanager
async def sending(
    argv: Sequence[str], request: dict[str, Any], become: Account | None
) -> AsyncIterator[tuple[dict[str, Any], asyncio.StreamReader]]:
    """Run the helper for one request: its answer, and what follows it; raises NotOpened.

    However the block ends, the helper does: nobody reads from it then.
    """
    ours, theirs = os.pipe()
    try:
        process = await _started(argv, theirs, become)
    except OSError as error:
        os.close(ours)
        raise NotOpened(error.strerror) from error
    finally:
        os.close(theirs)
    reader = asyncio.StreamReader(limit=_PIECE)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", 0)
    )
    try:
        yield await _answer(process, reader, request), reader
    finally:
        # A helper behind sudo cannot be killed from here, but it ends when nobody listens.
        transport.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            process.kill()
        with contextlib.suppress(asyncio.TimeoutError):
            await result_within(_ENDING, process.wait())


async def pieces(reader: asyncio.StreamReader, size: int) -> AsyncIterator[bytes]:
    """The bytes of a file; fewer than `size` when it became shorter or its disk hangs."""
    while size > 0:
        try:
            piece = await result_within(_STALLED, reader.read(min(size, _PIECE)))
        except asyncio.TimeoutError:
            return
        if not piece:
            return
        size -= len(piece)
        yield piece


async def _started(
    argv: Sequence[str], output: int, become: Account | None
) -> asyncio.subprocess.Process:
    identity: dict[str, Any] = {}
    if become is not None:
        identity = {"user": become.uid, "group": become.gid, "extra_groups": list(become.groups)}
    starting = asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=output,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        cwd="/",
        start_new_session=True,
        **identity,
    )

    async def end(process: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            process.kill()

    return await start_wholly(starting, end)


async def _answer(
    process: asyncio.subprocess.Process, reader: asyncio.StreamReader, request: dict[str, Any]
) -> dict[str, Any]:
    try:
        assert process.stdin is not None  # noqa: S101 - it has a pipe
        process.stdin.write(json.dumps(request).encode())
        process.stdin.close()
        answer = json.loads(await result_within(_OPENING, reader.readline()))
    except (OSError, ValueError, asyncio.TimeoutError) as error:
        raise NotOpened("no answer") from error
    if not isinstance(answer, dict):
        raise NotOpened("no answer")
    return answer
