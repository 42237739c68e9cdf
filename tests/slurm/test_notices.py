"""Notices by REST on a hub with a real cluster: who may write them, and what they hold up."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig import queue
from tests.rig.hub import HubUnderTest, Visitor, until

PATH = "/slurmhub/notices"


@pytest.fixture(scope="module")
def hub(make_shared_hub: HubMaker, cluster: EmbeddedCluster) -> HubUnderTest:
    """One hub for all tests here."""
    return make_shared_hub(cluster)


@pytest.fixture
def admin(hub: HubUnderTest, cluster: EmbeddedCluster) -> Iterator[Visitor]:
    """An operator, after whom no notice and no job is left."""
    visitor = hub.visitor("admin")
    yield visitor
    for notice in visitor.api("GET", PATH).json():
        visitor.api("DELETE", f"{PATH}/{notice['id']}")
    queue.clear(cluster)


def announce(admin: Visitor, text: str, **values: object) -> int:
    answer = admin.api("POST", PATH, {"texts": {"en": text}, **values})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def test_only_operators_write_notices(hub: HubUnderTest, admin: Visitor) -> None:
    number = announce(admin, "Hello")
    alice = hub.visitor("alice")
    for method, path in (("GET", PATH), ("POST", PATH), ("PATCH", f"{PATH}/{number}")):
        assert alice.api(method, path, {"texts": {"en": "x"}}).status_code == 403, method
    assert alice.api("DELETE", f"{PATH}/{number}").status_code == 403
    form = {"action": "remove", "id": str(number)}
    assert alice.post("/hub/slurmhub/notices", form).status_code == 403
    bare = requests.get(f"{hub.url}/hub/api{PATH}", timeout=10)
    assert bare.status_code == 403
    # Another site's form has no token of ours.
    forged = admin.session.post(f"{hub.url}/hub/slurmhub/notices", data=form, timeout=10)
    assert forged.status_code == 403
    assert [one["id"] for one in admin.api("GET", PATH).json()] == [number]


def test_wrong_notices_are_refused_in_words(admin: Visitor) -> None:
    wrong: list[object] = [{"texts": {}}, {"words": "x"}, {"texts": {"en": "x"}, "until": "now"}]
    for body in [*wrong, []]:
        answer = admin.api("POST", PATH, body)
        assert answer.status_code == 400, body
        assert len(answer.json()["message"]) > 20
    assert admin.api("PATCH", f"{PATH}/99", {}).status_code == 404
    assert admin.api("DELETE", f"{PATH}/99").status_code == 404


def test_draining_refuses_new_servers_and_spares_the_others(
    hub: HubUnderTest, admin: Visitor, cluster: EmbeddedCluster
) -> None:
    alice, bob = hub.visitor("alice"), hub.visitor("bob")
    assert alice.start(hours=1).status_code in (201, 202)
    alice.wait_ready()
    number = announce(admin, "The cluster is repaired.", drains=True)
    refused = bob.start(hours=1)
    assert refused.status_code == 400
    assert "The cluster is repaired." in refused.json()["message"]
    assert bob.status()["step"] == "none"
    assert alice.status()["step"] == "ready"
    # It ends when it was to end, without anybody doing anything.
    admin.api("PATCH", f"{PATH}/{number}", {"until": time.time()})
    assert bob.start(hours=1).status_code in (201, 202)
    bob.wait_ready()


def test_a_draining_partition_keeps_those_who_wait(
    hub: HubUnderTest, admin: Visitor, cluster: EmbeddedCluster
) -> None:
    alice, bob = hub.visitor("alice"), hub.visitor("bob")
    with queue.full(cluster):
        assert alice.start("other", partition="gpu", hours=1).status_code == 202
        alice.wait_for("queued", "other")
        announce(admin, "New cooling.", partition="gpu", drains=True)
        assert dict(alice.status("other")["facts"])["Announcement"] == "New cooling."
        assert bob.start("other", partition="gpu", hours=1).status_code == 400
        # A hub that comes back still knows, and takes up who waits.
        hub.restart()
        assert bob.start("other", partition="gpu", hours=1).status_code == 400
        assert alice.wait_for("queued", "other")["step"] == "queued"
        alice.start("other", partition="gpu", hours=1)
        assert len(queue.jobs(cluster, "PENDING")) == 1
    alice.wait_ready("other")
    assert bob.start("other", partition="cpu", hours=1).status_code in (201, 202)


def test_a_partition_that_there_is_not_is_refused(admin: Visitor, hub: HubUnderTest) -> None:
    values = {"texts": {"en": "Cooling."}, "partition": "gqu", "drains": True}

    def refused() -> bool:
        answer = admin.api("POST", PATH, values)
        for notice in admin.api("GET", PATH).json():
            admin.api("DELETE", f"{PATH}/{notice['id']}")
        return answer.status_code == 400 and "cpu, gpu" in answer.text

    # A hub that does not know the cluster yet takes what it is told.
    until(refused, what="the refusal of a partition with a wrong letter")
    page = admin.post("/hub/slurmhub/notices", {"action": "add", "text_en": "A", "partition": "x"})
    assert page.status_code == 400
    assert "There is no such partition on this cluster." in page.text
    assert "Choose among: " in page.text
    number = announce(admin, "Cooling.", partition="gpu")
    assert admin.api("PATCH", f"{PATH}/{number}", {"partition": "gqu"}).status_code == 400
