"""Help with consent: nobody is let in unless the student says so, and no longer than that."""

from __future__ import annotations

import pytest

from slurmhub.courses.errors import CourseUnknown, MemberUnknown, NotAllowed
from slurmhub.courses.helping import ASKED_FOR, LONGEST, HelpRefused, HelpUnknown
from slurmhub.courses.model import Role
from slurmhub.courses.record import What
from slurmhub.courses.rights import Person
from slurmhub.courses.store import Courses
from tests.unit.courses.world import ADMIN, ALICE, BOB, STUDENT, Clock, made, people

KEY = "phys101"
HELPER = Person("assistant")
OTHER = Person("other")


@pytest.fixture
def open_course(courses: Courses) -> Courses:
    """A course with an assistant and two students."""
    made(courses)
    courses.members.add(ALICE, KEY, username="assistant", role=Role.ASSISTANT)
    for name in ("student", "other"):
        courses.members.add(ALICE, KEY, username=name)
    return courses


def test_asked_allowed_and_over(open_course: Courses, clock: Clock) -> None:
    helps = open_course.helps
    asked = helps.ask(HELPER, KEY, "student", 30)
    assert helps.of_student("student") == (asked,)
    assert helps.of(ALICE, KEY) == (asked,)
    assert helps.allowed_now() == (), "nobody is let in by asking"
    clock.now += 60
    allowed = helps.allow(STUDENT, asked.number)
    assert allowed.until == clock.now + 30 * 60
    assert helps.allowed_now() == (allowed,)
    clock.now += 30 * 60
    assert helps.allowed_now() == ()
    assert helps.of_student("student") == ()
    lines = open_course.record(ALICE, KEY)[-2:]
    assert [(one.what, one.who, one.subject) for one in lines] == [
        (What.HELP_ASKED, "assistant", "student"),
        (What.HELP_ALLOWED, "student", "assistant"),
    ]


@pytest.mark.parametrize("who", [HELPER, OTHER, ALICE, BOB, ADMIN])
def test_nobody_else_allows_it(open_course: Courses, who: Person) -> None:
    asked = open_course.helps.ask(HELPER, KEY, "student", 30)
    with pytest.raises(HelpUnknown):
        open_course.helps.allow(who, asked.number)
    assert open_course.helps.allowed_now() == ()


@pytest.mark.parametrize("who", [OTHER, ALICE, BOB, ADMIN])
def test_nobody_else_ends_it(open_course: Courses, who: Person) -> None:
    asked = open_course.helps.ask(HELPER, KEY, "student", 30)
    open_course.helps.allow(STUDENT, asked.number)
    with pytest.raises(HelpUnknown):
        open_course.helps.end(who, asked.number)
    assert len(open_course.helps.allowed_now()) == 1


@pytest.mark.parametrize(
    ("who", "allowed", "what"),
    [
        (STUDENT, False, What.HELP_DENIED),
        (STUDENT, True, What.HELP_ENDED),
        (HELPER, False, What.HELP_ENDED),
        (HELPER, True, What.HELP_ENDED),
    ],
)
def test_either_ends_it_and_it_stays_ended(
    open_course: Courses, who: Person, allowed: bool, what: What
) -> None:
    helps = open_course.helps
    asked = helps.ask(HELPER, KEY, "student", 30)
    if allowed:
        helps.allow(STUDENT, asked.number)
    done = helps.end(who, asked.number)
    assert done.ended_by == who.username
    assert helps.allowed_now() == helps.of_student("student") == ()
    assert open_course.record(ALICE, KEY)[-1].what is what
    for again in (helps.allow, helps.end):
        with pytest.raises(HelpUnknown):
            again(STUDENT, asked.number)


def test_a_question_is_not_open_for_ever(open_course: Courses, clock: Clock) -> None:
    asked = open_course.helps.ask(HELPER, KEY, "student", 30)
    clock.now += ASKED_FOR
    assert open_course.helps.of_student("student") == ()
    with pytest.raises(HelpUnknown):
        open_course.helps.allow(STUDENT, asked.number)


def test_to_ask_again_is_to_ask_once(open_course: Courses) -> None:
    first = open_course.helps.ask(HELPER, KEY, "student", 30)
    second = open_course.helps.ask(HELPER, KEY, "student", 60)
    assert open_course.helps.of_student("student") == (second,)
    with pytest.raises(HelpUnknown):
        open_course.helps.allow(STUDENT, first.number)


@pytest.mark.parametrize("change", ["helper goes", "helper is a student", "student goes", "frozen"])
def test_it_ends_with_what_it_rests_on(open_course: Courses, change: str) -> None:
    asked = open_course.helps.ask(HELPER, KEY, "student", 30)
    later = open_course.helps.ask(ALICE, KEY, "other", 30)
    open_course.helps.allow(STUDENT, asked.number)
    found = people(open_course)
    if change == "frozen":
        open_course.stages.freeze(ALICE, KEY)
    elif change == "helper is a student":
        open_course.members.set_role(ALICE, KEY, found["assistant"].number, Role.STUDENT)
    else:
        who = found["assistant" if change == "helper goes" else "student"]
        open_course.members.drop(ALICE, KEY, who.number)
    assert open_course.helps.allowed_now() == ()
    if change == "frozen":
        with pytest.raises(HelpUnknown):
            open_course.helps.allow(OTHER, later.number)


def test_who_may_ask_and_whom(open_course: Courses) -> None:
    made(open_course, "chem101")
    ask = open_course.helps.ask
    for who, error in ((STUDENT, NotAllowed), (ADMIN, NotAllowed), (BOB, CourseUnknown)):
        with pytest.raises(error):
            ask(who, KEY, "other", 30)
    for nobody in ("alice", "assistant", "stranger", "a/b"):
        with pytest.raises(MemberUnknown):
            ask(ALICE, KEY, nobody, 30)
    with pytest.raises(MemberUnknown):
        ask(ALICE, "chem101", "student", 30)
    for minutes in (0, -5, LONGEST + 1):
        with pytest.raises(HelpRefused):
            ask(HELPER, KEY, "student", minutes)
