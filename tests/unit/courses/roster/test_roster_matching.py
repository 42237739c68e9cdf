"""Students of a file are found among the hub's people, and nobody is taken for somebody else."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slurmhub.courses.roster.facts import Identifiers, Kind, PersonFacts
from slurmhub.courses.roster.matching import (
    Choice,
    ChoiceUnknown,
    Match,
    Otherwise,
    Outcome,
    match,
)
from slurmhub.courses.roster.reading import Row, read_roster
from tests.rig.registrar import DOMAIN, STUDENTS, number_of, registrars_file


@dataclass(frozen=True)
class Known:
    facts: PersonFacts
    left: bool


class Hub:
    """People in memory, who can be asked for as a database is."""

    def __init__(self, *people: PersonFacts, left: Collection[str] = ()) -> None:
        self.people = [Known(one, one.username in left) for one in people]

    def with_any(self, wanted: Mapping[Kind, Collection[str]]) -> Iterable[Known]:
        return [
            one
            for one in self.people
            if any(value in wanted[kind] for kind, value in one.facts.identifiers)
        ]


ALICE = PersonFacts("alice", f"alice@{DOMAIN}", f"alice@{DOMAIN}", "alice", "10000001")
BOB = PersonFacts("bob", f"bob@{DOMAIN}", f"bob@{DOMAIN}", "bob", "10000002")


def row(line: int = 2, name: str = "Student 017", **identifiers: str) -> Row:
    return Row(line, name, Identifiers(**identifiers))


def row_of(identifiers: dict[str, str]) -> Row:
    return Row(2, "Student 017", Identifiers(**identifiers))


def one_match(*rows: Row, hub: Hub | None = None, **chosen: Choice) -> Match:
    found = match(rows, hub or Hub(ALICE, BOB))
    if chosen:
        found = match(rows, hub or Hub(ALICE, BOB), chosen={found[0].key: chosen["choice"]})
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("identifiers", "by"),
    [
        ({"eppn": f"Alice@{DOMAIN}"}, Kind.EPPN),
        ({"login": "ALICE"}, Kind.LOGIN),
        ({"mail": f"alice@{DOMAIN.upper()}"}, Kind.MAIL),
        ({"number": "1000 0001"}, Kind.NUMBER),
        ({"number": "10000001", "login": "alice"}, Kind.LOGIN),
        # Many have an address that the hub does not know.
        ({"number": "10000001", "mail": "alice@elsewhere.example"}, Kind.NUMBER),
    ],
)
def test_people_are_found(identifiers: dict[str, str], by: Kind) -> None:
    found = one_match(row_of(identifiers))
    assert (found.outcome, found.username, found.by) == (Outcome.KNOWN, "alice", by)


@pytest.mark.parametrize(
    ("identifiers", "choices", "reason"),
    [
        (
            {"login": "alice", "mail": f"bob@{DOMAIN}"},
            ("alice", "bob"),
            "The login name is that of alice, and the mail address that of bob.",
        ),
        (
            {"login": "alice", "number": "99999999"},
            ("alice",),
            "alice has this login name, and another student number.",
        ),
        (
            {"mail": f"alice@{DOMAIN}", "login": "alicia"},
            ("alice",),
            "alice has this mail address, and another login name.",
        ),
        (
            {"number": "00010000001"},
            ("alice",),
            "The student number of alice differs from this one only by zeros at its beginning, "
            "which spreadsheets take away.",
        ),
    ],
)
def test_staff_are_asked(
    identifiers: dict[str, str], choices: tuple[str, ...], reason: str
) -> None:
    found = one_match(row_of(identifiers))
    assert (found.outcome, found.username) == (Outcome.DOUBTFUL, None)
    assert (found.choices, found.reason) == (choices, reason)
    for choice, outcome, username in (
        (choices[0], Outcome.KNOWN, choices[0]),
        (Otherwise.WAIT, Outcome.PENDING, None),
        (Otherwise.LEAVE_OUT, Outcome.LEFT_OUT, None),
    ):
        decided = one_match(row_of(identifiers), choice=choice)
        assert (decided.outcome, decided.username) == (outcome, username)
    with pytest.raises(ChoiceUnknown):
        one_match(row_of(identifiers), choice="root")


def test_who_is_found_for_sure_is_not_for_choosing() -> None:
    assert one_match(row(login="alice"), choice="bob").username == "alice"
    assert one_match(row(login="alice"), choice=Otherwise.LEAVE_OUT).outcome is Outcome.LEFT_OUT


def test_nobody_of_the_hub_is_awaited() -> None:
    assert one_match(row(login="carol")).outcome is Outcome.PENDING
    (found,) = match([row(number="123456")], Hub(ALICE), learns=[Kind.EPPN, Kind.MAIL])
    assert found.outcome is Outcome.PENDING
    assert "will not come in by themselves" in found.notes[0]


def test_nobody_is_found_by_name() -> None:
    found = match([row(2, "alice", login="x1"), row(3, "ALICE", login="x2")], Hub(ALICE))
    assert [one.outcome for one in found] == [Outcome.PENDING, Outcome.PENDING]
    assert found[0].notes == ("Line 3 has the same name; they are two students.",)
    assert found[1].notes == ("Line 2 has the same name; they are two students.",)


def test_a_mail_address_of_two_people() -> None:
    twin = PersonFacts("carol", f"alice@{DOMAIN}")
    hub = Hub(ALICE, BOB, twin)
    shared = one_match(row(mail=f"alice@{DOMAIN}"), hub=hub)
    assert (shared.outcome, shared.choices) == (Outcome.DOUBTFUL, ("alice", "carol"))
    assert shared.reason == "Several people have this mail address."
    # Their login tells them apart.
    assert one_match(row(mail=f"alice@{DOMAIN}", login="alice"), hub=hub).username == "alice"


def test_an_account_of_somebody_who_left() -> None:
    hub = Hub(ALICE, BOB, left=["alice"])
    found = one_match(row(login="alice"), hub=hub)
    assert (found.outcome, found.choices) == (Outcome.DOUBTFUL, ("alice",))
    assert "of somebody who left" in found.reason
    assert one_match(row(login="bob"), hub=hub).outcome is Outcome.KNOWN


def test_a_student_twice_is_taken_once() -> None:
    mail = f"alice@{DOMAIN}"
    found = one_match(
        row(2, "Student 017", number="123456", mail=mail),
        row(5, "STUDENT O17", number="123456", mail="other@example.ca"),
        row(9, "S. 017", mail="OTHER@example.ca"),
    )
    assert (found.lines, found.username, found.name) == ((2, 5, 9), None, "Student 017")
    # alice has another number.
    assert found.outcome is Outcome.DOUBTFUL
    assert found.notes == (
        "This student stands in the file more than once and is taken once: lines 2, 5, 9.",
    )


def test_a_line_that_joins_two_others() -> None:
    found = one_match(
        row(2, login="carol"), row(3, number="123456"), row(4, login="carol", number="123456")
    )
    assert (found.lines, found.identifiers) == (
        (2, 3, 4),
        Identifiers(login="carol", number="123456"),
    )


def test_two_lines_that_are_one_person_of_the_hub() -> None:
    found = one_match(row(2, login="alice"), row(7, mail=f"alice@{DOMAIN}"))
    assert (found.username, found.lines) == ("alice", (2, 7))
    two = match(
        [row(2, mail=f"alice@{DOMAIN}", number="1"), row(3, eppn=f"alice@{DOMAIN}", number="2")],
        Hub(PersonFacts("alice", f"alice@{DOMAIN}", f"alice@{DOMAIN}")),
    )
    assert [one.outcome for one in two] == [Outcome.DOUBTFUL] * 2
    assert two[0].reason == "This student and that of line 3 both seem to be alice."


def test_two_students_of_a_file_with_one_address() -> None:
    shared = f"family@{DOMAIN}"
    found = match(
        [row(2, "A", number="111111", mail=shared), row(3, "B", number="222222", mail=shared)],
        Hub(PersonFacts("carol", shared)),
    )
    assert [(one.outcome, one.identifiers) for one in found] == [
        (Outcome.PENDING, Identifiers(number="111111")),
        (Outcome.PENDING, Identifiers(number="222222")),
    ]
    assert found[0].notes == (
        "Another student, in line 3, has the same mail address; it tells neither of them, and is "
        "not used.",
    )


def test_what_a_system_writes_for_unknown() -> None:
    rows = [
        row(line, f"Student {line}", number="999999", login=f"l{line}") for line in range(2, 14)
    ]
    found = match([*rows, row(14, "Student 14", number="999999")], Hub())
    assert {one.identifiers.number for one in found} == {None}
    assert [one.outcome for one in found] == [Outcome.PENDING] * 12 + [Outcome.LEFT_OUT]


def test_many_lines_cost_little() -> None:
    rows = [row(n, "", mail="a@x.ca", number=str(n), login=f"l{n % 3}") for n in range(2, 5000)]
    begun = time.process_time()
    assert len(match(rows, Hub(ALICE))) == len(rows)
    assert time.process_time() - begun < 5


def test_two_students_of_a_file_with_one_number() -> None:
    found = match(
        [row(2, number="111111", login="alice"), row(3, number="111111", login="bob")],
        Hub(PersonFacts("alice", login="alice"), PersonFacts("bob", login="bob")),
    )
    assert [(one.outcome, one.choices) for one in found] == [
        (Outcome.DOUBTFUL, ("alice",)),
        (Outcome.DOUBTFUL, ("bob",)),
    ]
    assert found[0].reason == (
        "Line 3 has the same student number, and differs in what only one person has. One of the "
        "lines is wrong."
    )


def test_three_hundred() -> None:
    """Half of them have signed in; the file has its mistakes."""
    file = registrars_file()
    signed_in = [
        PersonFacts(
            f"stud{n:03}", f"student{n:03}@{DOMAIN}", login=f"stud{n:03}", number=number_of(n)
        )
        for n in range(1, STUDENTS + 1, 2)
    ]
    found = match(read_roster(file.data).rows, Hub(*signed_in))
    assert len(found) == STUDENTS
    known = [one for one in found if one.outcome is Outcome.KNOWN]
    assert {one.username for one in known} == {one.username for one in signed_in}
    assert all(one.outcome is Outcome.PENDING for one in found if one not in known)
    twice = next(one for one in found if len(one.lines) > 1)
    assert twice.identifiers.login == "stud290"
    assert sum("same name" in note for one in found for note in one.notes) == 2
    assert sum("same mail address" in note for one in found for note in one.notes) == 2


def test_lines_that_tell_nobody_and_are_written_alike_are_called_differently() -> None:
    mail = [Identifiers(mail="office@x")] * 2
    rows = [*mail, Identifiers(login="a", mail="office@x"), Identifiers(login="b", mail="office@x")]
    found = match([Row(line, "", each) for line, each in enumerate(rows, 2)], Hub())
    assert [one.outcome for one in found] == [Outcome.LEFT_OUT] * 2 + [Outcome.PENDING] * 2
    assert len({one.key for one in found}) == 4


IDENTIFIERS = st.builds(
    Identifiers,
    eppn=st.sampled_from([None, "a@x", "b@x"]),
    login=st.sampled_from([None, "a", "b", "c"]),
    mail=st.sampled_from([None, "a@x", "b@x", "c@x"]),
    number=st.sampled_from([None, "1", "2", "01"]),
)


@settings(max_examples=400, deadline=None)
@given(
    given_rows=st.lists(IDENTIFIERS.filter(bool), max_size=7),
    people=st.lists(st.tuples(IDENTIFIERS, st.booleans()), max_size=5),
)
def test_every_line_is_of_one_student_and_every_person_is_found_once(
    given_rows: list[Identifiers], people: list[tuple[Identifiers, bool]]
) -> None:
    rows = [Row(line, "", each) for line, each in enumerate(given_rows, 2)]
    hub = Hub(
        *(
            PersonFacts(f"p{n}", each.mail, each.eppn, each.login, each.number)
            for n, (each, _) in enumerate(people)
        ),
        left=[f"p{n}" for n, (_, left) in enumerate(people) if left],
    )
    found = match(rows, hub)
    assert sorted(line for one in found for line in one.lines) == [row.line for row in rows]
    assert len({one.key for one in found}) == len(found)
    usernames = [one.username for one in found if one.outcome is Outcome.KNOWN]
    assert len(usernames) == len(set(usernames))
    by_name = {one.facts.username: one for one in hub.people}
    for one in found:
        assert bool(one.identifiers) or one.outcome is Outcome.LEFT_OUT
        assert (one.username is None) == (one.outcome is not Outcome.KNOWN)
        assert bool(one.reason) == (one.outcome is Outcome.DOUBTFUL)
        if one.username:
            person = by_name[one.username]
            assert not person.left
            assert one.identifiers.against(person.facts.identifiers) == frozenset()
