"""POST: the owner of an idle server still needs it."""

from __future__ import annotations

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import url_path_join
from tornado import web

from slurmhub.hub.pages import SERVERS, spawner_of
from slurmhub.runtime import runtime


class KeepHandler(BaseHandler):  # type: ignore[misc]
    """Whoever may stop a server may also keep it."""

    @web.authenticated
    async def post(self, user_name: str, server_name: str = "") -> None:
        """Count its idle time from now, then show the home page."""
        await self._keep(user_name, server_name)

    @needs_scope("delete:servers")
    async def _keep(self, user_name: str, server_name: str) -> None:
        running = runtime(spawner_of(self, user_name, server_name))
        job = running.jobs.find(user_name, server_name)
        if job is not None:
            running.idle.keep(job)
        self.redirect(url_path_join(self.hub.base_url, "home"))


HANDLERS = [(rf"/slurmhub/keep/{server}", KeepHandler) for server in SERVERS]
