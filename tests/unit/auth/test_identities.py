"""The ledger of identities: one person, one account, and never the account of somebody else."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slurmhub.auth.account_refusals import (
    Ambiguous,
    IdentifierWithheld,
    LedgerAway,
    NoIdentifier,
)
from slurmhub.auth.identifiers import Identifier, Kind, identifier, identifiers_of
from slurmhub.auth.identities import IdentityLedger, NameTaken, Person, Source, State
from tests.unit.auth.people import SFU, UBC, asserted, ledger_in

S1, S2 = "s1@ubc.ca", "s2@ubc.ca"
P1, P2 = "p1@ubc.ca", "p2@ubc.ca"
E1, E2 = "alice@ubc.ca", "bob@ubc.ca"


@pytest.fixture
def ledger(tmp_path: Path) -> IdentityLedger:
    return ledger_in(tmp_path)


def sent(
    subject: str | None = None,
    pairwise: str | None = None,
    eppn: str | None = None,
    idp: str = UBC,
) -> tuple[Identifier, ...]:
    """The identifiers of an assertion."""
    return identifiers_of(asserted(idp, subject_id=subject, pairwise_id=pairwise, eppn=eppn))


def sign_in(ledger: IdentityLedger, of: Sequence[Identifier], name: str = "") -> Person:
    """Somebody known, with what is new learnt; else somebody new, with this name."""
    decision, person = ledger.recognise(of)
    if person is None:
        number = len(ledger.names_that_begin(""))
        return ledger.enter(
            of, account=name or f"n{number}", uid=20000 + number, source=Source.MADE
        )
    return (ledger.learn(of) or person) if decision.changes else person


def values(person: Person) -> set[str]:
    return {each.value for one in person.identities for each in one.identifiers}


# Identifiers


def test_identifiers_are_compared_without_regard_to_case(ledger: IdentityLedger) -> None:
    alice = sign_in(ledger, sent(subject="ABC1@UBC.ca", eppn="Alice@ubc.CA"))
    assert sign_in(ledger, sent(subject="abc1@ubc.ca")).number == alice.number
    assert sign_in(ledger, sent(subject="abc1@ubc.ca", idp=UBC.upper())).number != alice.number
    # The Kelvin sign is a k to Unicode, and another person to us.
    eppn = identifier(UBC, Kind.EPPN, "\u212aim@ubc.ca")
    assert eppn != identifier(UBC, Kind.EPPN, "kim@ubc.ca")


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"mail": "alice@ubc.ca", "display_name": "Alice"},
        {"subject_id": ""},
        {"subject_id": "alice"},
        {"subject_id": "alice@"},
        {"subject_id": "@ubc.ca"},
        {"subject_id": "al ice@ubc.ca"},
        {"subject_id": "a@b@ubc.ca"},
        {"subject_id": "x" * 128 + "@ubc.ca"},
        {"subject_id": "alice@ubc.ca\n"},
        {"pairwise_id": "(null)"},
        {"eppn": "alice"},
        {"eppn": "alice@ubc.ca;bob@ubc.ca"},
        {"eppn": "alice\x00@ubc.ca"},
        {"eppn": "x" * 256 + "@ubc.ca"},
        {"eppn": "alice@ubc.ca", "subject_id": "malformed"},
        {"eppn": "alice@ubc.ca", "idp": ""},
        {"eppn": "alice@ubc.ca", "idp": "x" * 1025},
        {"eppn": "alice@ubc.ca", "idp": "https://a\nb"},
    ],
)
def test_what_identifies_nobody(attributes: dict[str, str]) -> None:
    with pytest.raises(NoIdentifier):
        identifiers_of(asserted(**attributes))
    assert identifiers_of(asserted(eppn="alice@ubc.ca"))


# Every case of the operators' table


def test_the_same_person_has_the_same_account(ledger: IdentityLedger) -> None:
    alice = sign_in(ledger, sent(S1, P1, E1))
    for again in (sent(S1, P1, E1), sent(S1), sent(None, P1), sent(S1, None, E1), sent(S1, P1)):
        assert sign_in(ledger, again) == alice


def test_a_changed_eppn_is_the_same_person(ledger: IdentityLedger) -> None:
    alice = sign_in(ledger, sent(S1, eppn=E1))
    married = sign_in(ledger, sent(S1, eppn="asmith@ubc.ca"))
    assert married.number == alice.number
    assert values(married) == {S1, E1, "asmith@ubc.ca"}


def test_a_reassigned_eppn_is_another_person(ledger: IdentityLedger) -> None:
    alice = sign_in(ledger, sent(S1, eppn=E1))
    other = sign_in(ledger, sent(S2, eppn=E1))
    assert other.number != alice.number
    assert sign_in(ledger, sent(S1)).number == alice.number
    assert sign_in(ledger, sent(S2, eppn=E1)).number == other.number
    # The eppn alone is now nobody's word.
    with pytest.raises(IdentifierWithheld):
        ledger.recognise(sent(eppn=E1))


def test_a_reassigned_eppn_of_a_pairwise_id_is_another_person(ledger: IdentityLedger) -> None:
    alice = sign_in(ledger, sent(None, P1, E1))
    assert sign_in(ledger, sent(None, P2, E1)).number != alice.number
    assert sign_in(ledger, sent(None, P1)).number == alice.number


def test_an_eppn_that_moves_to_somebody_known(ledger: IdentityLedger) -> None:
    """Bob, known by his eppn alone, has left; Alice is given it."""
    bob = sign_in(ledger, sent(eppn=E2))
    alice = sign_in(ledger, sent(S1, eppn=E1))
    assert sign_in(ledger, sent(S1, eppn=E2)).number == alice.number
    with pytest.raises(IdentifierWithheld):
        ledger.recognise(sent(eppn=E2))
    held = ledger.holder(bob.account)
    assert held is not None
    assert values(held) == set()  # and his account is nobody's, until an administrator says whose


def test_known_by_eppn_first_and_by_subject_id_later(ledger: IdentityLedger) -> None:
    alice = sign_in(ledger, sent(eppn=E1))
    upgraded = sign_in(ledger, sent(S1, eppn=E1))
    assert (upgraded.number, values(upgraded)) == (alice.number, {E1, S1})
    assert sign_in(ledger, sent(S1, eppn="other@ubc.ca")).number == alice.number
    # From now on the eppn is not enough, and whoever else gets it is somebody else.
    with pytest.raises(IdentifierWithheld) as refused:
        ledger.recognise(sent(eppn=E1))
    assert "known by subject-id, without that" in refused.value.for_operator
    assert sign_in(ledger, sent(S2, eppn=E1)).number != alice.number


def test_known_by_pairwise_id_first_and_by_subject_id_later(ledger: IdentityLedger) -> None:
    alice = sign_in(ledger, sent(None, P1, E1))
    assert sign_in(ledger, sent(S1, P1, E1)).number == alice.number
    assert sign_in(ledger, sent(S1)).number == alice.number


def test_another_kind_of_identifier_proves_nothing(ledger: IdentityLedger) -> None:
    """Neither the same person nor another one: nobody is let in, and no account is made."""
    sign_in(ledger, sent(None, P1, E1))
    for unproven in (sent(S1, None, E1), sent(eppn=E1)):
        with pytest.raises(IdentifierWithheld) as refused:
            ledger.recognise(unproven)
        assert "known by pairwise-id, without that" in refused.value.for_operator
    assert len(ledger.names_that_begin("")) == 1


def test_identifiers_that_contradict_each_other(ledger: IdentityLedger) -> None:
    sign_in(ledger, sent(S1, P1))
    sign_in(ledger, sent(S2, P2))
    for mixed in (sent(S1, P2), sent(S2, P1), sent("s3@ubc.ca", P1), sent(S1, "p3@ubc.ca")):
        with pytest.raises(Ambiguous):
            ledger.recognise(mixed)
        with pytest.raises(Ambiguous):
            ledger.learn(mixed)


def test_one_local_part_at_two_institutions(ledger: IdentityLedger) -> None:
    one = sign_in(ledger, sent("alice@ubc.ca", eppn="alice@ubc.ca"), "alice")
    two = sign_in(ledger, sent("alice@sfu.ca", eppn="alice@sfu.ca", idp=SFU), "alice2")
    assert (one.account, two.account) == ("alice", "alice2")
    # The same values from another identity provider are another person's as well.
    three = sign_in(ledger, sent("alice@ubc.ca", eppn="alice@ubc.ca", idp=SFU), "alice3")
    assert len({one.number, two.number, three.number}) == 3


def test_a_name_or_a_number_is_given_once(ledger: IdentityLedger) -> None:
    alice = ledger.enter(sent(S1), account="alice", uid=20000, source=Source.MADE)
    with pytest.raises(NameTaken):
        ledger.enter(sent(S2), account="alice", uid=None, source=Source.MADE)
    with pytest.raises(NameTaken):
        ledger.enter(sent(S2), account="bob", uid=20000, source=Source.MADE)
    bob = ledger.enter(sent(S2), account="bob", uid=None, source=Source.MADE)
    assert (alice.state, bob.state, bob.uid) == (State.READY, State.RESERVED, None)
    with pytest.raises(NameTaken):
        ledger.ready(bob, 20000)
    assert ledger.ready(bob, 20001).state is State.READY
    assert ledger.ready(bob, 20002).uid == 20001  # once ready, the number stays


def test_a_name_that_was_given_up_stays_taken(ledger: IdentityLedger) -> None:
    alice = ledger.enter(sent(S1), account="alice", uid=None, source=Source.MADE)
    assert ledger.other_name(alice, "alice2").account == "alice2"
    assert ledger.other_name(alice, "alice3").account == "alice2"  # another was faster
    with pytest.raises(NameTaken):
        ledger.enter(sent(S2), account="alice", uid=None, source=Source.MADE)
    assert ledger.names_that_begin("ali") == {"alice", "alice2"}
    assert ledger.names_that_begin("a%") == frozenset()


# Races, restarts and full disks


def test_twenty_threads_make_one_person(ledger: IdentityLedger) -> None:
    def enter(number: int) -> int:
        try:
            return ledger.enter(
                sent(S1, P1, E1), account=f"n{number % 2}", uid=None, source=Source.MADE
            ).number
        except NameTaken as error:  # not with the same identifiers
            raise AssertionError from error

    with ThreadPoolExecutor(20) as pool:
        assert len(set(pool.map(enter, range(20)))) == 1
    assert len(ledger.names_that_begin("")) == 1


def test_twenty_people_want_one_name_and_one_gets_it(ledger: IdentityLedger) -> None:
    def enter(number: int) -> bool:
        try:
            ledger.enter(sent(f"s{number}@ubc.ca"), account="alice", uid=None, source=Source.MADE)
        except NameTaken:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sorted(pool.map(enter, range(20))) == [False] * 19 + [True]


_PROCESS = """
import sys
from pathlib import Path
from slurmhub.auth.identities import Source
from tests.unit.auth.people import asserted, ledger_in
from tests.unit.auth.test_identities import sent
ledger = ledger_in(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(20):
    person = ledger.enter(
        sent(f"s{number}@ubc.ca", eppn=f"e{number}@ubc.ca"), account=f"n{number}-{sys.argv[2]}",
        uid=None, source=Source.MADE,
    )
    print(person.number, flush=True)
"""


def test_two_processes_make_one_person_each_time(ledger: IdentityLedger, tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PROCESS, str(tmp_path), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    numbers = [process.communicate()[0].split() for process in processes]
    assert len(numbers[0]) == 20
    assert numbers[0] == numbers[1]
    assert len(ledger.names_that_begin("n")) == 20


def test_two_subject_ids_race_for_one_eppn(ledger: IdentityLedger) -> None:
    """Whoever comes second is somebody else."""
    alice = sign_in(ledger, sent(eppn=E1))
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda s: ledger.learn(sent(s, eppn=E1)), (S1, S2)))
    assert sorted(person is not None for person in found) == [False, True]
    assert {person.number for person in found if person} == {alice.number}


def test_nothing_is_half_written(ledger: IdentityLedger, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "ledger.sqlite") as raw:
        raw.execute("ALTER TABLE slurmhub_identifier RENAME TO elsewhere")
    with pytest.raises(LedgerAway) as refused:
        ledger.enter(sent(S1), account="alice", uid=None, source=Source.MADE)
    assert refused.value.try_again
    with sqlite3.connect(tmp_path / "ledger.sqlite") as raw:
        raw.execute("ALTER TABLE elsewhere RENAME TO slurmhub_identifier")
    assert ledger.names_that_begin("") == frozenset()
    assert ledger.enter(sent(S1), account="alice", uid=None, source=Source.MADE).account == "alice"


def test_it_outlives_the_hub(ledger: IdentityLedger, tmp_path: Path) -> None:
    alice = sign_in(ledger, sent(S1, P1, E1))
    ledger.engine.dispose()
    again = ledger_in(tmp_path)
    assert again.recognise(sent(S1, P1, E1))[1] == alice
    again.note_seen(alice)
    seen = again.recognise(sent(S1))[1]
    assert seen is not None
    assert seen.seen is not None
    again.note_seen(seen)  # not again today
    assert again.recognise(sent(S1))[1] == seen


def test_who_writes_waits_for_its_turn(ledger: IdentityLedger, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool, sqlite3.connect(tmp_path / "ledger.sqlite") as raw:
        raw.execute("BEGIN IMMEDIATE")
        waiting = pool.submit(sign_in, ledger, sent(S1))
        assert ledger.recognise(sent(S2))[1] is None  # reading does not wait
        raw.rollback()
        assert waiting.result(10).account
