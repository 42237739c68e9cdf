"""Slurm's configuration, rendered by Ansible's own templating.

SLURMHUB_GOLDEN=write renews what is kept of a whole cluster.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from slurmhub_deploy.site.clusters import OWNED
from tests.rig.role_docs import ROLES

GOLDEN = Path(__file__).parent / "slurm_golden"
DEBIAN = {"distribution": "Debian", "distribution_major_version": "12", "memtotal_mb": 16000}
CLUSTER: dict[str, Any] = {
    "ansible_facts": DEBIAN,
    "slurm_client_cluster": "main",
    "slurm_client_controller": "controller",
    "slurm_client_controller_address": "192.0.2.11",
    "slurm_client_database": "192.0.2.12",
    "slurm_client_nodes": [
        {"name": "g1", "address": "192.0.2.31", "cpus": 32, "memory": 245760,
         "gpus": {"h100": 2, "a100": 4}, "features": ["amd", "nvme"]},
        {"name": "c1", "address": "192.0.2.21", "cpus": 16, "memory": 61440,
         "gpus": {}, "features": []},
    ],
    "slurm_client_partitions": [
        {"name": "gpu", "nodes": ["g1"], "default": False, "hidden": True, "max_time": "12:00:00",
         "default_time": "1:00:00", "groups": ["staff", "ml"]},
        {"name": "cpu", "nodes": ["c1", "g1"], "default": True, "hidden": False,
         "max_time": "UNLIMITED", "default_time": "2:00:00", "groups": []},
    ],
}  # fmt: skip


def of_role(role: str, file: str) -> dict[str, Any]:
    loader = DataLoader()
    found: dict[str, Any] = loader.load_from_file(
        str(ROLES / role / file), trusted_as_template=True
    )
    return found


def rendered(role: str, name: str, **more: Any) -> str:
    variables = of_role(role, "defaults/main.yml")
    if (ROLES / role / "vars/main.yml").exists():
        variables |= of_role(role, "vars/main.yml")
    text = (ROLES / role / "templates" / f"{name}.j2").read_text()
    templar = Templar(loader=DataLoader(), variables=variables | more).copy_with_new_env(
        trim_blocks=True, lstrip_blocks=False
    )
    return str(templar.template(trust_as_template(text), preserve_trailing_newlines=True))


def settings(**more: Any) -> dict[str, str]:
    lines = rendered("slurm_client", "slurm.conf", **(CLUSTER | more)).splitlines()
    return dict(line.partition("=")[::2] for line in lines if "=" in line and line[0] != "#")


@pytest.mark.parametrize("name", ["slurm.conf", "nodes.conf", "partitions.conf", "cgroup.conf"])
def test_a_whole_cluster(name: str) -> None:
    text = rendered("slurm_client", name, **CLUSTER)
    if os.environ.get("SLURMHUB_GOLDEN") == "write":
        (GOLDEN / name).write_text(text)
    assert text == (GOLDEN / name).read_text()
    assert text.startswith("# Written by slurmhub from the site file; changes here are lost.\n")


def test_settings_are_in_order_so_that_a_change_is_one_line() -> None:
    names = list(settings())
    assert names == sorted(names, key=str.lower)


def test_more_settings_go_over_the_usual_ones_and_not_over_ours() -> None:
    more = {"SlurmdTimeout": 30, "ClusterName": "other", "JobCompType": "jobcomp/none"}
    found = settings(slurm_client_extra=more)
    assert found["SlurmdTimeout"] == "30"
    assert found["JobCompType"] == "jobcomp/none"
    assert found["ClusterName"] == "main"


def test_what_the_site_file_refuses_is_what_the_role_sets() -> None:
    owned = set(of_role("slurm_client", "vars/main.yml")["slurm_client_owned"])
    assert set(OWNED) == owned | {"Include", "NodeName", "NodeSet", "PartitionName"}


def test_without_cgroups_memory_is_watched() -> None:
    found = settings(slurm_client_containment="process")
    assert "cgroup" not in found["ProctrackType"] + found["TaskPlugin"]
    assert "OverMemoryKill" in found["JobAcctGatherParams"]
    assert "PrologFlags" not in found


@pytest.mark.parametrize(
    ("distribution", "version", "line"),
    [
        ("Debian", "12", "CgroupPlugin=cgroup/v1"),
        ("Rocky", "9", "CgroupPlugin=cgroup/v1"),
        ("Ubuntu", "24", "CgroupPlugin=disabled"),
        ("Debian", "13", "CgroupPlugin=disabled"),
    ],
)
def test_no_cgroups_in_the_words_of_each_release(
    distribution: str, version: str, line: str
) -> None:
    facts = {"distribution": distribution, "distribution_major_version": version}
    more = {"ansible_facts": facts, "slurm_client_containment": "process"}
    assert line in rendered("slurm_client", "cgroup.conf", **(CLUSTER | more)).splitlines()


def test_slurms_own_delays() -> None:
    assert "SchedulerParameters" in settings()
    assert "SchedulerParameters" not in settings(slurm_client_scheduling="stock")


def gres(**more: Any) -> list[str]:
    variables = of_role("slurm_node", "defaults/main.yml") | more
    rows = Templar(loader=DataLoader(), variables=variables).template(
        trust_as_template((ROLES / "slurm_node/templates/gpu_files.json.j2").read_text())
    )
    return [f"{row['type']} {row['file']}" for row in DataLoader().load(str(rows))]


def test_gpus_have_their_files() -> None:
    assert gres(slurm_node_gpus={}) == []
    assert gres(slurm_node_gpus={"h100": 1, "a100": 2}) == [
        "a100 /dev/nvidia0",
        "a100 /dev/nvidia1",
        "h100 /dev/nvidia2",
    ]
    files = {"mi210": ["/dev/dri/renderD128", "/dev/dri/renderD129"]}
    assert gres(slurm_node_gpus={"mi210": 2}, slurm_node_gpu_files=files) == [
        f"mi210 {file}" for file in files["mi210"]
    ]


@pytest.mark.parametrize(
    ("memory", "given", "line"),
    [
        (2000, 0, "innodb_buffer_pool_size = 128M"),
        (16000, 0, "innodb_buffer_pool_size = 1920M"),
        (512000, 0, "innodb_buffer_pool_size = 4096M"),
        (2000, 700, "innodb_buffer_pool_size = 700M"),
    ],
)
def test_the_database_has_a_part_of_the_memory(memory: int, given: int, line: str) -> None:
    more = {"ansible_facts": {"memtotal_mb": memory}, "slurm_database_buffer": given}
    assert line in rendered("slurm_database", "mariadb.cnf", **more).splitlines()


def test_there_is_no_password_in_slurmdbd_conf() -> None:
    more = {"slurm_database_name": "controller", "slurm_database_address": "192.0.2.11"}
    text = rendered("slurm_database", "slurmdbd.conf", **more)
    assert "StoragePass" not in text
    assert "PurgeJobAfter=24months" in text
    assert "Purge" not in rendered(
        "slurm_database", "slurmdbd.conf", **more, slurm_database_purge_months=0
    )
