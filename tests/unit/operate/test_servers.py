"""The number of running servers, asked of a hub that answers as JupyterHub does."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from slurmhub_deploy.operate.planning import servers
from slurmhub_deploy.operate.planning.servers import metrics_url, running_servers
from slurmhub_deploy.operate.site_file import OpenSite
from tests.unit.site.fixtures import site

SITE = OpenSite(Path("/x/site.yml"), site())
METRICS = "# TYPE jupyterhub_running_servers gauge\njupyterhub_running_servers 41.0\n"


class _Hub(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        right = self.headers["Authorization"] == "token the-token"
        self.send_response(200 if right else 403)
        self.end_headers()
        self.wfile.write(METRICS.encode() if right else b"")

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hub on loopback, on whose host the program runs without ssh."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/hub/metrics"
        monkeypatch.setattr(servers, "metrics_url", lambda opened, name: url)
        monkeypatch.setattr(servers, "ssh_argv", lambda host, command, **_: command)
        yield
        server.shutdown()


def test_it_is_what_the_hub_says() -> None:
    assert running_servers(SITE, "main", {"metrics_token.main": "the-token"}) == 41


def test_a_hub_that_refuses_says_nothing() -> None:
    assert running_servers(SITE, "main", {"metrics_token.main": "another"}) is None
    assert running_servers(SITE, "main", {}) is None


def test_it_is_asked_on_its_own_address() -> None:
    assert metrics_url(SITE, "main") == "http://192.0.2.10:8081/hub/metrics"
