"""Hostile options by every door of a real hub: form, link and REST refuse them alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slurmhub.options.request import FIELDS
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.attack.hostile import VALUES, alive_in, control_characters
from tests.conftest import HubMaker
from tests.rig.hub import HubUnderTest, Visitor, until

SMALL = {"partition": "cpu", "cpus": "1", "memory": "300M", "hours": "0.1"}


@dataclass
class Scene:
    """A hub with doors, and alice before them."""

    hub: HubUnderTest
    cluster: EmbeddedCluster
    alice: Visitor

    def jobs(self) -> list[str]:
        """The jobs that are in the queue now."""
        return self.cluster.run("squeue", "--noheader", "--all", "--format=%A").split()

    def all_gone(self) -> None:
        """Wait for an empty queue."""
        until(lambda: not self.jobs(), what="an empty queue")

    def sent(self, body: bytes) -> requests.Response:
        """What REST answers to a request for a server with this body."""
        return self.alice.session.post(
            f"{self.hub.url}/hub/api/users/alice/server",
            data=body,
            headers={"X-XSRFToken": self.alice.xsrf},
            timeout=20,
        )


@pytest.fixture(scope="module")
def scene(make_shared_hub: HubMaker, cluster: EmbeddedCluster) -> Iterator[Scene]:
    """The scene; afterwards nothing in the log is there to fool who reads it."""
    hub = make_shared_hub(cluster)
    alice = hub.visitor("alice")
    until(lambda: 'value="gpu"' in alice.get("/hub/spawn/alice").text, what="the cluster's facts")
    yield Scene(hub, cluster, alice)
    log = hub.log
    assert control_characters(log) == set()
    assert "Uncaught exception" not in log
    assert not Path("/tmp/shubmark").exists()


def by_form(visitor: Visitor, server: str, options: dict[str, str]) -> requests.Response:
    """Options sent as the spawn page sends them."""
    return visitor.post(
        f"/hub/spawn/{visitor.name}/{server}".rstrip("/"), options, allow_redirects=False
    )


def by_link(visitor: Visitor, server: str, options: dict[str, str]) -> requests.Response:
    """Options in a link, as long as the proxy lets it be."""
    cut = {name[:300]: value[:300] for name, value in options.items()}
    path = f"/hub/spawn/{visitor.name}/{server}".rstrip("/")
    return visitor.get(path, params=cut, allow_redirects=False)


def by_rest(visitor: Visitor, server: str, options: dict[str, str]) -> requests.Response:
    """Options as a program sends them."""
    return visitor.start(server, **options)


DOORS = {"form": by_form, "link": by_link, "rest": by_rest}


def assert_refused(answer: requests.Response, door: str, value: str) -> None:
    """A refusal in words; a link draws the form instead, and says in it what is wrong."""
    assert answer.status_code == (200 if door == "link" else 400), value[:80]
    assert alive_in(answer) == []
    assert len(answer.text) < 100_000


@pytest.mark.parametrize("door", DOORS)
def test_no_door_takes_a_hostile_value(scene: Scene, door: str) -> None:
    enter = DOORS[door]
    for number, value in enumerate(VALUES):
        # By turns for the default server and for a named one, and as every field's value.
        server, field = ("", "lab")[number % 2], FIELDS[number // 2 % len(FIELDS)]
        assert_refused(enter(scene.alice, server, {**SMALL, field: value}), door, value)
    for number, value in enumerate(VALUES[::3]):
        server = ("", "lab")[number % 2]
        assert_refused(enter(scene.alice, server, {**SMALL, value: "1"}), door, value)
    assert scene.jobs() == []
    for server in ("", "lab"):
        # Whatever was tried before: what is right is taken, and a link starts nothing even then.
        answer = enter(scene.alice, server, SMALL)
        if door == "link":
            assert answer.status_code == 200
            assert 'value="300M"' in answer.text
            assert scene.jobs() == []
            continue
        assert answer.status_code in ((302,) if door == "form" else (201, 202))
        assert scene.alice.wait_ready(server)["job_id"]
        assert scene.alice.stop(server).status_code in (202, 204)
    scene.all_gone()


def test_options_kept_for_later_are_judged_when_they_are_used(scene: Scene) -> None:
    # PATCH stores options without a question; the next start with "the last ones" reads them.
    for number, value in enumerate(VALUES[:20]):
        options = {**SMALL, FIELDS[number % len(FIELDS)]: value}
        stored = scene.alice.api("PATCH", "/users/alice/servers/", {"user_options": options})
        assert stored.status_code == 200
        answer = scene.alice.api("POST", "/users/alice/server", {"user_options": None})
        assert answer.status_code == 400, value
    assert scene.jobs() == []


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from(VALUES[:-2]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(options=st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), JSON, min_size=1))
def test_no_json_starts_what_was_not_accepted(scene: Scene, options: dict[str, Any]) -> None:
    # json, unlike requests, also writes what is not a number.
    answer = scene.sent(json.dumps({"user_options": {**options, "wrong": 1}}).encode())
    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.parametrize(
    "body", ["[]", '"x"', "1", "{", '{"user_options": [1]}', "\x00", "[" * 9000]
)
def test_no_body_starts_anything(scene: Scene, body: str) -> None:
    answer = scene.sent(body.encode())
    if body == "[]":
        # Nothing is said, which means the usual.
        assert answer.status_code in (201, 202)
        assert scene.alice.stop().status_code in (202, 204)
        scene.all_gone()
    else:
        assert answer.status_code == 400
        assert scene.jobs() == []


@pytest.mark.parametrize(
    "page",
    [
        *("api/slurmhub/status", "slurmhub/script", "slurmhub/cancel"),
        *("slurmhub/waiting", "slurmhub/switch"),
    ],
)
def test_our_own_addresses_take_no_hostile_name(scene: Scene, page: str) -> None:
    method = "POST" if page.endswith(("cancel", "switch")) else "GET"
    names = [quote(value[:300], safe="") for value in VALUES[::2]]
    for name in names:
        # A server of her own, a person, and a person whose name pretends to be her server.
        for path in (f"alice/{name}", name, f"alice%2F{name}", f"{name}/{name}"):
            url = f"{scene.hub.url}/hub/{page}/{path}"
            answer = scene.alice.session.request(
                method, url, headers={"X-XSRFToken": scene.alice.xsrf}, timeout=20
            )
            assert answer.status_code == 404, url
            assert alive_in(answer) == []
            assert "slurmhub:v1" not in answer.text
