"""What somebody who waits is told, by a real Slurm: place, plan, estimates, and at what price."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from slurmhub.slurm.client import SlurmClient
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig.hub import Visitor, until
from tests.rig.queue import clear, full

WANTED = {"partition": "cpu", "cpus": "2", "memory": "1", "hours": "1"}


@pytest.fixture(autouse=True)
def _tidy(make_hub: HubMaker, cluster: EmbeddedCluster) -> Iterator[None]:
    yield
    clear(cluster)


def estimate(person: Visitor, **options: str) -> dict[str, Any]:
    """What the form would be told of these options, once it is known."""
    found: dict[str, Any] = {}

    def told() -> bool:
        query = "&".join(f"{name}={value}" for name, value in {**WANTED, **options}.items())
        answer = person.api("GET", f"/slurmhub/estimate/{person.name}?{query}")
        assert answer.status_code == 200, answer.text
        found.update(answer.json())
        # A hub that has just started does not know the cluster.
        return found["state"] != "asked" and "has not yet told" not in found["message"]

    until(told, what="an estimate")
    return found


def in_the_queue(hub: Any, cluster: EmbeddedCluster) -> Visitor:
    """Alice waits behind two jobs of another person."""
    for _ in range(2):
        cluster.run(
            *("sbatch", "--parsable", "--partition=cpu", "--nodes=2", "--exclusive"),
            *("--time=10", "--chdir=/", "--output=/dev/null", "--wrap=sleep 9"),
        )
    alice: Visitor = hub.visitor("alice")
    alice.start(partition="cpu", cpus=2, memory="1G", hours=1)
    alice.wait_for("queued")
    return alice


def test_an_estimate_says_how_long_one_would_wait(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    alice = make_hub(cluster).visitor("alice")
    found = estimate(alice)
    assert (found["state"], found["message"]) == ("known", "It could start now.")
    with full(cluster):
        # Another shape, for the first is known for a minute.
        found = estimate(alice, hours="2")
        assert found["state"] == "known"
        assert 1200 < found["wait"] <= 1800
        assert found["message"].startswith("It could start in about 2")
    refused = estimate(alice, cpus="99")
    assert refused["state"] == "refused"
    assert "at most" in refused["message"]


def test_estimates_are_for_the_person_alone(make_hub: HubMaker, cluster: EmbeddedCluster) -> None:
    hub = make_hub(cluster)
    alice, mallory = hub.visitor("alice"), hub.visitor("mallory")
    alice.start(partition="cpu", hours=1)
    alice.wait_ready()
    assert mallory.api("GET", "/slurmhub/estimate/alice?cpus=1").status_code in (403, 404)
    assert mallory.get("/hub/slurmhub/waiting/alice").status_code in (403, 404)
    answer = mallory.post("/hub/slurmhub/switch/alice", WANTED, allow_redirects=False)
    assert answer.status_code in (403, 404)


async def test_many_who_look_ask_slurm_no_more_than_one(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    hub = make_hub(cluster)
    client = SlurmClient(cluster.bin_dir, cluster.conf)
    with full(cluster):
        alice = in_the_queue(hub, cluster)
        await client.reset_rpc_counts()
        for _ in range(150):
            status = await asyncio.to_thread(alice.status)
            await asyncio.sleep(0.05)
        assert status["before"] == 2
        counts = await client.rpc_counts()
    # The shape itself and those near it, once each; the form's own is one of them.
    assert 0 < counts.get("REQUEST_JOB_WILL_RUN", 0) <= 6, counts


def test_who_waits_is_told_the_place_and_the_plan(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    hub = make_hub(cluster)
    with full(cluster):
        alice = in_the_queue(hub, cluster)
        until(lambda: alice.status()["before"] == 2, what="the place")
        facts = dict(alice.status()["facts"])
        assert facts["Place in the queue"] == "2 jobs are before yours in partition cpu"
        assert facts["Slurm's reason"] in ("Priority", "Resources", "None")
        page = alice.get("/hub/spawn-pending/alice").text
        assert "2 jobs are before yours in partition cpu" in page
