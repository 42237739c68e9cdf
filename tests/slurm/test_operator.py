"""Where PrivateData hides jobs, the hub's account is made an Operator in Slurm's accounting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import standard_plan
from tests.conftest import HubMaker, running_cluster
from tests.rig.accounts import account
from tests.rig.docs import PROJECT, Page
from tests.rig.hub import until
from tests.rig.hub_account import installed_hub_account
from tests.rig.queue import jobs

PAGE = PROJECT / "docs/operators/spawner.md"


@pytest.fixture(scope="module")
def cluster(ground: Path, accounts: dict[str, str]) -> Iterator[EmbeddedCluster]:
    """A cluster with accounting, on which people see no jobs but their own."""
    with running_cluster(ground, standard_plan, accounting=True, private_data=True) as running:
        yield running


@pytest.fixture(scope="module")
def hub_account(cluster: EmbeddedCluster, accounts: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The hub's account, with the right that the page says it needs."""
    with installed_hub_account(cluster, accounts) as made:
        cluster.run("sacctmgr", "-i", "add", "account", "services")
        blocks = [block.text for block in Page(PAGE, PAGE.read_text()).blocks("text")]
        (line,) = (text for text in blocks if "sacctmgr add user" in text)
        words = re.sub(r"\bjupyterhub\b", account("hub"), line).split()
        cluster.run("sacctmgr", "--immediate", *words[1:])
        yield made


def test_an_operator_sees_the_jobs_that_are_hidden_from_others(
    make_hub: HubMaker, cluster: EmbeddedCluster, hub_account: dict[str, Any]
) -> None:
    hub = make_hub(cluster, account=hub_account)
    alice = hub.visitor("alice")
    alice.start(partition="cpu", hours=1)
    ready = alice.wait_ready()
    assert alice.asks_server()["user"] == account("alice")
    hub.restart()
    assert alice.wait_ready()["job_id"] == ready["job_id"]
    alice.stop()
    until(lambda: not jobs(cluster), what="the cancel, through the helper")
    alice.wait_for("ended")
