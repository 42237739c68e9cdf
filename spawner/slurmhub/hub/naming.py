"""Named servers from Home, also without JavaScript: a new one by its name, one that is deleted."""

from __future__ import annotations

from urllib.parse import urlencode

from jupyterhub import slugs
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import maybe_future, url_path_join
from tornado import web

from slurmhub.hub.pages import spawner_of
from slurmhub.language import told

LONGEST_NAME = 64


class NameHandler(BaseHandler):  # type: ignore[misc]
    """POST: the form of a new server of this name; it is JupyterHub that makes it then."""

    @web.authenticated
    async def post(self) -> None:
        """Lead to the form, at the address that JupyterHub's own page would give the server."""
        written = slugs.normalise_unicode(self.get_body_argument("name", ""))
        name = " ".join(written.split())[:LONGEST_NAME].strip()
        if not slugs.is_valid_display_name(name):
            raise web.HTTPError(
                400, told("A server cannot have this name. Use letters and digits.")
            )
        # A name with a slug of its own, as JupyterHub's page makes it, keeps its words beside it.
        query = urlencode({"display_name": name})
        path = url_path_join(self.current_user.escaped_name, slugs.safe_slug(name))
        self.redirect(f"{url_path_join(self.hub.base_url, 'spawn', path)}?{query}")


class ForgetHandler(BaseHandler):  # type: ignore[misc]
    """POST: delete a named server that does not run; files and jobs are not touched."""

    @web.authenticated
    async def post(self, user_name: str, server_name: str) -> None:
        """Delete it and go home."""
        await self._forget(user_name, server_name)

    @needs_scope("delete:servers")
    async def _forget(self, user_name: str, server_name: str) -> None:
        spawner = spawner_of(self, user_name, server_name)
        job = spawner.runtime.jobs.find(user_name, server_name)
        if spawner.active or job is not None:
            raise web.HTTPError(409, told("This server still runs. Stop it first."))
        # What JupyterHub itself does when its interface is asked to remove a server.
        await maybe_future(spawner.delete_forever())
        self.log.info("Deleting server %s:%s", user_name, server_name)
        user = spawner.user
        self.db.delete(spawner.orm_spawner)
        user.spawners.pop(server_name, None)
        self.db.commit()
        self.redirect(url_path_join(self.hub.base_url, "home"))


HANDLERS = [
    ("/slurmhub/servers", NameHandler),
    (r"/slurmhub/forget/([^/]+)/([^/]+)", ForgetHandler),
]
