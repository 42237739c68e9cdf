"""The page of a person's files: for when no server can start, or because the home is full."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from tornado import web
from tornado.iostream import StreamClosedError

from slurmhub.errors import SlurmhubError
from slurmhub.files.folder import Files, FilesUnreachable
from slurmhub.files.names import NameInvalid, disposition, name_of, path_of, shown, written
from slurmhub.runtime import runtime
from slurmhub.slurm.command import Account

_STATUS = {
    "no-file": 404,
    "not-folder": 404,
    "not-file": 403,
    "denied": 403,
    "forbidden": 403,
    "exists": 409,
    "changed": 409,
    "full": 507,
    "too-large": 413,
    "busy": 429,
}
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


class _FilesHandler(BaseHandler):  # type: ignore[misc]
    """What the pages of files share: whose files they are, and words for what goes wrong."""

    def _spawner(self) -> Any:
        """The person's own spawner, for its settings; only oneself, whatever one may otherwise."""
        spawner = self.current_user.spawners[""]
        if not getattr(spawner, "files_page", False):
            raise web.HTTPError(404, "This hub has no page for files.")
        return spawner

    async def _files(self) -> tuple[Files, Account]:
        spawner = self._spawner()
        owner = await spawner.owner()
        return runtime(spawner).files, owner.account

    def _path(self) -> bytes:
        return path_of(self.get_argument("path", "", strip=False))

    async def _draw(self, path: bytes, error: SlurmhubError | None = None, done: str = "") -> None:
        """The page of a folder, with what went wrong in it, or what was done."""
        listing = None
        try:
            files, account = await self._files()
            listing = await files.look_into(account, path)
        except SlurmhubError as trouble:
            error = error or trouble
        if error is not None:
            self.set_status(_STATUS.get(getattr(error, "kind", ""), 400))
        page = await self.render_template(
            "slurmhub_files.html",
            listing=listing,
            path=path,
            above=_above(path),
            error=error,
            done=done,
            most_upload=size_plain(self._spawner().files_largest_upload),
            **_WORDS,
        )
        self.set_header("Cache-Control", "no-store")
        self.finish(page)


class FilesHandler(_FilesHandler):
    """GET: what is in a folder, and the room that is left. POST: take in a small file."""

    @web.authenticated
    async def get(self) -> None:
        """Show the folder."""
        await self._show(user_name=self.current_user.name)

    @web.authenticated
    async def post(self) -> None:
        """Take a file in, then show the folder with it."""
        await self._take_in(user_name=self.current_user.name)

    @needs_scope("servers")
    async def _show(self, *, user_name: str) -> None:
        self._spawner()
        try:
            path = self._path()
        except NameInvalid as error:
            await self._draw(b"", error)
        else:
            await self._draw(path)

    @needs_scope("servers")
    async def _take_in(self, *, user_name: str) -> None:
        most = self._spawner().files_largest_upload
        path = b""
        try:
            path = self._path()
            sent = self.request.files.get("file", [])
            if len(sent) != 1:
                raise NameInvalid("No file was sent.", remedy="Choose one file.")
            name = name_of(sent[0]["filename"])
            if len(sent[0]["body"]) > most:
                raise FilesUnreachable(
                    "too-large",
                    f"The file is larger than {size_plain(most)}.",
                    remedy="Use a server or scp for it.",
                )
            files, account = await self._files()
            await files.write(account, _joined(path, name), sent[0]["body"])
        except SlurmhubError as error:
            await self._draw(path, error)
        else:
            await self._draw(path, done=f"The file {shown(name)} is there now.")


class DownloadHandler(_FilesHandler):
    """GET: one file, which the browser keeps and never shows."""

    @web.authenticated
    async def get(self) -> None:
        """Send the file."""
        await self._send(user_name=self.current_user.name)

    @needs_scope("servers")
    async def _send(self, *, user_name: str) -> None:
        most = self._spawner().files_largest_download
        path = b""
        try:
            path = self._path()
            files, account = await self._files()
            async with files.read(account, path, most) as (size, pieces):
                self._say_what_it_is(path, size)
                async for piece in pieces:
                    self.write(piece)
                    await self.flush()
                    size -= len(piece)
                if size:
                    # It became shorter: the browser must not take it for whole.
                    self.request.connection.stream.close()
        except StreamClosedError:
            self.log.debug("A download was broken off by its reader.")
        except SlurmhubError as error:
            await self._draw(_folder_of(path), error)

    def _say_what_it_is(self, path: bytes, size: int) -> None:
        # Whatever is in it, it must not become a page or a script of the hub's.
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", disposition(path.rpartition(b"/")[2]))
        self.set_header("Content-Security-Policy", "sandbox; default-src 'none'")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Length", str(size))


class DeleteHandler(_FilesHandler):
    """GET: ask whether to delete. POST: delete."""

    @web.authenticated
    async def get(self) -> None:
        """Show what would be deleted."""
        await self._ask(user_name=self.current_user.name)

    @web.authenticated
    async def post(self) -> None:
        """Delete it, then show the folder it was in."""
        await self._delete(user_name=self.current_user.name)

    @needs_scope("servers")
    async def _ask(self, *, user_name: str) -> None:
        self._spawner()
        try:
            path = self._path()
        except NameInvalid as error:
            await self._draw(b"", error)
            return
        page = self.render_template("slurmhub_delete.html", path=path, above=_above(path), **_WORDS)
        self.finish(await page)

    @needs_scope("servers")
    async def _delete(self, *, user_name: str) -> None:
        path = b""
        try:
            path = self._path()
            files, account = await self._files()
            removed, finished = await files.delete(account, path)
        except SlurmhubError as error:
            await self._draw(_folder_of(path), error)
            return
        if finished:
            await self._draw(_folder_of(path), done=f"{shown(path)} is deleted.")
        else:
            await self._draw(
                _folder_of(path),
                done=f"Files deleted: {removed}. There is more in {shown(path)}: delete it again "
                "to go on.",
            )


def _folder_of(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]


def _above(path: bytes) -> list[tuple[bytes, bytes]]:
    """The folders that lead to this one: each one's name and path."""
    parts = path.split(b"/") if path else []
    return [(part, b"/".join(parts[: index + 1])) for index, part in enumerate(parts)]


def size_plain(size: int) -> str:
    """512 bytes, 4.5 MB: in powers of a thousand, rounded down to a tenth."""
    tenths, unit = size * 10, 0
    while tenths >= 10_000 and unit < len(_UNITS) - 1:
        tenths, unit = tenths // 1000, unit + 1
    whole, rest = divmod(tenths, 10)
    return f"{whole}.{rest} {_UNITS[unit]}" if rest and unit else f"{whole} {_UNITS[unit]}"


def _day(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        # Whoever owns a file may give it any time.
        return ""


def _address(path: bytes) -> str:
    return quote(written(path), safe="")


def _joined(path: bytes, name: bytes) -> bytes:
    return b"/".join([path, name]) if path else name


_WORDS = {
    "joined": _joined,
    "shown": shown,
    "written": written,
    "address": _address,
    "size_plain": size_plain,
    "day": _day,
}

HANDLERS = [
    ("/slurmhub/files", FilesHandler),
    ("/slurmhub/files/download", DownloadHandler),
    ("/slurmhub/files/delete", DeleteHandler),
]
