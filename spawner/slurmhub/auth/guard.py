"""Nobody but the front says who somebody is: every request to the hub is looked at first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher

from slurmhub import compat
from slurmhub.auth import headers as names
from slurmhub.auth.headers import identity_headers
from slurmhub.auth.places import LOGIN, NOTIFY
from slurmhub.auth.refusals import IdentityHeader
from slurmhub.auth.refused_page import RefusingHandler

_MOST_NAMED = 5


class IdentityClaimed(Matcher):
    """Matches requests with a header that says who somebody is, where none may be.

    `places` has the paths at which some headers may be; the handlers there ask for the proof.
    """

    def __init__(self, places: Mapping[str, frozenset[str]]) -> None:
        self._places = places

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """The headers that are too many, as an argument of the handler; None if there are none."""
        allowed = self._places.get(request.path, frozenset())
        found = [
            name
            for name in identity_headers(request.headers)
            if name not in allowed or len(request.headers.get_list(name)) > 1
        ]
        return {"path_kwargs": {"claimed": ", ".join(found[:_MOST_NAMED])}} if found else None


class ClaimRefusedHandler(RefusingHandler):
    """Refuses whatever it is given, whatever the method."""

    async def prepare(self) -> None:
        """Answer here: there is nothing to be done for such a request."""
        for name in identity_headers(self.request.headers):
            # JupyterHub writes the headers of what goes wrong into its log.
            del self.request.headers[name]
        await super().prepare()
        await self.refuse(IdentityHeader(f"{self.path_kwargs['claimed']} at {self.request.path}"))

    def check_xsrf_cookie(self) -> None:
        """Nothing is done, so nothing is to be protected."""


def guard(app: Any) -> None:
    """Look at every request to this hub from now on."""
    base = app.hub_prefix
    places = {f"{base}{LOGIN}": names.ALL, f"{base}{NOTIFY}": frozenset({names.FRONT})}
    compat.answer_first(app, IdentityClaimed(places), ClaimRefusedHandler, {})
