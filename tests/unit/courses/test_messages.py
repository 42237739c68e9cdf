"""Messages to a class: who sends and reads them, for how long, and which are none."""

from __future__ import annotations

import pytest

from slurmhub.courses.errors import CourseUnknown, NotAllowed, NotNow
from slurmhub.courses.messages import LONGEST, LONGEST_SHOWN, MOST, MessageRefused
from slurmhub.courses.model import Role
from slurmhub.courses.record import What
from slurmhub.courses.rights import Person
from slurmhub.courses.store import Courses
from tests.unit.courses.world import ADMIN, ALICE, BOB, STUDENT, Clock, made

KEY = "phys101"
HOUR = 3600.0


@pytest.fixture
def open_course(courses: Courses) -> Courses:
    """A course with an assistant and a student."""
    made(courses)
    courses.members.add(ALICE, KEY, username="assistant", role=Role.ASSISTANT)
    courses.members.add(ALICE, KEY, username="student")
    return courses


def test_the_class_reads_it_until_its_time_is_over(open_course: Courses, clock: Clock) -> None:
    assistant = Person("assistant")
    sent = open_course.messages.send(assistant, KEY, " Room 4.\r\nNow. ", until=clock.now + HOUR)
    assert (sent.text, sent.author) == ("Room 4.\nNow.", "assistant")
    assert open_course.messages.of(STUDENT, KEY) == (sent,)
    assert open_course.messages.shown([KEY, "chem101"]) == (sent,)
    assert open_course.messages.shown([]) == ()
    clock.now += HOUR
    assert open_course.messages.of(STUDENT, KEY) == ()
    assert open_course.record(ALICE, KEY)[-1].what is What.MESSAGE


def test_only_staff_sends_and_withdraws(open_course: Courses, clock: Clock) -> None:
    made(open_course, "chem101")
    until = clock.now + HOUR
    sent = open_course.messages.send(ALICE, KEY, "Hello", until=until)
    for who, error in ((STUDENT, NotAllowed), (ADMIN, NotAllowed), (BOB, CourseUnknown)):
        with pytest.raises(error):
            open_course.messages.send(who, KEY, "Hello", until=until)
        with pytest.raises(error):
            open_course.messages.withdraw(who, KEY, sent.number)
    with pytest.raises(CourseUnknown):
        open_course.messages.of(BOB, KEY)
    # By its number in another course of hers it is none of that one's.
    open_course.messages.withdraw(ALICE, "chem101", sent.number)
    assert open_course.messages.of(ALICE, KEY) == (sent,)
    open_course.messages.withdraw(ALICE, KEY, sent.number)
    open_course.messages.withdraw(ALICE, KEY, sent.number)
    assert open_course.messages.of(ALICE, KEY) == ()
    whats = [one.what for one in open_course.record(ALICE, KEY)]
    assert whats.count(What.MESSAGE_GONE) == 1


@pytest.mark.parametrize("text", ["", " \n ", "x" * (LONGEST + 1), "a\x00b", "a\u202eb", "\ud800"])
def test_what_is_no_message(open_course: Courses, clock: Clock, text: str) -> None:
    with pytest.raises(MessageRefused):
        open_course.messages.send(ALICE, KEY, text, until=clock.now + HOUR)
    assert open_course.messages.of(ALICE, KEY) == ()


@pytest.mark.parametrize("seconds", [-1.0, 0.0, LONGEST_SHOWN + 1, float("nan"), float("inf")])
def test_until_when_it_cannot_be_shown(open_course: Courses, clock: Clock, seconds: float) -> None:
    with pytest.raises(MessageRefused):
        open_course.messages.send(ALICE, KEY, "Hello", until=clock.now + seconds)


def test_there_are_not_more_than_anybody_reads(open_course: Courses, clock: Clock) -> None:
    for _ in range(MOST):
        open_course.messages.send(ALICE, KEY, "Hello", until=clock.now + HOUR)
    with pytest.raises(MessageRefused):
        open_course.messages.send(ALICE, KEY, "Hello", until=clock.now + HOUR)
    clock.now += HOUR
    open_course.messages.send(ALICE, KEY, "Hello again", until=clock.now + HOUR)


def test_a_frozen_course_says_nothing_new(open_course: Courses, clock: Clock) -> None:
    open_course.stages.freeze(ALICE, KEY)
    with pytest.raises(NotNow):
        open_course.messages.send(ALICE, KEY, "Hello", until=clock.now + HOUR)
