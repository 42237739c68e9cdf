"""Approval, freezing, ending, forgetting: what a course is at, and who decides."""

from __future__ import annotations

from datetime import date, datetime, timezone

import pytest

from slurmhub.courses.errors import (
    CourseRefused,
    CourseUnknown,
    MemberUnknown,
    NotAllowed,
    NotNow,
    RequestUnknown,
)
from slurmhub.courses.model import Role, State
from slurmhub.courses.record import What
from slurmhub.courses.retention import Due, Step, calendar
from slurmhub.courses.rights import Person
from slurmhub.courses.roster.facts import Identifiers
from slurmhub.courses.store import Courses
from slurmhub.courses.stored import CourseChanged, Saved
from tests.unit.courses.world import (
    ADMIN,
    ALICE,
    BOB,
    CAROL,
    POLICY,
    STUDENT,
    Clock,
    at,
    course,
    made,
    people,
    policy,
)

KEY = "phys101"
DAY = 86400.0


def large(courses: Courses) -> Saved:
    """A course of 100 seats, which waits for approval."""
    return courses.create(ALICE, course(seats=100), note="A large class.")


# Approval


def test_above_what_is_free_a_course_waits_for_somebody(courses: Courses, clock: Clock) -> None:
    saved = large(courses)
    assert saved.stored.state is State.WAITING
    (request,) = courses.approvals.waiting(CAROL)
    assert request == saved.request
    assert (request.asked_by, request.note, request.asked) == ("alice", "A large class.", clock.now)
    assert [one.message for one in request.reasons] == [
        "More than 50 seats for one course needs approval."
    ]
    done = courses.approvals.decide(CAROL, request.number, 1, approve=True, words="Fine.")
    assert (done.stored.state, done.stored.version) == (State.OPEN, 2)
    assert courses.approvals.waiting(CAROL) == ()
    (told,) = courses.approvals.of(ALICE, KEY)
    assert (told.decision, told.decided_by, told.words) == ("approved", "carol", "Fine.")
    assert [one.what for one in courses.record(ALICE, KEY)] == [
        What.CREATED,
        What.ASKED,
        What.APPROVED,
    ]


def test_a_waiting_course_is_no_students_business(courses: Courses) -> None:
    large(courses)
    courses.members.add(ALICE, KEY, username="student")
    courses.members.add(ALICE, KEY, identifiers=Identifiers(number="1"), name="Waited for")
    with pytest.raises(CourseUnknown):
        courses.get(STUDENT, KEY)
    assert courses.visible(STUDENT) == ()


def test_an_approver_sees_the_course_and_nobody_in_it(courses: Courses) -> None:
    large(courses)
    assert courses.get(CAROL, KEY).course.seats == 100
    for question in (courses.members.of, courses.record, courses.codes.of):
        with pytest.raises(NotAllowed):
            question(CAROL, KEY)
    with pytest.raises(NotAllowed):
        courses.change(CAROL, KEY, 1, course(seats=99))


def test_nobody_decides_on_their_own_course(courses: Courses) -> None:
    both = Person("alice", frozenset({"instructors", "approvers"}))
    saved = courses.create(both, course(seats=100))
    assert saved.request is not None
    assert courses.approvals.waiting(both) == ()
    with pytest.raises(NotAllowed):
        courses.approvals.decide(both, saved.request.number, 1, approve=True)
    for somebody in (BOB, STUDENT):
        assert courses.approvals.waiting(somebody) == ()
        with pytest.raises(RequestUnknown):
            courses.approvals.decide(somebody, saved.request.number, 1, approve=True)
    with pytest.raises(RequestUnknown):
        courses.approvals.decide(CAROL, 9999, 1, approve=True)


def test_words_to_who_decides_may_be_anything(courses: Courses) -> None:
    odd = "\0" + "é" * 5000
    request = courses.create(ALICE, course(seats=100), note=odd).request
    assert request is not None
    assert request.note == "é" * 2000
    courses.approvals.decide(CAROL, request.number, 1, approve=True, words=odd)
    assert courses.approvals.of(ALICE, KEY)[0].words == "é" * 2000


def test_a_refused_course_may_be_asked_for_again_or_made_smaller(courses: Courses) -> None:
    request = large(courses).request
    assert request is not None
    done = courses.approvals.decide(CAROL, request.number, 1, approve=False, words="Too large.")
    assert done.stored.state is State.REFUSED
    again = courses.change(ALICE, KEY, 2, course(seats=90))
    assert again.stored.state is State.WAITING
    assert again.request is not None
    smaller = courses.change(ALICE, KEY, 3, course(seats=50))
    assert (smaller.stored.state, smaller.request) == (State.OPEN, None)
    assert courses.approvals.waiting(CAROL) == ()


def test_what_is_decided_is_what_was_seen(courses: Courses) -> None:
    request = large(courses).request
    assert request is not None
    changed = courses.change(ALICE, KEY, 1, course(seats=200))
    with pytest.raises(NotNow, match="decided already"):
        courses.approvals.decide(CAROL, request.number, 1, approve=True)
    assert changed.request is not None
    with pytest.raises(CourseChanged):
        courses.approvals.decide(CAROL, changed.request.number, 1, approve=True)
    courses.approvals.decide(CAROL, changed.request.number, 2, approve=True)
    assert courses.get(ALICE, KEY).course.seats == 200
    with pytest.raises(NotNow, match="carol has approved it"):
        courses.approvals.decide(CAROL, changed.request.number, 3, approve=False)


def test_an_open_course_stays_as_it_is_until_more_is_approved(courses: Courses) -> None:
    made(courses)
    saved = courses.change(ALICE, KEY, 1, course(seats=60))
    assert (saved.stored.version, saved.stored.course.seats) == (1, 30)
    assert saved.request is not None
    assert saved.request.changes == {"seats": 60}
    # What is free goes on meanwhile, and is not undone by the approval.
    other = courses.change(ALICE, KEY, 1, course(title="Waves"))
    assert other.request == saved.request
    done = courses.approvals.decide(CAROL, saved.request.number, 2, approve=True)
    assert (done.stored.course.title, done.stored.course.seats) == ("Waves", 60)
    # What is approved stays free, also when it is less.
    assert courses.change(ALICE, KEY, 3, course(seats=55)).request is None


def test_a_newer_wish_takes_the_place_of_the_older(courses: Courses) -> None:
    made(courses)
    first = courses.change(ALICE, KEY, 1, course(seats=60)).request
    second = courses.change(ALICE, KEY, 1, course(seats=70)).request
    assert first is not None
    assert second is not None
    assert courses.approvals.waiting(CAROL) == (second,)
    courses.approvals.withdraw(ALICE, second.number)
    assert courses.approvals.waiting(CAROL) == ()
    assert [one.decision for one in courses.approvals.of(ALICE, KEY)] == ["withdrawn"] * 2


def test_refusing_a_wish_leaves_an_open_course_open(courses: Courses) -> None:
    made(courses)
    request = courses.change(ALICE, KEY, 1, course(seats=60)).request
    assert request is not None
    done = courses.approvals.decide(CAROL, request.number, 1, approve=False)
    assert (done.stored.state, done.stored.course.seats) == (State.OPEN, 30)


def test_what_is_above_the_bounds_by_now_is_not_approved(courses: Courses) -> None:
    request = large(courses).request
    assert request is not None
    courses.policy = policy(bounds={"seats": 80})
    with pytest.raises(CourseRefused, match="The most for one course is 80 seats"):
        courses.approvals.decide(CAROL, request.number, 1, approve=True)
    assert courses.get(ALICE, KEY).state is State.WAITING
    assert courses.approvals.waiting(CAROL) == (request,)


def test_a_whole_course_is_not_withdrawn_but_ended(courses: Courses) -> None:
    request = large(courses).request
    assert request is not None
    with pytest.raises(NotNow):
        courses.approvals.withdraw(ALICE, request.number)
    courses.stages.end(ALICE, KEY)
    assert courses.approvals.waiting(CAROL) == ()


def test_administrators_wait_for_nobody(courses: Courses) -> None:
    saved = courses.create(ADMIN, course(seats=100), owner="alice")
    assert (saved.stored.state, saved.request) == (State.OPEN, None)


# Owners


def test_a_course_is_given_to_one_of_its_instructors(courses: Courses) -> None:
    made(courses)
    with pytest.raises(MemberUnknown):
        courses.stages.give(ALICE, KEY, "bob")
    courses.members.add(ALICE, KEY, username="bob", role=Role.INSTRUCTOR)
    with pytest.raises(NotAllowed):
        courses.stages.give(BOB, KEY, "bob")
    assert courses.stages.give(ALICE, KEY, "bob").owner == "bob"
    assert {name: one.role for name, one in people(courses).items()} == {
        "alice": Role.INSTRUCTOR,
        "bob": Role.OWNER,
    }
    with pytest.raises(NotAllowed):
        courses.stages.end(ALICE, KEY)
    courses.members.leave(ALICE, KEY)


def test_nobody_is_given_more_courses_than_they_may_have(courses: Courses) -> None:
    made(courses)
    courses.create(BOB, course("chem1"))
    courses.members.add(ALICE, KEY, username="bob", role=Role.INSTRUCTOR)
    courses.policy = policy(most_courses=1)
    with pytest.raises(CourseRefused):
        courses.stages.give(ALICE, KEY, "bob")


# Time


def _day(now: float) -> str:
    return datetime.fromtimestamp(now, timezone.utc).date().isoformat()


def test_a_frozen_course_is_read_and_nothing_starts(courses: Courses, clock: Clock) -> None:
    made(courses)
    courses.members.add(ALICE, KEY, username="student")
    stored = courses.stages.freeze(ALICE, KEY)
    assert (stored.state, stored.frozen) == (State.FROZEN, clock.now)
    assert courses.stages.freeze(ALICE, KEY) == stored
    _, _, now = courses.rights(STUDENT, KEY)
    assert {one.name for one in now} == {"SEE", "LEAVE"}
    with pytest.raises(NotNow, match="frozen"):
        courses.members.add(ALICE, KEY, username="late")
    thawed = courses.stages.thaw(ALICE, KEY)
    assert (thawed.state, thawed.frozen) == (State.OPEN, None)


def test_thawing_needs_room_and_time(courses: Courses, clock: Clock) -> None:
    made(courses)
    courses.stages.freeze(ALICE, KEY)
    courses.policy = policy(total={"running_cpus": 59})
    with pytest.raises(CourseRefused, match="all courses together"):
        courses.stages.thaw(ALICE, KEY)
    courses.policy = POLICY
    clock.now = at(date(2026, 6, 1))
    with pytest.raises(NotNow, match="over"):
        courses.stages.thaw(ALICE, KEY)
    term = {"name": "Longer", "first": "2026-01-05", "last": "2026-06-30"}
    courses.change(ALICE, KEY, 2, course(term=term))
    assert courses.stages.thaw(ALICE, KEY).state is State.OPEN


def test_a_course_goes_its_way_by_itself(courses: Courses, clock: Clock) -> None:
    made(courses)
    assert courses.stages.due() == ()
    did = []
    while clock.now < at(date(2028, 12, 31)):
        for one in courses.stages.due():
            assert courses.stages.do(one)
            assert not courses.stages.do(one)
            did.append((one.step, one.days, _day(clock.now)))
            if one.step is Step.END:
                courses.realised(KEY)
        clock.days(1)
    assert did == [
        # The last day is 10 April; then 14 days, 90 days, 730 days.
        (Step.FREEZE, None, "2026-04-25"),
        (Step.REMIND, 30, "2026-06-24"),
        (Step.REMIND, 7, "2026-07-17"),
        (Step.REMIND, 1, "2026-07-23"),
        (Step.END, None, "2026-07-24"),
        (Step.FORGET, None, "2028-07-23"),
    ]
    assert courses.visible(ADMIN) == ()
    # The key is free again, and nobody is left in it.
    made(courses)
    assert set(people(courses)) == {"alice"}


def test_a_hub_that_was_away_ends_nothing_on_the_day_that_it_freezes_it(
    courses: Courses, clock: Clock
) -> None:
    made(courses)
    clock.now = at(date(2028, 1, 1))
    assert [one.step for one in courses.stages.due()] == [Step.FREEZE]
    courses.stages.do(courses.stages.due()[0])
    assert courses.stages.due() == ()
    clock.days(89.5)
    # Of three reminders, whose time has passed, the last is sent.
    (one,) = courses.stages.due()
    assert (one.step, one.days) == (Step.REMIND, 1)
    courses.stages.do(one)
    assert courses.stages.due() == ()


def test_what_is_put_off_is_not_done_by_an_old_plan(courses: Courses, clock: Clock) -> None:
    made(courses)
    clock.now = at(date(2026, 4, 25))
    (planned,) = courses.stages.due()
    term = {"name": "Longer", "first": "2026-01-05", "last": "2026-06-30"}
    courses.change(ALICE, KEY, 1, course(term=term))
    assert not courses.stages.do(planned)
    assert courses.get(ALICE, KEY).state is State.OPEN
    assert not courses.stages.do(Due(Step.END, "nothing", clock.now))


def test_nothing_is_forgotten_before_slurm_has_let_go(courses: Courses, clock: Clock) -> None:
    made(courses)
    courses.stages.end(ALICE, KEY)
    clock.days(731)
    assert courses.stages.due() == ()
    courses.realised(KEY, "Slurm is away.")
    assert courses.stages.due() == ()
    courses.realised(KEY)
    assert [one.step for one in courses.stages.due()] == [Step.FORGET]


def test_a_calendar_says_when_what_happens(courses: Courses, clock: Clock) -> None:
    made(courses)
    found = calendar(courses.get(ALICE, KEY), POLICY.retention)
    # Midnight after the last day, in Vancouver's summer time.
    over = at(date(2026, 4, 11)) - 5 * 3600
    assert (found.freeze, found.end, found.forget) == (over + 14 * DAY, over + 104 * DAY, None)
