"""Handlers about a running server: what it uses and its time, more time, its log."""

from __future__ import annotations

import json
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import url_path_join
from tornado import web

from slurmhub.courses.service.registration import LENGTHEN
from slurmhub.errors import SlurmhubError
from slurmhub.hub.pages import SERVERS, spawner_of
from slurmhub.language import told, told_json
from slurmhub.session.card import card_of
from slurmhub.session.extend import NotExtended
from slurmhub.session.log import JobLog

# Seconds.
_PATIENCE = 2.0
_NOT_RUNNING = "This server is not running."


async def _extend(spawner: Any, seen: object) -> int:
    """Give the server more time; returns its new limit in minutes. Raises NotExtended."""
    runtime = spawner.runtime
    await spawner.courses_known(_PATIENCE)
    if spawner.course_left(spawner.name):
        raise NotExtended("Whoever is in a course no more gets no more time for its server.")
    job = runtime.jobs.find(spawner.user.name, spawner.name)
    if job is None:
        raise NotExtended(_NOT_RUNNING)
    known = str(seen)
    if seen is not None and not (known.isascii() and known.isdigit() and len(known) < 10):
        raise NotExtended("The limit must be a number of minutes.", status=400)
    limit = None if seen is None else int(known)
    return int(await runtime.extensions.extend(job, spawner.extension_policy(), limit))


class SessionHandler(APIHandler):  # type: ignore[misc]
    """What a server uses and how long it lasts, for whoever may enter it.

    That is its owner, and the server itself: its own token has the scope `access:servers` for
    this one server, and so for nobody else's.
    """

    @needs_scope("access:servers")
    async def get(self, user_name: str, server_name: str = "") -> None:
        """Answer with the server's card as JSON."""
        spawner = spawner_of(self, user_name, server_name)
        card = card_of(spawner, server_name)
        self._answer(card.as_json() if card else {"step": "none", "message": _NOT_RUNNING})

    async def post(self, user_name: str, server_name: str = "") -> None:
        """Give the server more time: {"limit": MINUTES} is the limit that the person saw.

        Or {"keep": true}: its owner still needs it, though it does nothing. A service that may
        lengthen servers and enter none is told the new limit, and nothing of the server.
        """
        # Not by JupyterHub's decorator: it knows no scope but its own when this module is read.
        if self.current_user is not None and self.has_scope(LENGTHEN):
            await self._lengthen(user_name, server_name)
        else:
            await self._post(user_name, server_name)

    @needs_scope("access:servers")
    async def _post(self, user_name: str, server_name: str) -> None:
        spawner = spawner_of(self, user_name, server_name)
        said = self.get_json_body() or {}
        if said == {"keep": True}:
            job = spawner.runtime.jobs.find(user_name, server_name)
            if job is not None:
                spawner.runtime.idle.keep(job)
            await self.get(user_name, server_name)
            return
        if not isinstance(said, dict) or set(said) - {"limit"}:
            raise web.HTTPError(400, "The message may hold limit, or keep, only.")
        try:
            await _extend(spawner, said.get("limit"))
        except NotExtended as refusal:
            self.set_status(refusal.status)
            self._answer({"message": str(refusal).strip()})
            return
        card = card_of(spawner, server_name)
        self._answer(card.as_json() if card else {})

    async def _lengthen(self, user_name: str, server_name: str) -> None:
        said = self.get_json_body() or {}
        if not isinstance(said, dict) or set(said) - {"limit"}:
            raise web.HTTPError(400, "The message may hold limit only.")
        spawner = spawner_of(self, user_name, server_name)
        try:
            self._answer({"limit": await _extend(spawner, said.get("limit")), "granted": True})
        except NotExtended as refusal:
            self.set_status(refusal.status)
            self._answer({"message": str(refusal).strip()})

    def _answer(self, body: dict[str, Any]) -> None:
        self.set_header("Content-Type", "application/json")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(told_json(body)))


class ExtendHandler(BaseHandler):  # type: ignore[misc]
    """POST: give a server more time, then home, which says what became of it."""

    @web.authenticated
    async def post(self, user_name: str, server_name: str = "") -> None:
        """Extend and go home."""
        await self._post(user_name, server_name)

    @needs_scope("servers")
    async def _post(self, user_name: str, server_name: str) -> None:
        spawner = spawner_of(self, user_name, server_name)
        try:
            await _extend(spawner, self.get_body_argument("limit", None))
        except NotExtended as refusal:
            self.log.info("A server was not given more time: %s", refusal)
        self.redirect(url_path_join(self.hub.base_url, "home"))


class LogHandler(BaseHandler):  # type: ignore[misc]
    """GET: the end of the log of a server's last job, for the person it ran for."""

    @web.authenticated
    async def get(self, user_name: str, server_name: str = "") -> None:
        """Show it."""
        await self._show(user_name, server_name)

    @needs_scope("read:servers")
    async def _show(self, user_name: str, server_name: str) -> None:
        spawner = spawner_of(self, user_name, server_name)
        # A log says what people worked on: it is not for all who may see that a server runs.
        if self.current_user.name != user_name:
            raise web.HTTPError(403, told("Only the owner of a server can read its log here."))
        if not spawner.show_logs:
            raise web.HTTPError(403, told("This hub does not show this log."))
        intent = spawner.runtime.jobs.ledger.last(user_name, server_name)
        if intent is None:
            raise web.HTTPError(404, told("This server has not been started yet."))
        log, trouble = JobLog(""), ""
        try:
            log = await spawner.runtime.logs.read(intent, spawner.script_policy())
        except SlurmhubError as error:
            self.log.warning("A log could not be read. %s", error)
            trouble = str(error)
        self.set_header("Cache-Control", "no-store")
        html = await self.render_template(
            "slurmhub_log.html",
            server_name=server_name,
            title=spawner.display_name or server_name,
            job_id=intent.job_id,
            log=log,
            trouble=trouble,
            ended=intent.ended is not None,
        )
        self.finish(html)


HANDLERS = [
    entry
    for server in SERVERS
    for entry in (
        (rf"/slurmhub/extend/{server}", ExtendHandler),
        (rf"/slurmhub/log/{server}", LogHandler),
        (rf"/api/slurmhub/session/{server}", SessionHandler),
    )
]
