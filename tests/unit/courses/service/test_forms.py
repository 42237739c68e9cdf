"""A course as a form: what is typed means the same course, and mistakes are said at their field."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slurmhub.courses.changes import document_of
from slurmhub.courses.errors import CourseRefused
from slurmhub.courses.model import ClassHours, Course
from slurmhub.courses.service.pages.forms import (
    FIELDS,
    beside,
    classes_in,
    read_form,
    typed_in,
    typed_of,
)
from slurmhub.courses.service.pages.limits import limits_said
from tests.unit.courses.world import POLICY, course, policy

EVERYTHING: dict[str, Any] = {
    "description": "Forces.\nAnd waves.",
    "profile": {
        "partition": "gpu",
        "cpus": 4,
        "memory": "4608M",
        "gpus": 1,
        "gpu_type": "h100",
        "hours": 2.5,
        "environment": "python",
    },
    "storage": {"shared": True, "data": True, "drop": True, "exchange": True, "quota": "50G"},
    "materials": {
        "repository": {
            "url": "https://git.example.ca/phys/phys101.git",
            "branch": "winter",
            "folder": "phys/101",
        },
        "open": "week-1/start.ipynb",
    },
    "class_hours": [
        {"weekday": "mon", "start": "09:00", "end": "10:30", "seats": 20},
        {
            "weekday": "thu",
            "start": "22:00",
            "end": "01:00",
            "without": ["2026-02-19", "2026-03-05"],
        },
    ],
    "joining": {"group": "phys101"},
    "running": 25,
}


def sent(typed: dict[str, str]) -> dict[str, list[str]]:
    """As a browser sends it."""
    return {name: [value] for name, value in typed.items()}


def problems_at(typed: dict[str, str], before: Course | None = None) -> dict[str, str]:
    """The first problem of each field."""
    with pytest.raises(CourseRefused) as refused:
        read_form(typed, before)
    found = beside(refused.value.problems, typed)
    return {field: each[0].message for field, each in found.items()}


@pytest.mark.parametrize("changed", [{}, EVERYTHING], ids=["the least", "everything"])
def test_a_course_is_the_same_after_it_was_a_form(changed: dict[str, Any]) -> None:
    made = course(**changed)
    typed = typed_in(sent(typed_of(document_of(made))))
    assert read_form(typed) == made
    assert read_form(typed, made) == made


def test_what_was_left_as_it_stood_stays_as_it_is_written() -> None:
    made = course(profile={"memory": "4096M", "hours": 1.0001}, storage={"quota": "1024M"})
    typed = typed_of(document_of(made))
    assert (typed["profile.memory"], typed["storage.quota"]) == ("4", "1")
    assert read_form(typed, made) == made
    other = read_form({**typed, "profile.memory": "6"}, made)
    assert other.profile.memory == "6G"
    assert other.profile.hours == made.profile.hours


def test_amounts_and_times_are_read_as_people_write_them() -> None:
    typed = typed_of(document_of(course()))
    made = read_form({**typed, "profile.memory": "4,5 GB", "profile.hours": "1,5"})
    assert (made.profile.memory, made.profile.hours) == ("4608M", 1.5)
    assert read_form({**typed, "profile.hours": "1:30:00"}).profile.hours == 1.5


def test_what_is_wrong_is_said_at_its_field() -> None:
    typed = {
        **typed_of(document_of(course(**EVERYTHING))),
        "key": "Phys 101",
        "title": "",
        "term.last": "soon",
        "timezone": "Mars/Olympus",
        "profile.cpus": "many",
        "profile.memory": "lots",
        "profile.hours": "-1",
        "storage.quota": "0",
        "materials.repository.url": "ftp://x",
        "materials.open": "../x",
        "class_hours[0].weekday": "",
        "class_hours[1].without": "2026-02-19 never",
        "seats": "0",
    }
    found = problems_at(typed)
    assert "" not in found
    assert found["title"] == "This is missing."
    assert found["class_hours[0].weekday"] == "This is missing."
    assert found["class_hours[1].without"] == "It must be a day such as 2026-01-31."
    assert found["profile.cpus"] == "It must be a whole number."
    assert set(found) == {name for name in typed if typed[name] != _WELL.get(name)}


_WELL = typed_of(document_of(course(**EVERYTHING)))


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"term.last": "2025-01-01"}, "term.last"),
        ({"profile.gpu_type": "h100"}, "profile.gpu_type"),
        ({"class_hours[0].end": "09:00"}, "class_hours[0].weekday"),
        ({"materials.repository.folder": "x"}, "materials.repository.url"),
    ],
)
def test_what_is_wrong_with_two_fields_is_said_at_one(typed: dict[str, str], field: str) -> None:
    least = typed_of(
        document_of(course(class_hours=[{"weekday": "mon", "start": "09:00", "end": "10:00"}]))
    )
    assert list(problems_at({**least, **typed})) == [field]


def test_classes_without_anything_are_none_and_the_others_move_up() -> None:
    typed = typed_in(
        {
            **sent(typed_of(document_of(course()))),
            "class_hours[0].weekday": [""],
            "class_hours[0].start": [" "],
            "class_hours[7].weekday": ["fri"],
            "class_hours[7].start": ["08:00"],
            "class_hours[7].end": ["09:00"],
            "class_hours[9].end": ["10:00"],
        }
    )
    assert classes_in(typed) == 2
    assert problems_at(typed) == {
        "class_hours[1].weekday": "This is missing.",
        "class_hours[1].start": "This is missing.",
    }
    typed = {name: value for name, value in typed.items() if "[1]" not in name}
    assert read_form(typed).class_hours == (ClassHours(weekday="fri", start=time(8), end=time(9)),)


def test_nothing_but_fields_of_the_form_is_taken() -> None:
    odd = {"owner": ["bob"], "state": ["open"], "version": ["9"], "class_hours[0].x": ["1"]}
    typed = typed_in({**sent(typed_of(document_of(course()))), **odd, "__class__": ["x"]})
    assert set(typed) == set(FIELDS) | {"storage.shared"}


def test_the_key_of_a_course_that_there_is_does_not_change() -> None:
    made = course()
    typed = {**typed_of(document_of(made)), "key": "other"}
    assert read_form(typed, made) == made


def test_what_has_no_field_on_the_page_stays() -> None:
    made = course(**EVERYTHING)
    typed = typed_of(document_of(made))
    for name in ("joining.group", "materials.repository.branch", "profile.environment"):
        del typed[name]
    assert read_form(typed, made) == made


@settings(deadline=None)
@given(
    st.dictionaries(
        st.one_of(st.sampled_from([*FIELDS, "class_hours[0].start", "storage.drop"]), st.text()),
        st.lists(st.text(max_size=50), max_size=3),
    )
)
def test_whatever_is_sent_is_a_course_or_refused(data: dict[str, list[str]]) -> None:
    typed = typed_in(data)
    with pytest.raises(CourseRefused) as refused:
        read_form(typed)
    beside(refused.value.problems, typed)
    made = course(**EVERYTHING)
    try:
        read_form(typed, made)
    except CourseRefused as error:
        beside(error.problems, typed)


def test_limits_are_said_beside_their_fields() -> None:
    said = limits_said(POLICY)
    assert said["seats"] == ["At most 300 seats.", "More than 50 seats needs approval."]
    assert said["profile.memory"] == ["At most 32 GB."]
    assert said["running"] == ["All servers of a course together have at most 600 CPUs."]
    assert limits_said(policy(bounds={}, free=None)) == {}
