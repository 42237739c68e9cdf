"""Courses in a real Slurm with its accounting: limits, people, room for classes, and their end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from slurmhub.courses.model import State
from slurmhub.slurm.managing import ManagingClient
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import running_cluster
from tests.rig.accounts import account, unix_accounts
from tests.rig.courses import (
    SEATS,
    School,
    a_class,
    class_plan,
    course,
    everything,
    queue,
    reserved,
    sbatch,
    submitted,
    wait_for,
)
from tests.rig.hub import until

STUDENTS = tuple(f"s{n:02}" for n in range(SEATS + 1))
NAME = "course-phys101"


@pytest.fixture(scope="module")
def people(ground: Path) -> Iterator[list[str]]:
    """Local accounts for a class, and one more."""
    homes = ground / "class"
    homes.mkdir(mode=0o711)
    with unix_accounts(homes, *STUDENTS) as made:
        yield list(made.values())


@pytest.fixture(scope="module")
def cluster(ground: Path, accounts: dict[str, str]) -> Iterator[EmbeddedCluster]:
    """A cluster with GPUs whose accounting keeps limits; mallory does research there."""
    with running_cluster(ground, class_plan) as running:
        running.run("sacctmgr", "-i", "add", "account", "research,courses")
        running.run("sacctmgr", "-i", "add", "user", account("mallory"), "account=research")
        yield running


@pytest.fixture
async def school(cluster: EmbeddedCluster) -> AsyncIterator[School]:
    """A hub's courses, none yet; nothing of them is left at the end."""
    before = everything(cluster)
    made = School(cluster, ManagingClient(cluster.bin_dir, cluster.conf))
    yield made
    cluster.cancel_jobs(grace=10)
    until(lambda: not cluster.run("squeue", "--noheader"), seconds=40, what="the end of all jobs")
    await made.empty()
    assert everything(cluster) == before


def fill(cluster: EmbeddedCluster) -> None:
    """Somebody wants every node for themselves for two hours."""
    for _ in cluster.plan.nodes:
        submitted(sbatch(cluster, account("mallory"), "research", "--exclusive", gpus=0))


async def test_thirty_servers_start_in_their_class_while_others_fill_the_cluster(
    school: School, cluster: EmbeddedCluster, people: list[str]
) -> None:
    school.has(course(), *people, occurrences=(a_class(),), roster=SEATS)
    await school.settled()
    (name,) = reserved(cluster)
    assert len(reserved(cluster)[name]) == 4, "eight servers on each node"
    fill(cluster)
    submitted(sbatch(cluster, people[0], NAME))
    said = sbatch(cluster, people[0], NAME)
    assert "AssocMaxSubmitJobLimit" in said.stderr, "a second server"
    said = sbatch(cluster, people[1], NAME, gpus=2)
    assert "QOSMaxGRESPerUser" in said.stderr, "a second GPU"
    for one in people[1:SEATS]:
        submitted(sbatch(cluster, one, NAME))
    until(wait_for(cluster, NAME, SEATS), seconds=30, what="thirty servers at once")
    assert {where for _, where, _ in queue(cluster, NAME)} == {name}
    assert [state for state, *_ in queue(cluster, "research")].count("RUNNING") <= 1

    said = sbatch(cluster, people[SEATS], NAME)
    assert said.returncode == 1
    assert "QOSGrpSubmitJobsLimit" in said.stderr, "the thirty-first GPU"
