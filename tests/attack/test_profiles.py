"""Hostile options for profiles, hostile names of presets, links and pages of other sites."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
import requests

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.attack.hostile import VALUES, alive_in, control_characters
from tests.attack.test_cross_site import EVIL
from tests.conftest import HubMaker
from tests.rig.hub import HubUnderTest
from tests.rig.queue import jobs


@pytest.fixture(scope="module")
def hub(make_shared_hub: HubMaker, cluster: EmbeddedCluster) -> HubUnderTest:
    """A hub whose profiles are those above, but for everything, which is for all."""
    profiles = [
        {"name": "lab", "title": "Lab <b>", "words": "{{ 7*7 }}", "fields": {"cpus": {"max": 2}}},
        {"name": "staff", "title": "Staff", "groups": ["staff"], "fields": {"cpus": "free"}},
    ]
    return make_shared_hub(cluster, f"c.SlurmHubSpawner.profiles = {profiles!r}")


@pytest.mark.parametrize("value", VALUES, ids=lambda value: ascii(value)[:24])
def test_names_and_values_stay_text(
    hub: HubUnderTest, cluster: EmbeddedCluster, value: str
) -> None:
    alice = hub.visitor("alice")
    log_before = len(hub.log)
    queries = [
        {"profile": value},
        {"profile": "lab", "cpus": value},
        {"profile": "lab", value[:200]: "1"},
        {"profile": "lab", "cpus": "2", "share": "1", "preset": value, "note": value},
        {"note": value},
    ]
    for query in queries:
        short = {name: text[:1000] for name, text in query.items()}
        answer = alice.get(f"/hub/spawn?{urlencode(short)}")
        assert answer.status_code == 200, query
        assert alive_in(answer) == [], query
    forms: list[tuple[str, dict[str, str]]] = [
        ("/hub/slurmhub/presets", {"preset": value, "profile": "lab", "cpus": "2"}),
        ("/hub/slurmhub/presets", {"preset": "mine", "profile": value, "cpus": value}),
        ("/hub/slurmhub/presets/delete", {"preset": value}),
        ("/hub/slurmhub/share", {"share": value, "cpus": value, f"{value}.cpus": value}),
        ("/hub/slurmhub/share", {"share": "", "partition": value, "hours": value}),
        ("/hub/spawn", {"card": value, f"{value}.cpus": "1"}),
        ("/hub/spawn", {"card": "lab", "lab.cpus": value}),
    ]
    for path, form in forms:
        answer = alice.post(path, form)
        # A refused start is 400; what is no form at all is refused by JupyterHub.
        assert answer.status_code in (200, 400), (path, form)
        assert alive_in(answer) == [], (path, form)
    page = alice.get("/hub/spawn")
    assert alive_in(page) == []
    assert "49" not in re.findall(r'<p class="mb-2 text-break">([^<]*)</p>', page.text)
    assert control_characters(hub.log[log_before:]) <= {"\t"}
    assert not jobs(cluster)


@pytest.mark.parametrize(
    "page",
    [
        "//evil.example",
        "/evil.example",
        "https://evil.example",
        "..",
        "../logout",
        "alice/..",
        "alice/../../api",
        "alice\r\nSet-Cookie: a=b",
        "alice?next=https://evil.example",
        "alice#x",
        "\\\\evil.example",
        "a" * 5000,
    ],
)
def test_one_is_led_nowhere_else(hub: HubUnderTest, page: str) -> None:
    alice = hub.visitor("alice")
    for path, form in (
        ("presets", {"preset": "x", "cpus": "1"}),
        ("presets/delete", {"preset": "x"}),
        (f"share?page={quote(page)}", {"share": ""}),
    ):
        answer = alice.post(f"/hub/slurmhub/{path}", {**form, "page": page}, allow_redirects=False)
        assert answer.status_code == 303
        assert urlsplit(answer.headers["Location"]).netloc == ""
        assert urlsplit(answer.headers["Location"]).path == "/hub/spawn"
        assert "Set-Cookie" not in answer.headers.get("Location", "")


@pytest.mark.parametrize("path", ["presets", "presets/delete", "share"])
def test_a_page_of_another_site_keeps_and_deletes_nothing(hub: HubUnderTest, path: str) -> None:
    alice, mallory = hub.visitor("alice"), hub.visitor("mallory")
    alice.post("/hub/slurmhub/presets", {"preset": "mine", "cpus": "1"})
    lured = requests.Session()
    lured.cookies.update(alice.session.cookies)
    lured.headers.update(EVIL)
    for token in ("", mallory.xsrf):
        body = {"preset": "mine", "cpus": "2", "_xsrf": token}
        answer = lured.post(f"{hub.url}/hub/slurmhub/{path}", data=body, timeout=20)
        assert answer.status_code == 403
    nobody = requests.post(f"{hub.url}/hub/slurmhub/{path}", data={}, timeout=20)
    assert nobody.status_code == 403
    assert alice.get(f"/hub/slurmhub/{path}").status_code == 405
    assert 'href="/hub/spawn?cpus=1"' in html.unescape(alice.get("/hub/spawn").text)


def test_presets_of_others_are_out_of_sight_and_reach(hub: HubUnderTest) -> None:
    alice, mallory, admin = (hub.visitor(name) for name in ("alice", "mallory", "admin"))
    alice.post("/hub/slurmhub/presets", {"preset": "alices own", "cpus": "1"})
    for other in (mallory, admin):
        other.post("/hub/slurmhub/presets/delete", {"preset": "alices own", "user_name": "alice"})
        other.post("/hub/slurmhub/presets", {"preset": "planted", "cpus": "9", "page": "alice"})
        assert "alices own" not in other.get("/hub/spawn").text
    # Also where somebody may start servers of others.
    assert "alices own" not in admin.get("/hub/spawn/alice").text
    page = alice.get("/hub/spawn").text
    assert "alices own" in page
    assert "planted" not in page


def test_a_link_cannot_promise_what_a_profile_does_not_give(
    hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    alice = hub.visitor("alice")
    tries: list[dict[str, Any]] = [
        {"profile": "lab", "cpus": 8},
        {"profile": "staff", "cpus": 8},
        {"profile": ["lab", "staff"]},
        {"profile": {"name": "lab"}},
        {"profile": "lab", "lab.cpus": 8},
        {"card": "lab", "lab.cpus": 8},
    ]
    for options in tries:
        assert alice.start(**options).status_code == 400, options
    assert not jobs(cluster)
