"""A cluster of two hosts: what people find on it, what holds their jobs, and what comes back."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.fleet.client import HeldFleet
from tests.lab.whole.operator import Operator
from tests.lab.whole.pair import CONTROLLER, NODE, Pair
from tests.rig.checkout import PROJECT
from tests.rig.docs import Page
from tests.rig.hub import until

LAYERS = ("base", "directory", "slurm", "homes")
PAGE = PROJECT / "docs/operators/slurm.md"
MODULE = "#%Module1.0\nsetenv GREETING hello\n"
STATE = "/var/lib/slurm/slurmctld/job_state"
FULL = "python3 -c 'bytearray(400 * 2**20)'"


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    fleet = HeldFleet.start(f"pair-{os.getpid()}")
    folder = Path(tempfile.mkdtemp(prefix="shub-pair-"))
    try:
        made = Pair(folder, fleet)
        made.prepare()
        yield made
    finally:
        fleet.down()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def up(pair: Pair) -> Operator:
    operator = Operator(pair)
    for layer in LAYERS:
        operator.run("up", "--yes", "--no-smoke", "--only", layer)
    pair.let_in("alice", 20001)
    return operator


def as_alice(pair: Pair, line: str) -> str:
    """A line of a shell at the host that people sign in to."""
    return pair.fleet.run(CONTROLLER, "runuser", "--login", "alice", "--command", line)


def job(pair: Pair, lines: str, *options: str) -> tuple[str, str]:
    """Have a job run to its end: its state in the accounting, and what it said."""
    pair.fleet.write(CONTROLLER, "/home/people/alice/job", f"#!/bin/bash -l\n{lines}\n", "644")
    asked = " ".join(("sbatch --parsable --wait --output=said", *options, "job; true"))
    number = as_alice(pair, asked).split()[0]

    def state() -> str:
        argv = ("sacct", "-nPX", "-o", "State", "-j", number)
        return pair.fleet.run(CONTROLLER, *argv).strip()

    until(lambda: state() not in ("", "RUNNING", "PENDING"), what="the accounting")
    return state(), as_alice(pair, "cat said")


def test_a_second_run_changes_nothing(up: Operator) -> None:
    assert "Nothing was changed." in up.run("up", "--yes", "--no-smoke", "--only", "slurm")


def test_people_have_modules_where_they_sign_in_and_in_jobs(up: Operator, pair: Pair) -> None:
    for host in (CONTROLLER, NODE):
        pair.fleet.write(host, "/opt/modulefiles/greeting/1.0", MODULE)
    assert "greeting/1.0" in as_alice(pair, "module --terse avail 2>&1")
    said = job(pair, "module load greeting/1.0 && echo $GREETING", "--mem=100M")
    assert said == ("COMPLETED", "hello\n")


def test_a_job_has_its_memory_its_cores_and_its_gpus_and_no_more(up: Operator, pair: Pair) -> None:
    look = (
        "nproc; echo $CUDA_VISIBLE_DEVICES; for gpu in /srv/gpus/*; do : <$gpu && echo $gpu; done"
    )
    state, said = job(pair, f"({look}) 2>/dev/null; true", "--mem=100M", "--gres=gpu:h100:1")
    assert (state, said.split()) == ("COMPLETED", ["1", "0", "/srv/gpus/0"])
    state, said = job(pair, FULL, "--mem=200M")
    assert state == "OUT_OF_MEMORY"
    assert "oom" in said.lower()


def test_a_node_that_has_its_gpus_again_is_used_again(up: Operator, pair: Pair) -> None:
    run = pair.fleet.run

    def state() -> str:
        return run(CONTROLLER, "sinfo", "-hN", f"-n{NODE}", "-pcpu", "-o%T %E").strip()

    run(NODE, "mv", "/srv/gpus/1", "/srv/gpus/kept")
    run(NODE, "systemctl", "restart", "slurmd", check=False)
    run(NODE, "sed", "-i", "/gpus.1/d", "/etc/slurm/gres.conf")
    run(NODE, "systemctl", "restart", "slurmd")
    until(lambda: "lower than configured" in state(), what="the missing GPU")
    run(NODE, "mv", "/srv/gpus/kept", "/srv/gpus/1")
    up.run("up", "--yes", "--no-smoke", "--only", "slurm")
    assert state() == "idle none"


def test_what_is_not_packaged_is_said(up: Operator) -> None:
    site = up.changed_site({"    modules: [": "    containers: apptainer\n    modules: ["})
    said = up.run("up", "--yes", "--no-smoke", "--only", "slurm", status=1, site=site)
    assert "Debian 12" in said
    assert "has no package of Apptainer" in said


def test_a_job_goes_on_while_the_controller_is_off(up: Operator, pair: Pair) -> None:
    run = pair.fleet.run
    ticks = "while sleep 1; do date +%s >ticks; done"
    asked = "sbatch --parsable --mem=100M --job-name=ticking"
    number = as_alice(pair, f"{asked} --wrap '{ticks}'").strip()
    until(lambda: "R" in run(CONTROLLER, "squeue", "-ho%t"), what="the job's begin")
    # slurmctld writes down what it knows every few seconds; what is younger is lost with the power.
    saved = ("grep", "--text", "--only-matching", "ticking", STATE)
    until(lambda: "ticking" in run(CONTROLLER, *saved, check=False), what="it on the disk")
    pair.fleet.off(CONTROLLER)
    pair.fleet.on(CONTROLLER)
    until(lambda: "mix" in run(CONTROLLER, "sinfo", "-ho%t", check=False), what="Slurm")
    assert run(CONTROLLER, "systemctl", "--failed", "--no-legend") == ""
    assert run(CONTROLLER, "squeue", "-ho%i %t").split() == [number, "R"]
    began = int(run(CONTROLLER, "date", "+%s"))
    until(lambda: int(as_alice(pair, "cat ticks") or 0) > began, what="its next tick")
    assert "alice" in run(CONTROLLER, "sacctmgr", "-nP", "list", "user")
    as_alice(pair, f"scancel {number}")


def test_the_accounting_is_restored_as_the_page_says(up: Operator, pair: Pair) -> None:
    run = pair.fleet.run
    run(CONTROLLER, "systemctl", "start", "slurmhub-backup-slurmdbd")
    file = run(CONTROLLER, "ls", "/srv/slurmhub/backup/slurmdbd").split()[-1]
    time = file.removeprefix("slurm_acct_db-").removesuffix(".sql.gz")
    run(CONTROLLER, "sacctmgr", "--immediate", "add", "account", "later")
    page = Page(PAGE, PAGE.read_text())
    (text,) = (each.text for each in page.blocks("text") if "slurm_acct_db" in each.text)
    run(CONTROLLER, "sh", "-ec", text.replace("TIME", time))

    def accounts() -> list[str]:
        argv = ("sacctmgr", "-nP", "list", "account", "format=account")
        return run(CONTROLLER, *argv, check=False).split()

    until(lambda: "main" in accounts(), what="slurmdbd")
    assert "later" not in accounts()
    assert "alice" in run(CONTROLLER, "sacct", "-anPX", "-oUser", "-Snow-1days")
