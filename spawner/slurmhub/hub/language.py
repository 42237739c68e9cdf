"""The choice of a language, from the form at the foot of every page."""

from __future__ import annotations

from urllib.parse import urlsplit

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.utils import url_path_join
from tornado import web

from slurmhub.language import COOKIE, LANGUAGES

_YEAR = 365 * 24 * 3600


class LanguageHandler(BaseHandler):  # type: ignore[misc]
    """POST: keep a language for this browser and go back to the page it was chosen on.

    For everybody, since the page to sign in has words, too.
    """

    def post(self) -> None:
        """Set the cookie."""
        code = self.get_body_argument("language", "")
        if code not in LANGUAGES:
            raise web.HTTPError(400, "There is no such language.")
        self.set_cookie(
            COOKIE,
            code,
            path=self.base_url,
            max_age=_YEAR,
            httponly=True,
            samesite="Lax",
            secure=self.request.protocol == "https",
        )
        self.redirect(self._where_from())

    def _where_from(self) -> str:
        """The page it was asked on, if that is one of the hub's."""
        came = urlsplit(self.request.headers.get("Referer", ""))
        home = str(url_path_join(self.hub.base_url, "home"))
        if came.netloc != self.request.host or not came.path.startswith(self.hub.base_url):
            return home
        return f"{came.path}?{came.query}" if came.query else str(came.path)


HANDLERS = [("/slurmhub/language", LanguageHandler)]
