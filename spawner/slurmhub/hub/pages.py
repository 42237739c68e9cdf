"""Our own pages below /hub/slurmhub: the status of a server, its script, its cancellation."""

from __future__ import annotations

import json
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import url_escape_path, url_path_join
from tornado import web
from tornado.httputil import url_concat

from slurmhub.hub.stopping import asker_of
from slurmhub.job.who import stopped_by
from slurmhub.language import told_json
from slurmhub.runtime import runtime

# The default server's path has one name, a named server's two.
SERVERS = (r"([^/]+)", r"([^/]+)/([^/]+)")


def spawner_of(handler: Any, user_name: str, server_name: str) -> Any:
    """The spawner of a server; raises HTTPError (404) when there is none."""
    user = handler.find_user(user_name)
    if user is None or server_name not in user.orm_spawners:
        # Without the name: it may be anything, and would stand in the log as it came.
        raise web.HTTPError(404, "There is no such server.")
    return user.spawners[server_name]


class StatusHandler(APIHandler):  # type: ignore[misc]
    """GET: what the hub knows of a server, also while JupyterHub itself only checks it."""

    @needs_scope("read:servers")
    async def get(self, user_name: str, server_name: str = "") -> None:
        """Answer with the server's status as JSON."""
        spawner = spawner_of(self, user_name, server_name)
        status = told_json(spawner.status().as_json())
        if spawner.ready:
            status["url"] = spawner.user.server_url(spawner.name)
        self.set_header("Content-Type", "application/json")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(status))


class CancelHandler(BaseHandler):  # type: ignore[misc]
    """POST: cancel the server that is named, at whatever stage it is."""

    @web.authenticated
    async def post(self, user_name: str, server_name: str = "") -> None:
        """Cancel, then show what becomes of it."""
        await self._cancel(user_name, server_name)

    @needs_scope("delete:servers")
    async def _cancel(self, user_name: str, server_name: str) -> None:
        spawner = spawner_of(self, user_name, server_name)
        job = runtime(spawner).jobs.find(user_name, server_name)
        if job is not None:
            asker = asker_of(self.current_user)
            runtime(spawner).jobs.cancel(job, stopped_by(asker, user_name))
        # It leads to the waiting page while there is one. A server that ran has none, and until it
        # is gone JupyterHub would lead to the server itself.
        names = (url_escape_path(user_name), url_escape_path(server_name), "/")
        if spawner.ready:
            page = url_path_join(self.hub.base_url, "slurmhub/no-answer")
            self.redirect(url_concat(page, {"url": url_path_join(self.base_url, "user", *names)}))
        else:
            self.redirect(url_path_join(self.hub.base_url, "user", *names))


class ScriptHandler(BaseHandler):  # type: ignore[misc]
    """GET: the batch script of a server's last job, for the person it ran for."""

    @web.authenticated
    async def get(self, user_name: str, server_name: str = "") -> None:
        """Answer with the script as plain text."""
        await self._show(user_name, server_name)

    @needs_scope("read:servers")
    async def _show(self, user_name: str, server_name: str) -> None:
        spawner = spawner_of(self, user_name, server_name)
        if not spawner.show_scripts:
            raise web.HTTPError(403, "This hub does not show job scripts.")
        intent = runtime(spawner).jobs.ledger.last(user_name, server_name)
        if intent is None:
            raise web.HTTPError(404, "This server has not been started yet.")
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(intent.script)


HANDLERS = [
    entry
    for server in SERVERS
    for entry in (
        (rf"/slurmhub/cancel/{server}", CancelHandler),
        (rf"/slurmhub/script/{server}", ScriptHandler),
        (rf"/api/slurmhub/status/{server}", StatusHandler),
    )
]
