"""Servers and GPUs that do nothing: warned, kept by who needs them, ended with a page."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig.hub import HubUnderTest, Visitor, until
from tests.rig.queue import clear, jobs, until_empty

# Minutes and seconds: the shortest that can be told apart on a busy machine.
SETTINGS = """
c.SlurmHubSpawner.idle_policies = {{"": {policy!r}}}
c.SlurmHubSpawner.usage_interval = 15
c.SlurmHubSpawner.prologue += {prologue!r}
"""


@pytest.fixture
def driver(ground: Path) -> str:
    """Shell lines that put a driver of GPUs that do nothing in the way of a job."""
    folder = ground / "driver"
    folder.mkdir(exist_ok=True)
    program = folder / "nvidia-smi"
    program.write_text('#!/bin/sh\nfor n in 0 1 2 3; do echo "$n, GPU-$n, 0, 100"; done\n')
    program.chmod(0o755)
    return f"\nexport PATH={folder}:$PATH\n"


def watched(
    make_hub: HubMaker, cluster: EmbeddedCluster, policy: dict[str, str], prologue: str = ""
) -> HubUnderTest:
    return make_hub(cluster, SETTINGS.format(policy=policy, prologue=prologue))


def warned(who: Visitor) -> dict[str, object]:
    """Wait for the warning; what the status says of it."""
    until(lambda: who.status().get("idle"), what="a warning")
    return dict(who.status()["idle"])


def page_of_its_end(who: Visitor) -> str:
    """What its owner reads, once the proxy leads to the hub again."""
    path = f"/user/{who.name}/lab"
    until(lambda: who.get(path).status_code == 424, what="the page")
    return who.get(path).text


def active(who: Visitor) -> None:
    """What a single-user server tells the hub when somebody works in it."""
    now = (datetime.now(timezone.utc) + timedelta(seconds=1)).isoformat()
    answer = who.session.post(
        f"{who.hub.url}/hub/api/users/{who.name}/activity",
        json={"last_activity": now, "servers": {"": {"last_activity": now}}},
        headers={"X-XSRFToken": who.xsrf, "Referer": f"{who.hub.url}/hub/home"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text


def test_an_idle_server_is_warned_kept_and_ended(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    hub = watched(make_hub, cluster, {"server": "0:12", "warning": "0:06"})
    alice = hub.visitor("alice")
    alice.start(hours=1)
    alice.wait_ready()
    told = warned(alice)
    assert told["kind"] == "server"
    assert "Nobody has used this server" in str(told["why"])
    # Every page of the hub says so, with a button that needs no JavaScript.
    home = alice.get("/hub/home").text
    assert "so that others can have its place" in home
    assert "/hub/slurmhub/keep/alice" in home
    assert alice.post("/hub/slurmhub/keep/alice", {}).status_code == 200
    assert alice.status()["idle"] is None
    warned(alice)
    active(alice)
    until(lambda: alice.status()["idle"] is None, what="the warning taken back")
    assert alice.status()["step"] == "ready"
    ended = alice.wait_for("ended")
    assert ended["kind"] == "idle"
    assert "because nobody used it for" in ended["message"]
    until_empty(cluster)
    page = page_of_its_end(alice)
    assert "Your server was stopped" in page
    assert "because nobody used it for" in page
    assert hub.metric("slurmhub_job_ends_total", '{kind="idle"}') == 1


def test_an_idle_gpu_ends_sooner_than_a_server_in_use(
    make_hub: HubMaker, cluster: EmbeddedCluster, driver: str
) -> None:
    policy = {"server": "10:00", "gpu": "0:20", "warning": "0:05"}
    hub = watched(make_hub, cluster, policy, driver)
    alice, bob = hub.visitor("alice"), hub.visitor("bob")
    alice.start(partition="gpu", cpus=1, gpus=1, gpu_type="h100", hours=1)
    bob.start(partition="cpu", cpus=1, hours=1)
    for who in (alice, bob):
        who.wait_ready()
    active(alice)
    assert "has done nothing for" in str(warned(alice)["why"])
    ended = alice.wait_for("ended")
    assert ended["kind"] == "idle-gpu"
    assert "because its GPU did nothing for" in ended["message"]
    assert "Start without a GPU" in page_of_its_end(alice)
    assert bob.status()["step"] == "ready"
    bob.stop()
    clear(cluster)


def test_a_hub_that_was_away_warns_first(make_hub: HubMaker, cluster: EmbeddedCluster) -> None:
    hub = watched(make_hub, cluster, {"server": "0:20", "warning": "0:15"})
    alice = hub.visitor("alice")
    alice.start(hours=1)
    alice.wait_ready()
    warned(alice)
    hub.stop_hub()
    # Longer than what was left of the server's time when the hub went.
    (job,) = jobs(cluster, "RUNNING")
    until(lambda: _age(cluster, job) > 25, what="the end of its time")
    hub.start_hub()
    alice = hub.visitor("alice")
    assert warned(alice)["kind"] == "server"
    assert alice.status()["step"] == "ready"
    assert alice.wait_for("ended")["kind"] == "idle"
    until_empty(cluster)


def test_mistakes_in_a_policy_stop_the_hub_in_plain_words(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    with pytest.raises(AssertionError) as stopped:
        watched(make_hub, cluster, {"server": "10:00", "warning": "20:00"})
    assert "warns as early as it ends a server" in str(stopped.value)
    assert "Make warning shorter" in str(stopped.value)


def _age(cluster: EmbeddedCluster, job_id: int) -> int:
    """For how many seconds a job has run, as Slurm counts."""
    minutes, _, seconds = cluster.run(
        "squeue", "--noheader", "--format=%M", f"--jobs={job_id}"
    ).rpartition(":")
    return 60 * int(minutes or 0) + int(seconds)
