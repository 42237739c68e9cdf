"""What a file changes is shown first, and done as it was shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slurmhub.courses.model import Role
from slurmhub.courses.roster.applying import (
    Changes,
    Consent,
    DropsUnconfirmed,
    PreviewChanged,
    apply,
)
from slurmhub.courses.roster.facts import Identifiers, PersonFacts
from slurmhub.courses.roster.matching import Match, match
from slurmhub.courses.roster.preview import Change, OnRoster, Preview, preview
from slurmhub.courses.roster.reading import Row, read_roster
from tests.rig.registrar import STUDENTS, registrars_file
from tests.unit.courses.roster.test_roster_matching import IDENTIFIERS, Hub

GRACE = 24


class Memory:
    """A roster in memory: what a transaction of the database does."""

    def __init__(self, *members: OnRoster) -> None:
        self._members = {one.member: one for one in members}
        self.writes = 0

    def members(self) -> Sequence[OnRoster]:
        return list(self._members.values())

    def write(self, changes: Changes) -> None:
        self.writes += 1
        for line in changes.added:
            member = f"new{len(self._members)}"
            self._members[member] = OnRoster(member, line.name, line.identifiers, line.username)
        for line in (*changes.back, *changes.changed):
            assert line.member is not None
            self._members[line.member] = replace(
                self._members[line.member],
                name=line.name,
                identifiers=line.identifiers,
                username=line.username,
                by_roster=True,
                dropped=False,
            )
        for line in changes.dropped:
            assert line.member is not None
            self._members[line.member] = replace(self._members[line.member], dropped=True)

    def take(
        self, matches: Sequence[Match], consent: Consent | None = None, seen: str | None = None
    ) -> Changes:
        def again(members: Sequence[OnRoster]) -> Preview:
            return preview("phys101", members, matches, grace_hours=GRACE)

        seen = again(self.members()).fingerprint if seen is None else seen
        return apply(self, seen, again, consent or Consent())


def member(number: int, **other: object) -> OnRoster:
    one = OnRoster(
        f"m{number}", f"Student {number:03}", Identifiers(login=f"s{number}"), f"s{number}"
    )
    return replace(one, **other)  # type: ignore[arg-type]


def rows(*numbers: int) -> list[Row]:
    return [Row(n + 2, f"Student {n:03}", Identifiers(login=f"s{n}")) for n in numbers]


def hub(*numbers: int) -> Hub:
    return Hub(*(PersonFacts(f"s{n}", login=f"s{n}") for n in numbers))


def changes_of(found: Preview) -> dict[Change, list[str]]:
    listed: dict[Change, list[str]] = {}
    for line in found.lines:
        listed.setdefault(line.change, []).append(line.name)
    return listed


def test_every_kind_of_change() -> None:
    members = [
        member(1),
        member(2, name="Student two"),
        member(3, dropped=True),
        member(4, username=None),
        member(5),
        member(6, by_roster=False),
        member(7, role=Role.ASSISTANT),
        member(8, role=Role.OWNER),
        member(9, dropped=True),
    ]
    found = preview(
        "phys101",
        members,
        match(rows(1, 2, 3, 4, 7, 10, 11), hub(*range(1, 11))),
        grace_hours=GRACE,
        running=["s5", "s1"],
    )
    assert changes_of(found) == {
        Change.DROPPED: ["Student 005"],
        Change.ADDED: ["Student 010", "Student 011"],
        Change.BACK: ["Student 003"],
        Change.CHANGED: ["Student 002", "Student 004"],
        Change.UNCHANGED: ["Student 001"],
        Change.STAFF: ["Student 007"],
        Change.KEPT: ["Student 006"],
    }
    words = {line.name: line.words for line in found.lines}
    assert words["Student 002"] == ("Was called Student two.",)
    assert words["Student 004"] == ("Has signed in since, as s4.",)
    assert words["Student 011"] == (
        "Has not signed in yet, and is in the course as soon as they do.",
    )
    assert words["Student 005"] == (
        "Is not in the file: can start no server of this course any more. All files stay.",
        "Has a server that runs: it keeps running for at most 24 hours more.",
    )
    assert [line.name for line in found.lines if line.running] == ["Student 005", "Student 001"]
    assert not found.asks_again
    assert found.counts["added"] == 2
    assert found.as_json()["fingerprint"] == found.fingerprint


def test_what_was_seen_is_done() -> None:
    roster = Memory(member(1), member(2), member(3), member(4, dropped=True))
    matches = match(rows(1, 2, 4, 5), hub(1, 2, 3, 4))
    changes = roster.take(matches, Consent(drop=True))
    assert [line.username for line in changes.dropped] == ["s3"]
    after = {one.member: one for one in roster.members()}
    assert (after["m3"].dropped, after["m4"].dropped) == (True, False)
    # A row is never removed, and doing it again does nothing.
    assert len(after) == 5
    assert not roster.take(matches, Consent(drop=True))
    assert roster.writes == 1


def test_nobody_is_dropped_without_a_yes_of_its_own() -> None:
    roster = Memory(member(1), member(2))
    assert not roster.take(match(rows(1), hub(1, 2)))
    with pytest.raises(DropsUnconfirmed, match="more than a third"):
        roster.take(match(rows(1), hub(1, 2)), Consent(drop=True))
    assert roster.writes == 0
    assert roster.take(match(rows(1), hub(1, 2)), Consent(drop=True, drop_many=True)).dropped


@pytest.mark.parametrize(("left", "asks"), [(10, False), (21, True), (20, False)])
def test_more_than_a_third_asks_again(left: int, asks: bool) -> None:
    members = [member(n) for n in range(60)]
    found = preview("c", members, match(rows(*range(left, 60)), hub(*range(60))), grace_hours=1)
    assert found.asks_again is asks
    assert bool(found.warnings) is asks


def test_lines_that_could_not_be_read_are_named_beside_who_is_dropped() -> None:
    members = [member(n) for n in range(9)]
    matches = match(rows(*range(8)), hub(*range(9)))
    found = preview("c", members, matches, grace_hours=1, unread=2)
    assert found.warnings == (
        "Lines of the file that could not be read: 2. Students who stand there are dropped with "
        "the others that the file has not.",
    )


@pytest.mark.parametrize(("seats", "warned"), [(3, False), (2, True), (None, False)])
def test_more_than_there_are_seats_for_is_said_before(seats: int | None, warned: bool) -> None:
    members = [member(1), member(2), member(3, by_roster=False), member(4, dropped=True)]
    matches = match(rows(1, 4), hub(1, 2, 3, 4))
    found = preview("c", members, matches, grace_hours=1, seats=seats)
    words = "The course is for 2 students and would have 3. Give it more seats first."
    assert found.warnings == ((words,) if warned else ())


def test_another_change_in_between_is_said() -> None:
    roster = Memory(member(1))
    matches = match(rows(1, 2), hub(1, 2))
    seen = preview("phys101", roster.members(), matches, grace_hours=GRACE)
    late = Memory(*roster.members(), member(9, by_roster=False))
    with pytest.raises(PreviewChanged) as changed:
        late.take(matches, seen=seen.fingerprint)
    assert late.writes == 0
    assert changes_of(changed.value.now)[Change.KEPT] == ["Student 009"]
    late.take(matches, seen=changed.value.now.fingerprint)
    assert late.writes == 1
    for forged in ("", "é\ud800", seen.fingerprint[:-1]):
        with pytest.raises(PreviewChanged):
            roster.take(matches, seen=forged)


def test_a_server_that_starts_in_between_changes_nothing() -> None:
    matches = match(rows(1), hub(1))
    quiet, busy = (
        preview("c", [member(1)], matches, grace_hours=1, running=running)
        for running in ((), ["s1"])
    )
    assert quiet.fingerprint == busy.fingerprint


def test_who_may_be_somebody_doubtful_is_not_dropped() -> None:
    members = [member(1, identifiers=Identifiers(login="s1", number="111111")), member(2)]
    row = Row(2, "Student", Identifiers(login="s1", number="222222"))
    matches = match([row], Hub(PersonFacts("s1", login="s1", number="111111")))
    found = preview("c", members, matches, grace_hours=1)
    assert changes_of(found) == {
        Change.DOUBTFUL: ["Student"],
        Change.DROPPED: ["Student 002"],
        Change.KEPT: ["Student 001"],
    }
    assert found.lines[0].as_json()["choices"] == ["s1"]


def test_who_came_in_otherwise_and_is_in_the_file_is_of_the_file_from_then_on() -> None:
    found = preview("c", [member(1, by_roster=False)], match(rows(1), hub(1)), grace_hours=1)
    assert changes_of(found) == {Change.CHANGED: ["Student 001"]}
    assert "a later file without them drops them" in found.lines[0].words[0]


def test_two_of_the_file_are_never_one_of_the_roster() -> None:
    known = member(1, username=None, identifiers=Identifiers(login="a", mail="b@x.ca"))
    sent = [Row(2, "A", Identifiers(login="a")), Row(3, "B", Identifiers(mail="b@x.ca"))]
    found = preview("c", [known], match(sent, Hub()), grace_hours=1)
    assert changes_of(found) == {Change.CHANGED: ["A"], Change.DOUBTFUL: ["B"]}


def test_three_hundred_twice() -> None:
    """The file again changes nothing; that of another course asks before it drops all."""
    roster = Memory()
    matches = match(read_roster(registrars_file().data).rows, hub())
    assert len(roster.take(matches).added) == STUDENTS
    assert not roster.take(matches, Consent(drop=True))
    other = match(rows(*range(1000, 1030)), hub())
    with pytest.raises(DropsUnconfirmed, match="drop 300 students"):
        roster.take(other, Consent(drop=True))


@settings(max_examples=300, deadline=None)
@given(
    members=st.lists(
        st.tuples(IDENTIFIERS, st.booleans(), st.booleans(), st.sampled_from(Role)), max_size=6
    ),
    sent=st.lists(IDENTIFIERS.filter(bool), max_size=6),
)
def test_everybody_is_in_it_once(
    members: list[tuple[Identifiers, bool, bool, Role]], sent: list[Identifiers]
) -> None:
    on_roster = [
        OnRoster(f"m{n}", "", each, None, role, by_roster, dropped)
        for n, (each, by_roster, dropped, role) in enumerate(members)
    ]
    matches = match([Row(line, "", each) for line, each in enumerate(sent, 2)], Hub())
    roster = Memory(*on_roster)
    found = preview("phys101", on_roster, matches, grace_hours=1)
    named = [line.member for line in found.lines if line.member]
    assert len(named) == len(set(named))
    told = [line.match.key for line in found.lines if line.match]
    assert sorted(told) == sorted(one.key for one in matches)
    silent = {one.member for one in on_roster if one.dropped or one.role.staff}
    assert {one.member for one in on_roster} - set(named) <= silent
    roster.take(matches, Consent(drop=True, drop_many=True))
    after = {one.member: one for one in roster.members()}
    for one in on_roster:
        assert after[one.member].role is one.role
        if one.role.staff:
            assert after[one.member].dropped <= one.dropped
