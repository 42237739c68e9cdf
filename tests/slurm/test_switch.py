"""Who waits asks for a second job that starts sooner: never two servers, and never none."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from slurmhub.keys import load_key, server_token
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig.hub import HubUnderTest, Visitor, until
from tests.rig.queue import clear, jobs, until_empty

# What alice asks for first, and what she asks for instead.
FIRST = {"partition": "cpu", "hours": "2"}
SECOND = {"partition": "gpu", "cpus": "1", "memory": "1", "hours": "1"}
DIES_IN_GPU = """
c.SlurmHubSpawner.prologue += '\\n[ "$SLURM_JOB_PARTITION" != gpu ] || exit 3\\n'
"""


@pytest.fixture(autouse=True)
def _tidy(make_hub: HubMaker, cluster: EmbeddedCluster) -> Iterator[None]:
    yield
    clear(cluster)


@contextmanager
def taken(cluster: EmbeddedCluster, partition: str, nodes: int) -> Iterator[None]:
    """All nodes of one partition are in use."""
    blocker = int(
        cluster.run(
            *("sbatch", "--parsable", "--exclusive", f"--partition={partition}"),
            *(f"--nodes={nodes}", "--output=/dev/null", "--time=30", "--chdir=/"),
            "--wrap=sleep 900",
        )
    )
    until(lambda: blocker in jobs(cluster, "RUNNING"), what="the blocker to run")
    try:
        yield
    finally:
        cluster.run("scancel", str(blocker))
        until(lambda: blocker not in jobs(cluster), what="the blocker's end")


def waits(hub: HubUnderTest, server: str = "") -> tuple[Visitor, int]:
    """Alice, in the queue of the full partition, and the id of her job."""
    alice = hub.visitor("alice")
    alice.start(server, **FIRST)
    return alice, int(alice.wait_for("queued", server)["job_id"])


def switch(alice: Visitor, server: str = "", **changes: str) -> None:
    """Press the button of a suggestion."""
    path = "/hub/slurmhub/switch/alice" + (f"/{server}" if server else "")
    answer = alice.post(path, {**SECOND, **changes}, allow_redirects=False)
    assert answer.status_code == 302, answer.text[:2000]


def second_of(cluster: EmbeddedCluster, first: int, states: str = "") -> int:
    """The id of the other job, once Slurm has it."""

    def others() -> list[int]:
        found = cluster.run(
            *("squeue", "--noheader", "--format=%i", "--name=jupyter"),
            *([f"--states={states}"] if states else []),
        )
        return [int(line) for line in found.split() if int(line) != first]

    return int(until(others, what="the second job")[0])


def live_intents(hub: HubUnderTest) -> list[tuple[int, str | None]]:
    """What the ledger holds for a server, or for an alternative to one."""
    with sqlite3.connect(hub.folder / "slurmhub.sqlite") as ledger:
        return ledger.execute(
            "SELECT job_id, alternative_to FROM slurmhub_intent "
            "WHERE ended IS NULL AND cancel_requested IS NULL"
        ).fetchall()


def is_the_server(
    hub: HubUnderTest, cluster: EmbeddedCluster, alice: Visitor, job_id: int, server: str = ""
) -> None:
    """The hub, the proxy, the ledger and Slurm are of one mind: this job, and no other."""
    assert alice.wait_ready(server)["job_id"] == job_id
    assert alice.asks_server(server)["job"] == str(job_id)
    until(lambda: set(_of_hub(cluster)) == {job_id}, what="one job")
    assert live_intents(hub) == [(job_id, None)]


def tokens_that_work(hub: HubUnderTest) -> set[int]:
    """The jobs whose server's token the hub takes for their owner's."""
    key = load_key(hub.folder / "slurmhub_key")
    with sqlite3.connect(hub.folder / "slurmhub.sqlite") as ledger:
        asked = ledger.execute("SELECT job_id, nonce FROM slurmhub_intent").fetchall()
    found = set()
    for job_id, nonce in asked:
        headers = {"Authorization": f"token {server_token(key, nonce)}"}
        answer = requests.get(f"{hub.url}/hub/api/user", headers=headers, timeout=10)
        if answer.status_code == 200 and answer.json()["name"] == "alice":
            found.add(job_id)
    return found


def _of_hub(cluster: EmbeddedCluster) -> list[int]:
    return [
        int(line)
        for line in cluster.run("squeue", "--noheader", "--format=%i", "--name=jupyter").split()
    ]


@pytest.mark.parametrize("server", ["", "lab"], ids=["default", "named"])
def test_the_second_starts_first_and_is_the_server(
    make_hub: HubMaker, cluster: EmbeddedCluster, server: str
) -> None:
    hub = make_hub(cluster)
    with taken(cluster, "cpu", 2):
        alice, first = waits(hub, server)
        switch(alice, server)
        second = second_of(cluster, first)
        is_the_server(hub, cluster, alice, second, server)
        assert tokens_that_work(hub) == {second}
        # It is a server like any other: also after a restart, and when it is stopped.
        hub.restart(signal.SIGKILL)
        is_the_server(hub, cluster, alice, second, server)
        assert tokens_that_work(hub) == {second}
        assert alice.stop(server).status_code in (202, 204)
        until(lambda: not _of_hub(cluster), what="no job of the hub")
        alice.wait_for("ended", server)


def test_the_first_starts_first_and_stays_the_server(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    hub = make_hub(cluster)
    with taken(cluster, "gpu", 1):
        with taken(cluster, "cpu", 2):
            alice, first = waits(hub)
            switch(alice)
            second = second_of(cluster, first, "PENDING")
            until(lambda: len(live_intents(hub)) == 2, what="both in the ledger")
            assert {first, second} <= set(jobs(cluster, "PENDING"))
            assert alice.status()["job_id"] == first
        is_the_server(hub, cluster, alice, first)


def test_who_cancels_cancels_both(make_hub: HubMaker, cluster: EmbeddedCluster) -> None:
    hub = make_hub(cluster)
    with taken(cluster, "gpu", 1), taken(cluster, "cpu", 2):
        alice, first = waits(hub)
        switch(alice)
        second_of(cluster, first, "PENDING")
        assert alice.post("/hub/slurmhub/cancel/alice", {}).status_code < 500
        until(lambda: not _of_hub(cluster), what="neither job")
        alice.wait_for("ended")


def test_who_gives_the_second_up_waits_on(make_hub: HubMaker, cluster: EmbeddedCluster) -> None:
    hub = make_hub(cluster)
    with taken(cluster, "gpu", 1):
        with taken(cluster, "cpu", 2):
            alice, first = waits(hub)
            switch(alice)
            second_of(cluster, first, "PENDING")
            # There is one alternative at a time.
            switch(alice, hours="0.5")
            assert "You asked for this as well" in alice.status()["other"]
            alice.post("/hub/slurmhub/switch/alice", {"give_up": "yes"})
            until(lambda: _of_hub(cluster) == [first], what="the first alone")
            assert alice.wait_for("queued")["other"] == ""
        is_the_server(hub, cluster, alice, first)


@pytest.mark.parametrize("how", ["options", "slurm", "dies"])
def test_a_second_that_comes_to_nothing_loses_nothing(
    make_hub: HubMaker, cluster: EmbeddedCluster, how: str
) -> None:
    hub = make_hub(cluster, DIES_IN_GPU if how == "dies" else "")
    with taken(cluster, "cpu", 2):
        alice, first = waits(hub)
        if how == "slurm":
            # The hub's offer is older than this.
            cluster.run("scontrol", "update", "PartitionName=gpu", "State=DRAIN")
        try:
            switch(alice, **({"cpus": "99"} if how == "options" else {}))
            until(lambda: "came to nothing" in alice.status()["other"], what="the page says so")
        finally:
            if how == "slurm":
                cluster.run("scontrol", "update", "PartitionName=gpu", "State=UP")
        assert alice.status()["step"] == "queued"
        until(lambda: _of_hub(cluster) == [first], what="the first alone")
        assert live_intents(hub) == [(first, None)]
    is_the_server(hub, cluster, alice, first)


@pytest.mark.parametrize("moment", ["both wait", "second runs", "first runs", "second ended"])
def test_a_hub_that_is_killed_keeps_to_it(
    make_hub: HubMaker, cluster: EmbeddedCluster, moment: str
) -> None:
    hub = make_hub(cluster)
    with taken(cluster, "gpu", 1), taken(cluster, "cpu", 2):
        alice, first = waits(hub)
        switch(alice)
        second = second_of(cluster, first, "PENDING")
        until(lambda: sorted(job or 0 for job, _ in live_intents(hub)) == [first, second])
        hub.stop_hub(signal.SIGKILL)
        if moment == "both wait":
            hub.start_hub()
            assert alice.wait_for("queued")["job_id"] == first
            assert "You asked for this as well" in alice.status()["other"]
        elif moment == "second ended":
            cluster.run("scancel", str(second))
        _release(cluster, "gpu" if moment in ("both wait", "second runs") else "cpu")
        expected = second if moment in ("both wait", "second runs") else first
        until(lambda: expected in jobs(cluster, "RUNNING"), what="one to run")
        if moment != "both wait":
            hub.start_hub()
        is_the_server(hub, cluster, alice, expected)
    until(lambda: jobs(cluster) == [expected], what="one job")
    alice.stop()
    until_empty(cluster)


def _release(cluster: EmbeddedCluster, partition: str) -> None:
    """End what fills a partition."""
    cluster.run("scancel", f"--partition={partition}", "--name=wrap")
