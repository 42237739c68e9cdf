"""The hub dies and comes back at every step of a server's life: nothing is lost or doubled."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig.hub import until
from tests.rig.queue import clear, full, jobs, until_empty

SIGNALS = [signal.SIGTERM, signal.SIGKILL]


@pytest.fixture(autouse=True)
def _tidy(make_hub: HubMaker, cluster: EmbeddedCluster) -> Iterator[None]:
    yield
    # While the hubs still run: jobs would wait long for one that is gone, to tell it their end.
    clear(cluster)


def slow(cluster: EmbeddedCluster, folder: Path, program: str, seconds: float) -> str:
    """Slurm's commands, one of which takes its time before it does its work."""
    folder.mkdir(exist_ok=True)
    for name in ("sbatch", "squeue", "sinfo", "scontrol", "scancel"):
        place = folder / name
        place.unlink(missing_ok=True)
        if name == program:
            place.write_text(f'#!/bin/sh\nsleep {seconds}\nexec {cluster.bin_dir}/{name} "$@"\n')
            place.chmod(0o755)
        else:
            place.symlink_to(cluster.bin_dir / name)
    return f"c.SlurmHubSpawner.slurm_bin_dir = {str(folder)!r}\n"


@pytest.mark.parametrize("number", SIGNALS)
def test_running_servers_go_on(
    make_hub: HubMaker, cluster: EmbeddedCluster, number: signal.Signals
) -> None:
    hub = make_hub(cluster)
    alice = hub.visitor("alice")
    for server in ("", "lab"):
        alice.start(server, hours=1)
    before = {server: alice.wait_ready(server)["job_id"] for server in ("", "lab")}
    hub.stop_hub(number)
    assert alice.asks_server()["job"] == str(before[""])
    hub.start_hub()
    for server, job_id in before.items():
        assert alice.wait_ready(server)["job_id"] == job_id
        assert alice.asks_server(server)["job"] == str(job_id)
        assert alice.stop(server).status_code in (202, 204)
    until_empty(cluster)


@pytest.mark.parametrize("number", SIGNALS)
def test_who_waits_keeps_the_place_and_a_page_that_works(
    make_hub: HubMaker, cluster: EmbeddedCluster, number: signal.Signals
) -> None:
    hub = make_hub(cluster)
    alice = hub.visitor("alice")
    with full(cluster):
        for server in ("", "lab"):
            alice.start(server, partition="cpu", hours=1)
        before = {server: alice.wait_for("queued", server)["job_id"] for server in ("", "lab")}
        hub.stop_hub(number)
        began = time.monotonic()
        hub.start_hub()
        assert time.monotonic() - began < 15, "a waiting job held up the hub's start"
        for server, job_id in before.items():
            assert alice.wait_for("queued", server)["job_id"] == job_id
        page = alice.get("/hub/spawn-pending/alice")
        assert page.status_code == 200
        assert "waits in the queue" in page.text
        assert sorted(before.values()) == sorted(jobs(cluster, "PENDING"))
    for server, job_id in before.items():
        assert alice.wait_ready(server)["job_id"] == job_id
        assert alice.asks_server(server)["job"] == str(job_id)
    assert alice.get("/user/alice/api").status_code == 200


def test_a_waiting_server_can_be_cancelled_after_the_restart(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    hub = make_hub(cluster)
    alice = hub.visitor("alice")
    with full(cluster):
        for server in ("", "lab"):
            alice.start(server, partition="cpu", hours=1)
            alice.wait_for("queued", server)
        hub.restart(signal.SIGKILL)
        assert alice.stop("lab").status_code in (202, 204)
        answer = alice.post("/hub/slurmhub/cancel/alice", {})
        assert answer.status_code < 500
        until(lambda: not jobs(cluster, "PENDING"), what="both cancelled")
        for server in ("", "lab"):
            alice.wait_for("ended", server)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_submission_under_way_is_found_again(
    make_hub: HubMaker, cluster: EmbeddedCluster, ground: Path, number: signal.Signals
) -> None:
    hub = make_hub(cluster, slow(cluster, ground / "slow", "sbatch", 1.5))
    alice = hub.visitor("alice")
    alice.start(hours=1)
    assert alice.status()["step"] == "asking"
    hub.stop_hub(number)
    time.sleep(2)
    hub.start_hub()
    ready = alice.wait_ready()
    assert jobs(cluster) == [ready["job_id"]]


def test_a_starting_server_is_taken_up(make_hub: HubMaker, cluster: EmbeddedCluster) -> None:
    hub = make_hub(cluster, 'c.Spawner.environment = {"STUB_LISTENS_AFTER": "6"}\n')
    alice = hub.visitor("alice")
    alice.start(hours=1)
    job_id = alice.wait_for("starting")["job_id"]
    hub.restart(signal.SIGKILL)
    assert alice.wait_ready()["job_id"] == job_id
    assert alice.asks_server()["job"] == str(job_id)


def test_a_stopping_server_is_stopped(make_hub: HubMaker, cluster: EmbeddedCluster) -> None:
    hub = make_hub(cluster, 'c.Spawner.environment = {"STUB_SAVES_FOR": "5"}\n')
    alice = hub.visitor("alice")
    alice.start(hours=1)
    alice.wait_ready()
    assert alice.stop().status_code == 202
    hub.restart(signal.SIGKILL)
    until_empty(cluster)
    alice.wait_for("ended")
    until(lambda: "/user/alice/" not in hub.routes(), what="the route's end")
    alice.start(hours=1)
    alice.wait_ready()


def test_a_job_that_ended_meanwhile_is_noticed(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    hub = make_hub(cluster)
    alice = hub.visitor("alice")
    alice.start(hours=1)
    job_id = alice.wait_ready()["job_id"]
    hub.stop_hub(signal.SIGKILL)
    cluster.run("scancel", str(job_id))
    until_empty(cluster)
    hub.start_hub()
    alice.wait_for("ended")
    until(lambda: "/user/alice/" not in hub.routes(), what="the route's end")


def test_a_job_requeued_meanwhile_is_not_trusted_at_its_old_place(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    hub = make_hub(cluster)
    alice = hub.visitor("alice")
    alice.start(hours=1)
    job_id = alice.wait_ready()["job_id"]
    old = hub.routes()["/user/alice/"]
    hub.stop_hub(signal.SIGKILL)
    cluster.run("scontrol", "requeuehold", str(job_id))
    until(lambda: jobs(cluster, "PENDING") == [job_id], what="the requeue")
    hub.start_hub()
    until(lambda: hub.routes().get("/user/alice/") != old, what="the old route's end")
    cluster.run("scontrol", "release", str(job_id))
    alice.wait_ready(seconds=200)
    assert alice.asks_server()["restarts"] == "1"


def test_a_lost_hub_database_loses_no_server(make_hub: HubMaker, cluster: EmbeddedCluster) -> None:
    hub = make_hub(cluster)
    alice = hub.visitor("alice")
    alice.start(hours=1)
    job_id = alice.wait_ready()["job_id"]
    hub.stop_hub()
    (hub.folder / "jupyterhub.sqlite").unlink()
    hub.start_hub()
    alice = hub.visitor("alice")
    alice.start(hours=1)
    assert alice.wait_ready()["job_id"] == job_id
    assert alice.asks_server()["job"] == str(job_id)
    assert jobs(cluster) == [job_id]


def test_the_ledger_agrees_with_the_queue(make_hub: HubMaker, cluster: EmbeddedCluster) -> None:
    hub = make_hub(cluster)
    people = [hub.visitor(name) for name in ("alice", "bob", "mallory")]
    for person in people:
        person.start(hours=1)
    for person in people:
        person.wait_ready()
    hub.restart(signal.SIGKILL)
    people[0].stop()
    until(lambda: len(jobs(cluster)) == 2, what="two servers left")

    def open_jobs() -> list[int]:
        with sqlite3.connect(hub.folder / "slurmhub.sqlite") as ledger:
            found = ledger.execute("SELECT job_id FROM slurmhub_intent WHERE confirmed_gone = 0")
            return sorted(row[0] for row in found)

    until(lambda: open_jobs() == sorted(jobs(cluster)), what="one opinion")
