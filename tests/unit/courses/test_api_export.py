"""The files of a course over REST: whole, or a download that fails."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from slurmhub.courses.folders.accounts import Accounts
from slurmhub.courses.folders.program import FoldersProgram, FoldersUnusable
from slurmhub.courses.rights import Person
from slurmhub.courses.service.api.handlers import OperationHandler
from slurmhub.courses.service.application import make_application
from slurmhub.courses.service.course_folders import CourseFolders
from slurmhub.courses.service.place import Place
from slurmhub.courses.store import Courses
from tests.unit.courses.world import ALICE, STUDENT, course

PLACE = Place("http://127.0.0.1", "/services/courses/", "/", "http://127.0.0.1:1/hub/api", "x" * 32)
PATH = "/services/courses/api/courses/phys101/files"


class FakeProgram(FoldersProgram):
    """Has an archive of two pieces, and perhaps not the second."""

    def __init__(self) -> None:
        super().__init__(["none"])
        self.breaks = ""

    async def export(self, key: str, folders: Sequence[str]) -> AsyncGenerator[bytes, None]:
        if self.breaks == "before":
            raise FoldersUnusable("It is away.", remedy="Wait.")
        yield b"first of " + key.encode()
        if self.breaks == "within":
            raise FoldersUnusable("It is away.", remedy="Wait.")
        yield b", second"


class Rig:
    """The API without a hub; `person` is who asks."""

    def __init__(self, courses: Courses, program: FakeProgram | None) -> None:
        folders = None
        if program is not None:
            folders = CourseFolders(
                program, courses.snapshot, lambda: courses.policy, Accounts("none-")
            )
        sock, port = bind_unused_port()
        self._url = f"http://127.0.0.1:{port}{PATH}"
        self.server = HTTPServer(make_application(courses, PLACE, b"s" * 32, folders=folders))
        self.server.add_socket(sock)

    async def get(self) -> HTTPResponse:
        return await AsyncHTTPClient().fetch(self._url, raise_error=False)


@pytest.fixture
def asker(monkeypatch: pytest.MonkeyPatch) -> list[Person]:
    """Who asks; the hub is not asked."""
    who = [ALICE]

    async def identify(_: Any) -> Person:
        return who[0]

    monkeypatch.setattr(OperationHandler, "identify", identify)
    return who


@pytest.fixture
def program() -> FakeProgram:
    return FakeProgram()


@pytest.fixture
async def rig(courses: Courses, program: FakeProgram) -> AsyncIterator[Rig]:
    courses.create(ALICE, course())
    courses.members.add(ALICE, "phys101", username=STUDENT.username)
    made = Rig(courses, program)
    yield made
    made.server.stop()


async def test_staff_get_the_files(rig: Rig, asker: list[Person], courses: Courses) -> None:
    answer = await rig.get()
    assert (answer.code, answer.body) == (200, b"first of phys101, second")
    assert answer.headers["Content-Type"] == "application/x-tar"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="phys101-')
    assert courses.record(ALICE, "phys101")[-1].sentence() == (
        "alice exported the files of the course."
    )
    asker[0] = STUDENT
    assert (await rig.get()).code == 403


async def test_what_is_not_whole_is_no_answer(
    rig: Rig, asker: list[Person], program: FakeProgram
) -> None:
    program.breaks = "before"
    assert (await rig.get()).code == 503
    program.breaks = "within"
    try:
        answer = await rig.get()
    except (HTTPClientError, OSError):
        return
    assert answer.code == 599, answer.body


async def test_a_hub_without_folders(courses: Courses, asker: list[Person]) -> None:
    courses.create(ALICE, course())
    rig = Rig(courses, None)
    assert (await rig.get()).code == 409
    rig.server.stop()
