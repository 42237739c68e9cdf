"""What Slurm itself says of the queue, and ways to fill and disturb it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.rig.hub import until


def jobs(cluster: EmbeddedCluster, states: str = "") -> list[int]:
    """The ids of all jobs in the queue, or of those in these states."""
    argv = ["squeue", "--noheader", "--all", "--format=%i"]
    if states:
        argv.append(f"--states={states}")
    return [int(line) for line in cluster.run(*argv).split()]


def state(cluster: EmbeddedCluster, job_id: int) -> str:
    """One job's state as squeue has it, also when it has ended."""
    return cluster.run(
        "squeue", "--noheader", "--all", "--states=all", "--format=%T", f"--jobs={job_id}"
    )


def until_empty(cluster: EmbeddedCluster, seconds: float = 120) -> None:
    """Wait until no job is pending, running or completing."""
    until(lambda: not jobs(cluster), seconds=seconds, what="an empty queue")


def clear(cluster: EmbeddedCluster) -> None:
    """End whatever an earlier test left, so that one failure does not become many."""
    left = jobs(cluster)
    if left:
        cluster.run("scontrol", "resume", ",".join(map(str, left)), check=False)
        cluster.run("scancel", *map(str, left))
        until_empty(cluster)


@contextmanager
def full(cluster: EmbeddedCluster) -> Iterator[None]:
    """Every node is taken; given back at the end."""
    blockers = [
        int(
            cluster.run(
                *("sbatch", "--parsable", "--exclusive", f"--partition={name}", f"--nodes={nodes}"),
                *("--output=/dev/null", "--time=30", "--chdir=/", "--wrap=sleep 900"),
            )
        )
        for name, nodes in (("cpu", 2), ("gpu", 1))
    ]
    until(lambda: set(blockers) <= set(jobs(cluster, "RUNNING")), what="the blockers to run")
    try:
        yield
    finally:
        cluster.run("scancel", *map(str, blockers))
        until(lambda: not set(blockers) & set(jobs(cluster)), what="the blockers to end")
