"""A hub as the launcher sees it: answers as told, remembers what it heard."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

TOKEN = "0123456789abcdefTOKEN"


@dataclass(frozen=True)
class Heard:
    """One request of the launcher."""

    event: str
    path: str
    body: dict[str, Any]
    authorization: str | None
    at: float


@dataclass(frozen=True)
class Reply:
    """What the hub answers; a `body` that is no mapping is sent as it is."""

    status: int = 200
    body: object = None
    retry_after: str | None = None


Behaviour = Callable[[Heard, int], Reply]
"""From a request, and how many of its event came before, to the answer."""


def agreeable(heard: Heard, before: int) -> Reply:
    """A hub to which all is well."""
    return Reply(200, {"tls": None} if heard.event == "started" else {})


class FakeHub:
    """Serves on a port of 127.0.0.1 while it is entered."""

    def __init__(
        self, behaviour: Behaviour = agreeable, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.behaviour = behaviour
        self.heard: list[Heard] = []
        self._news = threading.Condition()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hub._answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Quiet: what was heard is kept."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/hub/api/slurmhub/jobs/n0"

    def __enter__(self) -> FakeHub:
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        heard = Heard(
            event=handler.path.rpartition("/")[2],
            path=handler.path,
            body=json.loads(handler.rfile.read(length)),
            authorization=handler.headers.get("Authorization"),
            at=time.monotonic(),
        )
        with self._news:
            before = len([one for one in self.heard if one.event == heard.event])
            self.heard.append(heard)
            self._news.notify_all()
        reply = self.behaviour(heard, before)
        data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        handler.send_response(reply.status)
        handler.send_header("Content-Length", str(len(data)))
        if reply.retry_after is not None:
            handler.send_header("Retry-After", reply.retry_after)
        handler.end_headers()
        with contextlib.suppress(ConnectionError):  # the launcher may have hung up
            handler.wfile.write(data)

    def events(self) -> list[str]:
        """The names of the events heard, in order."""
        return [one.event for one in self.heard]

    def wait_for(self, event: str, *, count: int = 1, seconds: float = 10) -> Heard:
        """The `count`-th request of this event, once it is there."""

        def found() -> Heard | None:
            all_of_it = [one for one in self.heard if one.event == event]
            return all_of_it[count - 1] if len(all_of_it) >= count else None

        with self._news:
            heard = self._news.wait_for(found, seconds)
        assert heard is not None, f"no {event} #{count}; heard {self.events()}"
        return heard
