"""A site where servers fail to start or die in every way: its cluster, accounts and hub."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import ClusterPlan, PartitionPlan, standard_plan
from tests.conftest import hub_settings, running_cluster
from tests.rig.accounts import PREFIX, account, unix_accounts
from tests.rig.hub import HubUnderTest

# People whose homes are in trouble; all others are alice.
TROUBLED = ("homeless", "locked", "inodes", "crowded")

_SLURM = (
    "AccountingStorageEnforce=associations,limits,qos",
    "JobSubmitPlugins=lua",
    "JobAcctGatherType=jobacct_gather/linux",
    "JobAcctGatherParams=OverMemoryKill",
    "JobAcctGatherFrequency=1",
    "PreemptType=preempt/partition_prio",
    "PreemptMode=CANCEL",
)
_LUA = """
function slurm_job_submit(job, partitions, uid)
    if job.name == "unwanted" then
        slurm.log_user("Courses may not start before Monday, says the dean.")
        return slurm.ERROR
    end
    return slurm.SUCCESS
end
function slurm_job_modify(job, record, partitions, uid)
    return slurm.SUCCESS
end
return slurm.SUCCESS
"""
_SETTINGS = """
_TROUBLED = {troubled!r}
_KINDS = {kinds!r}


def _account(name):
    kind = name.partition("-")[2]
    if kind == "system":
        return "daemon"
    return {prefix!r} + (kind if kind in _TROUBLED + ("nobody",) else "alice")


async def _server(spawner):
    for name, value in _KINDS.get(spawner.user.name.partition("-")[2], {{}}).items():
        setattr(spawner, name, value)


c.SlurmHubSpawner.unix_account = _account
c.SlurmHubSpawner.slurm_bin_dir = {bin_dir!r}
c.SlurmHubSpawner.watch_interval = 8
c.SlurmHubSpawner.files_page = True
c.Spawner.pre_spawn_hook = _server
"""


@dataclass(frozen=True)
class Site:
    """The running whole. `programs` is the hub's folder of Slurm's commands."""

    cluster: EmbeddedCluster
    hub: HubUnderTest
    programs: Path
    homes: Path


@contextmanager
def running_site(
    ground: Path,
    stub: Path,
    code: Path,
    proxy_command: list[str],
    kinds: Mapping[str, Mapping[str, object]],
) -> Iterator[Site]:
    """Start all of it; `kinds` are the settings of a server by what follows its owner's name."""
    with ExitStack() as stack:
        cluster = stack.enter_context(running_cluster(ground, _plan))
        homes = ground / "troubled"
        homes.mkdir(mode=0o711)
        people = stack.enter_context(unix_accounts(homes, *TROUBLED))
        stack.enter_context(_troubles(homes))
        _registered(cluster, [account("alice"), *people.values()])
        programs = ground / "programs"
        programs.mkdir()
        for program in cluster.bin_dir.glob("s*"):
            (programs / program.name).symlink_to(program)
        extra = _SETTINGS.format(
            troubled=TROUBLED, kinds=dict(kinds), prefix=PREFIX, bin_dir=str(programs)
        )
        folder = Path(tempfile.mkdtemp(prefix="h", dir=ground))
        hub = HubUnderTest(folder, hub_settings(cluster, stub, extra), proxy_command, code=code)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(hub.stop)
        hub.start()
        yield Site(cluster, hub, programs, homes)


def _plan(root: Path) -> ClusterPlan:
    plan = standard_plan(root, accounting=True, kill_wait=3, extra_lines=_SLURM)
    (root / "etc").mkdir(parents=True, exist_ok=True)
    (root / "etc" / "job_submit.lua").write_text(_LUA)
    urgent = PartitionPlan("urgent", ("n1", "n2"), settings=("PriorityTier=9",))
    closing = PartitionPlan("closing", ("n1",))
    return replace(plan, partitions=(*plan.partitions, urgent, closing))


@contextmanager
def _troubles(homes: Path) -> Iterator[None]:
    """A home that is gone, one that is closed, and two on disks without room."""
    shutil.rmtree(homes / "homeless")
    os.chown(homes / "locked", 0, 0)
    with ExitStack() as stack:
        for name, limit in (("inodes", "nr_inodes=1"), ("crowded", "size=64k")):
            home = homes / name
            found = home.stat()
            options = f"{limit},mode=700,uid={found.st_uid},gid={found.st_gid}"
            _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(home))
            stack.callback(_run, "umount", "--lazy", str(home))
        yield


def _registered(cluster: EmbeddedCluster, people: list[str]) -> None:
    def sacctmgr(*argv: str) -> None:
        cluster.run("sacctmgr", "--immediate", *argv)

    sacctmgr("add", "account", "physics")
    sacctmgr("add", "qos", "closed", "set", "GrpSubmitJobs=0")
    sacctmgr("add", "qos", "short", "set", "MaxWall=1", "Flags=DenyOnLimit")
    for person in people:
        sacctmgr("add", "user", person, "account=physics", "qos=normal,closed,short")


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)
