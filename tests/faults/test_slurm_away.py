"""Slurm falls silent: servers are kept, cancels are repeated, and nothing is made up."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig.hub import HubUnderTest, until
from tests.rig.queue import clear, jobs, until_empty

SETTINGS = """
c.SlurmHubSpawner.watch_interval = 8
c.SlurmHubSpawner.slurm_timeout = 3
c.SlurmHubSpawner.stop_timeout = 1
"""


@pytest.fixture
def hub(make_hub: HubMaker, cluster: EmbeddedCluster) -> Iterator[HubUnderTest]:
    """A hub that looks often and loses patience soon."""
    yield make_hub(cluster, SETTINGS)
    clear(cluster)


def test_servers_outlive_an_outage_of_munge(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice = hub.visitor("alice")
    alice.start(hours=1)
    job_id = alice.wait_ready()["job_id"]
    cluster.munge_stop()
    try:
        until(lambda: "Slurm did not answer" in hub.log, what="the hub's notice")
        time.sleep(6)  # long enough for JupyterHub's own poll
        assert alice.asks_server()["job"] == str(job_id)
        assert hub.metric("slurmhub_watch_failures") >= 1
        refused = alice.start("second", hours=1)
        assert refused.status_code in (202, 424), refused.text
    finally:
        cluster.munge_start()
    until(lambda: "Slurm answers again" in hub.log, what="the hub's relief")
    assert alice.asks_server()["job"] == str(job_id)
    alice.stop("second")
    assert alice.stop().status_code in (202, 204)
    until_empty(cluster)


def test_a_cancel_is_repeated_until_slurm_confirms_it(
    hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    alice = hub.visitor("alice")
    alice.start(hours=1)
    job_id = alice.wait_ready()["job_id"]
    cluster.controller_stop()
    try:
        alice.stop()
        until(
            lambda: "it is cancelled again until it does" in hub.log, what="an unconfirmed cancel"
        )
        until(lambda: hub.metric("slurmhub_unconfirmed_cancels") == 1, what="the metric")
        hub.restart()
    finally:
        cluster.controller_start()
    until(lambda: job_id not in jobs(cluster, "RUNNING"), what="the repeated cancel")
    until(lambda: hub.metric("slurmhub_unconfirmed_cancels") == 0, what="its confirmation")


def test_the_form_stays_when_the_controller_is_gone(
    hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    alice = hub.visitor("alice")
    assert "h100" in alice.get("/hub/spawn/alice").text
    cluster.controller_kill()
    try:
        time.sleep(21)  # until the facts are no longer fresh
        alice.get("/hub/spawn/alice")
        until(lambda: "facts could not be read" in hub.log, what="the hub's notice")
        page = alice.get("/hub/spawn/alice")
        assert page.status_code == 200
        assert "h100" in page.text
        assert "as of" in page.text.lower()
    finally:
        cluster.controller_start()
