"""What the service asks of the hub: which servers there are, to end one, to give one more time."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from ssl import Purpose
from typing import Any
from urllib.parse import quote, urlencode

from jupyterhub.utils import make_ssl_context
from tornado.httpclient import (
    AsyncHTTPClient,
    HTTPClientError,
    HTTPRequest,
    HTTPResponse,
)

from slurmhub.courses.errors import CourseError
from slurmhub.courses.service.identity import HubAway
from slurmhub.courses.service.place import Place

_log = logging.getLogger(__name__)

PATIENCE = 15.0
"""Seconds that an answer of the hub may take."""

_SILENT = "The hub does not answer just now: which servers there are is not known."
_AT_ONCE = 200
_TEXTS = ("step", "message", "remedy", "kind", "node", "left", "ago")


class HubRefused(CourseError):
    """The hub did not do what it was asked; `what` is its own sentence, where it has one."""


@dataclass(frozen=True)
class Server:
    """A server of a course as the hub knows it; words are English sentences of ours.

    `step` is that of the hub's status: asking, queued, starting, ready, paused, stopping or ended.
    `left` says how much time it has, `use` what it does; `before` is how many jobs come first.
    """

    user: str
    step: str
    message: str
    remedy: str = ""
    kind: str = ""
    node: str = ""
    left: str = ""
    ago: str = ""
    seconds_left: int | None = None
    before: int | None = None
    use: tuple[str, ...] = ()
    open: bool = False

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Server:
        """The server in a part of the hub's answer."""
        texts = {name: str(data.get(name) or "") for name in _TEXTS}
        return cls(
            user=str(data["user"]),
            seconds_left=_number(data.get("seconds_left")),
            before=_number(data.get("before")),
            use=tuple(str(words) for words in data.get("use", ())),
            open=data.get("open") is True,
            **texts,
        )


class Hub:
    """The hub at this place, asked with the service's own token.

    Everything raises HubAway when the hub does not answer.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._tls: dict[str, Any] = {}
        if place.keyfile:
            context = make_ssl_context(
                place.keyfile, place.certfile, cafile=place.client_ca, purpose=Purpose.SERVER_AUTH
            )
            self._tls = {"ssl_options": context}

    async def servers(self, name: str) -> tuple[Server, ...]:
        """Every server of this name that was ever started, by the names of their owners."""
        answer = await self._ask("GET", f"/slurmhub/class/{_part(name)}")
        _expect(answer, HTTPStatus.OK)
        return tuple(Server.read(one) for one in json.loads(answer.body))

    async def users_with_servers(self) -> dict[str, frozenset[str]]:
        """The names of the servers that each person has now; the default one's is empty."""
        found: dict[str, frozenset[str]] = {}
        offset = 0
        while True:
            query = urlencode({"state": "active", "limit": _AT_ONCE, "offset": offset})
            answer = await self._ask("GET", f"/users?{query}")
            _expect(answer, HTTPStatus.OK)
            page = json.loads(answer.body)
            for one in page:
                found[str(one["name"])] = frozenset(one.get("servers") or {})
            if len(page) < _AT_ONCE:
                return found
            offset += _AT_ONCE

    async def stop(self, user: str, server: str) -> None:
        """End a server; one that is gone is no error. Raises HubRefused."""
        path = f"/users/{_part(user)}/servers/{_part(server)}"
        answer = await self._ask("DELETE", path)
        if answer.code != HTTPStatus.NOT_FOUND:
            _expect(answer, HTTPStatus.NO_CONTENT, HTTPStatus.ACCEPTED)

    async def lengthen(self, user: str, server: str) -> None:
        """Give a server as much more time as the site gives at once. Raises HubRefused."""
        path = f"/slurmhub/session/{_part(user)}/{_part(server)}"
        answer = await self._ask("POST", path, {})
        _expect(answer, HTTPStatus.OK)

    async def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> HTTPResponse:
        request = HTTPRequest(
            f"{self._place.api_url.rstrip('/')}{path}",
            method=method,
            headers={"Authorization": f"token {self._place.token}", "Accept": "application/json"},
            body=None if body is None else json.dumps(body),
            request_timeout=PATIENCE,
            connect_timeout=PATIENCE,
            **self._tls,
        )
        try:
            answer = await AsyncHTTPClient().fetch(request, raise_error=False)
        except (OSError, HTTPClientError) as error:
            _log.warning("The hub does not answer: %s", error)
            raise HubAway(_SILENT) from error
        if answer.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.warning("The hub answers %s with %s", path, answer.code)
            raise HubAway(_SILENT)
        return answer


def _expect(answer: HTTPResponse, *codes: int) -> None:
    if answer.code in codes:
        return
    words = ""
    try:
        said = json.loads(answer.body or b"")
        words = str(said.get("message") or "") if isinstance(said, dict) else ""
    except ValueError:
        _log.warning("The hub answers with %s and no JSON", answer.code)
    raise HubRefused(words or "The hub did not do it.", remedy="Look at the server again.")


def _part(name: str) -> str:
    return quote(name, safe="")


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
