"""Every operation of the REST API, asked for by everybody who may not: nothing happens."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests

from slurmhub.courses.model import Role
from slurmhub.courses.rights import BY_ROLE, Action
from slurmhub.courses.service.api.operations import NUMBER, Operation
from slurmhub.courses.service.api.table import OPERATIONS
from tests.courses.test_api import API
from tests.rig.courses_service import ServiceUnderTest
from tests.unit.courses.world import ALICE, BOB, PLAIN, course

KEY = "guarded1"
_TERM = {"name": "Next", "first": "2027-01-04", "last": "2027-04-09"}
_FILE = base64.b64encode(b"Username\nmallory\n").decode()
BODIES: Mapping[str, dict[str, Any]] = {
    "changeCourse": {"version": 1, "course": {**PLAIN, "key": KEY, "title": "Taken"}},
    "copyCourse": {"key": "copied1", "term": _TERM},
    "giveCourse": {"username": "mallory"},
    "addMember": {"username": "mallory", "role": "instructor"},
    "changeMember": {"role": "instructor"},
    "makeCode": {
        "seats": 5,
        "expires": (datetime.now(timezone.utc) + timedelta(days=1)).isoformat(),
    },
    "stopServers": {"username": None},
    "extendServers": {"username": None},
    "sendMessage": {
        "text": "Hello",
        "until": (datetime.now(timezone.utc) + timedelta(days=1)).isoformat(),
    },
    "askToHelp": {"username": "pupil", "minutes": 5},
    "previewRoster": {"file": _FILE},
    "applyRoster": {"file": _FILE, "fingerprint": "x"},
}
"""What the owner would send: whoever may not must not be refused for another reason."""

NEEDS = {
    "getCourse": Action.SEE,
    "changeCourse": Action.CHANGE,
    "copyCourse": Action.COPY,
    "freezeCourse": Action.FREEZE,
    "thawCourse": Action.FREEZE,
    "endCourse": Action.END,
    "giveCourse": Action.CHANGE_OWNER,
    "getRecord": Action.SEE_RECORD,
    "getClasses": Action.SEE,
    "listMembers": Action.SEE_CLASS,
    "addMember": Action.CHANGE_STAFF,
    "changeMember": Action.CHANGE_STAFF,
    "dropMember": Action.CHANGE_ROSTER,
    "leaveCourse": Action.LEAVE,
    "listCodes": Action.SEE_RECORD,
    "makeCode": Action.CHANGE_ROSTER,
    "revokeCode": Action.CHANGE_ROSTER,
    "previewRoster": Action.CHANGE_ROSTER,
    "applyRoster": Action.CHANGE_ROSTER,
    "listRequestsOfCourse": Action.SEE_DESCRIPTION,
    "exportFiles": Action.EXPORT,
    "listServers": Action.SEE_CLASS,
    "stopServers": Action.STEER,
    "extendServers": Action.STEER,
    "listMessages": Action.SEE,
    "sendMessage": Action.HELP,
    "withdrawMessage": Action.HELP,
    "listHelps": Action.SEE_CLASS,
    "askToHelp": Action.HELP,
    "endHelp": Action.SEE_CLASS,
}
OF_A_COURSE = [one for one in OPERATIONS if "{key}" in one.path]
Ask = Callable[..., requests.Response]


def test_every_operation_on_a_course_is_here() -> None:
    assert {one.name for one in OF_A_COURSE} == NEEDS.keys()


@pytest.fixture(scope="module")
def tokens(service: ServiceUnderTest) -> dict[str, str]:
    """People and their tokens: staff of this course, of another one, a student, a stranger."""
    access = "access:services!service=courses"
    courses = service.courses()
    courses.create(ALICE, course(KEY))
    courses.create(BOB, course("others1"))
    courses.members.add(ALICE, KEY, username="pupil")
    courses.members.add(ALICE, KEY, username="assist", role=Role.ASSISTANT)
    people = ("bob", "pupil", "assist", "stranger")
    return {name: service.visitor(name).token(access) for name in people}


@pytest.fixture
def ask(service: ServiceUnderTest) -> Ask:
    """Ask for an operation on the course, with a token or none."""
    members = service.courses().members.of(ALICE, KEY)
    number = next(each.number for each in members if each.username == "pupil")

    def asked(operation: Operation, token: str | None) -> requests.Response:
        path = operation.path.replace("{key}", KEY).replace(f"{{{NUMBER}}}", str(number))
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return requests.request(
            operation.method,
            f"{service.hub.url}{API}{path}",
            json=BODIES.get(operation.name),
            headers=headers,
            timeout=30,
        )

    return asked


def everything(service: ServiceUnderTest) -> tuple[Any, ...]:
    """All that the database has of the course."""
    courses = service.courses()
    return (
        courses.get(ALICE, KEY),
        courses.members.of(ALICE, KEY),
        courses.codes.of(ALICE, KEY),
        courses.messages.of(ALICE, KEY),
        courses.helps.of(ALICE, KEY),
        courses.record(ALICE, KEY),
        [one.stored.key for one in courses.all_for("alice")],
    )


@pytest.mark.parametrize("operation", OF_A_COURSE, ids=lambda one: str(one.name))
def test_who_may_not_does_nothing_and_learns_nothing(
    service: ServiceUnderTest, tokens: dict[str, str], ask: Ask, operation: Operation
) -> None:
    before = everything(service)
    answer = ask(operation, None)
    assert answer.status_code == 401, answer.text
    # Whose course it is not cannot tell it from one that is not there.
    for name in ("stranger", "bob"):
        answer = ask(operation, tokens[name])
        assert answer.status_code == 404, (name, answer.text)
        assert PLAIN["title"] not in answer.text
    for name, role in (("pupil", Role.STUDENT), ("assist", Role.ASSISTANT)):
        if NEEDS[operation.name] not in BY_ROLE[role]:
            answer = ask(operation, tokens[name])
            assert answer.status_code == 403, (name, answer.text)
    assert everything(service) == before


def test_who_may_is_answered(tokens: dict[str, str], ask: Ask) -> None:
    reading = [one for one in OF_A_COURSE if one.method == "GET"]
    for operation in reading:
        for name, role in (("pupil", Role.STUDENT), ("assist", Role.ASSISTANT)):
            if NEEDS[operation.name] in BY_ROLE[role]:
                answer = ask(operation, tokens[name])
                assert answer.status_code == 200, (operation.name, name, answer.text)
