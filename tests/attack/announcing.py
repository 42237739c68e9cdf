"""Speaking to the hub's door for jobs the way a job does, truly or not."""

from __future__ import annotations

import http.server
import json
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from prometheus_client.parser import text_string_to_metric_families

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.attack.trespass import Ticket, ticket_of
from tests.rig.hub import HubUnderTest, Visitor

# Where the servers of these tests may listen.
PORTS = range(20000, 30000)


def announce(
    hub: HubUnderTest,
    nonce: str,
    event: str,
    body: bytes | str | Mapping[str, Any],
    *,
    method: str = "POST",
    headers: Mapping[str, str | bytes] | None = None,
    query: str = "",
    session: requests.Session | None = None,
) -> requests.Response:
    """One message to the hub, through its proxy as jobs send it; nothing in it is checked."""
    return (session or requests.Session()).request(
        method,
        f"{hub.url}/hub/api/slurmhub/jobs/{nonce}/{event}{query}",
        data=body if isinstance(body, (bytes, str)) else json.dumps(body),
        headers=dict(headers or {}),
        timeout=30,
        allow_redirects=False,
    )


def bearing(token: str) -> dict[str, str | bytes]:
    """The header a job carries its token in."""
    return {"Authorization": f"token {token}"}


@dataclass(frozen=True)
class Voice:
    """The voice of one job: everything it says is true, but for what a test changes."""

    hub: HubUnderTest
    ticket: Ticket

    def say(self, event: str, **said: Any) -> requests.Response:
        """Say this with the job's own token, number and nonce."""
        return self.say_under({}, event, **said)

    def say_under(self, headers: Mapping[str, str], event: str, **said: Any) -> requests.Response:
        """Say this with more headers."""
        body = {"job": self.ticket.job_id, "restarts": 0, **said}
        return announce(
            self.hub,
            self.ticket.nonce,
            event,
            body,
            headers={**bearing(self.ticket.token), **headers},
        )


class Refusals:
    """The hub's count of refused announcements, by reason."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor

    def counted(self) -> dict[str, float]:
        """The counters of this moment."""
        text = self._visitor.get("/hub/metrics").text
        return {
            sample.labels["reason"]: sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "slurmhub_announcements_refused_total"
        }

    @contextmanager
    def grow(self, reason: str, by: int = 1, *, more: int = 0) -> Iterator[None]:
        """Whatever happens inside is counted as this many refusals, for this reason alone.

        `more` of them may be of jobs that told the truth too late, or too soon again.
        """
        before = self.counted()
        yield
        after = self.counted()
        grown = {name: after[name] - before.get(name, 0) for name in after}
        assert {name for name, n in grown.items() if n} == {reason}
        assert by <= grown[reason] <= by + more


@contextmanager
def anyones_server(address: str, port: int) -> Iterator[None]:
    """A web server at this place that has nothing to do with Slurm."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer((address, port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def free_port_for_jobs() -> int:
    """A port that a job could take, free on every address."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                try:
                    probe.bind(("", port))
                except OSError:
                    continue
                return port


@dataclass
class Scene:
    """Alice's server and her silent one, and bob's, all on one node."""

    hub: HubUnderTest
    cluster: EmbeddedCluster
    alice: Visitor
    bob: Visitor
    refusals: Refusals

    def voice(self, visitor: Visitor, server: str = "") -> Voice:
        """The voice of this server's job."""
        return Voice(self.hub, ticket_of(self.cluster, visitor.status(server)["job_id"]))

    def place(self, visitor: Visitor, server: str = "") -> tuple[str, int]:
        """Where the proxy leads to for this server."""
        path = f"/user/{visitor.name}/" + (f"{server}/" if server else "")
        target = urlsplit(self.hub.routes()[path])
        assert target.hostname is not None
        assert target.port is not None
        return target.hostname, target.port
