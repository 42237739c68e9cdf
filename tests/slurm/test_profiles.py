"""Profiles, presets and links on a real hub: by form, link and REST, for each kind of server."""

from __future__ import annotations

import html
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig.hub import PASSWORD, HubUnderTest, Visitor, until
from tests.rig.queue import clear, jobs

PROFILES: list[dict[str, Any]] = [
    {
        "name": "course-lab",
        "title": {"en": "Course lab", "fr": "Travaux pratiques"},
        "words": {"en": "For the exercises.", "fr": "Pour les exercices."},
        "picture": "course.svg",
        "fields": {
            "partition": "cpu",
            "cpus": {"min": 1, "max": 4, "default": 2},
            "memory": {"choices": ["1", "2"]},
            "hours": 1,
        },
    },
    {
        "name": "one-gpu",
        "title": "One GPU, two hours",
        "picture": "gpu",
        "groups": ["gpu-users"],
        "fields": {"partition": "gpu", "gpus": 1, "hours": 2, "cpus": 2},
    },
    {"name": "nowhere", "title": "Of another cluster", "fields": {"partition": "gone"}},
]
SETTINGS = f"""
c.SlurmHubSpawner.profiles = {PROFILES!r}
c.SlurmHubSpawner.profile_pictures = "pictures"
c.SlurmHubSpawner.everything = ["researchers"]
c.JupyterHub.load_groups = {{
    "gpu-users": {{"users": ["alice"]}}, "researchers": {{"users": ["alice"]}}
}}
"""
LAB = {"profile": "course-lab"}
GIVEN = {
    "profile": "course-lab",
    "partition": "cpu",
    "cpus": 2,
    "memory": "1024M",
    "gpu_type": "",
    "gpus": 0,
    "hours": "01:00:00",
}


@pytest.fixture(scope="module")
def hub(make_shared_hub: HubMaker, cluster: EmbeddedCluster, ground: Path) -> HubUnderTest:
    """A hub with profiles; alice is in both groups, bob in none."""
    pictures = ground / "pictures"
    pictures.mkdir()
    (pictures / "course.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    return make_shared_hub(cluster, SETTINGS.replace('"pictures"', repr(str(pictures))))


@pytest.fixture(autouse=True)
def _nothing_is_left(cluster: EmbeddedCluster) -> Iterator[None]:
    yield
    clear(cluster)


def asked(cluster: EmbeddedCluster) -> dict[str, str]:
    """What Slurm holds of the one job there is."""
    text = cluster.run("squeue", "-h", "--all", "--format=%P|%C|%m|%l|%b")
    names = ("partition", "cpus", "memory", "time", "gres")
    return dict(zip(names, text.strip().split("|"), strict=True))


def stop(visitor: Visitor, server: str = "") -> None:
    visitor.stop(server)
    visitor.wait_for("ended", server)


def read(answer: requests.Response) -> str:
    """A page as a browser reads it: its charset is named inside of it."""
    return answer.content.decode()


def field(page: str, name: str) -> str:
    """The tag of a field of the page, unescaped."""
    tags = re.findall(rf'<(?:input|select)[^>]*\bname="{re.escape(name)}"[^>]*>', page)
    (shown,) = [tag for tag in tags if 'type="hidden"' not in tag]
    return html.unescape(shown)


def cards(page: str) -> list[str]:
    """The profiles whose cards are on a page."""
    return re.findall(r'data-slurmhub-section="([^"]+)"', page)


@pytest.mark.parametrize("server", ["", "work"], ids=["default", "named"])
def test_rest_starts_a_profile(hub: HubUnderTest, cluster: EmbeddedCluster, server: str) -> None:
    bob = hub.visitor("bob")
    assert bob.start(server, profile="course-lab", cpus=3).status_code in (201, 202)
    bob.wait_ready(server)
    assert asked(cluster) == {
        "partition": "cpu",
        "cpus": "3",
        "memory": "1G",
        "time": "1:00:00",
        "gres": "N/A",
    }
    stop(bob, server)


@pytest.mark.parametrize("server", ["", "refused"], ids=["default", "named"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (LAB | {"hours": 8}, "hours = “8”: With “Course lab” this is 1, and cannot be changed."),
        (LAB | {"cpus": 5}, "cpus = “5”: With “Course lab” this is at most 4. (limit: 4)"),
        (LAB | {"memory": "8"}, "one of a few values. (choices: 1, 2)"),
        ({"profile": "one-gpu"}, "There is no such profile for you to choose."),
        ({"profile": "none"}, "There is no such profile for you to choose."),
        ({"cpus": 1}, "Choose one of the profiles. (choices: course-lab, nowhere)"),
        ({"profile": "nowhere"}, "There is no such partition to choose."),
    ],
)
def test_rest_refuses_what_the_profile_does_not_allow(
    hub: HubUnderTest, cluster: EmbeddedCluster, server: str, options: Any, said: str
) -> None:
    answer = hub.visitor("bob").start(server, **options)
    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert not jobs(cluster)


def test_groups_decide(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice, bob = hub.visitor("alice"), hub.visitor("bob")
    assert cards(read(alice.get("/hub/spawn"))) == ["course-lab", "one-gpu"]
    assert cards(read(bob.get("/hub/spawn"))) == ["course-lab"]
    assert 'id="slurmhub-everything"' in read(alice.get("/hub/spawn"))
    assert 'id="slurmhub-everything"' not in read(bob.get("/hub/spawn"))
    alice.start(profile="one-gpu")
    alice.wait_ready()
    assert asked(cluster)["gres"].endswith("gpu:h100:1")
    stop(alice)
    # Who leaves a group has lost what it allowed, also as the last accepted options.
    admin = hub.visitor("admin")
    assert admin.api("DELETE", "/groups/gpu-users/users", {"users": ["alice"]}).ok
    try:
        assert alice.start(profile="one-gpu").status_code == 400
        assert cards(read(alice.get("/hub/spawn"))) == ["course-lab"]
    finally:
        assert admin.api("POST", "/groups/gpu-users/users", {"users": ["alice"]}).ok


@pytest.mark.parametrize("server", ["", "work"], ids=["default", "named"])
def test_a_card_of_the_form(hub: HubUnderTest, cluster: EmbeddedCluster, server: str) -> None:
    bob = hub.visitor("bob")
    path = f"/hub/spawn/bob{f'/{server}' if server else ''}"
    refused = bob.post(
        path, {"card": "course-lab", "course-lab.cpus": "7", "course-lab.memory": "2"}
    )
    assert refused.status_code == 400
    assert 'value="7"' in field(read(refused), "course-lab.cpus")
    assert 'aria-invalid="true"' in field(read(refused), "course-lab.cpus")
    assert "With “Course lab” this is at most 4." in read(refused)
    assert re.search(r'<option value="2" selected>', read(refused))
    assert not jobs(cluster)
    # The form's button says which card; what stands in another section is not looked at.
    form = {"card": "course-lab", "course-lab.cpus": "1", "cpus": "800", "one-gpu.cpus": "x"}
    answer = bob.post(path, form, allow_redirects=False)
    assert answer.status_code == 302
    bob.wait_ready(server)
    assert asked(cluster)["cpus"] == "1"
    stop(bob, server)
    assert 'value="1"' in field(read(bob.get(path)), "course-lab.cpus"), "what was accepted last"


def test_the_enter_key_alone_starts_nothing(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    bob = hub.visitor("bob")
    answer = bob.post("/hub/spawn/bob", {"card": "", "course-lab.cpus": "3"})
    assert answer.status_code == 400
    assert "Press the Start button of what you want to start." in read(answer)
    assert 'value="3"' in field(read(answer), "course-lab.cpus")
    assert not jobs(cluster)


def test_a_link_names_a_profile(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice = hub.visitor("alice")
    for query in ("?profile=course-lab&cpus=4", "?opt-profile=course-lab&opt-cpus=4"):
        page = read(alice.get(f"/hub/spawn{query}"))
        assert 'value="4"' in field(page, "course-lab.cpus"), query
        assert "slurmhub-card-problems" not in page.partition("<body")[2]
    page = read(alice.get("/hub/spawn?profile=course-lab&cpus=9&hours=3"))
    assert 'value="9"' in field(page, "course-lab.cpus")
    assert "this is at most 4." in page
    page = read(alice.get("/hub/spawn?profile=gone&cpus=3"))
    assert "There is no such profile for you to choose. It was left out." in page
    assert not jobs(cluster)


def test_the_last_profile_is_kept_over_a_restart(
    hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    bob = hub.visitor("bob")
    bob.start(profile="course-lab", cpus=4, memory="2")
    bob.wait_ready()
    hub.restart(signal.SIGKILL)
    until(lambda: bob.status().get("step") == "ready", what="the server after the restart")
    stop(bob)
    page = read(bob.get("/hub/spawn"))
    assert 'value="4"' in field(page, "course-lab.cpus")
    # Who says nothing gets it again.
    assert bob.start().status_code in (201, 202)
    bob.wait_ready()
    assert asked(cluster)["cpus"] == "4"
    assert asked(cluster)["memory"] == "2G"


def test_presets_are_kept_for_oneself(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice, bob = hub.visitor("alice"), hub.visitor("bob")
    options = {"profile": "course-lab", "cpus": "3"}
    answer = alice.post("/hub/slurmhub/presets", {**options, "preset": "Été <b>", "page": "alice"})
    assert "Your preset is kept." in read(answer)
    assert urlsplit(answer.url).path == "/hub/spawn"
    assert 'value="3"' in field(read(answer), "course-lab.cpus")
    assert "Été &lt;b&gt;" in read(answer)
    link = html.unescape(re.findall(r'href="(/hub/spawn\?profile=[^"]+)"', read(answer))[0])
    assert parse_qs(urlsplit(link).query) == {"profile": ["course-lab"], "cpus": ["3"]}
    assert "Été" not in read(bob.get("/hub/spawn"))
    # Nor does bob delete it.
    bob.post("/hub/slurmhub/presets/delete", {"preset": "Été <b>"})
    hub.restart()
    assert "Été &lt;b&gt;" in read(alice.get("/hub/spawn"))
    answer = alice.post("/hub/slurmhub/presets/delete", {"preset": "Été <b>", "page": "alice"})
    assert "Your preset is deleted." in read(answer)
    assert "Été" not in read(answer)
    assert not jobs(cluster)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"preset": " ", "cpus": "2"}, "Give the preset a name."),
        ({"preset": "x" * 65, "cpus": "2"}, "give at most 64 characters"),
        ({"preset": "a\u202eb", "cpus": "2"}, "characters that cannot be seen"),
        ({"preset": "a", "cpus": "many"}, "Write a whole number of CPUs"),
        ({"preset": "a"}, "There is nothing to keep"),
    ],
)
def test_a_preset_that_is_not_kept_comes_back(
    hub: HubUnderTest, form: dict[str, str], said: str
) -> None:
    alice = hub.visitor("alice")
    answer = alice.post("/hub/slurmhub/presets", {**form, "page": "alice/work"})
    assert urlsplit(answer.url).path == "/hub/spawn/alice/work"
    assert said in read(answer)
    assert 'id="slurmhub-presets"' not in read(answer)
    if "cpus" in form:
        assert f'value="{form["cpus"]}"' in field(read(answer), "cpus")


def test_a_link_for_others(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice, bob = hub.visitor("alice"), hub.visitor("bob")
    form = {"share": "course-lab", "course-lab.cpus": "4", "course-lab.memory": "2", "cpus": "8"}
    answer = alice.post("/hub/slurmhub/share?page=alice/work", form)
    assert urlsplit(answer.url).path == "/hub/spawn/alice/work"
    assert "_xsrf" not in answer.url
    link = html.unescape(
        re.findall(r'id="slurmhub-link" readonly value="([^"]+)"', read(answer))[0]
    )
    wanted = {"profile": ["course-lab"], "cpus": ["4"], "memory": ["2"]}
    assert parse_qs(urlsplit(link).query) == wanted
    assert link.startswith(f"{hub.url}/hub/spawn?")
    seen = bob.get(link.removeprefix(hub.url))
    assert 'value="4"' in field(read(seen), "course-lab.cpus")
    assert not jobs(cluster)


def test_the_words_and_pictures(hub: HubUnderTest) -> None:
    bob = hub.visitor("bob")
    french = read(bob.get("/hub/spawn", headers={"Accept-Language": "fr-CA"}))
    assert "Travaux pratiques" in french
    assert "Pour les exercices." in french
    picture = bob.get("/hub/slurmhub/pictures/course.svg")
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert "sandbox" in picture.headers["Content-Security-Policy"]
    assert 'src="/hub/slurmhub/pictures/course.svg" alt=""' in french
    for name in ("gpu", "none.svg", "..%2Fjupyterhub_config.py", "course.svg%00"):
        assert bob.get(f"/hub/slurmhub/pictures/{name}").status_code == 404
    anybody = requests.get(
        f"{hub.url}/hub/slurmhub/pictures/course.svg", allow_redirects=False, timeout=10
    )
    assert anybody.status_code == 302


def test_hidden_fields_have_their_defaults(make_hub: HubMaker, cluster: EmbeddedCluster) -> None:
    hub = make_hub(cluster, "c.SlurmHubSpawner.hidden_fields = ['hours', 'memory']")
    alice = hub.visitor("alice")
    before, _, _ = read(alice.get("/hub/spawn")).partition(' for="slurmhub-hours"')
    assert re.search(r'<div class="col-12" hidden>\s*<label class="form-label"$', before)
    refused = alice.start(cpus=2, hours=3)
    assert refused.status_code == 400
    assert "hours = “3”: This is 1 here, and cannot be changed." in refused.json()["message"]
    assert alice.start(cpus=2, hours=1).status_code in (201, 202)
    alice.wait_ready()
    stop(alice)
    # The page has the fields for its script; what stands in them was not asked for.
    page = {"cpus": "3", "hours": "7", "memory": "1", "partition": "cpu"}
    assert alice.post("/hub/spawn/alice", page, allow_redirects=False).status_code == 302
    alice.wait_ready()
    assert asked(cluster)["cpus"] == "3"
    assert (asked(cluster)["time"], asked(cluster)["memory"]) == ("1:00:00", "2G")


def test_a_mistake_stops_the_hub_at_its_start(make_hub: HubMaker, cluster: EmbeddedCluster) -> None:
    wrong = [{"name": "Lab", "title": "Lab", "fields": {"cpus": 0, "hours": {"max": "long"}}}]
    settings = f"c.SlurmHubSpawner.profiles = {wrong!r}\nc.SlurmHubSpawner.hidden_fields = ['x']"
    with pytest.raises(AssertionError) as caught:
        make_hub(cluster, settings)
    log = str(caught.value)
    assert "This hub cannot start. The settings of the profiles cannot be used:" in log
    for said in ("name is Lab", "field cpus is 0", "field hours is long", "hidden_fields: x"):
        assert said in log


def test_nobody_is_asked_to_sign_in_twice(hub: HubUnderTest) -> None:
    """A link survives the sign-in of somebody who is not signed in yet."""
    session = requests.Session()
    first = session.get(f"{hub.url}/hub/spawn?profile=course-lab&cpus=4", timeout=20)
    action = html.unescape(re.findall(r'action="([^"]*login[^"]*)"', read(first))[0])
    token = re.findall(r'name="_xsrf" value="([^"]+)"', read(first))[0]
    data = {"username": "mallory", "password": PASSWORD, "_xsrf": token}
    page = session.post(hub.url + action, data=data, timeout=20)
    assert 'value="4"' in field(read(page), "course-lab.cpus")
