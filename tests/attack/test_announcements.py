"""What a job may say to the hub is a port; who says anything else is refused, and counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.attack.announcing import (
    Refusals,
    Scene,
    Voice,
    announce,
    anyones_server,
    bearing,
    free_port_for_jobs,
)
from tests.conftest import HubMaker
from tests.rig.hub import until

# A server whose name begins so never listens: its job has not announced anything.
SILENT = "silent"
SETTINGS = """
def behaviour(spawner):
    return "deaf" if spawner.name.startswith("silent") else ""

c.Spawner.environment = {"STUB_BEHAVIOUR": behaviour}
c.SlurmHubSpawner.port_range = (20000, 29999)
"""


@pytest.fixture(scope="module")
def scene(make_shared_hub: HubMaker, cluster: EmbeddedCluster) -> Iterator[Scene]:
    """The scene; at the end the servers that were not attacked still serve, in the same jobs."""
    hub = make_shared_hub(
        cluster, SETTINGS, hub_port=free_port_for_jobs(), proxy_port=free_port_for_jobs()
    )
    alice, bob = hub.visitor("alice"), hub.visitor("bob")
    made = Scene(hub, cluster, alice, bob, Refusals(hub.visitor("admin")))
    for visitor, server in ((alice, ""), (alice, SILENT), (bob, "")):
        assert visitor.start(server, partition="cpu").status_code in (201, 202)
    jobs = [visitor.wait_ready()["job_id"] for visitor in (alice, bob)]
    alice.wait_for("starting", SILENT)
    places = made.place(alice), made.place(bob)
    yield made
    assert [visitor.asks_server()["job"] for visitor in (alice, bob)] == [str(n) for n in jobs]
    assert (made.place(alice), made.place(bob)) == places


@pytest.fixture
def truth(scene: Scene) -> Iterator[Voice]:
    """The voice of alice's server, which is heard before an attack and after it."""
    voice, port = scene.voice(scene.alice), scene.place(scene.alice)[1]
    assert voice.say("listening", port=port).status_code == 200
    yield voice
    answer = voice.say("listening", port=port)
    assert (answer.status_code, answer.json()) == (200, {})


@pytest.mark.parametrize(
    "extra",
    [
        {"ip": "127.0.0.9"},
        {"cmd": ["/bin/sh"]},
        {"job_id": "1"},
        {"user": "bob"},
        {"address": "127.0.0.9"},
        {"server": {"ip": "127.0.0.9"}},
        {"__class__": {"__init__": {}}},
        {"api_token": "x"},
    ],
    ids=lambda extra: next(iter(extra)),
)
def test_another_attribute_is_refused(scene: Scene, truth: Voice, extra: dict[str, Any]) -> None:
    port = scene.place(scene.alice)[1]
    with scene.refusals.grow("field"):
        answer = truth.say("listening", port=port, **extra)
    assert answer.status_code == 400
    assert answer.json()["slurmhub"] == "field"


@pytest.mark.parametrize(
    ("event", "said", "reason"),
    [
        ("listening", {}, "field"),
        ("listening", {"port": "20000"}, "field"),
        ("listening", {"port": 20000.0}, "field"),
        ("listening", {"port": True}, "field"),
        ("listening", {"port": None}, "field"),
        ("listening", {"port": [20000]}, "field"),
        ("listening", {"port": 10**30}, "field"),
        ("listening", {"port": 20000, "job": "1"}, "field"),
        ("listening", {"port": 20000, "restarts": None}, "field"),
        ("started", {"port": 20000}, "field"),
        ("warning", {"seconds_left": "soon"}, "field"),
        ("usage", {}, "field"),
        ("usage", {"use": None}, "field"),
        ("usage", {"use": [1]}, "field"),
        ("usage", {"use": {}, "memory": 1}, "field"),
        ("ended", {"exit_code": 0, "signal": None, "why": "<script>", "tail": ""}, "field"),
        ("ended", {"exit_code": 0, "signal": None, "why": "terminated"}, "field"),
    ],
)
def test_a_message_of_another_shape_is_refused(
    scene: Scene, truth: Voice, event: str, said: dict[str, Any], reason: str
) -> None:
    with scene.refusals.grow(reason):
        assert truth.say(event, **said).status_code == 400


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 400, "json"),
        (b"port=20000", 400, "json"),
        (b"\xff\xfe\x00", 400, "json"),
        (b"[" * 60000, 400, "json"),
        (b'{"job": 1', 400, "json"),
        (b"null", 400, "field"),
        (b"[1]", 400, "field"),
        (b'{"job": NaN, "restarts": 0, "port": 1}', 400, "field"),
        (b'{"job": ' + b"9" * 5000 + b', "restarts": 0, "port": 1}', 400, "json"),
        (b" " * (64 * 1024 + 1), 413, "size"),
        (b'"' + b"x" * 8_000_000 + b'"', 413, "size"),
    ],
    ids=lambda value: f"{len(value)} bytes" if isinstance(value, bytes) else None,
)
def test_a_body_that_is_no_message_is_refused(
    scene: Scene, truth: Voice, body: bytes, status: int, reason: str
) -> None:
    ticket = truth.ticket
    with scene.refusals.grow(reason):
        answer = announce(scene.hub, ticket.nonce, "listening", body, headers=bearing(ticket.token))
    assert answer.status_code == status


def test_other_ports_are_refused(scene: Scene) -> None:
    voice = scene.voice(scene.alice, SILENT)
    node, neighbours = scene.place(scene.bob)
    attempts = {
        scene.hub.hub_port: "port-forbidden",
        scene.hub.proxy_port: "port-forbidden",
        scene.hub.port: "port-range",
        22: "port-range",
        0: "port-range",
        -1: "port-range",
        19999: "port-range",
        30000: "port-range",
        65536: "port-range",
        neighbours: "port-taken",
        scene.place(scene.alice)[1]: "port-taken",
    }
    for port, reason in attempts.items():
        with scene.refusals.grow(reason):
            answer = voice.say("listening", port=port)
        assert answer.status_code == 409, port
    assert scene.alice.status(SILENT)["step"] == "starting"
    assert f"/user/alice/{SILENT}/" not in scene.hub.routes()
    # Only now, and at a port of its own, is the job heard, wherever the message came from.
    port = free_port_for_jobs()
    misleading = {
        "X-Forwarded-For": "10.9.8.7",
        "X-Real-IP": "10.9.8.7",
        "X-Forwarded-Host": "10.9.8.7",
        "Forwarded": "for=10.9.8.7",
        "Host": "10.9.8.7",
        "X-Forwarded-User": "admin",
    }
    with anyones_server(node, port):
        assert voice.say_under(misleading, "listening", port=port).status_code == 200
        scene.alice.wait_ready(SILENT)
        assert scene.place(scene.alice, SILENT) == (node, port)
        with scene.refusals.grow("second-port"):
            assert voice.say("listening", port=port + 1).status_code == 403
        assert scene.place(scene.alice, SILENT) == (node, port)


def tokens_of_others(scene: Scene) -> Iterator[str]:
    """Good tokens, for other things or of other people, and two that were good once."""

    def made(name: str, **options: Any) -> dict[str, Any]:
        answer = scene.hub.visitor(name).api("POST", f"/users/{name}/tokens", options)
        return dict(answer.json())

    def is_known(token: str) -> bool:
        url = f"{scene.hub.url}/hub/api/user"
        return requests.get(url, headers=bearing(token), timeout=10).status_code == 200

    yield scene.voice(scene.bob).ticket.token
    yield scene.voice(scene.alice, SILENT).ticket.token
    for name in ("alice", "mallory", "admin"):
        token = made(name)["token"]
        assert is_known(token)
        yield token
    short = made("alice", expires_in=1)["token"]
    until(lambda: not is_known(short), what="the token's end")
    yield short
    gone = made("alice")
    scene.alice.api("DELETE", f"/users/alice/tokens/{gone['id']}")
    assert not is_known(gone["token"])
    yield gone["token"]


def test_only_the_jobs_own_token_opens_the_door(scene: Scene, truth: Voice) -> None:
    port, own = scene.place(scene.alice)[1], truth.ticket.token
    garbage = ("", "null", "x" * 6000, own[:-1], own + "0", own.upper())
    headers: list[Mapping[str, str | bytes]] = [
        {},
        {"Authorization": ""},
        {"Authorization": own},
        {"Authorization": f"Basic {own}"},
        {"Authorization": f"token  {own}"},
        {"Authorization": "token \xe9".encode("latin-1")},
        {"X-JupyterHub-Token": own},
        *(bearing(token) for token in (*garbage, *tokens_of_others(scene))),
    ]
    body = {"job": truth.ticket.job_id, "restarts": 0, "port": port}
    with scene.refusals.grow("token", by=len(headers) + 3):
        for header in headers:
            answer = announce(scene.hub, truth.ticket.nonce, "listening", body, headers=header)
            assert answer.status_code == 403, header
            assert answer.json()["slurmhub"] == "token"
        for session in (scene.alice.session, scene.hub.visitor("admin").session):
            signed_in = announce(scene.hub, truth.ticket.nonce, "listening", body, session=session)
            assert signed_in.status_code == 403
        asked = announce(scene.hub, truth.ticket.nonce, "listening", body, query=f"?token={own}")
        assert asked.status_code == 403
    bearer = {"Authorization": f"Bearer {own}"}
    answer = announce(scene.hub, truth.ticket.nonce, "listening", body, headers=bearer)
    assert answer.status_code == 200


def test_one_server_cannot_speak_for_another(scene: Scene, truth: Voice) -> None:
    bobs = scene.voice(scene.bob).ticket
    mine = bearing(truth.ticket.token)
    port = scene.place(scene.alice)[1]
    said = {"job": bobs.job_id, "restarts": 0}
    ended = {**said, "exit_code": 0, "signal": None, "why": "server-exited", "tail": ""}
    with scene.refusals.grow("token", by=3):
        for event, body in (
            ("listening", {**said, "port": port}),
            ("started", said),
            ("ended", ended),
        ):
            assert announce(scene.hub, bobs.nonce, event, body, headers=mine).status_code == 403
    with scene.refusals.grow("other-job", by=2):
        # Her own nonce and token, with the number of bob's job.
        assert truth.say("listening", job=bobs.job_id, port=port).status_code == 403
        assert truth.say("ended", **ended).status_code == 403
    with scene.refusals.grow("token"):
        unknown = announce(scene.hub, "0" * 32, "listening", {**said, "port": port}, headers=mine)
        assert unknown.status_code == 403
    assert scene.bob.status()["step"] == "ready"


def test_a_job_tells_its_own_use_and_not_often(scene: Scene) -> None:
    bob, alice = scene.voice(scene.bob), scene.voice(scene.alice, SILENT)
    lie = 7 * 2**40
    use = {"cpu_seconds": 1.0, "memory": lie, "memory_peak": lie, "processes": 1, "gpus": []}
    with scene.refusals.grow("token"):
        said = {"job": bob.ticket.job_id, "restarts": 0, "use": use}
        mine = bearing(alice.ticket.token)
        assert announce(scene.hub, bob.ticket.nonce, "usage", said, headers=mine).status_code == 403
    with scene.refusals.grow("other-job"):
        assert alice.say("usage", job=bob.ticket.job_id, use=use).status_code == 403
    # Nobody has heard of this one's use within ten seconds: the first is judged, no other is.
    wrong = {**use, "memory": 2**63, "cpu_seconds": float("nan")}
    until(lambda: alice.say("usage", use=wrong).status_code == 400, what="a look at its numbers")
    # Its own first report may come in between.
    with scene.refusals.grow("too-often", by=20, more=1):
        for _ in range(20):
            assert alice.say("usage", use=use).status_code == 429
    status = scene.alice.api("GET", f"/slurmhub/session/alice/{SILENT}").json()
    assert "TB" not in str(status["use"]), status


def test_only_post_is_understood(scene: Scene, truth: Voice) -> None:
    ticket = truth.ticket
    said = {"job": ticket.job_id, "restarts": 0, "port": scene.place(scene.alice)[1]}
    for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD", "PROPFIND", "TRACE"):
        answer = announce(
            scene.hub, ticket.nonce, "listening", said, method=method, headers=bearing(ticket.token)
        )
        assert answer.status_code == 405, method
    options = announce(scene.hub, ticket.nonce, "listening", said, method="OPTIONS")
    assert (options.status_code, options.text) == (200, "")
    assert "Access-Control-Allow-Origin" not in options.headers
    overridden = {**bearing(ticket.token), "X-HTTP-Method-Override": "DELETE"}
    answer = announce(scene.hub, ticket.nonce, "listening", said, headers=overridden)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("nonce", "event"),
    [
        ("{nonce}", "exec"),
        ("{nonce}", "listening/"),
        ("{nonce}", "Listening"),
        ("{nonce}x", "listening"),
        ("", "listening"),
        ("../jobs/{nonce}", "listening%00"),
        ("%2e%2e", "listening"),
        ("{NONCE}", "listening"),
    ],
)
def test_there_is_no_other_address(scene: Scene, truth: Voice, nonce: str, event: str) -> None:
    ticket = truth.ticket
    path = nonce.format(nonce=ticket.nonce, NONCE=ticket.nonce.upper())
    answer = announce(
        scene.hub, path, event, {"job": 1, "restarts": 0}, headers=bearing(ticket.token)
    )
    assert answer.status_code == 404
    assert "slurmhub" not in answer.json()


def test_the_inherited_address_is_gone(scene: Scene, truth: Voice) -> None:
    own, admin = truth.ticket.token, scene.hub.visitor("admin")
    tokens = {
        "nobody": None,
        "the server": own,
        "its owner": scene.alice.api("POST", "/users/alice/tokens", {}).json()["token"],
        "admin": admin.api("POST", "/users/admin/tokens", {}).json()["token"],
    }
    for who, token in tokens.items():
        # The server's token is a good one: the hub knows whose it is.
        known = requests.get(
            f"{scene.hub.url}/hub/api/user", headers=bearing(token or ""), timeout=10
        )
        assert known.status_code == (200 if token else 403), who
        for path in ("/hub/api/batchspawner", "/hub/api/batchspawner/", "/hub/batchspawner"):
            for method in ("POST", "GET", "PUT"):
                answer = requests.request(
                    method,
                    scene.hub.url + path,
                    json={"port": 20000},
                    headers=bearing(token) if token else {},
                    timeout=10,
                )
                # Without credentials the pages, unlike the interface, ask for the form's token.
                asked_first = path == "/hub/batchspawner" and method != "GET"
                assert answer.status_code in ((403, 404) if asked_first else (404,)), (who, path)
    for visitor in (scene.alice, admin):
        assert visitor.api("POST", "/batchspawner", {"port": 20000}).status_code == 404


def test_what_an_earlier_server_said_is_worth_nothing(scene: Scene) -> None:
    mallory = scene.hub.visitor("mallory")
    assert mallory.start(partition="cpu").status_code in (201, 202)
    mallory.wait_ready()
    old, (_, old_port) = scene.voice(mallory), scene.place(mallory)
    assert old.say("listening", port=old_port).status_code == 200
    known = f"{scene.hub.url}/hub/api/user"
    assert requests.get(known, headers=bearing(old.ticket.token), timeout=10).status_code == 200
    assert mallory.stop().status_code in (202, 204)
    until(lambda: mallory.status()["step"] == "ended", what="its end")
    ended = {"exit_code": 0, "signal": None, "why": "server-exited", "tail": "late"}

    def replayed() -> None:
        # The job itself may say that it has ended when Slurm has said so already.
        with scene.refusals.grow("ended", by=4, more=1):
            assert old.say("started").status_code == 410
            assert old.say("listening", port=old_port).status_code == 410
            assert old.say("warning", seconds_left=1).status_code == 410
            assert old.say("ended", **ended).status_code == 410

    replayed()
    # Neither is the token of a server that is gone good for anything else.
    until(
        lambda: (
            requests.get(known, headers=bearing(old.ticket.token), timeout=10).status_code == 403
        ),
        what="the end of its token",
    )
    assert mallory.start(partition="cpu").status_code in (201, 202)
    mallory.wait_ready()
    new, place = scene.voice(mallory), scene.place(mallory)
    assert new.ticket.token != old.ticket.token
    replayed()
    with scene.refusals.grow("token"):
        body = {"job": new.ticket.job_id, "restarts": 0, "port": old_port}
        stale = announce(
            scene.hub, new.ticket.nonce, "listening", body, headers=bearing(old.ticket.token)
        )
        assert stale.status_code == 403
    assert new.say("listening", port=place[1]).status_code == 200
    assert scene.place(mallory) == place
    assert mallory.asks_server()["job"] == str(new.ticket.job_id)


def test_what_a_requeued_job_said_before_is_worth_nothing(scene: Scene) -> None:
    server = "again"
    assert scene.bob.start(server, partition="cpu").status_code in (201, 202)
    scene.bob.wait_ready(server)
    voice, (_, port) = scene.voice(scene.bob, server), scene.place(scene.bob, server)
    assert voice.say("listening", port=port).status_code == 200
    scene.cluster.run("scontrol", "requeue", str(voice.ticket.job_id))
    until(lambda: f"/user/bob/{server}/" not in scene.hub.routes(), what="the withdrawn route")
    assert voice.say("listening", port=port).status_code in (410, 425)
    scene.bob.wait_for("queued", server)
    with scene.refusals.grow("stale"):
        assert voice.say("listening", port=port).status_code == 410
    # Nor can it get ahead of itself: Slurm has not placed the new incarnation yet.
    for restarts in (1, 2, 1000):
        assert voice.say("listening", port=port, restarts=restarts).status_code == 425
    assert f"/user/bob/{server}/" not in scene.hub.routes()
    assert scene.bob.status(server)["step"] == "queued"
