"""What a person can do with the files of their home through the hub, bounded in every way."""

from __future__ import annotations

import base64
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from slurmhub.errors import SlurmhubError
from slurmhub.files.sending import NotOpened, pieces, sending
from slurmhub.job.crossing import Crossing, SubmissionRefused
from slurmhub.slurm.command import Account

# Bytes in one piece of an upload, as the helper takes it.
PIECE = 512 * 1024
# How many acts on files may be under way at once, of all people and of one.
AT_ONCE = 8
EACH = 2

_TRY_AGAIN = "Please try again later, or ask your support."
_WORDS = {
    "no-file": ("There is no such file.", "It may have been moved or deleted meanwhile."),
    "not-folder": ("This is not a folder.", "Links are not followed here."),
    "not-file": ("This is not a plain file.", "Links and other special files are not sent."),
    "denied": ("Your account may not do this here.", "Ask the owner of the folder."),
    "exists": (
        "There is a file of this name already.",
        "Delete it first, or give the new one another name.",
    ),
    "full": (
        "There is no room left in your home.",
        "Delete what you no longer need, then try again.",
    ),
    "too-large": ("This file is too large to be sent from here.", "Use a server or scp for it."),
    "changed": ("The file was changed meanwhile.", "Please try again."),
    "forbidden": ("Files of this account cannot be reached here.", "Ask your support."),
}


class FilesUnreachable(SlurmhubError):
    """What was asked of files cannot be done; `kind` is that of the helper, or "busy"."""

    def __init__(self, kind: str, what: str, *, remedy: str) -> None:
        super().__init__(what, remedy=remedy)
        self.kind = kind


@dataclass(frozen=True)
class Entry:
    """One name in a folder; `kind` is file, folder, link or other, `size` in bytes."""

    name: bytes
    kind: str
    size: int
    changed: int


@dataclass(frozen=True)
class Listing:
    """A folder, folders first; `more` says that it has too many entries to name. In bytes."""

    entries: tuple[Entry, ...]
    more: bool
    free: int
    size: int


class Files:
    """Acts on files as their owners, a few at a time."""

    def __init__(self, crossing: Crossing) -> None:
        self._crossing = crossing
        self._under_way: Counter[str] = Counter()

    async def look_into(self, account: Account, path: bytes) -> Listing:
        """What is in a folder of the home; raises FilesUnreachable, as all of these do."""
        answer = await self._ask(account, {"verb": "list", "path": _text(path)})
        entries = [
            Entry(str(name).encode("utf-8", "surrogateescape"), str(kind), int(size), int(changed))
            for name, kind, size, changed in answer["entries"]
        ]
        entries.sort(key=lambda entry: (entry.kind != "folder", entry.name.lower(), entry.name))
        return Listing(
            tuple(entries), bool(answer["more"]), int(answer["free"]), int(answer["size"])
        )

    async def delete(self, account: Account, path: bytes) -> tuple[int, bool]:
        """Delete a file, a link, or a folder with what is in it: how many, and whether all."""
        answer = await self._ask(account, {"verb": "delete", "path": _text(path)})
        return int(answer["removed"]), bool(answer["finished"])

    async def write(self, account: Account, path: bytes, data: bytes) -> None:
        """Make a new file; none of the person's is replaced."""
        with self._slot(account):
            for offset in range(0, len(data) or 1, PIECE):
                piece = base64.b64encode(data[offset : offset + PIECE]).decode()
                request = {"verb": "write", "path": _text(path), "offset": offset, "data": piece}
                await self._cross(account, request)

    @contextlib.asynccontextmanager
    async def read(
        self, account: Account, path: bytes, most: int
    ) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        """A file's size, and its bytes as they are asked for; the helper ends with the block."""
        request = {"verb": "read", "path": _text(path), "most": most}
        argv, become = self._crossing.command(account)
        with self._slot(account):
            try:
                async with sending(argv, request, become) as (answer, reader):
                    if answer.get("ok") is not True:
                        raise _trouble(str(answer.get("kind")), str(answer.get("message")))
                    size = int(answer["size"])
                    yield size, pieces(reader, size)
            except NotOpened as error:
                raise _trouble("failed", str(error)) from error

    async def _ask(self, account: Account, request: dict[str, Any]) -> dict[str, Any]:
        with self._slot(account):
            return await self._cross(account, request)

    async def _cross(self, account: Account, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._crossing.about_files(account, request)
        except SubmissionRefused as refusal:
            raise _trouble(refusal.kind, refusal.message) from refusal
        except SlurmhubError as error:
            raise FilesUnreachable("failed", error.what, remedy=error.remedy) from error

    @contextlib.contextmanager
    def _slot(self, account: Account) -> Iterator[None]:
        if self._under_way.total() >= AT_ONCE or self._under_way[account.name] >= EACH:
            raise FilesUnreachable(
                "busy",
                "Too much is being done with files at this moment.",
                remedy="Wait until your other downloads are over, then try again.",
            )
        self._under_way[account.name] += 1
        try:
            yield
        finally:
            self._under_way[account.name] -= 1
            if not self._under_way[account.name]:
                del self._under_way[account.name]


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _trouble(kind: str, message: str) -> FilesUnreachable:
    what, remedy = _WORDS.get(kind, (f"The files cannot be reached: {message}.", _TRY_AGAIN))
    return FilesUnreachable(kind, what, remedy=remedy)
