"""Settings by their path, and a staff as a file has it."""

from __future__ import annotations

import pytest

from slurmhub.courses.course_file import CourseFile, Staff
from slurmhub_deploy.courses.changing import settle_staff, with_settings
from slurmhub_deploy.operate.errors import OperateError
from tests.unit.course_command.answers import Answering, member
from tests.unit.courses.world import course

DOCUMENT = {
    "title": "Mechanics",
    "seats": 30,
    "profile": {"hours": 2.0},
    "class_hours": [{"end": "11:00"}],
    "group": None,
}


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("seats=60", "seats", 60),
        ("title=Physics 101: waves", "title", "Physics 101: waves"),
        ("title=null", "title", None),
        ("profile.hours=3.5", "profile", {"hours": 3.5}),
        ("profile.gpu_type=a100", "profile", {"hours": 2.0, "gpu_type": "a100"}),
        ("class_hours[0].end=12:00", "class_hours", [{"end": "12:00"}]),
        ("class_hours[1]={weekday: mon}", "class_hours", [{"end": "11:00"}, {"weekday": "mon"}]),
        ("group.name=x", "group", {"name": "x"}),
        ("group=null", "group", None),
    ],
)
def test_a_setting(setting: str, path: str, value: object) -> None:
    found = with_settings(DOCUMENT, [setting])
    assert found[path] == value
    assert {name: each for name, each in found.items() if name != path} == {
        name: each for name, each in DOCUMENT.items() if name != path
    }
    assert DOCUMENT["profile"] == {"hours": 2.0}


@pytest.mark.parametrize(
    "setting",
    ["seats", "=3", "a b=3", "seats.x=3", "class_hours[9].end=1", "class_hours=[", "[0]=1"],
)
def test_what_is_no_setting(setting: str) -> None:
    with pytest.raises(OperateError, match="is no setting"):
        with_settings(DOCUMENT, [setting])


MEMBERS = {
    "members": [
        member(1, "alice", "owner"),
        member(2, "bob", "assistant"),
        member(3, "carol", "instructor"),
        member(4, "dave", "instructor", dropped="2031-09-02T16:00:00Z"),
        member(5, "erin", "student"),
        member(6, None, "student"),
    ]
}


def file_with(**staff: tuple[str, ...]) -> CourseFile:
    return CourseFile(**course().model_dump(), staff=Staff(**staff))


def service() -> Answering:
    done = member(2, "bob", "instructor")
    return Answering(
        **{
            "GET courses/phys101/members": MEMBERS,
            "POST courses/phys101/members": done,
            "PATCH courses/phys101/members/2": done,
            "DELETE courses/phys101/members/3": done,
        }
    )


def test_the_staff_becomes_that_of_the_file() -> None:
    answering = service()
    file = file_with(instructors=("bob", "dave", "alice"))
    said = list(settle_staff(answering.client, file, remove=True))
    assert [name for name, _ in answering.asked] == [
        "GET courses/phys101/members",
        "PATCH courses/phys101/members/2",
        "POST courses/phys101/members",
        "DELETE courses/phys101/members/3",
    ]
    assert answering.asked[2][1] == {"username": "dave", "role": "instructor"}
    assert len(said) == 3


def test_nobody_is_taken_out_unasked() -> None:
    answering = service()
    said = list(settle_staff(answering.client, file_with(assistants=("bob",)), remove=False))
    assert len(answering.asked) == 1
    assert said == ["carol: instructor still, though the file does not name them"]
