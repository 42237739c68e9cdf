"""The choice of a language, from the form at the foot of every page."""

from __future__ import annotations

from urllib.parse import urlsplit

from tornado import web

from slurmhub.courses.service.page import PageHandler
from slurmhub.language import COOKIE, LANGUAGES

_YEAR = 365 * 24 * 3600


class LanguagePage(PageHandler):
    """POST: keep a language for this browser, at the hub as well, and go back."""

    def post(self) -> None:
        """Set the cookie."""
        code = self.get_body_argument("language", "")
        if code not in LANGUAGES:
            raise web.HTTPError(400, "There is no such language.")
        self.set_cookie(
            COOKIE,
            code,
            path=self.place.base_url,
            max_age=_YEAR,
            httponly=True,
            samesite="Lax",
            secure=self.request.protocol == "https",
        )
        self.redirect(self._where_from())

    def _where_from(self) -> str:
        """The page it was asked on, if that is one of ours."""
        came = urlsplit(self.request.headers.get("Referer", ""))
        if came.netloc != self.request.host or not came.path.startswith(self.place.prefix):
            return self.place.prefix
        return f"{came.path}?{came.query}" if came.query else came.path


HANDLERS = [("language", LanguagePage)]
