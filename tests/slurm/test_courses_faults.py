"""Courses in a real Slurm that others change, that goes away, and a reconciler that is killed."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slurmhub.courses.model import State
from slurmhub.slurm.errors import SlurmUnreachable
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.rig import course_process
from tests.rig.course_process import as_json
from tests.rig.courses import (
    SEATS,
    Interrupted,
    KilledAfter,
    School,
    a_class,
    course,
    everything,
    people_of,
    reserved,
    running,
    sbatch,
    submitted,
)
from tests.rig.hub import until

NAME = "course-phys101"
LESSON = timedelta(days=1)


async def test_what_others_change_is_put_right_and_what_is_theirs_left_alone(
    school: School, class_cluster: EmbeddedCluster, people: list[str]
) -> None:
    school.has(course(), *people[:5], occurrences=(a_class(LESSON),), roster=SEATS)
    await school.settled()
    right = everything(class_cluster)

    def change(*words: str) -> None:
        class_cluster.run("sacctmgr", "-i", *words)

    change("modify", "qos", NAME, "set", "GrpTRES=gres/gpu=99,node=3", "GrpSubmitJobs=-1")
    change("modify", "account", NAME, "set", "MaxSubmitJobs=7", "MaxWall=5")
    change("remove", "user", people[0], "where", f"account={NAME}")
    change("add", "user", people[9], f"account={NAME}")
    for name in reserved(class_cluster):
        class_cluster.run("scontrol", "delete", f"ReservationName={name}")
    assert everything(class_cluster) != right
    await school.settled()
    assert everything(class_cluster) == right

    change("remove", "account", "courses")
    assert not people_of(class_cluster, NAME), "all accounts below went with it"
    await school.settled()
    assert people_of(class_cluster, NAME) == set(people[:5])
    change("modify", "account", "courses", "set", "Organization=courses")
    assert everything(class_cluster) == right


async def test_names_that_somebody_else_has_are_left_alone(
    school: School, class_cluster: EmbeddedCluster, people: list[str]
) -> None:
    run = class_cluster.run
    run("sacctmgr", "-i", "add", "account", NAME, "organization=slurmhub other")
    run("sacctmgr", "-i", "add", "account", "course-lost", "organization=slurmhub main")
    run(
        *("scontrol", "create", "reservation", "ReservationName=course-chem200-20300101-0900"),
        *("StartTime=2030-01-01T09:00:00", "Duration=60", "Accounts=research", "Nodes=g1"),
    )
    theirs = everything(class_cluster)
    school.has(course(), people[0])
    school.has(course("chem200"), state=State.ENDED)
    report = await school.settle()
    assert report.outcomes["phys101"].reasons == (
        f"Slurm has an account {NAME} already, which is not this hub's.",
    )
    assert report.strays == ("course-lost",)
    assert everything(class_cluster) == theirs
    run("scontrol", "delete", "ReservationName=course-chem200-20300101-0900")
    run("sacctmgr", "-i", "remove", "account", f"{NAME},course-lost")


async def test_a_class_gets_another_node_for_one_that_is_out_of_service(
    school: School, class_cluster: EmbeddedCluster, people: list[str]
) -> None:
    school.has(course(), *people[:8], occurrences=(a_class(LESSON),))
    await school.settled()
    ((broken,),) = reserved(class_cluster).values()
    class_cluster.run("scontrol", "update", f"NodeName={broken}", "State=drain", "Reason=broken")
    await school.settled()
    ((other,),) = reserved(class_cluster).values()
    assert other != broken
    class_cluster.run("scontrol", "update", f"NodeName={broken}", "State=resume")
    await school.settled()
    assert {other} in reserved(class_cluster).values()


async def test_slurm_or_its_accounting_being_away_delays_and_loses_nothing(
    school: School, class_cluster: EmbeddedCluster, people: list[str]
) -> None:
    school.has(course(), *people[:3], occurrences=(a_class(LESSON),))
    class_cluster.accounting_stop()
    with pytest.raises(SlurmUnreachable):
        await school.settle()
    class_cluster.accounting_start()
    class_cluster.controller_stop()
    with pytest.raises(SlurmUnreachable):
        await school.settle()
    class_cluster.controller_start()
    class_cluster.wait_until_idle(60)
    await school.settled()
    there = everything(class_cluster)
    class_cluster.accounting_stop()
    school.change("phys101", state=State.ENDED)
    with pytest.raises(SlurmUnreachable):
        await school.settle()
    class_cluster.accounting_start()
    assert everything(class_cluster) == there


async def test_it_ends_the_same_wherever_it_was_cut_short(
    school: School, class_cluster: EmbeddedCluster, people: list[str]
) -> None:
    nothing = everything(class_cluster)
    three, lesson = people[:3], a_class(LESSON)
    school.has(course(), *three, occurrences=(lesson,))
    await school.settled()
    there = everything(class_cluster)
    await school.empty()
    client = school.client
    for state, end in ((State.OPEN, there), (State.ENDED, nothing)):
        cuts = 0
        while True:
            school.has(course(), *three, occurrences=(lesson,), state=state)
            school.client = KilledAfter(client, cuts + 1)
            try:
                await school.settle()
            except Interrupted:
                cuts += 1
            else:
                break
            finally:
                school.client = client
            await school.settled()
            assert everything(class_cluster) == end, cuts
            other = State.ENDED if state is State.OPEN else State.OPEN
            school.change("phys101", state=other)
            await school.settled()
        assert cuts >= 4, "as many changes as that"


def told(school: School, **site: Any) -> str:
    """What a process of its own is told."""
    return json.dumps(
        {
            "bin_dir": str(school.cluster.bin_dir),
            "conf": str(school.cluster.conf),
            "site": {"hub": "Main", "own_qos": True} | site,
            "courses": [as_json(one) for one in school.courses.values()],
        }
    )


def process(code: Path, **options: Any) -> subprocess.Popen[str]:
    """Such a process; it waits for what it is told."""
    program = Path(course_process.__file__).read_text()
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env={"PYTHONPATH": str(code), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        **options,
    )


def killed_at(code: Path, school: School, step: int) -> bool:
    """Whether a process came so far that it could be killed (SIGKILL) at this step."""
    with process(code) as one:
        assert one.stdin is not None
        assert one.stdout is not None
        one.stdin.write(told(school))
        one.stdin.close()
        for line in one.stdout:
            step -= line.startswith("Slurm: ")
            if not step:
                one.kill()
                return True
    assert one.returncode == 0
    return False


async def test_it_is_killed_at_every_step(
    school: School, class_cluster: EmbeddedCluster, people: list[str], code: Path
) -> None:
    school.has(course(), *people[:3], occurrences=(a_class(LESSON),))
    await school.settled()
    there = everything(class_cluster)
    for goal in (State.ENDED, State.OPEN):
        step = 1
        school.change("phys101", state=goal)
        while killed_at(code, school, step):
            # The command that it had begun goes on, and may be as quick as this.
            await school.settle()
            await school.settled()
            assert (everything(class_cluster) == there) is (goal is State.OPEN)
            school.change("phys101", state=_other(goal))
            await school.settled()
            school.change("phys101", state=goal)
            step += 1
        assert step > 4, "as many steps as that"
    assert everything(class_cluster) == there


async def test_an_operator_is_enough_where_limits_are_those_of_accounts(
    school: School,
    class_cluster: EmbeddedCluster,
    people: list[str],
    accounts: dict[str, str],
    code: Path,
) -> None:
    run, operator = class_cluster.run, accounts["alice"]
    run("sacctmgr", "-i", "add", "user", operator, "account=research", "adminlevel=operator")
    entry = pwd.getpwnam(operator)
    who = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    school.has(course(seats=2), *people[:3], occurrences=(a_class(),), roster=2)

    def outcome(**site: Any) -> str:
        with process(code, **who) as one:
            said, _ = one.communicate(told(school, **site), timeout=120)
        assert one.returncode == 0
        return next(line for line in said.splitlines() if line.startswith("OUTCOME"))

    assert "Access/permission denied" in outcome(), "a QOS of its own needs more than that"
    missing = outcome(own_qos=False, shared_qos="teaching")
    assert "sacctmgr add qos teaching flags=DenyOnLimit" in missing
    run("sacctmgr", "-i", "add", "qos", "teaching", "flags=DenyOnLimit")
    assert outcome(own_qos=False, shared_qos="teaching") == "OUTCOME phys101 realised"
    for one in people[:2]:
        submitted(sbatch(class_cluster, one, NAME))
    until(lambda: running(class_cluster, NAME) == 2, what="two servers")
    assert "AssocGrpSubmitJobsLimit" in sbatch(class_cluster, people[2], NAME).stderr
    run("scancel", f"--account={NAME}")
    until(lambda: not running(class_cluster, NAME), what="their end")
    assert "AssocMaxGRESPerJob" in sbatch(class_cluster, people[2], NAME, gpus=2).stderr
    until(lambda: not run("squeue", "--noheader", f"--account={NAME}"), what="no jobs")
    school.change("phys101", state=State.ENDED)
    assert outcome(own_qos=False, shared_qos="teaching") == "OUTCOME phys101 realised"
    run("sacctmgr", "-i", "remove", "qos", "teaching")
    run("sacctmgr", "-i", "remove", "user", operator)


def _other(state: State) -> State:
    return State.ENDED if state is State.OPEN else State.OPEN
