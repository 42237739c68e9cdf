"""Courses on a real cluster: what they are, people who submit jobs, and what Slurm then has."""

from __future__ import annotations

import logging
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from slurmhub.courses.model import Course, Profile, State, Term
from slurmhub.courses.slurm.desired import ClusterSite, CourseOnCluster, Occurrence
from slurmhub.courses.slurm.reconciler import Reconciler, Report
from slurmhub.slurm.managing import ManagingClient
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import ClusterPlan, NodePlan, PartitionPlan

LOG = logging.getLogger("slurmhub.tests")
SEATS = 30
SITE = ClusterSite(hub="Main", own_qos=True)


def class_plan(root: Path) -> ClusterPlan:
    """Five nodes with eight GPUs each; four of them have room for thirty servers."""
    nodes = tuple(
        NodePlan(f"g{n}", f"127.0.1.{20 + n}", cpus=32, memory=65536, gpus=(("h100", 8),))
        for n in range(1, 6)
    )
    return ClusterPlan(
        root=root,
        name="teaching",
        nodes=nodes,
        partitions=(
            PartitionPlan("gpu", tuple(n.name for n in nodes), default=True, max_time="8:00:00"),
        ),
        accounting=True,
        extra_lines=(
            "AccountingStorageEnforce=associations,limits,qos",
            "AccountingStorageTRES=gres/gpu",
        ),
    )


def course(key: str = "phys101", **changes: Any) -> Course:
    """A course whose servers have a GPU, two cores and 2 GB for two hours."""
    values: dict[str, Any] = {
        "key": key,
        "title": key.upper(),
        "term": Term(name="Autumn", first=date(2026, 9, 1), last=date(2026, 12, 20)),
        "timezone": "America/Vancouver",
        "profile": Profile(partition="gpu", cpus=2, memory="2G", gpus=1, hours=2),
        "seats": SEATS,
    }
    return Course(**{**values, **changes})


def a_class(
    begins: timedelta = timedelta(), lasts: timedelta = timedelta(hours=1), **changes: Any
) -> Occurrence:
    """A class that begins so long from now, at a whole minute."""
    start = datetime.now(timezone.utc).replace(second=0, microsecond=0) + begins
    return Occurrence(start=start, end=start + lasts, **changes)


@dataclass
class School:
    """The courses of a hub, changed by a test; `client` and `site` are whose rights it has."""

    cluster: EmbeddedCluster
    client: ManagingClient
    site: ClusterSite = SITE

    def __post_init__(self) -> None:
        self.courses: dict[str, CourseOnCluster] = {}
        self.later = timedelta()

    def has(self, made: Course, *members: str, **changes: Any) -> None:
        """From now on there is this course, open, with these people."""
        values: dict[str, Any] = {"state": State.OPEN, "members": frozenset(members)}
        self.courses[made.key] = CourseOnCluster(course=made, **{**values, **changes})

    def change(self, key: str, **changes: Any) -> None:
        """From now on the course is so."""
        self.courses[key] = replace(self.courses[key], **changes)

    def reconciler(self) -> Reconciler:
        """A new one, as after a start of its process."""

        async def source() -> Sequence[CourseOnCluster]:
            return tuple(self.courses.values())

        def clock() -> datetime:
            return datetime.now(timezone.utc) + self.later

        return Reconciler(self.client, source, self.site, log=LOG, clock=clock)

    async def settle(self) -> Report:
        """Rounds until there is nothing to do."""
        return await self.reconciler().settle()

    async def settled(self) -> None:
        """Settle; every course must have all that it should, and a further round do nothing."""
        reconciler = self.reconciler()
        report = await reconciler.once()
        if report.done:
            assert not report.failed, report
            report = await reconciler.once()
        assert not report.done, report
        assert not report.failed, report
        assert all(one.realised for one in report.outcomes.values()), report.outcomes

    async def empty(self) -> None:
        """End all courses, whose jobs the test has ended."""
        self.later = timedelta()
        for key in self.courses:
            self.change(key, state=State.ENDED)
        await self.settled()
        self.courses.clear()


def as_person(cluster: EmbeddedCluster, name: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run one of Slurm's commands as somebody with an account here: no hub in between."""
    entry = pwd.getpwnam(name)
    return subprocess.run(
        [str(cluster.bin_dir / argv[0]), *argv[1:]],
        env=cluster.env(),
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=[],
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def sbatch(
    cluster: EmbeddedCluster, name: str, key: str, *options: str, gpus: int = 1
) -> subprocess.CompletedProcess[str]:
    """A job such as a course's server is, submitted past every page."""
    return as_person(
        cluster,
        name,
        *("sbatch", "--parsable", f"--account={key}", "--output=/dev/null", "--cpus-per-task=2"),
        *("--mem=2G", f"--gres=gpu:{gpus}", "--time=120", *options, "--wrap=sleep 3600"),
    )


def submitted(done: subprocess.CompletedProcess[str]) -> int:
    """The number of a job that Slurm took."""
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def queue(cluster: EmbeddedCluster, account: str) -> list[tuple[str, str, str]]:
    """State, reservation and person of the account's jobs."""
    rows = cluster.run("squeue", "--noheader", f"--account={account}", "--format=%T|%v|%u")
    return [(state, where, who) for state, where, who in map(_three, rows.splitlines())]


def reserved(cluster: EmbeddedCluster) -> dict[str, set[str]]:
    """The nodes of each reservation that is not over."""
    found = {}
    for line in cluster.run("scontrol", "-o", "show", "reservation").splitlines():
        if line.startswith("ReservationName="):
            words = dict(word.partition("=")[::2] for word in line.split())
            if datetime.fromisoformat(words["EndTime"]) <= datetime.now():
                continue
            nodes = cluster.run("scontrol", "show", "hostnames", words["Nodes"]).split()
            found[words["ReservationName"]] = set(nodes)
    return found


def everything(cluster: EmbeddedCluster) -> str:
    """All that the accounting and the controller have of accounts, limits and reservations."""
    show = ("sacctmgr", "--noheader", "--parsable2", "show")
    limits = "GrpSubmit,GrpTRES,MaxSubmit,MaxTRES,MaxWall,QOS,DefaultQOS"
    parts = [
        cluster.run(*show, "account", "format=Account,Organization"),
        cluster.run(*show, "assoc", f"format=Account,User,ParentName,{limits}"),
        cluster.run(*show, "qos", "format=Name,Flags,GrpSubmit,GrpTRES,MaxTRESPU,MaxWall,Descr"),
        repr(sorted((name, sorted(nodes)) for name, nodes in reserved(cluster).items())),
    ]
    return "\n".join("\n".join(sorted(part.splitlines())) for part in parts)


def _three(line: str) -> tuple[str, str, str]:
    state, where, who = line.split("|")
    return state, where, who


class Interrupted(BaseException):
    """Stands for the end of the process."""


class KilledAfter(ManagingClient):
    """A client whose process ends when so many changes were done, before it knows of the last."""

    def __init__(self, client: ManagingClient, changes: int) -> None:
        super().__init__(client._bin_dir, client._conf)
        self._left = changes

    async def _ask(
        self, name: str, *arguments: str, extra_env: dict[str, str] | None = None
    ) -> str:
        answer = await super()._ask(name, *arguments, extra_env=extra_env)
        if {"add", "modify", "remove", "create", "update", "delete"} & set(arguments):
            self._left -= 1
            if not self._left:
                raise Interrupted
        return answer


def running(cluster: EmbeddedCluster, account: str) -> int:
    """How many jobs of an account run."""
    return sum(state == "RUNNING" for state, *_ in queue(cluster, account))


def people_of(cluster: EmbeddedCluster, account: str) -> set[str]:
    """Who is in an account."""
    rows = cluster.run(
        "sacctmgr", "-nP", "show", "assoc", "where", f"account={account}", "format=User"
    )
    return set(rows.split())


def default_account(cluster: EmbeddedCluster, name: str) -> str:
    """The account that a person's jobs charge when they say nothing."""
    return cluster.run(
        "sacctmgr", "-nP", "show", "user", "where", f"name={name}", "format=DefaultAccount"
    )
