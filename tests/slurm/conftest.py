"""Fixtures of courses: a cluster for classes, who is in them, and the hub that has them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from slurmhub.slurm.managing import ManagingClient
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import running_cluster
from tests.rig.accounts import account, unix_accounts
from tests.rig.courses import SEATS, School, class_plan, everything
from tests.rig.hub import until


@pytest.fixture(scope="session")
def people(ground: Path) -> Iterator[list[str]]:
    """Local accounts for a class, and one more."""
    homes = ground / "class"
    homes.mkdir(mode=0o711)
    with unix_accounts(homes, *(f"s{n:02}" for n in range(SEATS + 1))) as made:
        yield list(made.values())


@pytest.fixture(scope="module")
def class_cluster(ground: Path, accounts: dict[str, str]) -> Iterator[EmbeddedCluster]:
    """A cluster with GPUs whose accounting keeps limits; mallory does research there."""
    with running_cluster(ground, class_plan) as running:
        running.run("sacctmgr", "-i", "add", "account", "research,courses")
        running.run("sacctmgr", "-i", "add", "user", account("mallory"), "account=research")
        yield running


@pytest.fixture
async def school(class_cluster: EmbeddedCluster) -> AsyncIterator[School]:
    """A hub's courses, none yet; nothing of them is left at the end."""
    before = everything(class_cluster)
    made = School(class_cluster, ManagingClient(class_cluster.bin_dir, class_cluster.conf))
    yield made
    class_cluster.cancel_jobs(grace=10)
    until(
        lambda: not class_cluster.run("squeue", "--noheader"),
        what="the end of all jobs",
    )
    await made.empty()
    assert everything(class_cluster) == before
