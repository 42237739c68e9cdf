"""A cluster that refuses who has no association: the hub adds people before their first job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import standard_plan
from tests.conftest import HubMaker, running_cluster
from tests.rig.accounts import account
from tests.rig.hub_account import installed_hub_account

SETTINGS = """
c.SlurmHubSpawner.slurm_account = "Teaching"
c.SlurmHubSpawner.enrol = True
"""


@pytest.fixture(scope="module")
def cluster(ground: Path, accounts: dict[str, str]) -> Iterator[EmbeddedCluster]:
    """A cluster that enforces associations, and has none of people."""
    enforce = "AccountingStorageEnforce=associations,limits,qos"
    with running_cluster(ground, standard_plan, accounting=True, extra_lines=(enforce,)) as running:
        running.run("sacctmgr", "--immediate", "add", "account", "teaching")
        yield running


@pytest.fixture(scope="module")
def hub_account(cluster: EmbeddedCluster, accounts: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The hub's account: an Operator, and not root."""
    with installed_hub_account(cluster, accounts) as made:
        cluster.run(
            *("sacctmgr", "--immediate", "add", "user", account("hub"), "account=teaching"),
            "adminlevel=operator",
        )
        yield made


def people_of(cluster: EmbeddedCluster) -> set[str]:
    """Who is in the account."""
    rows = cluster.run(
        *("sacctmgr", "--noheader", "--parsable2", "show", "assoc", "where"),
        *("account=teaching", "format=User"),
    )
    return set(rows.split())


def test_the_first_server_of_somebody_whom_slurm_does_not_know(
    make_hub: HubMaker, cluster: EmbeddedCluster, hub_account: dict[str, Any]
) -> None:
    hub = make_hub(cluster, SETTINGS, account=hub_account)
    assert account("alice") not in people_of(cluster)
    alice = hub.visitor("alice")
    alice.start(partition="cpu", hours=1)
    job = alice.wait_ready()["job_id"]
    assert account("alice") in people_of(cluster)
    assert account("bob") not in people_of(cluster)
    charged = cluster.run("squeue", "--noheader", "--format=%a", f"--jobs={job}").strip()
    assert charged == "teaching"
    alice.stop()
    alice.wait_for("ended")
    alice.start(partition="cpu", hours=1)
    alice.wait_ready()
