"""Owners may edit their jobs in Slurm, and others may imitate them: the hub is not led astray."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from slurmhub.job.tag import JobTag
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.attack.trespass import comment_of, processes_of, slurm_as
from tests.conftest import HubMaker
from tests.rig.hub import HubUnderTest, Visitor, until

SMALL = {"partition": "cpu", "cpus": "1", "memory": "300M", "hours": "1"}
SLEEP = "#!/bin/sh\nexec sleep 600\n"


@dataclass
class Scene:
    """A hub, its cluster, and alice, who has an account on both."""

    hub: HubUnderTest
    cluster: EmbeddedCluster
    alice: Visitor
    accounts: dict[str, str]

    def edits(self, job_id: int, *changes: str, who: str = "alice") -> bool:
        """Whether Slurm lets somebody change a job."""
        argv = ("scontrol", "update", f"JobId={job_id}", *changes)
        return slurm_as(self.accounts[who], self.cluster, *argv).returncode == 0

    def submits(self, who: str, *options: str) -> int:
        """A job of somebody's own, made without the hub."""
        argv = ("sbatch", "--parsable", "--output=/dev/null", "--chdir=/", *options)
        done = slurm_as(self.accounts[who], self.cluster, *argv, text=SLEEP)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def state(self, job_id: int) -> str:
        """A job's state in Slurm."""
        return self.cluster.run(
            "squeue", "-h", "--all", "-t", "all", "-j", str(job_id), "--format=%T"
        )

    @contextmanager
    def full(self) -> Iterator[None]:
        """No CPU of the partition cpu is free."""
        fillers = [
            self.submits("bob", "--partition=cpu", f"--nodelist={node}", "--exclusive")
            for node in ("n1", "n2")
        ]
        until(lambda: {self.state(job) for job in fillers} == {"RUNNING"}, what="a full cluster")
        yield
        self.cluster.run("scancel", *map(str, fillers))

    def serving(self, server: str, job_id: int) -> None:
        """This very job is the server, by every account."""
        status = self.alice.status(server)
        assert (status["step"], status["job_id"]) == ("ready", job_id)
        assert self.alice.asks_server(server)["job"] == str(job_id)


@pytest.fixture(scope="module")
def scene(make_shared_hub: HubMaker, cluster: EmbeddedCluster, accounts: dict[str, str]) -> Scene:
    """The scene."""
    hub = make_shared_hub(cluster, 'c.SlurmHubSpawner.prologue += "\\necho $SLURM_JOB_ID"')
    return Scene(hub, cluster, hub.visitor("alice"), accounts)


def other_tag(comment: str) -> str:
    """The comment of a server that is not there, made from one that is."""
    tag = JobTag.from_comment(comment)
    assert tag is not None
    return JobTag(tag.hub, "bob", "", "f" * 32).comment()


def test_comment_and_name_of_a_waiting_job_mean_nothing(scene: Scene) -> None:
    with scene.full():
        scene.alice.start("waits", **SMALL)
        job_id = scene.alice.wait_for("queued", "waits")["job_id"]
        comment = comment_of(scene.cluster, job_id)
        # Nobody but its owner changes it.
        assert not scene.edits(job_id, "Comment=mine", who="mallory")
        assert comment_of(scene.cluster, job_id) == comment
        assert scene.edits(job_id, f"Comment={other_tag(comment)}", "JobName=another")
        assert comment_of(scene.cluster, job_id) == other_tag(comment)
    assert scene.alice.wait_ready("waits")["job_id"] == job_id
    scene.serving("waits", job_id)
    assert "/user/bob/" not in scene.hub.routes()
    scene.alice.stop("waits")
    scene.alice.wait_for("ended", "waits")


def test_comment_and_name_of_a_running_job_mean_nothing(scene: Scene) -> None:
    scene.alice.start("runs", **SMALL)
    job_id = scene.alice.wait_ready("runs")["job_id"]
    place = scene.hub.routes()["/user/alice/runs/"]
    comment = comment_of(scene.cluster, job_id)
    for edited in ("", "my own note", other_tag(comment)):
        assert scene.edits(job_id, f"Comment={edited}", "JobName=#SBATCH")
        scene.serving("runs", job_id)
    # Nor to a hub that knows nothing but what it wrote down and what Slurm says now.
    scene.hub.restart(signal.SIGKILL)
    scene.alice = scene.hub.visitor("alice")
    assert scene.alice.wait_ready("runs")["job_id"] == job_id
    scene.serving("runs", job_id)
    assert scene.hub.routes()["/user/alice/runs/"] == place
    assert "/user/bob/" not in scene.hub.routes()
    scene.alice.stop("runs")
    assert scene.alice.wait_for("ended", "runs")["kind"] == "stopped"
    until(lambda: scene.state(job_id) in ("CANCELLED", ""), what="the end of the job")


def test_a_job_moved_to_another_partition_is_ended_and_says_why(scene: Scene) -> None:
    with scene.full():
        scene.alice.start("moves", **SMALL)
        job_id = scene.alice.wait_for("queued", "moves")["job_id"]
        assert not scene.edits(job_id, "Partition=gpu", who="mallory")
        assert scene.edits(job_id, "Partition=gpu")
        ended = scene.alice.wait_for("ended", "moves")
    assert "moved to partition gpu" in ended["message"]
    assert ended["remedy"]
    assert ended["job_id"] == job_id
    assert "/user/alice/moves/" not in scene.hub.routes()
    page = scene.alice.get("/hub/user/alice/moves/")
    assert "moved to partition gpu" in page.text
    until(lambda: scene.state(job_id) in ("CANCELLED", "FAILED", ""), what="the end of the job")
    # The same server, as it was asked for, starts again.
    scene.alice.start("moves", **SMALL)
    fresh = scene.alice.wait_ready("moves")["job_id"]
    assert fresh != job_id
    scene.serving("moves", fresh)
    # Where it runs already, Slurm itself lets nobody move it.
    assert not scene.edits(fresh, "Partition=gpu")
    scene.serving("moves", fresh)
    # She can have it wait once more, move it then, and have it start at once.
    requeued = slurm_as(scene.accounts["alice"], scene.cluster, "scontrol", "requeue", str(fresh))
    assert requeued.returncode == 0
    until(lambda: scene.state(fresh) == "PENDING", what="the requeued job")
    assert scene.edits(fresh, "Partition=gpu")
    assert scene.edits(fresh, "StartTime=now")
    assert "moved to partition gpu" in scene.alice.wait_for("ended", "moves")["message"]
    assert "/user/alice/moves/" not in scene.hub.routes()


def test_a_job_with_another_jobs_tag_is_nobodys_server(scene: Scene) -> None:
    scene.alice.start(**SMALL)
    job_id = scene.alice.wait_ready()["job_id"]
    comment = comment_of(scene.cluster, job_id)
    imitations = [
        scene.submits(who, "--partition=cpu", f"--comment={comment}", "--job-name=jupyter")
        for who in ("alice", "mallory")
    ]
    later = scene.submits("alice", "--partition=cpu")
    assert scene.edits(later, f"Comment={comment}")
    imitations.append(later)
    until(lambda: {scene.state(job) for job in imitations} == {"RUNNING"}, what="all of them")
    scene.serving("", job_id)
    # Its own job ends while no hub is there to see it; none of the others takes its place.
    scene.hub.stop_hub(signal.SIGKILL)
    # At once: its launcher, asked to end, would look for the hub for a while.
    for pid in processes_of(scene.cluster, job_id):
        os.kill(pid, signal.SIGKILL)
    until(lambda: scene.state(job_id) not in ("RUNNING", "COMPLETING"), what="the job's end")
    scene.hub.start_hub()
    scene.alice = scene.hub.visitor("alice")
    assert scene.alice.wait_for("ended")["job_id"] == job_id
    assert "/user/alice/" not in scene.hub.routes()
    # And the hub ends no job that it did not submit.
    assert {scene.state(job) for job in imitations} == {"RUNNING"}
    scene.alice.start(**SMALL)
    fresh = scene.alice.wait_ready()["job_id"]
    assert fresh not in [job_id, *imitations]
    scene.alice.stop()
    scene.alice.wait_for("ended")
    assert {scene.state(job) for job in imitations} == {"RUNNING"}
    scene.cluster.run("scancel", *map(str, imitations))
