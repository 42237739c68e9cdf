"""Figures that Slurm itself tells, from 25.11 on, asked of a real 26.05."""

from __future__ import annotations

import dataclasses
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import standard_plan
from tests.rig import slurm_release
from tests.rig.hub import until
from tests.rig.queue import jobs

PARTS = ("jobs", "nodes", "partitions", "scheduler")


@pytest.fixture(scope="module")
def new_cluster(ground: Path) -> Iterator[EmbeddedCluster]:
    """A cluster of the newest release that there is, whichever the others run on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(slurm_release.VARIABLE, "26.05")
        programs = slurm_release.slurm_programs.__wrapped__()
    root = ground / "om"
    root.mkdir(mode=0o711)
    plan = standard_plan(root, extra_lines=("MetricsType=metrics/openmetrics",))
    cluster = EmbeddedCluster(dataclasses.replace(plan, name="new"), programs)
    cluster.start()
    yield cluster
    cluster.remove()


@pytest.fixture(scope="module")
def url(new_cluster: EmbeddedCluster) -> str:
    """Where slurmctld listens."""
    lines = (line.partition("=") for line in new_cluster.conf.read_text().splitlines())
    port = next(value for name, _, value in lines if name == "SlurmctldPort")
    return f"http://{new_cluster.plan.controller_address}:{port}"


def figures(url: str, part: str) -> dict[str, float]:
    """The series of one of its pages."""
    with urllib.request.urlopen(f"{url}/metrics/{part}", timeout=10) as answer:  # noqa: S310
        lines = answer.read().decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
    return {series: float(value) for series, _, value in pairs}


def test_the_role_finds_the_pages_by_their_index(url: str) -> None:
    index = requests.get(f"{url}/metrics", timeout=10)
    assert index.status_code == 200
    # What roles/slurm_exporter looks for, and roles/prometheus points at.
    for part in PARTS:
        assert f"'/metrics/{part}'" in index.text
    assert figures(url, "scheduler")["slurm_slurmdbd_queue_size"] == 0


def test_they_count_jobs_and_nodes(new_cluster: EmbeddedCluster, url: str) -> None:
    job = new_cluster.run(
        *("sbatch", "--parsable", "--partition=gpu", "--gpus=1", "--mem=50", "--chdir=/"),
        *("--output=/dev/null", "--wrap=sleep 300"),
    )
    until(lambda: int(job) in jobs(new_cluster, "RUNNING"), what="the job to run")
    until(lambda: figures(url, "jobs").get("slurm_jobs_running") == 1, what="the count")
    assert figures(url, "partitions")['slurm_partition_jobs_running{partition="gpu"}'] == 1
    nodes = figures(url, "nodes")
    assert nodes["slurm_nodes"] == 3
    assert nodes['slurm_node_gpus_alloc{node="g1"}'] == 1
    # Why dashboards and alerts do not rest on them: memory is in MiB, and no GPU is counted.
    assert nodes['slurm_node_memory_bytes{node="g1"}'] == 16384
    assert nodes['slurm_node_gpus{node="g1"}'] == 0


def test_pages_that_are_scraped_hold_no_names_of_people(url: str) -> None:
    for part in PARTS:
        assert not [series for series in figures(url, part) if "user" in series]
