"""A whole class through the hub's pages: thirty servers in their reservation, and one too many."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from slurmhub.courses.model import Course
from slurmhub.courses.rights import Person
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig.accounts import PREFIX, account
from tests.rig.courses import SEATS, people_of, queue, reserved, running, sbatch, submitted
from tests.rig.courses_service import CourseVisitor, ServiceUnderTest, service_settings
from tests.rig.hub import until
from tests.unit.courses.world import POLICY

TEACHER = Person("teacher", frozenset({"instructors"}))
KEY, NAME = "phys101", "course-phys101"
STUDENTS = [f"s{n:02}" for n in range(SEATS + 1)]
TOO_MANY = "All servers that this course may have at once are in use."
SETTINGS = """
c.SlurmHubSpawner.extend_by = "0:30:00"
c.SlurmHubSpawner.max_extension = "1:00:00"
"""


def a_course() -> Course:
    """For thirty-one, of whom thirty may have a server at once; its class is held now."""
    now = datetime.now(timezone.utc).replace(second=0, microsecond=0)
    hours = {
        "weekday": f"{now:%a}".lower(),
        "start": f"{now:%H:%M}",
        "end": f"{now + timedelta(hours=1):%H:%M}",
        "seats": SEATS,
    }
    term = {
        "name": "Now",
        "first": (now.date() - timedelta(days=3)).isoformat(),
        "last": (now.date() + timedelta(days=3)).isoformat(),
    }
    profile = {"partition": "gpu", "cpus": 2, "memory": "2G", "gpus": 1, "hours": 2}
    return Course.model_validate(
        {
            "key": KEY,
            "title": "Mechanics",
            "term": term,
            "timezone": "UTC",
            "profile": profile,
            "class_hours": [hours],
            "seats": SEATS + 1,
            "running": SEATS,
        }
    )


@pytest.fixture(scope="module")
def service(
    make_shared_hub: HubMaker, class_cluster: EmbeddedCluster, people: list[str], ground: Path
) -> Iterator[ServiceUnderTest]:
    """A hub and its service on a cluster with accounting, which has the course and its class."""
    folder = ground / "class-now"
    folder.mkdir()
    policy = POLICY.model_copy(update={"free": None}).model_dump(mode="json")
    cluster = {
        "bin_dir": str(class_cluster.bin_dir),
        "conf": str(class_cluster.conf),
        "account_prefix": PREFIX,
        "own_qos": True,
    }
    groups = {"teacher": ["instructors"]}
    text, port, database = service_settings(folder, groups, policy=policy, cluster=cluster)
    ours = "\n".join(line for line in text.splitlines() if "slurm_bin_dir" not in line)
    hub = make_shared_hub(class_cluster, SETTINGS + ours)
    found = ServiceUnderTest(hub, database, port)
    found.wait()
    courses = found.courses()
    courses.create(TEACHER, a_course())
    for name in STUDENTS:
        courses.members.add(TEACHER, KEY, username=name)
    there = {account(name) for name in STUDENTS}
    until(lambda: there <= people_of(class_cluster, NAME), seconds=60, what="the course in Slurm")
    until(lambda: len(reserved(class_cluster)) == 1, what="the room for its class")
    yield found
    class_cluster.cancel_jobs(grace=10)


@pytest.fixture(autouse=True)
def _nothing_is_left(class_cluster: EmbeddedCluster) -> Iterator[None]:
    yield
    jobs = class_cluster.run("squeue", "--noheader", "--format=%i").split()
    if jobs:
        class_cluster.run("scancel", *jobs)
    until(
        lambda: not class_cluster.run("squeue", "--noheader"),
        seconds=60,
        what="the end of all jobs",
    )


def board(service: ServiceUnderTest) -> str:
    """The page on which staff see the class."""
    return unescape(service.visitor("teacher").page(f"course/{KEY}/class").text)


def press(visitor: CourseVisitor) -> str:
    """Press Start on Home; the page that then comes."""
    return unescape(visitor.post(f"/hub/spawn/{visitor.name}/{KEY}", {}, timeout=90).text)


def test_thirty_press_start_and_nobody_waits(
    service: ServiceUnderTest, class_cluster: EmbeddedCluster
) -> None:
    (held,) = reserved(class_cluster)
    for _ in class_cluster.plan.nodes:
        # Others want every node for themselves, for longer than the class.
        submitted(sbatch(class_cluster, account("mallory"), "research", "--exclusive", gpus=0))
    until(
        lambda: running(class_cluster, "research") == 1, what="the one node that is not the class's"
    )
    with ThreadPoolExecutor(6) as pool:
        students = list(pool.map(service.visitor, STUDENTS))
        list(pool.map(press, students[:SEATS]))
    until(lambda: running(class_cluster, NAME) == SEATS, seconds=60, what="thirty servers")
    jobs = queue(class_cluster, NAME)
    assert {(state, where) for state, where, _ in jobs} == {("RUNNING", held)}, "none waits"
    assert {who for *_, who in jobs} == {account(name) for name in STUDENTS[:SEATS]}
    assert running(class_cluster, "research") == 1, "one node is left to others"

    def all_ready() -> bool:
        return re.search(rf'data-slurmhub-count="ready">[^<]* {SEATS}<', board(service)) is not None

    until(all_ready, seconds=60, what="thirty on the board")
    page = board(service)
    assert f"Servers: {SEATS} of {SEATS} that may run at once." in page
    assert 'data-slurmhub-count="queued"' not in page

    last = students[SEATS]
    shown = press(last)
    assert TOO_MANY in shown or TOO_MANY in last.get(f"/hub/user/{last.name}/{KEY}/").text
    assert last.wait_for("ended", KEY)["message"].startswith(TOO_MANY)
    assert TOO_MANY in last.get("/hub/home").text
    said = sbatch(class_cluster, account(last.name), NAME)
    assert said.returncode == 1
    assert "QOSGrpSubmitJobsLimit" in said.stderr, "nor past the page"
    assert running(class_cluster, NAME) == SEATS


def test_who_is_dropped_keeps_what_runs_and_starts_nothing_more(
    service: ServiceUnderTest, class_cluster: EmbeddedCluster, ground: Path
) -> None:
    # Who had no place before: the hub hears a moment later that the others' servers have ended.
    student, teacher = service.visitor(STUDENTS[SEATS]), service.visitor("teacher")
    press(student)
    student.wait_ready(KEY)
    work = ground / "class" / student.name / "unsaved.ipynb"
    work.write_text("{}")
    courses = service.courses()
    members = {one.username: one for one in courses.members.of(TEACHER, KEY)}
    courses.members.drop(TEACHER, KEY, members[student.name].number)

    home = unescape(student.get("/hub/home").text)
    assert "You are not in the course phys101 any more. This server runs until" in home
    assert "30 minutes more" not in home
    answer = student.api("POST", f"/slurmhub/session/{student.name}/{KEY}", {})
    assert answer.status_code == 409, answer.text
    assert "gets no more time" in answer.json()["message"]
    page = teacher.page(f"course/{KEY}/class").text
    (seat,) = re.findall(rf'data-slurmhub-seat="{student.name}".*?</tr>', page, re.DOTALL)
    assert "Not in the course any more" in seat
    assert "More time" not in seat
    told = f"Who left the course still has a server: {account(student.name)}."
    about = f"course/{KEY}"
    until(lambda: told in unescape(teacher.page(about).text), what="what Slurm still has")
    assert student.asks_server(KEY)["user"] == account(student.name), "it goes on"

    class_cluster.run("scancel", f"--user={account(student.name)}")
    student.wait_for("ended", KEY)
    home = unescape(student.get("/hub/home").text)
    assert "You are not in the course phys101 any more: this server cannot be started." in home
    assert (
        "Start again"
        not in home.partition(f'data-slurmhub-server="{KEY}"')[2].partition("</section>")[0]
    )
    assert "You are not in the course phys101." in press(student)
    said = sbatch(class_cluster, account(student.name), NAME)
    assert said.returncode == 1, "nor past the page"
    assert student.name not in teacher.page(f"course/{KEY}/class").text
    assert work.read_text() == "{}"
    listed: Any = subprocess.run(
        ["stat", "-c", "%U", str(work.parent)], capture_output=True, text=True, check=True
    )
    assert listed.stdout.strip() == account(student.name)
