"""Who comes into a course and how: one at a time, by roster, group or code, at first sign-in."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from slurmhub.courses.errors import (
    CourseFull,
    CourseUnknown,
    MemberUnknown,
    NotAllowed,
    RequestUnknown,
)
from slurmhub.courses.joining import JoinCode, Outcome, Tries
from slurmhub.courses.membership import Came, RosterChange
from slurmhub.courses.model import Role
from slurmhub.courses.people import Member, Source
from slurmhub.courses.record import What
from slurmhub.courses.rights import Person
from slurmhub.courses.roster.facts import Identifiers, Kind
from slurmhub.courses.store import Courses
from tests.unit.courses.world import ADMIN, ALICE, STUDENT, Clock, course, facts, made, people

KEY = "phys101"
DAY = 86400.0


def pending(number: str | None = None, *, mail: str | None = None, name: str = "") -> Member:
    """A row of a registrar's."""
    known = Identifiers(number=number, mail=mail)
    return Member(KEY, Role.STUDENT, Source.ROSTER, 0.0, identifiers=known, name=name)


def _always(change: RosterChange, _: Sequence[Member]) -> RosterChange:
    return change


def enrol(courses: Courses, *rows: Member) -> None:
    courses.members.apply(ALICE, KEY, lambda _: RosterChange(add=rows))


# One at a time


def test_somebody_is_brought_in_taken_out_and_brought_back(courses: Courses, clock: Clock) -> None:
    made(courses)
    one = courses.members.add(ALICE, KEY, username="student", name="A Student")
    assert courses.members.add(ALICE, KEY, username="student") == one
    courses.members.drop(ALICE, KEY, one.number)
    (row,) = [each for each in courses.members.of(ALICE, KEY) if each.username == "student"]
    assert (row.dropped, row.dropped_by) == (clock.now, "alice")
    back = courses.members.add(ALICE, KEY, username="student")
    assert (back.number, back.name, back.dropped) == (one.number, "A Student", None)
    assert [each.what for each in courses.record(ALICE, KEY)] == [
        What.CREATED,
        What.ADDED,
        What.DROPPED,
        What.ADDED,
    ]


def test_nobody_is_brought_in_without_a_sign_of_who_it_is(courses: Courses) -> None:
    made(courses)
    with pytest.raises(MemberUnknown, match="Nothing says who"):
        courses.members.add(ALICE, KEY, name="Only A. Name")


def test_a_course_has_no_more_students_than_seats(courses: Courses) -> None:
    made(courses, seats=1)
    courses.members.add(ALICE, KEY, username="student")
    with pytest.raises(CourseFull, match="for 1 student, and would have 2"):
        courses.members.add(ALICE, KEY, username="another")
    # Staff take no seat.
    courses.members.add(ALICE, KEY, username="ta", role=Role.ASSISTANT)
    with pytest.raises(CourseFull):
        enrol(courses, pending("1"))


def test_assistants_change_nobody_and_instructors_not_each_other(courses: Courses) -> None:
    made(courses)
    add = courses.members.add
    prof = add(ALICE, KEY, username="prof", role=Role.INSTRUCTOR)
    other = add(ALICE, KEY, username="other", role=Role.INSTRUCTOR)
    helper = add(Person("prof"), KEY, username="ta", role=Role.ASSISTANT)
    student = add(Person("prof"), KEY, username="student")
    for by, number in (
        (Person("ta"), student.number),
        (Person("ta"), helper.number),
        (Person("prof"), other.number),
        (Person("prof"), people(courses)["alice"].number),
        (ALICE, people(courses)["alice"].number),
    ):
        with pytest.raises(NotAllowed):
            courses.members.drop(by, KEY, number)
    with pytest.raises(NotAllowed, match="Only the owner"):
        courses.members.set_role(Person("prof"), KEY, other.number, Role.ASSISTANT)
    with pytest.raises(NotAllowed, match="one owner"):
        courses.members.set_role(Person("prof"), KEY, prof.number, Role.OWNER)
    with pytest.raises(NotAllowed):
        add(Person("ta"), KEY, username="friend")
    with pytest.raises(NotAllowed, match="one owner"):
        add(ALICE, KEY, username="friend", role=Role.OWNER)
    done = courses.members.set_role(Person("prof"), KEY, student.number, Role.ASSISTANT)
    assert done.role is Role.ASSISTANT
    courses.members.drop(ALICE, KEY, other.number)
    assert set(people(courses)) == {"alice", "prof", "ta", "student"}


def test_a_member_of_another_course_is_nobody_here(courses: Courses) -> None:
    made(courses)
    made(courses, "chem1")
    one = courses.members.add(ALICE, "chem1", username="student")
    with pytest.raises(MemberUnknown):
        courses.members.drop(ALICE, KEY, one.number)
    with pytest.raises(MemberUnknown):
        courses.members.set_role(ALICE, KEY, one.number, Role.ASSISTANT)


def test_students_leave_and_the_owner_does_not(courses: Courses) -> None:
    made(courses)
    courses.members.add(ALICE, KEY, username="student")
    courses.members.leave(STUDENT, KEY)
    assert courses.all_for("student") == ()
    with pytest.raises(CourseUnknown):
        courses.members.leave(STUDENT, KEY)
    with pytest.raises(NotAllowed):
        courses.members.leave(ALICE, KEY)


# The roster


def test_a_roster_is_applied_to_what_it_was_made_for(courses: Courses) -> None:
    made(courses)
    enrol(courses, pending("1", name="One"), pending("2", name="Two"))
    before = [one for one in courses.members.of(ALICE, KEY) if one.role is Role.STUDENT]

    def decide(now: Sequence[Member]) -> RosterChange:
        assert [one for one in now if one.role is Role.STUDENT] == before
        renamed = replace(before[0], name="One More")
        return RosterChange(
            add=(pending("3", name="Three"),), update=(renamed,), drop=(before[1].number,)
        )

    courses.members.apply(ALICE, KEY, decide, detail={"file": "roster.csv"})
    assert set(people(courses)) == {"alice", "One More", "Three"}
    line = courses.record(ALICE, KEY)[-1]
    assert (
        line.sentence() == "alice changed the roster: 1 newly in, 1 written anew and 1 taken out."
    )
    assert line.detail["dropped"] == ["Two"]
    assert line.detail["file"] == "roster.csv"


def test_a_roster_that_is_refused_changes_nothing(courses: Courses) -> None:
    made(courses)
    before = courses.revision()

    def refuse(_: Sequence[Member]) -> RosterChange:
        raise MemberUnknown("Something else changed.", remedy="Look again.")

    with pytest.raises(MemberUnknown):
        courses.members.apply(ALICE, KEY, refuse)
    owner = people(courses)["alice"]
    for change in (
        RosterChange(drop=(owner.number,)),
        RosterChange(update=(replace(owner, role=Role.STUDENT),)),
        RosterChange(add=(pending("1"),), drop=(9999,)),
    ):
        with pytest.raises(MemberUnknown, match="students of its course only"):
            courses.members.apply(ALICE, KEY, partial(_always, change))
    assert set(people(courses)) == {"alice"}
    assert courses.revision() == before


def test_a_roster_makes_nobody_staff(courses: Courses) -> None:
    made(courses)
    enrol(courses, replace(pending("1"), role=Role.INSTRUCTOR, username="mallory"))
    assert people(courses)["mallory"].role is Role.STUDENT


def test_a_roster_brings_back_who_was_dropped_and_links_who_signed_in(courses: Courses) -> None:
    made(courses)
    enrol(courses, pending("1"), pending("2"))
    one, two = (each for each in courses.members.of(ALICE, KEY) if not each.role.staff)
    courses.members.drop(ALICE, KEY, one.number)
    courses.members.add(ALICE, KEY, username="bea")
    change = RosterChange(
        update=(replace(one, dropped=None, dropped_by=None), replace(two, username="bea"))
    )
    courses.members.apply(ALICE, KEY, lambda _: change)
    found = people(courses)
    assert set(found) == {"alice", "1", "bea"}
    assert found["bea"].identifiers.number == "2"
    assert courses.record(ALICE, KEY)[-1].detail["back"] == ["1"]


# First sign-in


def test_who_is_waited_for_joins_at_first_sign_in(courses: Courses) -> None:
    made(courses)
    enrol(courses, pending("123", name="A Student"), pending("124"))
    assert people(courses)["A Student"].pending
    assert courses.all_for("student") == ()
    assert courses.members.came(facts("student", number="123")) == (Came(KEY),)
    (enrolment,) = courses.all_for("student")
    assert (enrolment.role, enrolment.member.name) == (Role.STUDENT, "A Student")
    assert courses.record(ALICE, KEY)[-1].sentence() == "student came in for the first time."


def test_the_same_sign_in_again_changes_nothing(courses: Courses, clock: Clock) -> None:
    made(courses)
    enrol(courses, pending("123"))
    courses.members.came(facts("student", number="123"))
    before = courses.revision()
    assert courses.members.came(facts("student", number="123")) == ()
    assert courses.revision() == before
    # A stranger's sign-in concerns no course.
    assert courses.members.came(facts("stranger", number="9")) == ()
    assert courses.revision() == before


def test_who_stands_twice_on_the_roster_is_one(courses: Courses) -> None:
    made(courses)
    enrol(courses, pending("123", name="Student, A."), pending(mail="a@x.ca", name="A Student"))
    courses.members.add(ALICE, KEY, username="student", role=Role.ASSISTANT)
    courses.members.came(facts("student", number="123", mail="A@x.ca"))
    found = people(courses)
    assert set(found) == {"alice", "student"}
    mine = found["student"]
    # Staff stay staff.
    assert mine.role is Role.ASSISTANT
    assert mine.identifiers == Identifiers(number="123", mail="a@x.ca")


def test_two_of_one_name_or_one_address_are_two(courses: Courses) -> None:
    made(courses)
    enrol(
        courses,
        pending("1", mail="family@x.ca", name="Kim Lee"),
        pending("2", mail="family@x.ca", name="Kim Lee"),
    )
    # Only the address is known: either may be meant, so neither is.
    assert courses.members.came(facts("kim", mail="family@x.ca")) == (Came(KEY, doubtful=True),)
    assert courses.all_for("kim") == ()
    assert courses.record(ALICE, KEY)[-1].what is What.DOUBTFUL
    courses.members.came(facts("kim", mail="family@x.ca"))
    assert [one.what for one in courses.record(ALICE, KEY)].count(What.DOUBTFUL) == 1
    # The number tells them apart.
    courses.members.came(facts("kim", mail="family@x.ca", number="2"))
    assert courses.all_for("kim")[0].member.identifiers.number == "2"
    assert courses.members.came(facts("lee", mail="family@x.ca", number="1")) == (Came(KEY),)


def test_another_with_the_same_address_is_not_let_in(courses: Courses) -> None:
    made(courses)
    enrol(courses, pending("1", mail="a@x.ca"))
    assert courses.members.came(facts("mallory", mail="a@x.ca", number="666")) == ()
    assert courses.all_for("mallory") == ()


def test_who_was_dropped_while_waited_for_does_not_come_in(courses: Courses) -> None:
    made(courses)
    one = courses.members.add(ALICE, KEY, identifiers=Identifiers(number="1"))
    courses.members.drop(ALICE, KEY, one.number)
    assert courses.members.came(facts("student", number="1")) == ()


def test_an_ended_course_waits_for_nobody(courses: Courses) -> None:
    made(courses)
    enrol(courses, pending("1"))
    courses.stages.end(ALICE, KEY)
    assert courses.members.came(facts("student", number="1")) == ()


def test_two_sign_ins_at_once_are_one(courses: Courses) -> None:
    made(courses)
    enrol(courses, pending("1"))
    with ThreadPoolExecutor(4) as pool:
        came = pool.map(courses.members.came, [facts("student", number="1")] * 4)
        assert sorted(map(len, came)) == [0, 0, 0, 1]
    assert set(people(courses)) == {"alice", "student"}


def test_what_sign_in_tells_finds_them_for_a_roster(courses: Courses, clock: Clock) -> None:
    courses.members.came(facts("student", number="00 123", mail="A@X.ca"))
    courses.members.came(facts("other", number="2"))
    wanted = {Kind.NUMBER: {"00123", "7"}, Kind.MAIL: {"a@x.ca"}, Kind.EPPN: set()}
    (found,) = courses.people.with_any(wanted)
    assert (found.facts.username, found.at, found.left) == ("student", clock.now, None)
    courses.people.left("student")
    seen = courses.people.get("student")
    assert seen is not None
    assert seen.left == clock.now
    many = {Kind.NUMBER: {str(number) for number in range(1000)}}
    assert [one.facts.username for one in courses.people.with_any(many)] == ["other"]
    courses.members.came(facts("student", number="00123"))
    seen = courses.people.get("student")
    assert seen is not None
    assert (seen.left, seen.facts.mail) == (None, None)
    courses.people.forget("student")
    assert courses.people.get("student") is None


# A group


def test_who_is_in_the_group_is_in_the_course_while_they_are(courses: Courses) -> None:
    made(courses, joining={"group": "phys"})
    inside = facts("student", groups=frozenset({"phys"}))
    assert courses.members.came(inside) == (Came(KEY),)
    assert people(courses)["student"].source is Source.GROUP
    assert courses.members.came(facts("student")) == (Came(KEY, left=True),)
    assert courses.all_for("student") == ()
    assert courses.members.came(inside) == (Came(KEY),)


def test_the_group_takes_nobody_who_came_otherwise_and_returns_nobody_taken_out(
    courses: Courses,
) -> None:
    made(courses, joining={"group": "phys"})
    courses.members.add(ALICE, KEY, username="student")
    assert courses.members.came(facts("student")) == ()
    courses.members.came(facts("other", groups=frozenset({"phys"})))
    courses.members.drop(ALICE, KEY, people(courses)["other"].number)
    assert courses.members.came(facts("other", groups=frozenset({"phys"}))) == ()
    assert set(people(courses)) == {"alice", "student"}


def test_a_whole_group_comes_as_far_as_there_are_seats(courses: Courses) -> None:
    made(courses, seats=2, joining={"group": "phys"})
    came = courses.members.in_group(KEY, ["s1", "s2", "s3"])
    assert came == (Came(KEY), Came(KEY), Came(KEY, full=True))
    assert courses.members.in_group(KEY, ["s2"]) == (Came(KEY, left=True),)
    assert set(people(courses)) == {"alice", "s2"}


# Codes


def code(courses: Courses, clock: Clock, *, seats: int = 5, digest: str = "d") -> JoinCode:
    return courses.codes.add(ALICE, KEY, digest, seats=seats, expires=clock.now + DAY)


def test_a_code_lets_in_once_each_and_only_so_many(courses: Courses, clock: Clock) -> None:
    made(courses)
    code(courses, clock, seats=1)
    assert courses.codes.use(STUDENT, "d").outcome is Outcome.IN
    assert courses.codes.use(STUDENT, "d").outcome is Outcome.ALREADY
    assert courses.codes.use(Person("late"), "d").outcome is Outcome.USED_UP
    (now,) = courses.codes.of(ALICE, KEY)
    assert (now.used, now.seats) == (1, 1)
    assert courses.record(ALICE, KEY)[-1].sentence() == "student came in with a join code."


def test_the_last_seat_is_given_once(courses: Courses, clock: Clock) -> None:
    made(courses)
    code(courses, clock, seats=1)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: courses.codes.use(Person(f"s{n}"), "d").outcome, range(4)))
    assert sorted(one.value for one in found) == ["in", "used-up", "used-up", "used-up"]


def test_a_code_that_is_over_lets_nobody_in(courses: Courses, clock: Clock) -> None:
    made(courses)
    one = code(courses, clock)
    courses.codes.revoke(ALICE, KEY, one.number)
    assert courses.codes.use(STUDENT, "d").outcome is Outcome.REVOKED
    code(courses, clock, digest="e")
    clock.days(1)
    assert courses.codes.use(STUDENT, "e").outcome is Outcome.EXPIRED
    code(courses, clock, digest="f")
    courses.stages.freeze(ALICE, KEY)
    assert courses.codes.use(STUDENT, "f").outcome is Outcome.CLOSED
    assert courses.codes.use(STUDENT, "none").outcome is Outcome.UNKNOWN
    assert courses.all_for("student") == ()


def test_a_code_neither_overfills_nor_brings_back_who_was_taken_out(
    courses: Courses, clock: Clock
) -> None:
    made(courses, seats=1)
    code(courses, clock)
    one = courses.members.add(ALICE, KEY, username="student")
    assert courses.codes.use(Person("late"), "d").outcome is Outcome.FULL
    courses.members.drop(ALICE, KEY, one.number)
    assert courses.codes.use(STUDENT, "d").outcome is Outcome.TAKEN_OUT
    assert courses.codes.use(Person("late"), "d").outcome is Outcome.IN
    # Who went by themselves comes again.
    courses.members.leave(Person("late"), KEY)
    assert courses.codes.use(Person("late"), "d").outcome is Outcome.IN


def test_wrong_codes_are_counted_for_one_and_for_all(courses: Courses, clock: Clock) -> None:
    made(courses)
    code(courses, clock)
    few = Tries(of_one=3, of_all=4, spared=1, seconds=3600)

    def use(username: str, digest: str) -> Outcome:
        return courses.codes.use(Person(username), digest, allowed=few).outcome

    assert [use("mallory", f"x{n}") for n in range(4)] == [Outcome.UNKNOWN] * 3 + [Outcome.TOO_MANY]
    assert use("mallory", "d") is Outcome.TOO_MANY
    assert use("other", "x") is Outcome.UNKNOWN
    # Now there were too many of all: who was never wrong is heard, who was is not.
    assert use("other", "d") is Outcome.TOO_MANY
    assert use("student", "d") is Outcome.IN
    assert use("late", "x") is Outcome.UNKNOWN
    assert use("late", "d") is Outcome.TOO_MANY
    clock.now += 3601
    assert use("late", "d") is Outcome.IN


def test_only_those_who_change_the_roster_make_codes(courses: Courses, clock: Clock) -> None:
    made(courses)
    courses.members.add(ALICE, KEY, username="ta", role=Role.ASSISTANT)
    with pytest.raises(NotAllowed):
        courses.codes.add(Person("ta"), KEY, "d", seats=1, expires=clock.now + DAY)
    one = code(courses, clock)
    made(courses, "chem1")
    with pytest.raises(MemberUnknown):
        courses.codes.revoke(ALICE, "chem1", one.number)
    with pytest.raises(CourseUnknown):
        courses.codes.revoke(STUDENT, KEY, one.number)
    assert courses.codes.of(ADMIN, KEY) == (one,)


def test_codes_end_with_their_course(courses: Courses, clock: Clock) -> None:
    made(courses, "phys101")
    code(courses, clock)
    courses.stages.end(ALICE, KEY)
    assert courses.codes.of(ALICE, KEY)[0].revoked == clock.now
    assert courses.codes.use(STUDENT, "d").outcome is Outcome.REVOKED


def test_the_course_of_a_code_is_the_one_it_was_made_for(courses: Courses, clock: Clock) -> None:
    made(courses)
    courses.create(ALICE, course("chem1"))
    code(courses, clock)
    assert courses.codes.use(STUDENT, "d").course == KEY
    assert [one.stored.key for one in courses.all_for("student")] == [KEY]


@pytest.mark.parametrize("odd", ["x" * 256, "a\x00b", "a\nb", "\ud800"])
def test_texts_that_no_database_takes_are_refused_in_words(courses: Courses, odd: str) -> None:
    made(courses)
    with pytest.raises(MemberUnknown, match="too long, or has characters"):
        courses.members.add(ALICE, KEY, username="x", name=odd)
    with pytest.raises(MemberUnknown, match="too long, or has characters"):
        courses.members.add(ALICE, KEY, username=odd)
    with pytest.raises(MemberUnknown, match="too long, or has characters"):
        courses.members.add(ALICE, KEY, identifiers=Identifiers(mail=odd))
    assert set(people(courses)) == {"alice"}


@pytest.mark.parametrize("odd", ["\x00", "\ud800", "x" * 5000, "' OR 1=1 --"])
def test_what_is_looked_for_may_be_anything(courses: Courses, odd: str) -> None:
    made(courses)
    with pytest.raises(CourseUnknown):
        courses.get(ALICE, odd)
    with pytest.raises(MemberUnknown):
        courses.stages.give(ALICE, KEY, odd)
    with pytest.raises(CourseUnknown):
        courses.get(Person(odd), KEY)
    assert courses.all_for(odd) == ()
    assert courses.visible(Person(odd)) == ()


@pytest.mark.parametrize("number", [-1, 0, 2**31, 2**70])
def test_numbers_of_rows_may_be_anything(courses: Courses, number: int) -> None:
    made(courses)
    with pytest.raises(MemberUnknown):
        courses.members.drop(ALICE, KEY, number)
    with pytest.raises(MemberUnknown):
        courses.codes.revoke(ALICE, KEY, number)
    with pytest.raises(RequestUnknown):
        courses.approvals.decide(ADMIN, number, 1, approve=True)
    assert courses.record(ALICE, KEY, before=number) == ()
