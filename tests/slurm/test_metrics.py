"""Every query of every rule and dashboard, asked of a Prometheus that watched a real hub."""

from __future__ import annotations

import re
import secrets
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from slurmhub.job.tag import JobTag
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig.accounts import account
from tests.rig.asked import asked, rules
from tests.rig.hub import HubUnderTest, Visitor, until
from tests.rig.prometheus import Prometheus, watching
from tests.rig.queue import clear, jobs

SETTINGS = """
c.JupyterHub.authenticate_prometheus = False
c.SlurmHubSpawner.watch_interval = 8
c.SlurmHubSpawner.usage_interval = 15
c.SlurmHubSpawner.profiles = [
    {"name": "stats-101", "title": "Statistics", "fields": {"partition": "cpu"}},
    {"name": "vision", "title": "Vision", "fields": {"partition": "gpu", "gpus": 1}},
]
c.Spawner.environment = {
    "STUB_BEHAVIOUR": lambda spawner: spawner.name if spawner.name in ("dies", "deaf") else "",
}
"""
# Queries that this test cannot bring about, and why.
NEVER_HERE = {
    "slurmhub_signin_refused_total": "the hub of this test signs people in without Shibboleth",
    "slurmhub_slurm_node_unusable": "all nodes of this cluster are well",
    "node_systemd_unit_state": "this machine may have no systemd",
    "slurmhub_probe_": "told by a timer of a host",
    "slurmhub_certificate_": "told by a timer of a host",
    "slurmhub_homes_": "told by a timer of a host",
    "slurmhub_backup_": "told by a timer of a host",
}


@pytest.fixture(scope="module")
def hub(make_shared_hub: HubMaker, cluster: EmbeddedCluster) -> Iterator[HubUnderTest]:
    """A hub whose metrics anybody may read."""
    yield make_shared_hub(cluster, SETTINGS)
    clear(cluster)


@pytest.fixture(scope="module")
def prometheus(hub: HubUnderTest, cluster: EmbeddedCluster, ground: Path) -> Iterator[Prometheus]:
    """A Prometheus that has seen starts, failures, an outage and a restart of that hub."""
    with watching(ground / "prometheus", hub.port, cluster) as running:
        targets = {"slurmhub": "up", "node": "up", "slurm": "up"}
        until(lambda: running.targets() == targets, what="all targets")
        history(hub, cluster)
        # So that the last news is scraped, and the rules have seen it.
        time.sleep(3)
        yield running


def history(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    """What happens on a hub within a month, in a minute."""
    alice, bob = hub.visitor("alice"), hub.visitor("bob")
    alice.start(profile="stats-101", hours=1)
    bob.start(profile="vision", hours=1)
    alice.wait_ready()
    bob.wait_ready()
    for _ in range(2):
        alice.start("dies", partition="cpu", hours=1)
        alice.wait_for("ended", "dies")
    assert alice.start("much", partition="cpu", hours=100_000).status_code == 400
    bob.start("deaf", partition="cpu", hours=1)
    bob.wait_for("starting", "deaf")
    bob.stop("deaf")
    bob.wait_for("ended", "deaf")
    ask_for_time(alice)
    refused = requests.post(
        f"{hub.url}/hub/api/slurmhub/jobs/{'f' * 32}/listening",
        headers={"Authorization": "token none"},
        json={},
        timeout=10,
    )
    assert refused.status_code == 403, refused.text
    leave_an_orphan(cluster)
    leave_one_waiting(cluster)
    outage(hub, cluster)
    hub.restart(signal.SIGKILL)
    for person, server, options in (
        (alice, "second", {"profile": "stats-101"}),
        (bob, "second", {"profile": "vision"}),
        (alice, "third", {"partition": "cpu"}),
    ):
        person.wait_ready()
        person.start(server, hours=1, **options)
        person.wait_ready(server)
    until(lambda: hub.metric("slurmhub_orphans", '{kind="unknown"}') == 1, what="the orphan")
    for person in (alice, bob):
        until_it_tells_its_use(person)
        person.stop()
    alice.wait_for("ended")
    bob.wait_for("ended")


def until_it_tells_its_use(visitor: Visitor) -> None:
    """Wait for what the server says of its use, since the hub's start."""
    path = f"/slurmhub/session/{visitor.name}"
    until(lambda: visitor.api("GET", path).json().get("use"), what="its use")


def ask_for_time(visitor: Visitor) -> None:
    """One extension, as its button asks for it."""
    answer = visitor.api("POST", f"/slurmhub/session/{visitor.name}", {})
    assert answer.status_code == 200, answer.text


def leave_an_orphan(cluster: EmbeddedCluster) -> None:
    """A job that names the hub, which has never heard of it."""
    tag = JobTag(hub="jupyterhub", user="alice", server="", nonce=secrets.token_hex(16))
    orphan = cluster.run(
        *("sbatch", "--parsable", "--partition=cpu", "--time=10", "--mem=50", "--chdir=/"),
        *("--output=/dev/null", f"--comment={tag.comment()}", "--wrap=sleep 300"),
    )
    # Slurm would put a job back for minutes that it cannot launch in the outage that follows.
    until(lambda: int(orphan) in jobs(cluster, "RUNNING"), what="the orphan to run")


def leave_one_waiting(cluster: EmbeddedCluster) -> None:
    """A job that is none of the hub's, and is held."""
    cluster.run(
        *("sbatch", "--hold", "--partition=cpu", "--time=10", "--mem=50", "--chdir=/"),
        *("--output=/dev/null", "--wrap=sleep 300"),
    )


def outage(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    """Slurm falls silent for as long as it takes the hub to notice."""
    cluster.munge_stop()
    try:
        until(lambda: hub.metric("slurmhub_watch_failures") >= 1, what="the hub's notice")
    finally:
        cluster.munge_start()
    until(lambda: hub.metric("slurmhub_watch_failures") == 0, what="Slurm's answer")


def seconds_of(cluster: EmbeddedCluster, partition: str) -> list[int]:
    """How long each job of a partition ran, as Slurm has it, once all have ended."""
    states = ("squeue", "--noheader", "--all", f"--partition={partition}")
    until(lambda: not cluster.run(*states), what="the end of all jobs")
    lines = cluster.run(*states, "--states=all", "--format=%M").split()
    parts = [line.rpartition(":") for line in lines]
    return [60 * int(minutes) + int(seconds) for minutes, _, seconds in parts]


def test_every_query_has_an_answer(prometheus: Prometheus) -> None:
    queries = asked(of_courses=False)
    assert len(queries) > 60
    silent = [query for query in queries if not prometheus.query(query)]
    lacking = [query for query in silent if not any(name in query for name in NEVER_HERE)]
    assert lacking == []
    # Nothing is on that list that has an answer after all.
    assert all(any(name in query for query in silent) for name in NEVER_HERE)


def test_every_whole_rule_is_evaluated(prometheus: Prometheus) -> None:
    for rule in rules():
        prometheus.query(rule["expr"])
    assert prometheus.rule_errors() == []


def test_quantiles_are_times_and_not_empty(prometheus: Prometheus) -> None:
    for metric in ("queue", "launch", "ready"):
        for partition in ("cpu", "gpu"):
            rate = f'rate(slurmhub_{metric}_seconds_bucket{{partition="{partition}"}}[10m])'
            took = prometheus.number(f"histogram_quantile(0.5, sum by (le) ({rate}))")
            assert 0 <= took < 60, (metric, partition, took)


def test_what_happened_is_counted_once_across_the_restart(
    prometheus: Prometheus, hub: HubUnderTest
) -> None:
    ready = 'slurmhub_spawns_total{outcome="ready"}'
    # The counter begins at 0 again: two before the restart, and those who asked after it.
    assert prometheus.number(f"max_over_time({ready}[10m])") == 3
    assert prometheus.number(f"resets({ready}[10m])") == 1
    assert hub.metric("slurmhub_adoptions_total", '{how="ledger"}') == 2
    assert hub.metric("slurmhub_ready_seconds_count", '{partition="gpu",profile="vision"}') == 1


def test_what_jobs_had_is_counted_once_across_the_restart(
    prometheus: Prometheus, hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    bob = hub.visitor("bob")
    bob.stop("second")
    bob.wait_for("ended", "second")
    ran = sum(seconds_of(cluster, "gpu"))
    given = 'slurmhub_gpu_allocated_seconds_total{course="vision"}'
    until(
        lambda: abs(prometheus.gained(given) - ran) < 2,
        what=f"{ran} seconds of GPUs, and not {prometheus.gained(given)}",
    )


def test_use_is_counted_by_partition_and_course(prometheus: Prometheus) -> None:
    names = {
        tuple(each["metric"][label] for label in ("partition", "course"))
        for each in prometheus.query("slurmhub_cpu_allocated_seconds_total > 0")
    }
    assert {("cpu", "stats-101"), ("gpu", "vision")} <= names
    assert prometheus.number('sum(slurmhub_cpu_used_seconds_total{course="stats-101"})') > 0


def test_no_label_holds_a_name_of_a_person(prometheus: Prometheus) -> None:
    text = str(prometheus.query('{__name__=~"slurmhub_.*"}'))
    for name in ("alice", "bob", account("alice")):
        assert name not in text


def test_a_state_without_jobs_is_told_as_none(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    clear(cluster)
    until(lambda: listening(hub) == "0.0", what="no server that listens")


def listening(hub: HubUnderTest) -> str:
    """What the hub tells of its servers in the partition cpu; empty when it tells nothing."""
    text = hub.visitor("admin").get("/hub/metrics").text
    found = re.search(r'^slurmhub_jobs\{partition="cpu",state="listening"\} (\S+)$', text, re.M)
    return found[1] if found else ""
