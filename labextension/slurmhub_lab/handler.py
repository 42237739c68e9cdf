"""The address below this server at which JupyterLab asks the hub about it."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from slurmhub_lab.hub import hub_url

# A hub that is being restarted is asked again by the page, later.
SECONDS = 20.0
MOST_BODY = 1024
# Of the hub's own pages.
COOKIE = "slurmhub-language"
CODE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z]{2,4})?")


class SessionHandler(APIHandler):
    """Hands the question on with this server's own token, which opens its own session only."""

    # A page that only shows the time is no work: it must not keep an idle server alive.
    _track_activity = False

    @web.authenticated
    async def get(self) -> None:
        """What the hub knows of this server."""
        await self._ask("GET", None)

    @web.authenticated
    async def post(self) -> None:
        """Ask for more time."""
        if len(self.request.body) > MOST_BODY:
            raise web.HTTPError(413)
        await self._ask("POST", self.request.body)

    def _languages(self) -> str:
        """The one of JupyterLab, the one chosen on the hub's pages, and the browser's."""
        chosen = (self.get_query_argument("language", ""), self.get_cookie(COOKIE, "") or "")
        plain = [one.replace("_", "-") for one in chosen if CODE.fullmatch(one)]
        return ", ".join([*plain, self.request.headers.get("Accept-Language", "")])

    async def _ask(self, method: str, body: bytes | None) -> None:
        environ = dict(os.environ)
        url = hub_url(environ)
        if url is None:
            raise web.HTTPError(404, "This server has no hub.")
        request = HTTPRequest(
            url,
            method=method,
            body=body,
            headers={
                "Authorization": f"token {environ['JUPYTERHUB_API_TOKEN']}",
                "Accept-Language": self._languages(),
                "Content-Type": "application/json",
            },
            request_timeout=SECONDS,
            follow_redirects=False,
            ca_certs=environ.get("JUPYTERHUB_SSL_CLIENT_CA") or None,
            client_cert=environ.get("JUPYTERHUB_SSL_CERTFILE") or None,
            client_key=environ.get("JUPYTERHUB_SSL_KEYFILE") or None,
        )
        try:
            answer = await AsyncHTTPClient().fetch(request, raise_error=False)
            # What is not JSON comes from a proxy on the way.
            said = json.loads(answer.body)
        except (HTTPClientError, OSError, ValueError) as error:
            # Not 503, which is the hub's own for a Slurm that does not answer.
            raise web.HTTPError(502, "The hub does not answer.") from error
        self.set_status(answer.code if answer.code in (200, 404, 409) else 503)
        if answer.code == 403 and isinstance(said, dict) and "message" in said:
            self.set_status(409)
        self.finish(json.dumps(said))


def add_handler(app: Any) -> None:
    """Serve it below the base URL of this server."""
    pattern = url_path_join(app.settings["base_url"], "slurmhub", "session")
    app.add_handlers(".*$", [(pattern, SessionHandler)])
