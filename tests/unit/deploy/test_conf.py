"""The configuration text of an embedded cluster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from slurmhub_deploy.cluster import ClusterPlan, NodePlan, PartitionPlan, standard_plan
from slurmhub_deploy.cluster import conf as conf_text
from slurmhub_deploy.cluster.layout import Layout, Ports, choose_ports, free_ports
from slurmhub_deploy.errors import DeployError

ROOT = Path("/run/cluster")
PORTS = Ports(20001, (20011, 20012, 20013), 20002)


def lines_of(plan: ClusterPlan) -> list[str]:
    return conf_text.slurm_conf(plan, Layout(plan.root), PORTS, hostname="host").splitlines()


def test_every_path_is_below_the_root() -> None:
    paths = [line.rpartition("=/")[2] for line in lines_of(standard_plan(ROOT)) if "=/" in line]
    assert paths
    assert all(path.startswith("run/cluster/") for path in paths)


def test_munge_has_its_own_socket() -> None:
    wanted = f"AuthInfo=socket={ROOT}/run/munge.socket,cred_expire=15"
    assert wanted in lines_of(standard_plan(ROOT))


def test_each_node_has_its_own_address_and_port() -> None:
    nodes = [line for line in lines_of(standard_plan(ROOT)) if line.startswith("NodeName=")]
    assert nodes == [
        "NodeName=n1 NodeHostname=host NodeAddr=127.0.1.11 Port=20011 CPUs=8 RealMemory=16384",
        "NodeName=n2 NodeHostname=host NodeAddr=127.0.1.12 Port=20012 CPUs=8 RealMemory=16384",
        "NodeName=g1 NodeHostname=host NodeAddr=127.0.1.13 Port=20013 CPUs=8 RealMemory=16384"
        " Gres=gpu:h100:4",
    ]


def test_partitions_have_their_limits() -> None:
    plan = standard_plan(ROOT, hidden_partition=True)
    partitions = [line for line in lines_of(plan) if line.startswith("PartitionName=")]
    assert partitions == [
        "PartitionName=cpu Nodes=n1,n2 Default=YES Hidden=NO MaxTime=8:00:00 DefaultTime=1:00:00",
        "PartitionName=gpu Nodes=g1 Default=NO Hidden=NO MaxTime=1-00:00:00 DefaultTime=1:00:00",
        "PartitionName=hidden Nodes=n2 Default=NO Hidden=YES MaxTime=UNLIMITED",
    ]


def test_stock_scheduling_is_slurms_own() -> None:
    fast, stock = (
        [line for line in lines_of(standard_plan(ROOT, scheduling=kind)) if "Scheduler" in line]
        for kind in ("fast", "stock")
    )
    assert fast == ["SchedulerParameters=batch_sched_delay=0,sched_min_interval=0"]
    assert stock == []


def test_private_data_and_own_lines_are_added() -> None:
    plan = standard_plan(ROOT, private_data=True, extra_lines=("PreemptMode=REQUEUE",))
    assert {"PrivateData=jobs", "PreemptMode=REQUEUE"} <= set(lines_of(plan))
    assert "PrivateData=jobs" not in lines_of(standard_plan(ROOT))


def test_each_gpu_is_a_numbered_file_of_its_node() -> None:
    plan = ClusterPlan(
        root=ROOT,
        name="c",
        nodes=(NodePlan("g1", "127.0.1.13", gpus=(("h100", 2), ("a100", 1))),),
        partitions=(PartitionPlan("gpu", ("g1",)),),
    )
    assert conf_text.gres_conf(plan, Layout(ROOT)).splitlines() == [
        "AutoDetect=off",
        "NodeName=g1 Name=gpu Type=h100 File=/run/cluster/dev/g1/gpu0,/run/cluster/dev/g1/gpu1",
        "NodeName=g1 Name=gpu Type=a100 File=/run/cluster/dev/g1/gpu2",
    ]


def test_gpus_may_be_divided_into_shards() -> None:
    usual = standard_plan(ROOT)
    node = NodePlan("g1", "127.0.1.13", gpus=(("h100", 2),), shards=8)
    plan = replace(usual, nodes=(*usual.nodes[:2], node))
    assert "NodeName=g1 Name=shard Count=8" in conf_text.gres_conf(plan, Layout(ROOT)).splitlines()
    lines = lines_of(plan)
    assert "GresTypes=gpu,shard" in lines
    assert any(line.endswith("Gres=gpu:h100:2,shard:8") for line in lines)
    assert "GresTypes=gpu" in lines_of(usual)


@pytest.mark.parametrize(
    ("version", "plugin"),
    [((22, 5), "cgroup/v1"), ((23, 2), "cgroup/v1"), ((23, 11), "disabled"), ((26, 5), "disabled")],
)
def test_slurmd_prepares_no_cgroups(version: tuple[int, int], plugin: str) -> None:
    assert conf_text.cgroup_conf(version) == f"CgroupPlugin={plugin}\n"
    held = conf_text.cgroup_conf(version, memory_held=True).splitlines()
    assert {"CgroupPlugin=autodetect", "ConstrainRAMSpace=yes", "IgnoreSystemd=yes"} <= set(held)


def test_jobs_are_held_to_their_memory_where_that_is_asked_for() -> None:
    held = lines_of(replace(standard_plan(ROOT), memory_held=True))
    assert {"TaskPlugin=task/cgroup", "ProctrackType=proctrack/cgroup"} <= set(held)
    assert "TaskPlugin=task/none" in lines_of(standard_plan(ROOT))


def test_a_root_too_deep_for_a_socket_is_refused() -> None:
    with pytest.raises(DeployError, match="too deep") as caught:
        standard_plan(Path("/tmp") / ("deep" * 20))
    assert caught.value.remedy == "Choose a shorter one."


def test_secrets_and_state_are_closed_to_other_accounts() -> None:
    modes = {folder.name: mode for folder, mode in Layout(ROOT).folders()}
    assert {modes["munge"], modes["log"], modes["state"]} == {0o700}
    assert modes["run"] == modes["spool"] == 0o711


def test_ports_are_distinct_and_below_those_of_clients() -> None:
    ports = choose_ports(standard_plan(ROOT))
    chosen = {ports.controller, *ports.nodes}
    assert len(chosen) == 4
    assert all(20000 <= port < 32000 for port in chosen)


def test_a_taken_port_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    from slurmhub_deploy.cluster import layout

    free = {20000, 20001}
    monkeypatch.setattr(layout, "_free", lambda port: port in free)
    assert set(free_ports(2)) == free
    with pytest.raises(DeployError, match="No 3 free ports"):
        free_ports(3)
