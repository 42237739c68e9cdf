"""The text of the configuration files: pure functions (slurm.conf(5), gres.conf(5))."""

from __future__ import annotations

from pathlib import Path

from slurmhub_deploy.cluster.layout import Layout, Ports
from slurmhub_deploy.cluster.plan import ClusterPlan, NodePlan, PartitionPlan

_CREDENTIAL_SECONDS = {"fast": 15, "stock": 120}


def slurm_conf(
    plan: ClusterPlan,
    layout: Layout,
    ports: Ports,
    *,
    hostname: str,
    plugin_dir: Path | None = None,
) -> str:
    """slurm.conf for this plan on the host of this (short) name."""
    lines = [
        f"ClusterName={plan.name}",
        f"SlurmctldHost={hostname}({plan.controller_address})",
        f"SlurmctldPort={ports.controller}",
        f"SlurmUser={plan.owner}",
        f"SlurmdUser={plan.owner}",
        "AuthType=auth/munge",
        # A requeued job waits for as long as its credential could still be used: two minutes
        # unless it is said otherwise, see cred_expire in slurm.conf(5).
        f"AuthInfo=socket={layout.munge_socket},cred_expire={_CREDENTIAL_SECONDS[plan.scheduling]}",
        f"StateSaveLocation={layout.state}",
        f"SlurmdSpoolDir={layout.spool}/%n",
        f"SlurmctldPidFile={layout.run}/slurmctld.pid",
        f"SlurmdPidFile={layout.run}/slurmd-%n.pid",
        f"SlurmctldLogFile={layout.log_of('slurmctld')}",
        f"SlurmdLogFile={layout.log}/slurmd-%n.log",
        *_watch_over_processes(plan),
        "MpiDefault=none",
        "SlurmdParameters=config_overrides",
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_CPU_Memory",
        "DefMemPerCPU=1024",
        "ReturnToService=2",
        f"KillWait={plan.kill_wait}",
        f"MinJobAge={plan.min_job_age}",
    ]
    if plugin_dir is not None:
        lines.append(f"PluginDir={plugin_dir}")
    if plan.scheduling == "fast":
        lines.append("SchedulerParameters=batch_sched_delay=0,sched_min_interval=0")
    if plan.private_data:
        lines.append("PrivateData=jobs")
    if any(node.gpus for node in plan.nodes):
        shards = any(node.shards for node in plan.nodes)
        lines.append("GresTypes=gpu,shard" if shards else "GresTypes=gpu")
    if plan.accounting:
        lines += [
            "AccountingStorageType=accounting_storage/slurmdbd",
            f"AccountingStorageHost={plan.controller_address}",
            f"AccountingStoragePort={ports.accounting}",
            # How the accounting names its authentication: the socket alone.
            f"AccountingStoragePass={layout.munge_socket}",
        ]
    lines += plan.extra_lines
    lines += [
        _node(node, port, hostname) for node, port in zip(plan.nodes, ports.nodes, strict=True)
    ]
    lines += [_partition(partition) for partition in plan.partitions]
    return "\n".join(lines) + "\n"


def slurmdbd_conf(
    plan: ClusterPlan, layout: Layout, ports: Ports, *, hostname: str, plugin_dir: Path | None
) -> str:
    """slurmdbd.conf(5): its database is reached by a socket that only its owner can open."""
    lines = [
        "AuthType=auth/munge",
        f"AuthInfo=socket={layout.munge_socket}",
        f"DbdHost={hostname}",
        f"DbdAddr={plan.controller_address}",
        f"DbdPort={ports.accounting}",
        f"SlurmUser={plan.owner}",
        f"PidFile={layout.run}/slurmdbd.pid",
        f"LogFile={layout.log_of('slurmdbd')}",
        "StorageType=accounting_storage/mysql",
        "StorageHost=localhost",
        f"StorageUser={plan.owner}",
        "StorageLoc=slurm",
    ]
    if plugin_dir is not None:
        lines.append(f"PluginDir={plugin_dir}")
    return "\n".join(lines) + "\n"


def gres_conf(plan: ClusterPlan, layout: Layout) -> str:
    """gres.conf: which file is which GPU on which node."""
    lines = ["AutoDetect=off"]
    for node in plan.nodes:
        first = 0
        for kind, count in node.gpus:
            files = ",".join(str(layout.device(node.name, first + n)) for n in range(count))
            lines.append(f"NodeName={node.name} Name=gpu Type={kind} File={files}")
            first += count
        if node.shards:
            lines.append(f"NodeName={node.name} Name=shard Count={node.shards}")
    return "\n".join(lines) + "\n"


def _watch_over_processes(plan: ClusterPlan) -> tuple[str, ...]:
    if plan.memory_held:
        return (
            "ProctrackType=proctrack/cgroup",
            "TaskPlugin=task/cgroup",
            "JobAcctGatherType=jobacct_gather/cgroup",
        )
    # Neither cgroups nor affinity: the nodes claim more than this machine has.
    return (
        "ProctrackType=proctrack/linuxproc",
        "TaskPlugin=task/none",
        "JobAcctGatherType=jobacct_gather/none",
    )


def cgroup_conf(version: tuple[int, int], *, memory_held: bool = False) -> str:
    """cgroup.conf: slurmd prepares cgroups at its start, even where no plugin uses them.

    Where they hold a job to its memory, Slurm finds out which version is mounted, and must not ask
    systemd for a scope, which would outlive the cluster. Otherwise, left to itself, slurmd fails
    where none are mounted, or where it is not root on a machine with version 2, and with systemd it
    leaves a scope behind. "disabled" is known from 23.11 on; in earlier ones the plugin for
    version 1 does nothing until a controller is asked for.
    """
    if memory_held:
        lines = ("CgroupPlugin=autodetect", "IgnoreSystemd=yes", "ConstrainRAMSpace=yes")
        return "".join(f"{line}\n" for line in (*lines, "ConstrainSwapSpace=yes"))
    return f"CgroupPlugin={'disabled' if version >= (23, 11) else 'cgroup/v1'}\n"


def _node(node: NodePlan, port: int, hostname: str) -> str:
    words = [
        f"NodeName={node.name}",
        f"NodeHostname={hostname}",
        f"NodeAddr={node.address}",
        f"Port={port}",
        f"CPUs={node.cpus}",
        f"RealMemory={node.memory}",
    ]
    gres = [f"gpu:{kind}:{count}" for kind, count in node.gpus]
    if node.shards:
        gres.append(f"shard:{node.shards}")
    if gres:
        words.append("Gres=" + ",".join(gres))
    if node.features:
        words.append("Feature=" + ",".join(node.features))
    return " ".join(words)


def _partition(partition: PartitionPlan) -> str:
    words = [
        f"PartitionName={partition.name}",
        f"Nodes={','.join(partition.nodes)}",
        f"Default={'YES' if partition.default else 'NO'}",
        f"Hidden={'YES' if partition.hidden else 'NO'}",
        f"MaxTime={partition.max_time}",
    ]
    if partition.default_time is not None:
        words.append(f"DefaultTime={partition.default_time}")
    return " ".join([*words, *partition.settings])
