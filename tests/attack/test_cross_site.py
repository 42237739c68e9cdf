"""Other sites, other people and other people's output: none of them acts as alice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.attack.hostile import alive_in, control_characters
from tests.conftest import HubMaker
from tests.rig.hub import HubUnderTest, Visitor, until

SMALL = {"partition": "cpu", "cpus": "1", "memory": "300M", "hours": "0.1"}
# A server whose name begins so prints this and dies.
OUTPUT = '<shubmark> "><img src=x onerror=shubmark> {{ 4321 * 8765 }} \\033[2J\\007\\r\\n</pre>'
SETTINGS = f"""
async def before(spawner):
    if spawner.name.startswith("noisy"):
        spawner.cmd = ["/usr/bin/printf", {OUTPUT!r}]

c.Spawner.pre_spawn_hook = before
"""
EVIL = {
    "Origin": "https://evil.example",
    "Referer": "https://evil.example/slurm.html",
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}


@dataclass
class Scene:
    """A hub on which alice has two servers, and mallory an account."""

    hub: HubUnderTest
    cluster: EmbeddedCluster
    alice: Visitor
    mallory: Visitor

    def state(self) -> dict[str, Any]:
        """All that an act of alice would change."""
        jobs = self.cluster.run("squeue", "-h", "--all", "--format=%A %T %k %M").splitlines()
        return {
            "jobs": sorted(line.rpartition(" ")[0] for line in jobs),
            "routes": self.hub.routes(),
            "servers": sorted(
                (name, server["ready"], server["pending"], str(server["user_options"]))
                for name, server in self.alice.api("GET", "/users/alice").json()["servers"].items()
            ),
        }

    def lured(self) -> requests.Session:
        """Alice's browser on a page of another site: her cookies, and nothing else of hers."""
        session = requests.Session()
        session.cookies.update(self.alice.session.cookies)
        session.headers.update(EVIL)
        return session


@pytest.fixture(scope="module")
def scene(make_shared_hub: HubMaker, cluster: EmbeddedCluster) -> Iterator[Scene]:
    """The scene; at the end alice's own browser does what all others could not."""
    hub = make_shared_hub(cluster, SETTINGS)
    made = Scene(hub, cluster, hub.visitor("alice"), hub.visitor("mallory"))
    for server in ("", "lab"):
        made.alice.start(server, **SMALL)
    for server in ("", "lab"):
        made.alice.wait_ready(server)
    yield made
    for server in ("", "/lab"):
        answer = made.alice.post(f"/hub/slurmhub/cancel/alice{server}", {}, allow_redirects=False)
        assert answer.status_code == 302
    until(lambda: not made.state()["jobs"], what="the end of both jobs")


@pytest.mark.parametrize(
    "path",
    [
        "/hub/slurmhub/cancel/alice",
        "/hub/slurmhub/cancel/alice/lab",
        "/hub/slurmhub/switch/alice",
        "/hub/slurmhub/switch/alice/lab",
        "/hub/slurmhub/forget/alice/lab",
        "/hub/slurmhub/servers",
        "/hub/slurmhub/language",
        "/hub/slurmhub/notices",
        "/hub/slurmhub/files",
        "/hub/slurmhub/files/delete",
        "/hub/spawn",
        "/hub/spawn/alice",
        "/hub/spawn/alice/new",
        "/hub/api/users/alice/server",
        "/hub/api/users/alice/servers/new",
    ],
)
def test_a_page_of_another_site_cannot_act(scene: Scene, path: str) -> None:
    before = scene.state()
    url = scene.hub.url + path
    foreign = scene.mallory.xsrf
    for body in (
        SMALL,
        {**SMALL, "_xsrf": ""},
        {**SMALL, "_xsrf": foreign},
        {**SMALL, "_xsrf": "2|00000000|0|1"},
    ):
        answer = scene.lured().post(url, data=body, allow_redirects=False, timeout=20)
        assert answer.status_code == 403, body
    bodies: list[dict[str, Any]] = [
        {"data": '{"partition": "cpu"}', "headers": {"Content-Type": "text/plain"}},
        {"json": SMALL},
        {"files": {"partition": (None, "cpu")}},
    ]
    for given in bodies:
        answer = scene.lured().post(
            f"{url}?_xsrf={foreign}", allow_redirects=False, timeout=20, **given
        )
        assert answer.status_code == 403, given
    # Nor without a word about where the page is from, as an old browser sends it.
    silent = requests.Session()
    silent.cookies.update(scene.alice.session.cookies)
    assert silent.post(url, data=SMALL, allow_redirects=False, timeout=20).status_code == 403
    if "/api/" in path:
        assert scene.lured().delete(url, timeout=20).status_code == 403
    assert scene.state() == before


def test_looking_changes_nothing(scene: Scene) -> None:
    before = scene.state()
    wanted = "?partition=cpu&cpus=1&memory=300M&hours=0.1"
    prefixed = "?opt-partition=cpu&opt-cpus=1"
    found = {
        path: scene.alice.get(path, allow_redirects=False).status_code
        for path in (
            "/hub/slurmhub/script/alice",
            "/hub/slurmhub/script/alice/lab",
            "/hub/slurmhub/cancel/alice",
            "/hub/slurmhub/cancel/alice/lab?_method=POST",
            "/hub/slurmhub/switch/alice?give_up=yes",
            "/hub/slurmhub/waiting/alice",
            "/hub/api/slurmhub/estimate/alice?cpus=1",
            "/hub/api/slurmhub/status/alice",
            "/hub/api/slurmhub/status/alice/lab",
            "/hub/api/batchspawner",
            f"/hub/spawn{wanted}",
            f"/hub/spawn/alice/new{wanted}",
            f"/hub/spawn/alice/new{prefixed}",
            "/hub/spawn-pending/alice",
            "/hub/home",
        )
    }
    assert found["/hub/slurmhub/cancel/alice"] == 405
    assert found["/hub/slurmhub/cancel/alice/lab?_method=POST"] == 405
    assert found["/hub/slurmhub/switch/alice?give_up=yes"] == 405
    assert found["/hub/slurmhub/script/alice"] == 200
    assert found[f"/hub/spawn/alice/new{wanted}"] == 200
    assert not [path for path, status in found.items() if status >= 500]
    for method in ("HEAD", "OPTIONS"):
        for path in found:
            answer = scene.alice.session.request(
                method, scene.hub.url + path, allow_redirects=False, timeout=20
            )
            assert answer.status_code < 500, (method, path)
    after = scene.state()
    # JupyterHub makes a place for a named server when its form is drawn; it has no job.
    after["servers"] = [server for server in after["servers"] if server[0] != "new"]
    assert after == before


def asked(session: requests.Session, scene: Scene, method: str, path: str) -> int:
    """The status of an answer, with the form's token of mallory where one is needed."""
    answer = session.request(
        method,
        f"{scene.hub.url}/hub/{path}",
        headers={"X-XSRFToken": scene.mallory.xsrf},
        allow_redirects=False,
        timeout=20,
    )
    assert "slurmhub:v1" not in answer.text
    assert "job_id" not in answer.text
    return answer.status_code


@pytest.mark.parametrize("server", ["", "/lab", "/none", "/..%2Flab"])
def test_servers_of_others_are_out_of_sight_and_reach(scene: Scene, server: str) -> None:
    before = scene.state()
    ours = {
        ("GET", f"api/slurmhub/status/alice{server}"),
        ("GET", f"slurmhub/script/alice{server}"),
        ("POST", f"slurmhub/cancel/alice{server}"),
        ("POST", f"slurmhub/switch/alice{server}"),
        ("POST", f"slurmhub/forget/alice{server}"),
        ("GET", f"slurmhub/waiting/alice{server}"),
        ("GET", f"api/slurmhub/estimate/alice{server}"),
        ("GET", f"api/slurmhub/status/mallory%2F..%2Falice{server}"),
        ("POST", f"slurmhub/cancel/mallory%2F..%2Falice{server}"),
        ("GET", f"spawn/alice{server}"),
        ("POST", f"spawn/alice{server}"),
        ("GET", f"spawn-pending/alice{server}"),
    }
    for method, path in ours:
        assert asked(scene.mallory.session, scene, method, path) in (403, 404), path
        # Nobody at all is asked to sign in, or refused.
        nobody = asked(requests.Session(), scene, method, path)
        assert nobody in ((302, 403, 404) if method == "GET" else (403, 404)), path
    assert scene.state() == before


def test_a_token_shows_what_it_is_for_and_no_more(scene: Scene) -> None:
    def bearer(visitor: Visitor, **asked_for: Any) -> dict[str, str]:
        path = f"/users/{visitor.name}/tokens"
        return {"Authorization": f"token {visitor.api('POST', path, asked_for).json()['token']}"}

    def seen(headers: dict[str, str], server: str) -> int:
        url = f"{scene.hub.url}/hub/api/slurmhub/status/alice{server}"
        return requests.get(url, headers=headers, timeout=20).status_code

    one = bearer(scene.alice, scopes=["read:servers!server=alice/lab"])
    assert (seen(one, "/lab"), seen(one, "")) == (200, 404)
    # What may look may not act.
    cancel = f"{scene.hub.url}/hub/slurmhub/cancel/alice/lab"
    assert requests.post(cancel, headers=one, timeout=20).status_code == 403
    none = bearer(scene.alice, scopes=["read:users:name!user=alice"])
    assert (seen(none, "/lab"), seen(none, "")) == (403, 403)
    mallorys = bearer(scene.mallory)
    assert (seen(mallorys, "/lab"), seen(mallorys, "")) == (404, 404)
    everything = bearer(scene.alice)
    assert (seen(everything, "/lab"), seen(everything, "")) == (200, 200)
    assert seen(bearer(scene.hub.visitor("admin")), "/lab") == 200
    assert scene.alice.status("lab")["step"] == "ready"


def test_our_pages_cannot_be_framed_or_taken_for_others(scene: Scene) -> None:
    def headers(path: str) -> Any:
        answer = scene.alice.get(path, allow_redirects=False)
        assert answer.status_code == 200, path
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy, path
        assert "Access-Control-Allow-Origin" not in answer.headers
        return answer.headers

    script = headers("/hub/slurmhub/script/alice")
    assert script["Content-Type"] == "text/plain; charset=utf-8"
    assert script["X-Content-Type-Options"] == "nosniff"
    assert headers("/hub/slurmhub/script/alice/lab")["X-Content-Type-Options"] == "nosniff"
    status = headers("/hub/api/slurmhub/status/alice")
    assert status["Content-Type"].startswith("application/json")
    assert status["X-Content-Type-Options"] == "nosniff"
    assert status["Cache-Control"] == "no-store"
    headers("/hub/spawn/alice/new")
    headers("/hub/home")
    # The interface tells a page of another site nothing, whatever it says of itself.
    lured = scene.lured().get(
        f"{scene.hub.url}/hub/api/slurmhub/status/alice",
        headers={"Sec-Fetch-Mode": "cors"},
        timeout=20,
    )
    assert lured.status_code == 403


def test_what_a_server_prints_is_shown_as_text(scene: Scene) -> None:
    log_before = len(scene.hub.log)
    scene.alice.start("noisy", **SMALL)
    ended = scene.alice.wait_for("ended", "noisy")
    assert "<shubmark>" in ended["log"]
    assert control_characters(ended["log"]) == set()
    for path in ("/hub/user/alice/noisy/", "/hub/spawn-pending/alice/noisy", "/hub/home"):
        page = scene.alice.get(path)
        assert alive_in(page) == [], path

    def shown() -> bool:
        # The page of one that waits goes over to this one by itself.
        page = scene.alice.get("/hub/user/alice/noisy/")
        assert alive_in(page) == []
        return "&lt;shubmark&gt;" in page.text and "{{ 4321 * 8765 }}" in page.text

    until(shown, what="the end of its log on the page")
    assert control_characters(scene.hub.log[log_before:]) == set()
