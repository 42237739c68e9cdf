"""A server from the request to its end, on a real cluster."""

from __future__ import annotations

import pytest

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig.hub import HubUnderTest, until


@pytest.fixture
def hub(make_hub: HubMaker, cluster: EmbeddedCluster) -> HubUnderTest:
    """A hub on the cluster."""
    return make_hub(cluster)


def test_a_server_runs_as_its_owners_job(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice = hub.visitor("alice")
    assert alice.start(partition="cpu", cpus=2, memory="1G", hours=1).status_code in (201, 202)
    status = alice.wait_ready()
    told = alice.asks_server()
    assert told["job"] == str(status["job_id"])
    assert told["user"] == "shub-alice"
    assert alice.stop().status_code in (202, 204)
    until(lambda: not cluster.run("squeue", "--noheader", "--all"), what="an empty queue")
    assert not [path for path in hub.routes() if path.startswith("/user/")]
