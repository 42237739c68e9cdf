"""Servers of courses from the hub: what is asked for, what Slurm then has, what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slurmhub.courses.model import Role
from slurmhub.courses.policy import Policy
from slurmhub.courses.rights import Person
from slurmhub.courses.store import Courses, open_courses
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig.accounts import account
from tests.rig.courses import School, course, sbatch
from tests.rig.hub import HubUnderTest, Visitor, until

ADMIN = Person("admin", administrator=True)
POLICY: dict[str, Any] = {
    "environments": {"physics": {"title": "Physics", "prologue": "export PHYSICS=yes"}},
}
SETTINGS = """
c.SlurmHubSpawner.courses_url = {url!r}
c.SlurmHubSpawner.courses_policy = {policy!r}
c.SlurmHubSpawner.courses_own_qos = True
c.JupyterHub.allow_named_servers = False
"""
PROFILE = {"partition": "gpu", "cpus": 2, "memory": "2G", "gpus": 1, "hours": 2}
PHYS = course(
    title="Mechanics",
    seats=2,
    profile={**PROFILE, "environment": "physics"},
    materials={
        "repository": {"url": "https://git.example.ca/phys.git"},
        "open": "week 1/start.ipynb",
    },
)
CHEM = course("chem205", title="Kinetics", profile={**PROFILE, "cpus": 1, "gpus": 0, "hours": 1})
STUDENTS = ("s00", "s01", "s02")


@pytest.fixture(scope="module")
def store(ground: Path) -> Iterator[Courses]:
    """Two courses; s00 is in both, s02 in none yet."""
    made = open_courses(f"sqlite:///{ground / 'courses.sqlite'}", Policy.model_validate(POLICY))
    for each in (PHYS, CHEM):
        made.create(ADMIN, each, owner="mallory")
    for name, key in (("s00", "phys101"), ("s00", "chem205"), ("s01", "phys101")):
        made.members.add(ADMIN, key, username=name)
    yield made
    made.close()


@pytest.fixture(scope="module")
def hub(
    make_shared_hub: HubMaker, class_cluster: EmbeddedCluster, store: Courses, ground: Path
) -> HubUnderTest:
    """A hub that lets nobody name servers, with courses."""
    url = f"sqlite:///{ground / 'courses.sqlite'}"
    return make_shared_hub(class_cluster, SETTINGS.format(url=url, policy=POLICY))


@pytest.fixture
async def in_slurm(school: School, people: list[str]) -> School:
    """Slurm has both courses, with one person more than the store."""
    school.has(PHYS, *people[:3])
    school.has(CHEM, people[0])
    await school.settled()
    return school


def asked(cluster: EmbeddedCluster, name: str) -> dict[str, dict[str, str]]:
    """What Slurm holds of somebody's jobs, by the account that is charged."""
    names = ("account", "qos", "partition", "cpus", "memory", "gres", "time")
    rows = cluster.run("squeue", "-h", f"--user={account(name)}", "--format=%a|%q|%P|%C|%m|%b|%l")
    found = [dict(zip(names, row.split("|"), strict=True)) for row in rows.split()]
    return {one["account"]: one for one in found}


def press(visitor: Visitor, key: str) -> str:
    """Press Start on the home page; the page that then comes."""
    return visitor.post(f"/hub/spawn/{visitor.name}/{key}", {}).text


def test_two_courses_are_two_servers(
    hub: HubUnderTest, class_cluster: EmbeddedCluster, in_slurm: School
) -> None:
    student = hub.visitor("s00")
    home = student.get("/hub/home").text
    assert "Your courses" in home
    assert home.index("Kinetics") < home.index("Mechanics") < home.index("My server")
    assert "Another server" not in home, "the site lets nobody name servers"
    press(student, "phys101")
    press(student, "chem205")
    student.wait_ready("phys101")
    student.wait_ready("chem205")
    physics = {
        "account": "course-phys101",
        "qos": "course-phys101",
        "partition": "gpu",
        "cpus": "2",
        "memory": "2G",
        "gres": "gres:gpu:h100:1",
        "time": "2:00:00",
    }
    kinetics = {"account": "course-chem205", "qos": "course-chem205", "cpus": "1", "gres": "N/A"}
    found = asked(class_cluster, "s00")
    assert found == {
        "course-phys101": physics,
        "course-chem205": {**physics, **kinetics, "time": "1:00:00"},
    }


def test_whatever_is_sent_the_server_is_the_courses(
    hub: HubUnderTest, class_cluster: EmbeddedCluster, in_slurm: School
) -> None:
    student = hub.visitor("s01")
    answer = student.start("phys101", cpus=30, gpus=8, hours=8, account="research", profile="x")
    assert answer.status_code in (201, 202), answer.text
    student.wait_ready("phys101")
    (mine,) = asked(class_cluster, "s01").values()
    assert (mine["account"], mine["cpus"]) == ("course-phys101", "2")
    assert mine["gres"] == "gres:gpu:h100:1"
    server = student.api("GET", "/users/s01").json()["servers"]["phys101"]
    assert "research" not in json.dumps(server)
    assert server["display_name"] == "Mechanics"


def test_who_is_not_in_a_course_has_no_server_of_it(
    hub: HubUnderTest, class_cluster: EmbeddedCluster, in_slurm: School, store: Courses
) -> None:
    outsider = hub.visitor("s02")
    assert "Your courses" not in outsider.get("/hub/home").text
    answer = outsider.start("phys101")
    assert answer.status_code == 400, hub.news
    assert "Named servers are not enabled." in answer.text
    # Slurm knows them in the course still; the hub charges it for nothing else.
    for options in ({"account": "course-phys101"}, {"cpus": 1}):
        answer = outsider.start(**options)
        assert answer.status_code == 400, answer.text
        assert "Your account on the cluster is for your courses." in answer.json()["message"]
    assert asked(class_cluster, "s02") == {}

    # One who was in it, and started its server then.
    member = store.members.add(ADMIN, "chem205", username="s02")
    in_slurm.has(CHEM, account("s00"), account("s02"))
    assert outsider.start("chem205", cpus=1).status_code in (201, 202, 424)
    until(
        lambda: (
            not outsider.api("GET", "/users/s02")
            .json()["servers"]
            .get("chem205", {})
            .get("pending")
        ),
        what="the end of the start",
    )
    outsider.stop("chem205")
    store.members.drop(ADMIN, "chem205", member.number)
    answer = outsider.start("chem205")
    assert answer.status_code == 400
    assert "You are not in the course chem205." in answer.json()["message"]


def test_the_third_of_two_is_refused_by_slurm_and_told_why(
    hub: HubUnderTest, class_cluster: EmbeddedCluster, in_slurm: School, store: Courses
) -> None:
    for name in STUDENTS[:2]:
        visitor = hub.visitor(name)
        press(visitor, "phys101")
        visitor.wait_ready("phys101")
    said = sbatch(class_cluster, account("s02"), "course-phys101")
    assert "QOSGrpSubmitJobsLimit" in said.stderr
    (second,) = [one for one in store.members.of(ADMIN, "phys101") if one.username == "s01"]
    store.members.set_role(ADMIN, "phys101", second.number, Role.ASSISTANT)
    store.members.add(ADMIN, "phys101", username="s02")
    third = hub.visitor("s02")
    page = press(third, "phys101")
    words = "All servers that this course may have at once are in use."
    assert words in page or words in third.get("/hub/user/s02/phys101/").text
    assert third.wait_for("ended", "phys101")["message"].startswith(words)


def test_a_database_that_is_away_keeps_nobody_from_other_servers(
    make_hub: HubMaker, class_cluster: EmbeddedCluster
) -> None:
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:9/courses"
    hub = make_hub(class_cluster, SETTINGS.format(url=nowhere, policy=POLICY))
    researcher = hub.visitor("mallory")
    assert "Your courses cannot be shown at the moment." in researcher.get("/hub/home").text
    answer = researcher.start(cpus=1)
    assert answer.status_code in (201, 202), answer.text
    researcher.wait_ready()
    assert "The courses did not hear that mallory signed in" in hub.log
    assert hub.log.count("The database of courses is away") == 1
    assert hub.metric("slurmhub_courses_unanswered_total") >= 2
    researcher.stop()
    researcher.wait_for("ended")
