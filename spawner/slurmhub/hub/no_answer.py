"""The page of a server that does not answer while JupyterHub still takes it for running.

A server that dies is known to be dead by the proxy first, which shows the hub's page for status
503 to everybody alike (503.html, JupyterHub's "Templates" reference). That leads here whoever may
know of the server, and this leads on to what happened, or back. A server that is paused, or told
to stop, is shown here as well: JupyterHub's own pages lead to the server itself until it is gone.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import url_path_join
from tornado import web

from slurmhub.hub.pages import spawner_of


class NoAnswerHandler(BaseHandler):  # type: ignore[misc]
    """GET, with `url`: the path of the page of a server that was asked for."""

    @web.authenticated
    async def get(self) -> None:
        """Show that it does not answer, or go where the hub has more to say."""
        url = urlsplit(self.get_argument("url", ""))
        names = path_below(url.path, url_path_join(self.base_url, "user/"))
        place = f"{url.path}?{url.query}" if url.query else url.path
        user = self.find_user(unquote(names[0]))
        named = unquote(names[1]) if len(names) > 1 else ""
        server = named if user is not None and named in user.orm_spawners else ""
        await self._show(unquote(names[0]), server, place)

    @needs_scope("read:servers")
    async def _show(self, user_name: str, server_name: str, place: str) -> None:
        spawner = spawner_of(self, user_name, server_name)
        if not spawner.ready:
            # To the hub itself: the proxy may still have the route.
            self.redirect(url_path_join(self.hub.base_url, place[len(self.base_url) :]))
            return
        self.set_header("Cache-Control", "no-store")
        self.finish(
            await self.render_template(
                "slurmhub_no_answer.html",
                user=spawner.user,
                spawner=spawner,
                status=spawner.status(),
                place=place,
            )
        )


def path_below(path: str, prefix: str) -> list[str]:
    """The parts of a path below `prefix`; raises HTTPError (404) for any other.

    What this lets through is on this host, so that one may be sent there.
    """
    parts = path.removeprefix(prefix).split("/")
    if not path.startswith(prefix) or not parts[0] or {".", ".."} & {unquote(p) for p in parts}:
        raise web.HTTPError(404, "There is no such server.")
    return parts


HANDLERS = [("/slurmhub/no-answer", NoAnswerHandler)]
