"""A job that leaves its node and comes back: meanwhile its old place may be another's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig.accounts import account
from tests.rig.hub import HubUnderTest, Visitor, until
from tests.rig.queue import clear, jobs

SQUATTER = """
import http.server, os, sys
os.setgid(int(sys.argv[3])); os.setuid(int(sys.argv[3]))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"mallory was here")
http.server.HTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""


@pytest.fixture(autouse=True)
def _tidy(make_hub: HubMaker, cluster: EmbeddedCluster) -> Iterator[None]:
    yield
    # While the hubs still run: jobs would wait long for one that is gone, to tell it their end.
    clear(cluster)


def ready_server(hub: HubUnderTest) -> tuple[Visitor, int, str]:
    """Alice with a ready server: herself, her job, and the route's target."""
    alice = hub.visitor("alice")
    alice.start(partition="cpu", hours=1)
    job_id = alice.wait_ready()["job_id"]
    return alice, job_id, hub.routes()["/user/alice/"]


def test_the_old_place_is_never_routed_to_after_a_requeue(
    make_hub: HubMaker, cluster: EmbeddedCluster, ground: Path
) -> None:
    hub = make_hub(cluster)
    alice, job_id, target = ready_server(hub)
    cluster.run("scontrol", "requeuehold", str(job_id))
    until(lambda: "/user/alice/" not in hub.routes(), what="the route's end")
    place = urlsplit(target)
    uid = (ground / "home" / "mallory").stat().st_uid
    squatter = subprocess.Popen(
        [sys.executable, "-c", SQUATTER, str(place.hostname), str(place.port), str(uid)]
    )
    try:
        until(lambda: _answers(target), what="mallory at the old place")
        assert "mallory" not in alice.get("/user/alice/api", allow_redirects=False).text
        page = alice.get("/hub/spawn-pending/alice")
        assert page.status_code == 200
        cluster.run("scontrol", "release", str(job_id))
        alice.wait_ready(seconds=200)
        told = alice.asks_server()
        assert (told["restarts"], told["user"]) == ("1", account("alice"))
        assert hub.routes()["/user/alice/"] != target
    finally:
        squatter.kill()
        squatter.wait()


def test_a_requeued_server_can_be_cancelled(make_hub: HubMaker, cluster: EmbeddedCluster) -> None:
    hub = make_hub(cluster)
    alice, job_id, _ = ready_server(hub)
    cluster.run("scontrol", "requeuehold", str(job_id))
    until(lambda: "/user/alice/" not in hub.routes(), what="the route's end")
    assert alice.stop().status_code in (202, 204)
    until(lambda: not jobs(cluster), what="the cancel")
    alice.wait_for("ended")
    alice.start(hours=1)
    alice.wait_ready()


def test_a_preempted_job_comes_back(make_hub: HubMaker, cluster: EmbeddedCluster) -> None:
    hub = make_hub(cluster)
    alice, job_id, _ = ready_server(hub)
    cluster.run("scontrol", "requeue", str(job_id))
    until(lambda: "/user/alice/" not in hub.routes(), what="the route's end")
    assert alice.wait_ready(seconds=200)["job_id"] == job_id
    assert alice.asks_server()["restarts"] == "1"


def _answers(url: str) -> bool:
    import requests

    try:
        return "mallory" in requests.get(url, timeout=2).text
    except requests.RequestException:
        return False
