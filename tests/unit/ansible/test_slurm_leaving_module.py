"""slurmhub_slurm_leaving, run as Ansible runs it, with commands that answer as Slurm 22.05 did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.ansible.modules import load

module = load("slurmhub_slurm_leaving")

CONF = """# Written by slurmhub from the site file; changes here are lost.
NodeName=c1 NodeAddr=192.0.2.21 CPUs=2 RealMemory=2048
NodeName=c2 NodeAddr=192.0.2.22 CPUs=2 RealMemory=2048 Gres=gpu:h100:2
"""
SHOWN = "NodeName=c1 Arch=x86_64 State=IDLE {}\nNodeName=c2 Arch=x86_64 State={} Weight=1\n"
COMMAND = """#!/bin/sh
echo "$(basename "$0") $*" >> {log}
case "$(basename "$0") $*" in
    *squeue*) printf '%s' '{jobs}' ;;
    *"show nodes"*) printf '%s' '{nodes}' ;;
esac
exit {status}
"""


class Ran:
    """What the module said, and what it asked Slurm."""

    def __init__(self, result: dict[str, Any], log: Path) -> None:
        self.result = result
        self.asked = log.read_text().splitlines() if log.exists() else []
        self.drained = [line for line in self.asked if "update" in line]


def run(
    folder: Path, stay: list[str], *, jobs: str = "", state: str = "IDLE", status: int = 0,
    check: bool = False,
) -> Ran:  # fmt: skip
    (folder / "bin").mkdir()
    log = folder / "log"
    nodes = SHOWN.format("", state)
    for name in ("squeue", "scontrol"):
        program = folder / "bin" / name
        program.write_text(COMMAND.format(log=log, jobs=jobs, nodes=nodes, status=status))
        program.chmod(0o755)
    (folder / "nodes.conf").write_text(CONF)
    args = {"stay": stay, "conf": str(folder / "nodes.conf"), "wait": 0}
    given = {"ANSIBLE_MODULE_ARGS": args | {"_ansible_check_mode": check}}
    ran = subprocess.run(
        [sys.executable, str(module.__file__)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": f"{folder / 'bin'}:/usr/bin:/bin"},
    )
    return Ran(json.loads(ran.stdout), log)


def test_nothing_is_asked_while_all_stay(tmp_path: Path) -> None:
    ran = run(tmp_path, ["c1", "c2", "c3"], status=1)
    assert (ran.result["changed"], ran.asked) == (False, [])


def test_an_empty_node_is_drained(tmp_path: Path) -> None:
    ran = run(tmp_path, ["c1"])
    assert ran.result["changed"] is True
    assert ran.result["leaving"] == ["c2"]
    assert len(ran.drained) == 1
    assert "NodeName=c2 State=DRAIN" in ran.drained[0]


def test_a_node_with_a_job_is_drained_and_stays(tmp_path: Path) -> None:
    ran = run(tmp_path, ["c1"], jobs="7|alice|c2|2026-11-21T23:00:00\n")
    assert ran.result["failed"] is True
    assert "job 7 of alice on c2 until 2026-11-21T23:00:00" in ran.result["msg"]
    assert len(ran.drained) == 1


def test_one_that_is_drained_already(tmp_path: Path) -> None:
    ran = run(tmp_path, ["c1"], state="IDLE+DRAIN")
    assert (ran.result["changed"], ran.drained) == (False, [])


@pytest.mark.parametrize("jobs", ["", "7|alice|c2|2026-11-21T23:00:00\n"])
def test_check_mode_drains_nothing(tmp_path: Path, jobs: str) -> None:
    ran = run(tmp_path, ["c1"], jobs=jobs, check=True)
    assert ran.result["changed"] is True
    assert ran.drained == []
    assert len(ran.result["jobs"]) == len(jobs.splitlines())


def test_a_controller_that_does_not_answer(tmp_path: Path) -> None:
    ran = run(tmp_path, ["c1"], status=1)
    assert ran.result["failed"] is True
    assert "c2 cannot be taken out of the cluster: Slurm did not answer" in ran.result["msg"]
