"""A server from the request to its end, on a real cluster."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig.accounts import account
from tests.rig.hub import HubUnderTest, until
from tests.rig.queue import clear, full, jobs, state, until_empty


@pytest.fixture(scope="module")
def hub(make_shared_hub: HubMaker, cluster: EmbeddedCluster) -> HubUnderTest:
    """One hub for this module."""
    return make_shared_hub(cluster)


@pytest.fixture(autouse=True)
def _tidy(hub: HubUnderTest, cluster: EmbeddedCluster) -> Iterator[None]:
    yield
    clear(cluster)


def test_a_server_runs_as_its_owners_job(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice = hub.visitor("alice")
    assert alice.start(partition="cpu", cpus=2, memory="1G", hours=1).status_code in (201, 202)
    status = alice.wait_ready()
    told = alice.asks_server()
    assert told["job"] == str(status["job_id"])
    assert told["user"] == account("alice")
    assert alice.stop().status_code in (202, 204)
    until_empty(cluster)
    assert not [path for path in hub.routes() if path.startswith("/user/")]


def test_two_servers_of_one_person_hold_different_gpus(
    hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    alice = hub.visitor("alice")
    for server in ("one", "two"):
        answer = alice.start(server, partition="gpu", gpus=2, gpu_type="h100", hours=1)
        assert answer.status_code in (201, 202), answer.text
    for server in ("one", "two"):
        alice.wait_ready(server)
    held = [alice.asks_server(server)["gpus"].split(",") for server in ("one", "two")]
    assert sorted(held[0] + held[1]) == ["0", "1", "2", "3"]
    assert alice.stop("one").status_code in (202, 204)
    until(lambda: len(jobs(cluster)) == 1, what="one server left")
    assert alice.asks_server("two")["node"] == "g1"
    alice.stop("two")


def test_a_stopped_server_may_save_first(
    hub: HubUnderTest, cluster: EmbeddedCluster, ground: Path
) -> None:
    alice = hub.visitor("alice")
    alice.start(hours=1)
    job_id = alice.wait_ready()["job_id"]
    alice.stop()
    until_empty(cluster)
    assert (ground / "home" / "alice" / f"saved-{job_id}").read_text() == "saved"


def test_who_waits_is_told_why_and_may_cancel(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice = hub.visitor("alice")
    with full(cluster):
        alice.start(partition="cpu", hours=1)
        status = alice.wait_for("queued")
        until(lambda: "Slurm's reason" in alice.status()["detail"], what="the reason")
        page = alice.get("/hub/spawn-pending/alice")
        assert page.status_code == 200
        assert "waits in the queue" in page.text
        answer = alice.post("/hub/slurmhub/cancel/alice", {})
        assert answer.status_code in (200, 424), answer.status_code
        until(lambda: state(cluster, status["job_id"]) == "CANCELLED", what="the cancel")
        assert alice.wait_for("ended")["message"] == "You stopped this server."


def test_delete_cancels_a_waiting_named_server(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice = hub.visitor("alice")
    with full(cluster):
        alice.start("lab", partition="cpu", hours=1)
        job_id = alice.wait_for("queued", "lab")["job_id"]
        assert alice.stop("lab").status_code in (202, 204)
        until(lambda: state(cluster, job_id) == "CANCELLED", what="the cancel")


def test_a_job_cancelled_from_outside_is_noticed_at_once(
    hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    alice = hub.visitor("alice")
    alice.start(hours=1)
    job_id = alice.wait_ready()["job_id"]
    began = time.monotonic()
    cluster.run("scancel", str(job_id))
    status = alice.wait_for("ended")
    assert time.monotonic() - began < 15
    assert status["message"]
    until(lambda: "/user/alice/" not in hub.routes(), what="the route's end")


def test_a_suspended_server_is_kept(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice = hub.visitor("alice")
    alice.start(hours=1)
    job_id = alice.wait_ready()["job_id"]
    cluster.run("scontrol", "suspend", str(job_id))
    alice.wait_for("paused")
    assert "/user/alice/" in hub.routes()
    cluster.run("scontrol", "resume", str(job_id))
    alice.wait_for("ready")
    assert alice.asks_server()["job"] == str(job_id)
    alice.stop()


def test_the_warning_goes_to_the_hub_and_not_to_the_server(
    hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    alice = hub.visitor("alice")
    alice.start(hours=1)
    job_id = alice.wait_ready()["job_id"]
    cluster.run("scancel", "--batch", "--signal=USR1", str(job_id))
    until(lambda: f"Job {job_id} nears its time limit" in hub.log, what="the warning")
    assert alice.asks_server()["job"] == str(job_id)
    alice.stop()


def test_the_owner_may_read_the_script(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice = hub.visitor("alice")
    alice.start(partition="cpu", cpus=3, memory="1G", hours="30:00")
    alice.wait_ready()
    script = alice.get("/hub/slurmhub/script/alice").text
    assert "#SBATCH --cpus-per-task=3" in script
    assert "#SBATCH --time=30:00\n" in script
    assert "SLURMD_NODENAME" in script
    alice.stop()


def test_a_port_that_another_process_holds_is_not_announced(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    low = 29400
    own = make_hub(cluster, f"c.SlurmHubSpawner.port_range = ({low}, {low + 1})")
    alice = own.visitor("alice")
    with socket.create_server(("0.0.0.0", low)):  # noqa: S104 - as any other program might
        alice.start(hours=1)
        alice.wait_ready()
        assert own.routes()["/user/alice/"].endswith(f":{low + 1}")
        alice.stop()


def test_two_servers_share_a_node_but_never_a_port(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    own = make_hub(cluster, "c.SlurmHubSpawner.port_range = (29400, 29401)")
    people = [own.visitor(name) for name in ("alice", "bob")]
    for person in people:
        person.start(partition="gpu", hours=1)
    for person in people:
        person.wait_ready()
    targets = {target for path, target in own.routes().items() if path.startswith("/user/")}
    assert len(targets) == 2
    for person in people:
        assert person.asks_server()["user"] == account(person.name)
        person.stop()
