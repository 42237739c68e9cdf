"""What stands behind the front where a test needs no hub: it writes down what it was sent."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.rig.hub import until

NOTIFIED = (
    '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>'
    '<LogoutNotificationResponse xmlns="urn:mace:shibboleth:2.0:sp:notify"><OK/>'
    "</LogoutNotificationResponse></S:Body></S:Envelope>"
)


@dataclass(frozen=True)
class Seen:
    """One request as it arrived: headers in their order and spelling."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def values(self, name: str) -> list[str]:
        """What was sent under this name, its bytes read as UTF-8."""
        found = (value for each, value in self.headers if each.lower() == name.lower())
        return [value.encode("latin-1").decode() for value in found]

    @property
    def names(self) -> list[str]:
        """Names of the headers, in lower case."""
        return [name.lower() for name, _ in self.headers]

    @property
    def identity(self) -> dict[str, str]:
        """Every header that begins with ours, in any spelling."""
        names = {name for name in self.names if name.replace("_", "-").startswith("x-slurmhub")}
        return {name: self.values(name)[0] for name in names}


class Backend:
    """A server on loopback that answers every request with 200."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self._server = _Server(("127.0.0.1", 0), self.seen)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[Backend]:
        """Serve as long as this lasts."""
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def last(self, path: str) -> Seen:
        """The last request for this path, which may still be on its way."""

        def there() -> list[Seen]:
            return [each for each in self.seen if each.target.partition("?")[0] == path]

        found: list[Seen] = until(there, what=f"a request for {path}")
        return found[-1]


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], seen: list[Seen]) -> None:
        super().__init__(address, _Handler)
        self.seen = seen


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = tuple((name, str(value)) for name, value in self.headers.raw_items())
        self.server.seen.append(Seen(self.command, self.path, headers, body))
        notified = self.path.endswith("/shibboleth/notify")
        content = (NOTIFIED if notified else "behind the front").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml" if notified else "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """What came is in `seen`."""
