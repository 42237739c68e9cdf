"""Asking `slurmhub-course-folders`, the program of root's that keeps the folders of courses.

It runs where their disk is: by sudo on this host, or on another through ssh with a key that can do
nothing else. Its own text says what it takes and answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slurmhub.courses.folders.desired import Folders
from slurmhub.errors import SlurmhubError
from slurmhub.slurm.command import run
from slurmhub.slurm.errors import CommandError

INSTALLED = Path("/usr/local/libexec/slurmhub/slurmhub-course-folders")
TIMEOUT = 90.0
"""Seconds. The program ends each call by itself before."""
PIECE = 256 * 1024
"""Bytes of an archive that are handed on at once."""
SILENCE = 120.0
"""Seconds after which an archive that does not go on is given up."""

_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
_LOOK = "Look into the log of authpriv on the host of the courses' folders."
_INSTALL = "Look whether the program is installed there, and whether this account may run it."


class FoldersRefused(SlurmhubError):
    """The program did not do it; `kind` is its own word for why."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message, remedy=_LOOK)
        self.kind = kind
        self.message = message


class FoldersUnusable(SlurmhubError):
    """The program could not be run, or did not answer as it should."""


@dataclass(frozen=True)
class Kept:
    """What one call did for a course; unless `done`, the same is asked again.

    `left` counts what was let be, `troubles` says of whom why they have no folder. `quota` and
    `used` are in bytes, None where the file system keeps none.
    """

    done: bool
    left: int = 0
    troubles: Mapping[str, str] | None = None
    quota: int | None = None
    used: int | None = None


@dataclass(frozen=True)
class Going:
    """What one call did to remove a course; `until` it is kept, in seconds since the epoch."""

    done: bool
    until: float | None = None


@dataclass(frozen=True)
class There:
    """The courses that have folders, and those whose folders are being removed."""

    courses: frozenset[str]
    going: frozenset[str]


class FoldersProgram:
    """How the program is run: `command` are all its words, with the name of the folders last."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = tuple(command)

    async def keep(self, folders: Folders) -> Kept:
        """Have a course's folders made or changed, as far as one call comes.

        Raises FoldersRefused or FoldersUnusable.
        """
        answer = await self._ask(folders.request())
        troubles = answer.get("troubles")
        return Kept(
            done=answer.get("done") is True,
            left=_number(answer.get("left")) or 0,
            troubles=troubles if isinstance(troubles, dict) else {},
            quota=_number(answer.get("quota")),
            used=_number(answer.get("used")),
        )

    async def remove(self, key: str) -> Going:
        """Have a course's folders taken away, as far as one call comes; raises as `keep`."""
        answer = await self._ask({"verb": "remove", "course": key})
        return Going(answer.get("done") is True, _number(answer.get("until")))

    async def there(self) -> There:
        """What there is; raises as `keep`."""
        answer = await self._ask({"verb": "list"})
        return There(_keys(answer.get("courses")), _keys(answer.get("going")))

    async def export(self, key: str, folders: Sequence[str]) -> AsyncGenerator[bytes, None]:
        """A tar archive of these folders, piece by piece.

        Raises FoldersRefused before the first piece, or FoldersUnusable; after a piece that means
        that the archive is not whole.
        """
        process = await self._start()
        assert process.stdin is not None and process.stdout is not None  # noqa: PT018, S101
        try:
            request = {"verb": "export", "course": key, "folders": list(folders)}
            process.stdin.write(json.dumps(request).encode())
            process.stdin.close()
            _answer(await self._within(process.stdout.readline()), self.command)
            while piece := await self._within(process.stdout.read(PIECE)):
                yield piece
            if await self._within(process.wait()) != 0:
                raise FoldersUnusable(f"The archive of {key} ended too early.", remedy=_LOOK)
        finally:
            # One of root's cannot be ended from here: it ends when nobody reads any more.
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    process.kill()
                process._transport.close()  # type: ignore[attr-defined]

    # Inside

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            done = await run(
                self.command,
                env=_ENVIRONMENT,
                stdin=json.dumps(request).encode(),
                timeout=TIMEOUT,
                max_output=16 * 2**20,
            )
        except CommandError as error:
            raise FoldersUnusable(error.what, remedy=_INSTALL) from error
        return _answer(done.stdout or done.stderr, self.command)

    async def _start(self) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                *self.command,
                env=_ENVIRONMENT,
                cwd="/",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                limit=4 * PIECE,
            )
        except OSError as error:
            words = f"{self.command[0]} cannot be run: {error.strerror}."
            raise FoldersUnusable(words, remedy=_INSTALL) from error

    async def _within(self, awaited: Any) -> Any:
        try:
            return await asyncio.wait_for(awaited, SILENCE)
        except (asyncio.TimeoutError, ValueError) as error:
            words = f"{self.command[0]} did not go on within {SILENCE:g} seconds."
            raise FoldersUnusable(words, remedy=_LOOK) from error


def _answer(said: bytes, command: Sequence[str]) -> dict[str, Any]:
    try:
        answer = json.loads(said)
        accepted = answer["ok"]
    except (ValueError, TypeError, KeyError) as error:
        lines = said.decode("utf-8", "replace").strip().splitlines() or ["it gave no answer"]
        words = f"{command[0]} could not be asked: {lines[-1][:300]}."
        raise FoldersUnusable(words, remedy=_INSTALL) from error
    if accepted is not True:
        raise FoldersRefused(str(answer.get("kind", "")), str(answer.get("message", "")))
    return dict(answer)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _keys(value: object) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, list) else frozenset()
