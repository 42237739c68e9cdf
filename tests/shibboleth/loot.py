"""All that a browser holds of a sign-in, in the hands of somebody who copied it in time."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from slurmhub_deploy.front.embedded import EmbeddedFront
from tests.shibboleth.visits import LOGIN

_UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}
_CLOSE = 0x8
AT_SERVER = frozenset(
    {
        "cookies at the server",
        "page of the server",
        "token at the server",
        "websocket",
        "websocket by token",
    }
)
"""What a server opens until it notices, within `servers_notice_within`; the rest ends at once."""

EVERYTHING = AT_SERVER | {
    "cookies at the hub",
    "cookies at the hub's interface",
    "cookies at the page of tokens",
    "token at the hub",
    "session of the SP",
}
"""All that can be opened with it as long as the session lasts."""


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the start of the content, and where else it leads."""

    status: int
    text: str
    location: str
    cookies: tuple[str, ...]


@dataclass(frozen=True)
class Loot:
    """Cookies, the token that JupyterLab's page holds, and a kernel of the person's server."""

    front: EmbeddedFront
    account: str
    cookies: Mapping[str, str]
    token: str
    kernel: str

    @classmethod
    def token_in(cls, page: str) -> str:
        """The token that a page of JupyterLab holds."""
        found = re.search(r'"token": ?"([^"]+)"', page)
        assert found, page[:2000]
        return found[1]

    def opens(self) -> frozenset[str]:
        """What of it still opens something, by name."""
        server, hub = f"/user/{self.account}", "/hub/api/user"
        status, sent = f"{server}/api/status", self._cookies
        by_token = {"Authorization": f"token {self.token}"}
        socket_headers = {**_UPGRADE, "Origin": self.front.url}
        tried: dict[str, tuple[str, Mapping[str, str]]] = {
            "cookies at the hub": ("/hub/home", sent),
            "cookies at the hub's interface": (hub, sent),
            "cookies at the page of tokens": ("/hub/token", sent),
            "token at the hub": (hub, by_token),
            "cookies at the server": (status, sent),
            "page of the server": (f"{server}/lab", sent),
            "token at the server": (status, by_token),
            "websocket": (self._channels, {**sent, **socket_headers}),
            "websocket by token": (self._channels, {**by_token, **socket_headers}),
        }
        found = {
            name for name, (path, given) in tried.items() if self._get(path, given).status < 300
        }
        return frozenset(found | ({"session of the SP"} if self.known_to_the_sp() else set()))

    def known_to_the_sp(self) -> bool:
        """Whether the service provider has a session for these cookies."""
        text = self._get("/hub/Shibboleth.sso/Session", self._cookies).text
        return "Session Expiration" in text

    def signs_in(self) -> bool:
        """Whether the login location takes these cookies for a sign-in."""
        answer = self._get(LOGIN, self._cookies)
        led = answer.location.startswith(f"{self.front.url}/hub/shibboleth/where")
        assert answer.status == 302
        return not led or any("hub-login=" in each for each in answer.cookies)

    def socket(self) -> OpenSocket:
        """A websocket to the kernel by these cookies, left open."""
        headers = {**self._cookies, **_UPGRADE, "Origin": self.front.url}
        address, port = _address(self.front)
        lines = [f"GET {self._channels} HTTP/1.1", f"Host: {address}:{port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        context = ssl.create_default_context(cafile=str(self.front.certificate))
        secure = context.wrap_socket(
            socket.create_connection((address, port), timeout=20), server_hostname=address
        )
        secure.sendall("\r\n".join([*lines, "", ""]).encode())
        return OpenSocket(secure)

    @property
    def _cookies(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    @property
    def _channels(self) -> str:
        return f"/user/{self.account}/api/kernels/{self.kernel}/channels"

    def _get(self, path: str, headers: Mapping[str, str]) -> Answer:
        address, port = _address(self.front)
        context = ssl.create_default_context(cafile=str(self.front.certificate))
        connection = http.client.HTTPSConnection(address, port, timeout=20, context=context)
        with closing(connection):
            connection.request("GET", path, headers=dict(headers))
            answer = connection.getresponse()
            if answer.status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                return Answer(answer.status, "", "", ())
            return Answer(
                answer.status,
                answer.read().decode("utf-8", "replace"),
                answer.headers.get("Location", ""),
                tuple(answer.headers.get_all("Set-Cookie") or ()),
            )


class OpenSocket:
    """A websocket that somebody keeps open."""

    def __init__(self, secure: ssl.SSLSocket) -> None:
        self._secure = secure
        self._read = secure.makefile("rb")
        status = self._read.readline()
        assert b" 101 " in status, status
        while self._read.readline().strip():
            pass

    def is_closed_within(self, seconds: float) -> bool:
        """Whether the other side closes it in this time; it is closed then in any case."""
        end = time.monotonic() + seconds
        with closing(self._secure):
            while (left := end - time.monotonic()) > 0:
                self._secure.settimeout(left)
                try:
                    if self._next_frame() in (None, _CLOSE):
                        return True
                except TimeoutError:
                    return False
        return False

    def _next_frame(self) -> int | None:
        """The kind of the next frame (RFC 6455, 5.2); None at the end of the stream."""
        head = self._read.read(2)
        if len(head) < 2:
            return None
        size = head[1] & 0x7F
        if size >= 126:
            size = int.from_bytes(self._read.read(2 if size == 126 else 8), "big")
        self._read.read(size)
        return head[0] & 0x0F


def _address(front: EmbeddedFront) -> tuple[str, int]:
    return front.settings.domain, front.settings.https_port
