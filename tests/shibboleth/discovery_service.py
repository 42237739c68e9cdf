"""A federation's discovery service, on loopback, by the SAML V2.0 protocol for it.

Identity Provider Discovery Service Protocol and Profile, OASIS 2008: the service provider sends the
browser here with its name and an address; it goes back there with the entity ID that was chosen.
"""

from __future__ import annotations

import html
import http.server
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

_PLACES = re.compile(r'<idpdisc:DiscoveryResponse [^>]*\bLocation="([^"]+)"')
_NAME = re.compile(r'<md:EntityDescriptor\b[^>]*\bentityID="([^"]+)"', re.DOTALL)


@dataclass
class DiscoveryService:
    """Where people choose; `institutions` are entity IDs by the names that people know."""

    port: int
    certificate: Path
    key: Path
    institutions: dict[str, str] = field(default_factory=dict)
    registered: dict[str, set[str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """What goes into the front's `discovery`."""
        return f"https://127.0.0.1:{self.port}/choose"

    def register(self, metadata: str) -> None:
        """Take in a service provider: its name, and where people may be sent back to."""
        name = _NAME.search(metadata)
        assert name, metadata
        self.registered[html.unescape(name[1])] = {
            html.unescape(place) for place in _PLACES.findall(metadata)
        }

    @contextmanager
    def serving(self) -> Iterator[DiscoveryService]:
        """Answer browsers as long as this lasts."""
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = urlsplit(self.path).query
                status, text, place = service.answer(dict(parse_qsl(query, keep_blank_values=True)))
                self.send_response(status)
                if place:
                    self.send_header("Location", place)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's
                """What came is in `asked`."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def answer(self, asked: dict[str, str]) -> tuple[int, str, str]:
        """Status, page and where to go, for the parameters of a request."""
        self.asked.append(asked)
        places = self.registered.get(asked.get("entityID", ""), set())
        # Section 2.5: only where the service provider's own metadata says, whatever the query.
        back = asked.get("return", "")
        if back.partition("?")[0] not in places:
            return 403, "This service is not registered here.", ""
        chosen = asked.get("chosen")
        if chosen is None and asked.get("isPassive") != "true":
            return 200, self._page(asked), ""
        # Section 2.4.3: without a choice the parameter is left out.
        named = {asked.get("returnIDParam", "entityID"): chosen} if chosen else {}
        sign = "&" if "?" in back else "?"
        return 302, "", f"{back}{sign}{urlencode(named)}" if named else back

    def _page(self, asked: dict[str, str]) -> str:
        links = "".join(
            f'<li><a href="?{html.escape(urlencode({**asked, "chosen": entity}))}">{name}</a></li>'
            for name, entity in self.institutions.items()
        )
        return f"<!doctype html><title>Where are you from?</title><ul>{links}</ul>"
