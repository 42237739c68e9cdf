"""The embedded cluster by itself: what the demo and every other test stand on."""

from __future__ import annotations

import os
import pwd
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from slurmhub_deploy.cluster import EmbeddedCluster, scratch_root, standard_plan
from slurmhub_deploy.errors import DeployError

MakeCluster = Callable[..., EmbeddedCluster]


@pytest.fixture
def make_cluster() -> Iterator[MakeCluster]:
    """Make clusters that are not started yet; all are stopped and removed at the end."""
    with ExitStack() as stack:

        def make(*, accounting: bool = False) -> EmbeddedCluster:
            plan = standard_plan(scratch_root(), kill_wait=2, accounting=accounting)
            cluster = EmbeddedCluster(plan)
            stack.callback(cluster.remove)
            return cluster

        yield make


@pytest.fixture
def cluster(make_cluster: MakeCluster) -> EmbeddedCluster:
    """A cluster that runs."""
    made = make_cluster()
    made.start()
    return made


def batch(cluster: EmbeddedCluster, script: str, *options: str) -> str:
    return cluster.run("sbatch", "--parsable", *options, input=f"#!/bin/bash\n{script}\n")


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.05)


def words_of(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def processes_with(word: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in path.read_bytes().split(b"\0"):
                found.append(path.parent.name)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_every_node_is_idle_soon_after_the_start(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    began = time.monotonic()
    cluster.start()
    assert time.monotonic() - began < 10
    assert cluster.node_states() == {"n1": "idle", "n2": "idle", "g1": "idle"}


def test_batch_jobs_see_gpus_of_their_own(cluster: EmbeddedCluster) -> None:
    outputs = [cluster.plan.root / f"gpus{n}" for n in range(2)]
    for output in outputs:
        script = f"echo $CUDA_VISIBLE_DEVICES > {output}; sleep 30"
        batch(cluster, script, "--partition=gpu", "--gres=gpu:h100:2", "--output=/dev/null")
    until(lambda: all(words_of(output) for output in outputs))
    seen = [set(words_of(output)[0].split(",")) for output in outputs]
    assert seen[0] | seen[1] == {"0", "1", "2", "3"}
    assert not seen[0] & seen[1]


def test_two_clusters_do_not_know_of_each_other(make_cluster: MakeCluster) -> None:
    first, second = make_cluster(), make_cluster()
    first.start()
    second.start()
    batch(first, "sleep 30", "--output=/dev/null")
    assert first.run("squeue", "--noheader") != ""
    assert second.run("squeue", "--noheader") == ""


def test_jobs_outlive_the_controller_and_the_nodes_daemon(cluster: EmbeddedCluster) -> None:
    job = batch(cluster, "sleep 60", "--nodelist=n1", "--output=/dev/null")

    def state() -> str:
        return cluster.run("squeue", "--noheader", "--format=%T", f"--jobs={job}")

    until(lambda: state() == "RUNNING")
    cluster.controller_stop()
    cluster.slurmd_stop("n1")
    cluster.slurmd_start("n1")
    cluster.controller_start()
    assert state() == "RUNNING"


def test_without_munge_nobody_is_answered(cluster: EmbeddedCluster) -> None:
    cluster.munge_stop()
    assert cluster.node_states() == {}
    cluster.munge_start()
    assert set(cluster.node_states().values()) == {"idle"}


def test_settings_can_be_added_while_it_runs(cluster: EmbeddedCluster) -> None:
    cluster.reconfigure("PrivateData=jobs")
    until(lambda: "PrivateData             = jobs" in cluster.run("scontrol", "show", "config"))


def test_accounting_keeps_accounts_and_what_they_used(make_cluster: MakeCluster) -> None:
    cluster = make_cluster(accounting=True)
    cluster.start()
    cluster.run("sacctmgr", "-i", "add", "account", "physics")
    me = pwd.getpwuid(os.geteuid()).pw_name
    cluster.run("sacctmgr", "-i", "add", "user", me, "account=physics")
    job = batch(cluster, "true", "--account=physics", "--output=/dev/null")
    asked = ("sacct", "--noheader", "--parsable2", "--allocations", f"--jobs={job}")
    until(lambda: cluster.run(*asked, "--format=account,state") == "physics|COMPLETED")
    cluster.accounting_stop()
    assert set(cluster.node_states()) == {"n1", "n2", "g1"}
    cluster.accounting_start()
    cluster.stop()
    assert processes_with(str(cluster.plan.root)) == []


def test_stop_ends_what_a_job_hid_from_slurm(cluster: EmbeddedCluster) -> None:
    # A process that left its job's process tree is out of proctrack/linuxproc's sight.
    batch(cluster, "(setsid sleep 86399 &) ; sleep 60", "--output=/dev/null")
    until(lambda: bool(processes_with("86399")))
    cluster.stop()
    assert processes_with("86399") == []
    cluster.stop()


def test_another_object_stops_what_the_first_started(cluster: EmbeddedCluster) -> None:
    controller = cluster.controller_process()
    assert controller is not None
    EmbeddedCluster(cluster.plan).stop()
    assert not controller.alive()


def test_a_start_that_fails_leaves_nothing_running(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    shutil.rmtree(cluster.plan.root)
    cluster.plan.root.mkdir()
    plan = standard_plan(cluster.plan.root, extra_lines=("SelectType=select/none_such",))
    with pytest.raises(DeployError, match="slurmctld ended before it answered"):
        EmbeddedCluster(plan).start()
    assert processes_with(str(cluster.conf)) == []
