"""A browser without a screen or scripts, on tornado's client: cookies, redirects, websockets."""

from __future__ import annotations

import email.message
import http.cookiejar
import json
import socket
import ssl
import urllib.request
import urllib.response
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders
from tornado.netutil import DefaultLoopResolver, OverrideResolver
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

from slurmhub_deploy.smoke.errors import StepFailed

_MOST_REDIRECTS = 20
_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """What came back, and from where after all redirects."""

    url: str
    status: int
    text: str

    def json(self) -> Any:
        """What it says in JSON; raises StepFailed if that is none."""
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise StepFailed(
                f"{self.url} answered {self.status} with something that is no JSON:"
                f" {self.text[:200]!r}.",
                remedy="See which program answers there.",
            ) from error


class Web:
    """One browser. `trust` is a file of certificates in PEM instead of the system's, and
    `addresses` says where names lead instead of the DNS."""

    def __init__(
        self, *, trust: Path | None = None, addresses: Mapping[str, str] | None = None
    ) -> None:
        self._trust = ssl.create_default_context(cafile=str(trust) if trust else None)
        resolver = OverrideResolver(DefaultLoopResolver(), dict(addresses or {}))
        self._resolver = resolver
        self._client = SimpleAsyncHTTPClient(force_instance=True, resolver=resolver)
        self._cookies = http.cookiejar.CookieJar()

    async def get(self, url: str) -> Answer:
        """GET a page, following redirects; raises StepFailed if nobody answers."""
        return await self.ask("GET", url, headers={"Accept": "text/html,*/*"})

    async def post(self, url: str, fields: Mapping[str, str]) -> Answer:
        """Submit a form, following redirects."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self.ask("POST", url, urlencode(fields).encode(), kind)

    async def api(self, method: str, url: str, body: object = None) -> Answer:
        """Call a REST interface as the page at the same origin would: with its XSRF token."""
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "X-XSRFToken": self.cookie("_xsrf", url),
            "Referer": url,
        }
        data = None if body is None else json.dumps(body).encode()
        return await self.ask(method, url, data, headers)

    async def websocket(self, url: str) -> WebSocketClientConnection:
        """Open a websocket with the cookies for it; raises StepFailed if it is refused."""
        parts = urlsplit(url)
        scheme = {"wss": "https", "ws": "http"}[parts.scheme]
        origin = f"{scheme}://{parts.netloc}"
        headers = {
            "Cookie": self._sent_to(parts._replace(scheme=scheme).geturl()),
            "Origin": origin,
        }
        request = HTTPRequest(
            url, headers=HTTPHeaders(headers), ssl_options=self._trust, connect_timeout=_SECONDS
        )
        try:
            return await websocket_connect(request, resolver=self._resolver)
        except Exception as error:
            raise StepFailed(
                f"The websocket {parts.path} was not opened: {error}.",
                remedy="Apache must pass websockets on (`upgrade=websocket`), and so must every"
                " other proxy before the hub.",
            ) from error

    async def ask(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request and the redirects that follow from it."""
        for _ in range(_MOST_REDIRECTS):
            found = await self._once(method, url, body, dict(headers or {}))
            if found.code not in (301, 302, 303, 307, 308) or "Location" not in found.headers:
                return Answer(url, found.code, found.body.decode("utf-8", "replace"))
            url = urljoin(url, found.headers["Location"]).partition("#")[0]
            if found.code not in (307, 308):
                method, body, headers = "GET", None, {"Accept": "text/html,*/*"}
        raise StepFailed(
            f"After {_MOST_REDIRECTS} redirects there is still another, to {_plain(url)}.",
            remedy="A cookie is not kept on the way: see whether host names and https agree.",
        )

    def cookie(self, name: str, url: str) -> str:
        """The cookie of this name that would be sent there, of several the most specific."""
        asked = urllib.request.Request(url)  # noqa: S310 - never opened
        path = urlsplit(url).path
        fitting = [
            each for each in self._cookies if each.name == name and path.startswith(each.path)
        ]
        self._cookies.add_cookie_header(asked)
        best = max(fitting, key=lambda each: len(each.path), default=None)
        return (best.value or "") if best is not None else ""

    async def _once(
        self, method: str, url: str, body: bytes | None, headers: dict[str, str]
    ) -> HTTPResponse:
        if urlsplit(url).scheme not in ("http", "https"):
            raise StepFailed(f"It leads to {_plain(url)}, which is no page.", remedy="See why.")
        sent = self._sent_to(url)
        if sent:
            headers["Cookie"] = sent
        request = HTTPRequest(
            url,
            method,
            headers=HTTPHeaders(headers),
            body=body,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            connect_timeout=_SECONDS,
            request_timeout=2 * _SECONDS,
            ssl_options=self._trust,
        )
        try:
            answer = await self._client.fetch(request, raise_error=False)
        except Exception as error:
            raise _unreachable(url, error) from error
        if answer.code == 599:
            raise _unreachable(url, answer.error)
        self._keep(url, answer)
        return answer

    def _sent_to(self, url: str) -> str:
        asked = urllib.request.Request(url)  # noqa: S310 - never opened
        self._cookies.add_cookie_header(asked)
        return asked.get_header("Cookie") or ""

    def _keep(self, url: str, answer: HTTPResponse) -> None:
        message = email.message.Message()
        for value in answer.headers.get_list("Set-Cookie"):
            message["Set-Cookie"] = value
        request = urllib.request.Request(url)  # noqa: S310 - never opened
        response = urllib.response.addinfo(_NOTHING, message)
        self._cookies.extract_cookies(response, request)  # type: ignore[arg-type]


class _Nothing:
    """A response's content, of which only the headers are read."""

    def read(self) -> bytes:
        return b""

    def close(self) -> None:
        """There is nothing to close."""


_NOTHING: Any = _Nothing()


def _plain(url: str) -> str:
    """Without its query, which can hold what nobody else may see."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _unreachable(url: str, error: BaseException | None) -> StepFailed:
    where = _plain(url)
    if isinstance(error, ssl.SSLCertVerificationError):
        return StepFailed(
            f"The certificate of {where} is not trusted: {error.verify_message}.",
            remedy="See whether it is the right one and has not ended; a private authority's own"
            " certificate is named in `probe.trust`, or with --trust.",
        )
    if isinstance(error, socket.gaierror):
        return StepFailed(
            f"The name {urlsplit(url).hostname} leads nowhere: {error}.",
            remedy="Have it in the DNS; until then try with --resolve NAME=ADDRESS.",
        )
    return StepFailed(
        f"{where} does not answer: {error}.",
        remedy="See whether its host is up, and its firewall lets this machine in.",
    )
