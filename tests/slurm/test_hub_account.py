"""A hub under an account of its own: it crosses by sudo, and sees what Slurm lets it see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import standard_plan
from tests.conftest import HubMaker, running_cluster
from tests.rig.accounts import account
from tests.rig.hub import HubUnderTest, until
from tests.rig.hub_account import installed_hub_account
from tests.rig.queue import clear, jobs

PARTITIONS = 'c.SlurmHubSpawner.partitions = ["cpu", "gpu", "hidden"]\n'


@pytest.fixture(scope="module")
def cluster(ground: Path, accounts: dict[str, str]) -> Iterator[EmbeddedCluster]:
    """A cluster with a hidden partition, whose visibility rules a test may change."""
    with running_cluster(ground, standard_plan, hidden_partition=True) as running:
        yield running


@pytest.fixture(scope="module")
def hub_account(cluster: EmbeddedCluster, accounts: dict[str, str]) -> Iterator[dict[str, Any]]:
    """A system account for the hub, and the helper installed for it as the documentation has it."""
    with installed_hub_account(cluster, accounts) as made:
        yield made


@pytest.fixture
def hub(
    make_hub: HubMaker, cluster: EmbeddedCluster, hub_account: dict[str, Any]
) -> Iterator[HubUnderTest]:
    """A hub that is neither root nor anybody's own."""
    yield make_hub(cluster, PARTITIONS, account=hub_account)
    clear(cluster)


def test_a_server_through_the_installed_helper(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice = hub.visitor("alice")
    alice.start(partition="cpu", hours=1)
    alice.wait_ready()
    assert alice.asks_server()["user"] == account("alice")
    alice.stop()
    until(lambda: not jobs(cluster), what="the cancel, through the helper")


def test_people_outside_the_group_are_refused_in_words(
    hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    mallory = hub.visitor("mallory")
    mallory.start(partition="cpu", hours=1)
    told = mallory.wait_for("ended")
    assert "slurmhub helper install" in str(told["remedy"]) + str(told["message"])
    assert not jobs(cluster)


def test_a_hidden_partition_is_watched_like_any_other(
    hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    alice = hub.visitor("alice")
    alice.start(partition="hidden", hours=1)
    alice.wait_ready()
    assert alice.asks_server()["node"] == "n2"
    alice.stop()
    until(lambda: not jobs(cluster), what="the cancel")


def test_with_private_data_a_running_server_is_kept_and_a_new_one_explained(
    hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    alice, bob = hub.visitor("alice"), hub.visitor("bob")
    alice.start(partition="cpu", hours=1)
    alice.wait_ready()
    cluster.reconfigure("PrivateData=jobs")
    hub.restart()
    bob.start(partition="cpu", hours=1)
    told = bob.wait_for("ended")
    assert "adminlevel=operator" in str(told["remedy"])
    assert "adminlevel=operator" in hub.log
    until(lambda: len(jobs(cluster)) == 1, what="the end of the job that cannot be seen")
    assert alice.asks_server()["user"] == account("alice")
    assert alice.status()["step"] == "ready"
