"""The page before new materials of a course: what they meet, and what is to become of it.

Without anything to be told it leads on to nbgitpuller at once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, select_autoescape
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from slurmhub_lab.materials import (
    Materials,
    MaterialsUnusable,
    Meeting,
    inside,
    is_branch,
    meet,
    settle,
)
from slurmhub_lab.materials_words import COOKIE, WORDS, language

_PAGES = Environment(
    loader=PackageLoader("slurmhub_lab"),
    autoescape=select_autoescape(),
    trim_blocks=True,
    lstrip_blocks=True,
)
_NEW = "new"


@dataclass(frozen=True)
class Link:
    """What the address says: where the materials are from, where they go, and what opens then."""

    repository: str
    branch: str
    target: str
    opens: str

    @property
    def query(self) -> dict[str, str]:
        """The same for nbgitpuller: its documentation, "Reference: link generator"."""
        return {
            "repo": self.repository,
            "branch": self.branch,
            "targetpath": self.target,
            "urlpath": self.opens,
        }


class MaterialsHandler(JupyterHandler):
    """`slurmhub/materials`, with the query of nbgitpuller's own page."""

    @web.authenticated
    async def get(self) -> None:
        """Show what new materials meet, or go on."""
        link = self._link()
        if link is None:
            return
        try:
            meeting = await _in_thread(meet, self._materials(link))
        except MaterialsUnusable as error:
            self._fails(link, error)
            return
        if meeting.asks:
            self._asks(link, meeting)
        else:
            self._goes_on(link)

    @web.authenticated
    async def post(self) -> None:
        """Do as was said of each file, then go on."""
        link = self._link()
        if link is None:
            return
        materials = self._materials(link)
        try:
            # Both may have gone on since the page was made: what it did not name is asked first.
            meeting = await _in_thread(meet, materials)
            said = {
                each.path: self.get_body_argument(name_of(each.path), "") for each in meeting.both
            }
            if not all(said.values()):
                self._asks(link, meeting)
                return
            taken = {path: one == _NEW for path, one in said.items()}
            await _in_thread(settle, materials, taken, datetime.now())
        except MaterialsUnusable as error:
            self._fails(link, error)
            return
        self._goes_on(link)

    def _link(self) -> Link | None:
        """What the address says; None where that was answered already."""
        names = ("repo", "branch", "targetpath", "urlpath")
        link = Link(*(self.get_query_argument(name, "") for name in names))
        root = inside(self._root, link.target)
        # What opens is on this server: an address of its own would lead to another one.
        plain = not link.opens.startswith(("/", "\\")) and "://" not in link.opens
        if not link.repository or not is_branch(link.branch) or root is None or not plain:
            self._fails(Link("", "", "", ""), MaterialsUnusable("link"), 400)
            return None
        return link

    @property
    def _root(self) -> Path:
        return Path(str(self.settings["server_root_dir"])).expanduser()

    def _materials(self, link: Link) -> Materials:
        folder = inside(self._root, link.target)
        assert folder is not None  # noqa: S101 - _link looked
        return Materials(link.repository, link.branch, folder)

    def _goes_on(self, link: Link) -> None:
        self.redirect(f"{url_path_join(self.base_url, 'git-pull')}?{_encoded(link.query)}")

    def _asks(self, link: Link, meeting: Meeting) -> None:
        self._show(link, meeting=meeting, name_of=name_of)

    def _fails(self, link: Link, error: MaterialsUnusable, status: int = 200) -> None:
        # Not an error of HTTP: with what is there already the server is of use.
        self.set_status(status)
        backup = _encoded({**link.query, "backup": "true"}) if error.why == "rewritten" else ""
        self._show(link, error=error, backup=backup)

    def _show(self, link: Link, **more: Any) -> None:
        spoken = language(
            self.get_cookie(COOKIE, "") or "", self.request.headers.get("Accept-Language", "")
        )
        self.set_header("Cache-Control", "no-store")
        self.finish(
            _PAGES.get_template("materials.html").render(
                language=spoken,
                words=WORDS[spoken],
                xsrf=self.xsrf_token.decode("ascii"),
                folder=link.target,
                base=self.base_url,
                opens=url_path_join(self.base_url, quote(link.opens, safe="/%?=&") or "lab"),
                this=f"?{_encoded(link.query)}",
                shown=shown,
                **more,
            )
        )


def name_of(path: str) -> str:
    """The name of a file's field in the form: a path may be no text."""
    return hashlib.sha256(path.encode(errors="surrogateescape")).hexdigest()[:20]


def shown(path: str) -> str:
    """A path, or lines of a file, as text that can be sent."""
    return path.encode(errors="surrogateescape").decode(errors="replace")


def _encoded(query: Mapping[str, str]) -> str:
    return urlencode(query, quote_via=quote)


async def _in_thread(function: Any, *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)


def add_handler(app: Any) -> None:
    """Serve it below the base URL of this server."""
    pattern = url_path_join(app.settings["base_url"], "slurmhub", "materials")
    app.add_handlers(".*$", [(pattern, MaterialsHandler)])
