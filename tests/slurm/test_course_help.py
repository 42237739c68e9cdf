"""Help at a student's real server: who is let in, by whose yes, for how long, and who never is."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from html import unescape
from pathlib import Path

import pytest
from tornado.httpclient import HTTPClientError

from slurmhub.courses.model import Role
from slurmhub.courses.record import What
from slurmhub.courses.rights import Person
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig import queue
from tests.rig.accounts import account
from tests.rig.courses_service import CourseVisitor, ServiceUnderTest, service_settings
from tests.rig.kernels import AtServer, printed, until_closed
from tests.unit.courses.world import course

TEACHER = Person("teacher", frozenset({"instructors"}))
KEY = "phys101"
# Seconds within which whoever is let in no more is out, with whatever they had open.
OUT_WITHIN = 30
JUPYTER = """
c.Spawner.cmd = [{jupyter!r}]
c.Spawner.default_url = "/lab"
# Without accounting there are no courses in Slurm; the hub knows them all the same.
c.SlurmHubSpawner.courses_own_qos = False
c.SlurmHubSpawner.course_folders = "/srv/courses"
"""
CIRCUMSTANCES = """
import os, pwd
print(6 * 7, pwd.getpwuid(os.getuid()).pw_name)
folder = os.environ["JUPYTER_CONFIG_PATH"].split(":")[0]
print(open(os.path.join(folder, "nbgrader_config.py")).read())
"""


@pytest.fixture(scope="module")
def service(make_shared_hub: HubMaker, cluster: EmbeddedCluster, ground: Path) -> ServiceUnderTest:
    """Two courses: two students are in both, and each has an assistant of its own."""
    folder = ground / "courses-help"
    folder.mkdir()
    text, port, database = service_settings(folder, {"teacher": ["instructors"]})
    ours = "\n".join(line for line in text.splitlines() if "slurm_bin_dir" not in line)
    jupyter = JUPYTER.format(jupyter=os.environ["SLURMHUB_TEST_JUPYTER"])
    hub = make_shared_hub(cluster, jupyter + ours)
    found = ServiceUnderTest(hub, database, port)
    found.wait()
    profile = {"partition": "cpu", "cpus": 1, "memory": "1G", "gpus": 0, "hours": 1}
    # Now: of a course whose term is over the service makes one that is frozen, without help.
    today = datetime.now(timezone.utc).date()
    days = (today - timedelta(days=3), today + timedelta(days=3))
    term = {"name": "Now", **dict(zip(("first", "last"), map(str, days), strict=True))}
    courses = found.courses()
    for key, assistant in ((KEY, "helper"), ("chem205", "stranger")):
        storage = {"exchange": True}
        courses.create(TEACHER, course(key, profile=profile, term=term, storage=storage))
        courses.members.add(TEACHER, key, username=assistant, role=Role.ASSISTANT)
        for student in ("alice", "bob"):
            courses.members.add(TEACHER, key, username=student)
    return found


@pytest.fixture(autouse=True)
def _nothing_is_left(cluster: EmbeddedCluster) -> Iterator[None]:
    yield
    queue.clear(cluster)


class Scene:
    """A student's running server, and everybody who looks at it."""

    def __init__(self, service: ServiceUnderTest, name: str) -> None:
        self.service = service
        self.student = service.visitor(name)
        self.helper = service.visitor("helper")
        self.teacher = service.visitor("teacher")
        self.stranger = service.visitor("stranger")
        answer = self.student.start(KEY)
        assert answer.status_code in (201, 202), answer.text
        self.student.wait_ready(KEY)

    def at(self, visitor: CourseVisitor) -> AtServer:
        """This person at the student's server."""
        return AtServer(visitor, f"/user/{self.student.name}/{KEY}/")

    def ask(self, minutes: int, by: CourseVisitor | None = None) -> str:
        """Staff ask on the page of the class; what it then says."""
        form = {"action": "ask", "user": self.student.name, "minutes": str(minutes)}
        return unescape((by or self.helper).send(f"course/{KEY}/help", form).text)

    def home(self) -> str:
        """What Home says to the student of help, and nothing else of the page."""
        page = unescape(self.student.get("/hub/home").text)
        return "\n".join(
            re.findall(r"<section[^>]*data-slurmhub-help.*?</section>", page, re.DOTALL)
        )

    def number(self) -> str:
        """The number of the one question or access that Home shows."""
        (found,) = re.findall(r'data-slurmhub-help="(\d+)"', self.home())
        return str(found)

    def press(self, action: str, number: str, by: CourseVisitor | None = None) -> int:
        """Press a button of Home; the status of the answer."""
        answer = (by or self.student).post(
            "/hub/slurmhub/help", {"action": action, "number": number}, allow_redirects=False
        )
        return answer.status_code

    def done(self) -> list[tuple[What, str, str | None]]:
        """Of the course's record, what is of help: what, by whom, to whom."""
        record = self.service.courses().record(TEACHER, KEY)
        return [
            (one.what, one.who, one.subject) for one in record if one.what.name.startswith("HELP")
        ]


async def off(work: object, *arguments: object) -> object:
    """Run what waits in a thread."""
    assert callable(work)
    return await asyncio.to_thread(work, *arguments)


def test_a_helper_is_let_in_by_the_student_and_out_again(service: ServiceUnderTest) -> None:
    scene = Scene(service, "alice")
    helper, stranger = scene.at(scene.helper), scene.at(scene.stranger)
    assert scene.at(scene.student).opens()
    for nobody in (helper, stranger, scene.at(scene.teacher)):
        assert not nobody.opens(), nobody.visitor.name
    assert scene.home() == ""
    page = scene.helper.page(f"course/{KEY}/class").text
    assert "Ask to help" in page
    assert "waits for a yes" in scene.ask(30)
    assert "helper asks to be let in at your server of Mechanics for 30 minutes" in scene.home()
    assert not helper.opens(), "asked, and no more"
    number = scene.number()
    for other in (scene.helper, scene.stranger, scene.teacher):
        assert scene.press("allow", number, other) == 404, "not theirs to allow"
    # Staff of another course may not even ask.
    form = {"action": "ask", "user": "alice", "minutes": "30"}
    assert scene.stranger.send(f"course/{KEY}/help", form).status_code in (403, 404)
    assert not helper.opens()

    assert scene.press("allow", number) == 302
    assert "helper is let in at your server of Mechanics until" in scene.home()
    assert "To the server" in scene.helper.page(f"course/{KEY}/class").text
    assert helper.opens()
    answer = helper.new_kernel()
    assert answer.status_code == 201, answer.text
    kernel = str(answer.json()["id"])

    async def scene_of_channels() -> None:
        channels = await helper.channels(kernel)
        said = await asyncio.wait_for(printed(channels, CIRCUMSTANCES), 60)
        assert said.startswith(f"42 {account('alice')}\n")
        assert "c.Exchange.root = '/srv/courses/phys101/exchange'" in said, "what the job was given"
        for nobody in (stranger, scene.at(scene.teacher)):
            assert not await off(nobody.opens), nobody.visitor.name
            with pytest.raises(HTTPClientError) as refused:
                await nobody.channels(kernel)
            assert refused.value.code == 403
        began = time.monotonic()
        assert await off(scene.press, "end", number) == 302
        assert await asyncio.wait_for(until_closed(channels), OUT_WITHIN) == 1008
        assert time.monotonic() - began < OUT_WITHIN
        with pytest.raises(HTTPClientError) as refused:
            await helper.channels(kernel)
        assert refused.value.code == 403

    asyncio.run(scene_of_channels())
    assert not helper.known(), "what the browser has from before"
    assert helper.new_kernel().status_code == 403
    assert not helper.opens(), "nor by asking the hub"
    assert scene.at(scene.student).opens(), "the student is not disturbed"
    assert scene.home() == ""
    assert scene.press("allow", number) == 404, "what is over stays over"
    assert scene.done() == [
        (What.HELP_ASKED, "helper", "alice"),
        (What.HELP_ALLOWED, "alice", "helper"),
        (What.HELP_ENDED, "alice", "helper"),
    ]


def test_the_time_runs_out_by_itself(service: ServiceUnderTest) -> None:
    scene = Scene(service, "bob")
    helper = scene.at(scene.helper)
    scene.ask(1)
    assert scene.press("allow", scene.number()) == 302
    allowed = time.monotonic()
    assert helper.opens()
    kernel = str(helper.new_kernel().json()["id"])

    async def scene_of_channels() -> None:
        channels = await helper.channels(kernel)
        assert await asyncio.wait_for(until_closed(channels), 60 + OUT_WITHIN) == 1008
        assert 55 < time.monotonic() - allowed < 60 + OUT_WITHIN

    asyncio.run(scene_of_channels())
    assert not helper.known()
    assert not helper.opens()
    assert scene.at(scene.student).opens()
