"""Who may do what: every answer there is, written out."""

from __future__ import annotations

import pytest

from slurmhub.courses.errors import CourseUnknown, NotAllowed, NotNow
from slurmhub.courses.model import Role, State
from slurmhub.courses.rights import (
    Action,
    Person,
    allowed,
    check,
    check_making,
    is_approver,
    is_maker,
    may,
)
from tests.unit.courses.world import ADMIN, ALICE, CAROL, POLICY, STUDENT, policy

SOMEBODY = Person("somebody")

OPEN = {
    "nobody": "",
    "student": "SEE START LEAVE",
    "assistant": "SEE START LEAVE SEE_CLASS HELP STEER SEE_DESCRIPTION",
    "instructor": "SEE START LEAVE SEE_CLASS HELP STEER SEE_DESCRIPTION SEE_RECORD SEE_USE CHANGE "
    "CHANGE_ROSTER CHANGE_STAFF COPY EXPORT FREEZE",
    "owner": "SEE START SEE_CLASS HELP STEER SEE_DESCRIPTION SEE_RECORD SEE_USE CHANGE "
    "CHANGE_ROSTER CHANGE_STAFF COPY EXPORT FREEZE CHANGE_OWNER END",
}


@pytest.mark.parametrize("name", OPEN)
def test_each_role_in_an_open_course(name: str) -> None:
    role = None if name == "nobody" else Role(name)
    found = {one.name for one in Action if may(SOMEBODY, one, role, State.OPEN, POLICY)}
    assert found == set(OPEN[name].split())


def test_administrators_have_no_server_and_enter_none() -> None:
    found = {one for one in Action if may(ADMIN, one, None, State.OPEN, POLICY)}
    assert found == set(Action) - {Action.START, Action.LEAVE, Action.HELP}


def test_approvers_see_the_course_and_nobody_in_it() -> None:
    found = {one.name for one in Action if may(CAROL, one, None, State.OPEN, POLICY)}
    assert found == {"SEE", "SEE_DESCRIPTION", "SEE_USE", "APPROVE"}
    # As staff they are staff, and as a student both.
    assert Action.APPROVE not in allowed(CAROL, Role.OWNER, POLICY)
    assert Action.APPROVE not in allowed(CAROL, Role.ASSISTANT, POLICY)
    assert {Action.APPROVE, Action.START} <= allowed(CAROL, Role.STUDENT, POLICY)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("role", [None, *Role])
def test_a_state_adds_nothing(state: State, role: Role | None) -> None:
    for person in (SOMEBODY, ADMIN, CAROL):
        for action in Action:
            if may(person, action, role, state, POLICY):
                assert may(person, action, role, State.OPEN, POLICY)


@pytest.mark.parametrize("state", [one for one in State if one is not State.OPEN])
def test_nothing_starts_where_a_course_is_not_open(state: State) -> None:
    for role in Role:
        for action in (Action.START, Action.STEER, Action.HELP):
            assert not may(SOMEBODY, action, role, state, POLICY)


def test_an_ended_course_is_only_looked_at() -> None:
    found = {one.name for one in Action if may(ADMIN, one, Role.OWNER, State.ENDED, POLICY)}
    assert found == {"SEE", "SEE_CLASS", "SEE_RECORD", "SEE_USE", "SEE_DESCRIPTION", "COPY"}


def test_what_is_not_for_somebody_is_not_there_for_them() -> None:
    with pytest.raises(CourseUnknown):
        check(SOMEBODY, Action.END, None, State.OPEN, POLICY, key="k")
    with pytest.raises(CourseUnknown):
        check(SOMEBODY, Action.SEE, Role.STUDENT, State.WAITING, POLICY, key="k")
    with pytest.raises(NotAllowed, match="You may not end this course"):
        check(SOMEBODY, Action.END, Role.INSTRUCTOR, State.OPEN, POLICY, key="k")
    with pytest.raises(NotNow, match="frozen"):
        check(SOMEBODY, Action.START, Role.STUDENT, State.FROZEN, POLICY, key="k")


def test_groups_say_who_makes_and_who_decides() -> None:
    assert is_maker(ALICE, POLICY)
    assert is_maker(ADMIN, POLICY)
    assert not is_maker(STUDENT, POLICY)
    assert not is_maker(CAROL, POLICY)
    assert is_approver(CAROL, POLICY)
    assert not is_approver(ALICE, POLICY)
    nobody = policy(makers=[])
    assert not is_maker(ALICE, nobody)
    check_making(ADMIN, nobody)
    with pytest.raises(NotAllowed):
        check_making(ALICE, nobody)
