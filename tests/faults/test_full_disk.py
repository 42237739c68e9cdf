"""The hub's disk is full: nothing is submitted that a killed hub would forget."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig.queue import clear, jobs


@pytest.fixture
def small_disk(ground: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    folder = ground / "small"
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(folder)], check=True
    )
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_no_job_without_a_ledger(
    make_hub: HubMaker, cluster: EmbeddedCluster, small_disk: Path
) -> None:
    hub = make_hub(
        cluster, f'c.SlurmHubSpawner.ledger_url = "sqlite:///{small_disk}/ledger.sqlite"\n'
    )
    alice = hub.visitor("alice")
    filler = small_disk / "filler"
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4k"], check=False)
    answer = alice.start(hours=1)
    assert answer.status_code in (424, 507), answer.text
    assert "ledger" in answer.json()["message"]
    assert not jobs(cluster)
    filler.unlink()
    assert alice.start(hours=1).status_code in (201, 202)
    alice.wait_ready()
    alice.stop()
    clear(cluster)
