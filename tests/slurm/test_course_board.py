"""The class as staff see it while servers wait, run and fail; more time for one, an end for all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from slurmhub.courses.record import What
from slurmhub.courses.rights import Person
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig import queue
from tests.rig.accounts import PREFIX
from tests.rig.courses_service import CourseVisitor, ServiceUnderTest, service_settings
from tests.rig.hub import until
from tests.unit.courses.world import course

TEACHER = Person("teacher", frozenset({"instructors"}))
KEY = "phys101"
STUDENTS = ("alice-runs", "bob-waits", "alice-dies", "bob-idle")
SETTINGS = """
c.SlurmHubSpawner.unix_account = lambda name: {prefix!r} + name.partition("-")[0]
c.SlurmHubSpawner.extend_by = "0:30:00"
c.SlurmHubSpawner.max_extension = "1:00:00"
c.JupyterHub.allow_named_servers = True


def _server(spawner):
    if spawner.user.name.endswith("-dies"):
        spawner.environment = {{"STUB_BEHAVIOUR": "dies"}}


c.Spawner.pre_spawn_hook = _server
"""


@pytest.fixture(scope="module")
def service(make_shared_hub: HubMaker, cluster: EmbeddedCluster, ground: Path) -> ServiceUnderTest:
    """A hub with a course of four students, whose servers have its name."""
    folder = ground / "courses-board"
    folder.mkdir()
    text, port, database = service_settings(folder, {"teacher": ["instructors"]})
    ours = "\n".join(line for line in text.splitlines() if "slurm_bin_dir" not in line)
    # Without accounting there are no courses in Slurm: their servers are as any others here.
    alone = "\nc.SlurmHubSpawner.courses_url = ''\n"
    hub = make_shared_hub(cluster, SETTINGS.format(prefix=PREFIX) + ours + alone)
    found = ServiceUnderTest(hub, database, port)
    found.wait()
    courses = found.courses()
    courses.create(TEACHER, course(KEY))
    for name in STUDENTS:
        courses.members.add(TEACHER, KEY, username=name)
    return found


@pytest.fixture(autouse=True)
def _nothing_is_left(cluster: EmbeddedCluster) -> Iterator[None]:
    yield
    queue.clear(cluster)


def seats(teacher: CourseVisitor) -> dict[str, str]:
    """What each server is at, by its student."""
    page = teacher.page(f"course/{KEY}/class").text
    found = r'data-slurmhub-seat="([^"]+)".*?data-slurmhub-state="([^"]+)"'
    return dict(re.findall(found, page, re.DOTALL))


def press(teacher: CourseVisitor, action: str, user: str = "") -> str:
    """Press a button of the page; what it says then."""
    answer = teacher.send(f"course/{KEY}/class", {"action": action, "user": user})
    return unescape(answer.text)


def limit_of(cluster: EmbeddedCluster, job: int) -> str:
    """The job's time limit, as squeue has it."""
    return cluster.run("squeue", "--noheader", "--format=%l", f"--jobs={job}").strip()


def test_staff_see_who_waits_and_why_and_who_runs(
    service: ServiceUnderTest, cluster: EmbeddedCluster
) -> None:
    teacher = service.visitor("teacher")
    assert seats(teacher) == dict.fromkeys(STUDENTS, "none")
    runs, waits, dies = (service.visitor(name) for name in STUDENTS[:3])
    # A server of another name is none of the course's.
    assert service.visitor("bob-idle").start(partition="cpu", hours=1).status_code in (201, 202)
    assert runs.start(KEY, partition="cpu", hours=1).status_code in (201, 202)
    # 424 where it has died before the answer.
    assert dies.start(KEY, partition="cpu", hours=1).status_code in (201, 202, 424)
    job = int(runs.wait_ready(KEY)["job_id"])
    dies.wait_for("ended", KEY)
    service.visitor("bob-idle").wait_ready()
    service.visitor("bob-idle").stop()
    page = teacher.page(f"course/{KEY}/class").text
    assert seats(teacher)["alice-runs"] == "ready"
    assert seats(teacher)["alice-dies"] == "ended"
    assert seats(teacher)["bob-idle"] == "none"
    assert "minutes left" in page
    assert dies.status(KEY)["message"] in unescape(page)
    assert "The server has more time." in press(teacher, "extend", "alice-runs")
    assert limit_of(cluster, job) == "1:30:00"
    runs.stop(KEY)
    queue.until_empty(cluster)
    with queue.full(cluster):
        assert waits.start(KEY, partition="cpu", hours=1).status_code in (201, 202)
        until(lambda: seats(teacher)["bob-waits"] == "queued", what="the queue")
        page = f"course/{KEY}/class"
        until(lambda: "waits in the queue" in teacher.page(page).text, what="the reason")
        assert "The server is being stopped." in press(teacher, "stop", "bob-waits")
        until(lambda: seats(teacher)["bob-waits"] == "none", what="the end of who waited")
    done = [(one.what, one.subject) for one in service.courses().record(TEACHER, KEY)]
    assert (What.EXTENDED, "alice-runs") in done
    assert (What.STOPPED, "bob-waits") in done


def test_all_of_a_class_get_more_time_and_are_stopped(
    service: ServiceUnderTest, cluster: EmbeddedCluster
) -> None:
    teacher = service.visitor("teacher")
    running = [service.visitor(name) for name in ("alice-runs", "bob-idle")]
    for one in running:
        assert one.start(KEY, partition="cpu", hours=1).status_code in (201, 202)
    jobs = [int(one.wait_ready(KEY)["job_id"]) for one in running]
    assert "All servers that may have more time have it." in press(teacher, "extend-all")
    assert [limit_of(cluster, job) for job in jobs] == ["1:30:00", "1:30:00"]
    assert "All servers of the course are being stopped." in press(teacher, "stop-all")
    until(lambda: all(seats(teacher)[one.name] == "none" for one in running), what="the end of all")
    queue.until_empty(cluster)
