"""Servers that do not come up, each with words for its owner and nothing left in the queue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig.hub import HubUnderTest, Visitor, until
from tests.rig.queue import clear, full, jobs, until_empty

BEHAVE = 'c.Spawner.environment = {{"STUB_BEHAVIOUR": "{}"}}\n'


@pytest.fixture(autouse=True)
def _nothing_is_left(cluster: EmbeddedCluster) -> Iterator[None]:
    yield
    clear(cluster)


def failed(hub: HubUnderTest) -> tuple[Visitor, dict[str, object]]:
    """Ask for a server that fails; who asked, and what they were told."""
    alice = hub.visitor("alice")
    alice.start(hours=1)
    return alice, alice.wait_for("ended")


def test_a_server_that_dies_at_once_shows_the_end_of_its_log(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    alice, told = failed(make_hub(cluster, BEHAVE.format("dies")))
    assert "exit code 3" in str(told["message"])
    assert "no licence to run" in str(told["log"])
    # The page follows once JupyterHub itself has given the start up.
    until(lambda: alice.get("/hub/spawn-pending/alice").status_code == 424, what="the page")
    assert "no licence to run" in alice.get("/hub/spawn-pending/alice").text


def test_a_server_that_never_listens_is_given_up(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    limit = "c.SlurmHubSpawner.launch_timeout = 4\n"
    _, told = failed(make_hub(cluster, BEHAVE.format("deaf") + limit))
    assert "not ready in time" in str(told["message"])


def test_a_program_that_is_not_there_is_named(make_hub: HubMaker, cluster: EmbeddedCluster) -> None:
    _, told = failed(make_hub(cluster, 'c.Spawner.cmd = ["/no/such/server"]\n'))
    assert "/no/such/server" in str(told["log"])


def test_slurms_refusal_is_shown_with_advice(make_hub: HubMaker, cluster: EmbeddedCluster) -> None:
    _, told = failed(make_hub(cluster, 'c.SlurmHubSpawner.directives = ["--licenses=matlab:1"]\n'))
    assert told["message"]
    assert told["remedy"]
    assert "license" in str(told["log"])


def test_a_missing_sbatch_is_said(
    make_hub: HubMaker, cluster: EmbeddedCluster, ground: object
) -> None:
    bin_dir = f"{ground}/half-installed"
    hub = make_hub(
        cluster,
        f"""
import os, pathlib
pathlib.Path({bin_dir!r}).mkdir(exist_ok=True)
for name in ("squeue", "sinfo", "scontrol", "scancel"):
    if not os.path.lexists({bin_dir!r} + "/" + name):
        os.symlink({str(cluster.bin_dir)!r} + "/" + name, {bin_dir!r} + "/" + name)
c.SlurmHubSpawner.slurm_bin_dir = {bin_dir!r}
""",
    )
    _, told = failed(hub)
    assert "sbatch" in str(told["log"]) + str(told["message"])


def test_an_account_that_does_not_exist_is_said(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    hub = make_hub(cluster, 'c.SlurmHubSpawner.unix_account = lambda name: "shub-nobody"\n')
    _, told = failed(hub)
    assert "shub-nobody" in str(told["message"])
    assert told["remedy"]


def test_a_queue_timeout_ends_the_wait(make_hub: HubMaker, cluster: EmbeddedCluster) -> None:
    hub = make_hub(cluster, "c.SlurmHubSpawner.queue_timeout = 3\n")
    with full(cluster):
        _, told = failed(hub)
        assert "waited in the queue" in str(told["message"])
        until(lambda: len(jobs(cluster)) == 2, what="the job's end")


def test_refusals_name_field_value_and_choices(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    alice = make_hub(cluster).visitor("alice")
    answer = alice.start(partition="nowhere")
    assert answer.status_code == 400
    message = answer.json()["message"]
    assert "partition" in message
    assert "nowhere" in message
    assert "cpu" in message
    answer = alice.start(partition="cpu", cpus=99)
    assert answer.status_code == 400
    assert "99" in answer.json()["message"]
    assert "8" in answer.json()["message"]
    assert not jobs(cluster)


def test_what_was_refused_is_not_offered_again(
    make_hub: HubMaker, cluster: EmbeddedCluster
) -> None:
    alice = make_hub(cluster).visitor("alice")
    alice.start(partition="cpu", cpus=2, hours=1)
    alice.wait_ready()
    alice.stop()
    until_empty(cluster)
    assert alice.start(cpus=99).status_code == 400
    answer = alice.api("POST", "/users/alice/server")
    assert answer.status_code in (201, 202), answer.text
    alice.wait_ready()
    assert "--cpus-per-task=2" in alice.get("/hub/slurmhub/script/alice").text
    alice.stop()


@pytest.mark.parametrize("path", ["/hub/spawn/alice", "/hub/spawn/alice/lab"])
@pytest.mark.parametrize(
    "query", ["?partition=gpu&gpus=1", "?opt-cpus=3", "?x", "?a=b&a=c", "?cpus=99"]
)
def test_a_link_prefills_and_starts_nothing(
    shared: HubUnderTest, cluster: EmbeddedCluster, path: str, query: str
) -> None:
    alice = shared.visitor("alice")
    answer = alice.get(path + query)
    assert answer.status_code == 200
    assert 'name="partition"' in answer.text
    if "opt-cpus=3" in query:
        assert 'value="3"' in answer.text
    assert not jobs(cluster)


@pytest.fixture(scope="module")
def shared(make_shared_hub: HubMaker, cluster: EmbeddedCluster) -> HubUnderTest:
    """A hub for the tests that start nothing."""
    return make_shared_hub(cluster)
