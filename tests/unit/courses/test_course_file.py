"""A course as a file: read back as it was written, and every mistake told with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slurmhub.courses.course_file import (
    CourseFileWrong,
    Staff,
    course_text,
    load_course,
    parse_course,
    staff_of,
)
from slurmhub.courses.errors import CourseRefused
from slurmhub.courses.mistakes import read_as, read_course
from slurmhub.courses.model import Course, Role
from slurmhub.options.refusal import Problem
from tests.unit.courses.world import PLAIN, course

GOOD = """\
key: phys101
title: Mechanics
description: |
  Two hours a week,
  and a laboratory.
term: {name: Winter 2026, first: 2026-01-05, last: 2026-04-10}
timezone: America/Vancouver
profile:
  partition: cpu
  cpus: 2
  memory: 4G
  hours: 3
seats: 30
class_hours:
  - weekday: mon
    start: 09:00
    end: 10:30
    without: [2026-02-16]
staff:
  instructors: [bob]
  assistants: [ta]
roster: roster.csv
"""


def wrong(text: str) -> list[str]:
    with pytest.raises(CourseFileWrong) as caught:
        parse_course(text, "c.yml")
    return [one.line("c.yml") for one in caught.value.problems]


def test_a_file_is_a_course_with_staff_and_roster(tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    path.write_text(GOOD)
    found = load_course(path)
    hours = {"weekday": "mon", "start": "09:00", "end": "10:30", "without": ["2026-02-16"]}
    description = "Two hours a week,\nand a laboratory.\n"
    assert found.course == course(class_hours=[hours], description=description)
    assert type(found.course) is Course
    assert found.roster == "roster.csv"
    assert found.staff.roles == {"bob": Role.INSTRUCTOR, "ta": Role.ASSISTANT}


def test_what_is_written_is_short_and_read_by_people() -> None:
    hours = {"weekday": "mon", "start": "09:00", "end": "10:30"}
    staff = Staff(assistants=("ta",))
    assert course_text(course(class_hours=[hours]), staff=staff, roster="r.csv") == (
        "key: phys101\n"
        "title: Mechanics\n"
        "term:\n"
        "  name: Winter 2026\n"
        "  first: '2026-01-05'\n"
        "  last: '2026-04-10'\n"
        "timezone: America/Vancouver\n"
        "profile:\n"
        "  partition: cpu\n"
        "  cpus: 2\n"
        "  memory: 4G\n"
        "  hours: 3.0\n"
        "class_hours:\n"
        "- weekday: mon\n"
        "  start: 09:00\n"
        "  end: '10:30'\n"
        "seats: 30\n"
        "staff:\n"
        "  assistants:\n"
        "  - ta\n"
        "roster: r.csv\n"
    )


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "cpus: 2",
            "cpus: two",
            "c.yml:10:3: profile.cpus = “two”: It must be a whole number. Correct it.",
        ),
        (
            "cpus: 2",
            "cpus: 0",
            "c.yml:10:3: profile.cpus = “0”: It must be at least 1.",
        ),
        ("  cpus: 2\n", "", "c.yml:8:1: profile.cpus: This is missing. Add it."),
        (
            "memory: 4G",
            "memory: lots",
            "c.yml:11:3: profile.memory = “lots”: It must be an amount such as 4G or 512M. "
            "Correct it.",
        ),
        (
            "hours: 3",
            "hour: 3",
            "c.yml:12:3: profile.hour = “3”: There is no such setting. (choices: hours) "
            "Write what is meant.",
        ),
        (
            "weekday: mon",
            "weekday: monday",
            "c.yml:15:5: class_hours[0].weekday = “monday”: It is none of those that there are. "
            "(choices: mon, tue, wed, thu, fri, sat, sun) Write what is meant.",
        ),
        (
            "start: 09:00",
            "start: 9am",
            "c.yml:16:5: class_hours[0].start = “9am”: It must be a time such as 09:00. "
            "Correct it.",
        ),
        (
            "first: 2026-01-05",
            "first: 2026-05-01",
            "c.yml:6:1: term = “a mapping”: It ends on 2026-04-10, before it begins on "
            "2026-05-01. Correct it.",
        ),
        (
            "last: 2026-04-10",
            "last: soon",
            "c.yml:6:46: term.last = “soon”: It must be a day such as 2026-01-31. Correct it.",
        ),
        (
            "America/Vancouver",
            "Vancouver",
            "c.yml:7:1: timezone = “Vancouver”: It is no time zone; give a name such as "
            "America/Vancouver. Correct it.",
        ),
        (
            "key: phys101",
            "key: Phys_101",
            "c.yml:1:1: key = “Phys_101”: It must be 3 to 30 small letters, digits and hyphens, a "
            "letter first, and no hyphen at the end. Correct it.",
        ),
        (
            "roster.csv",
            "../../etc/passwd",
            "c.yml:22:1: roster = “../../etc/passwd”: It must stay inside the folder: no '.', "
            "'..' or '~'. Correct it.",
        ),
        (
            "assistants: [ta]",
            "assistants: [bob]",
            "c.yml:19:1: staff = “a mapping”: It names bob twice. Correct it.",
        ),
        ("title: Mechanics", "title: ''", "c.yml:2:1: title: It has characters"),
        ("seats: 30", "seats: 30\nseats: 31", "c.yml:14:1: seats: This is there twice. Keep one"),
        ("seats: 30", "\tseats: 30", "c.yml:13:1: file: This is not YAML"),
    ],
)
def test_each_mistake_has_its_line_and_plain_words(before: str, after: str, expected: str) -> None:
    assert before in GOOD
    (line,) = wrong(GOOD.replace(before, after))
    assert line.startswith(expected)


def test_all_mistakes_are_told_at_once_in_their_order() -> None:
    text = GOOD.replace("cpus: 2", "cpus: x").replace("seats: 30", "seats: x")
    text = text.replace("key:", "kee:")
    assert [line.split(":")[1] for line in wrong(text)] == ["1", "1", "10", "13"]
    with pytest.raises(CourseFileWrong) as caught:
        parse_course(text, "c.yml")
    first, *lines, last = str(caught.value).splitlines()
    assert first == "c.yml is no course that can be made."
    assert len(lines) == 4
    assert last == "Correct what is named here and give the file again."


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words", "42"])
def test_what_is_no_course_at_all(text: str) -> None:
    assert wrong(text) == [
        "c.yml:1:1: file: There is no course in it. Write the settings, each with a colon."
    ]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CourseFileWrong, match="It cannot be read: No such file"):
        load_course(tmp_path / "none.yml")
    with pytest.raises(CourseFileWrong, match="cannot be read: Is a directory"):
        load_course(tmp_path)
    (tmp_path / "latin.yml").write_bytes(GOOD.replace("Mechanics", "Mécanique").encode("latin-1"))
    with pytest.raises(CourseFileWrong, match=r"latin.yml:2:1: file: It is not UTF-8"):
        load_course(tmp_path / "latin.yml")


def test_staff_of_a_course_without_its_owner() -> None:
    roles = {"a": Role.OWNER, "z": Role.INSTRUCTOR, "b": Role.INSTRUCTOR, "s": Role.STUDENT}
    assert staff_of(roles) == Staff(instructors=("b", "z"))


# The same words for page and REST


def test_data_of_a_page_is_told_in_the_same_words() -> None:
    with pytest.raises(CourseRefused) as caught:
        read_course({**PLAIN, "seats": "many", "state": "open", "owner": "mallory"})
    assert [one.line() for one in caught.value.problems] == [
        "seats = “many”: It must be a whole number.",
        "state = “open”: There is no such setting.",
        "owner = “mallory”: There is no such setting.",
    ]
    assert read_as(Staff, {"assistants": ["ta"]}) == Staff(assistants=("ta",))
    with pytest.raises(CourseRefused, match="settings of its own"):
        read_course([])


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=8,
    ),
    st.sampled_from([*Course.model_fields, "x"]),
)
def test_whatever_is_sent_there_are_words_for_it(value: Any, name: str) -> None:
    found: tuple[Problem, ...] = ()
    try:
        read_course({**PLAIN, name: value})
    except CourseRefused as refused:
        found = refused.problems or (Problem("", "", "nothing is said"),)
    for one in found:
        assert one.message.endswith(".")
        assert "Input should" not in one.message


# There and back

_TEXTS = st.text(min_size=1, max_size=20)
_LINES = st.sampled_from(
    ["08", "1e3", "010", "no", "~", "null", "yes", "12:30:00", "0x1F", "1_000", "=1+1", "# x"]
) | st.text(
    st.characters(
        # Halves of letters are in no text that is read or written.
        codec="utf-8",
        min_codepoint=32,
        exclude_characters="\x7f\u202a\u202b\u202c\u202d\u202e",
    ),
    min_size=1,
    max_size=20,
).filter(lambda text: text.strip() and not set(text) & set("\u2066\u2067\u2068\u2069"))


@st.composite
def courses(draw: Callable[[Any], Any]) -> Course:
    starts = draw(st.lists(st.integers(0, 23), max_size=3, unique=True))
    classes = [
        {"weekday": "mon", "start": f"{hour:02}:05", "end": f"{hour:02}:45"} for hour in starts
    ]
    return course(
        title=draw(_LINES),
        description=draw(st.text(max_size=50)),
        term={"name": draw(_LINES)},
        profile={
            "cpus": draw(st.integers(1, 4096)),
            "hours": draw(st.floats(0.1, 700)),
            "environment": draw(st.text(max_size=5)),
        },
        storage={"data": draw(st.booleans()), "shared": draw(st.booleans())},
        class_hours=classes,
        joining={"group": draw(st.none() | _TEXTS)},
        running=draw(st.none() | st.integers(0, 100)),
    )


@settings(max_examples=150, deadline=None)
@given(courses())
def test_a_course_is_read_back_as_it_was_written(one: Course) -> None:
    assert parse_course(course_text(one), "c.yml").course == one
