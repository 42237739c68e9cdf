"""Who signs in, judged by the thousand: never somebody else."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from slurmhub.auth.account_refusals import Ambiguous, IdentifierWithheld
from slurmhub.auth.deciding import Subject, decide
from slurmhub.auth.identifiers import Identifier, Kind
from tests.unit.auth.test_identities import sent

PEOPLE = st.integers(0, 3)
SIGN_INS = st.lists(st.tuples(PEOPLE, st.integers(0, 2), st.booleans(), st.booleans()), max_size=12)


@settings(max_examples=300)
@given(SIGN_INS)
def test_no_sign_in_ever_leads_to_another_persons_account(
    sign_ins: list[tuple[int, int, bool, bool]],
) -> None:
    """Four people, whose subject-ids are sent always; three eppns that go from hand to hand."""
    subjects: dict[int, Subject] = {}
    holders: dict[Identifier, int] = {}
    accounts: dict[int, int] = {}
    for who, eppn, with_eppn, with_pairwise in sign_ins:
        of = sent(
            f"s{who}@ubc.ca",
            f"p{who}@ubc.ca" if with_pairwise else None,
            f"e{eppn}@ubc.ca" if with_eppn else None,
        )
        known = {each: subjects[holders[each]] for each in of if each in holders}
        decision = decide(of, known)
        number = decision.subject.identity if decision.subject else len(subjects)
        accounts.setdefault(who, number)
        assert accounts[who] == number
        for each in (*decision.attach, *decision.move):
            holders[each] = number
        for one in {number, *subjects}:
            theirs = frozenset(each for each, holder in holders.items() if holder == one)
            subjects[one] = Subject(one, one, theirs)
    assert len(set(accounts.values())) == len(accounts)


@settings(max_examples=300)
@given(st.lists(st.tuples(PEOPLE, st.integers(0, 2), st.integers(1, 7)), max_size=12))
def test_whatever_is_sent_nobody_known_by_more_is_reached_by_less(
    sign_ins: list[tuple[int, int, int]],
) -> None:
    """Any choice of identifiers: a subject's subject-id and pairwise-id never change hands."""
    subjects: dict[int, Subject] = {}
    for who, eppn, chosen in sign_ins:
        of = sent(
            f"s{who}@ubc.ca" if chosen & 1 else None,
            f"p{who}@ubc.ca" if chosen & 2 else None,
            f"e{eppn}@ubc.ca" if chosen & 4 else None,
        )
        known = {each: one for one in subjects.values() for each in of if each in one.identifiers}
        try:
            decision = decide(of, known)
        except (Ambiguous, IdentifierWithheld):
            continue
        before = decision.subject.identifiers if decision.subject else frozenset()
        if decision.subject is not None and decision.subject.stable:
            assert any(each in decision.subject.stable for each in of)
        assert not any(each.kind.stable for each in decision.move)
        number = decision.subject.identity if decision.subject else len(subjects)
        for other in list(subjects.values()):
            kept = other.identifiers - set(decision.move)
            subjects[other.identity] = Subject(other.identity, other.person, kept)
        now = before | set(decision.attach) | set(decision.move)
        subjects[number] = Subject(number, number, now)
        for kind in (Kind.SUBJECT_ID, Kind.PAIRWISE_ID):
            assert len(subjects[number].of_kind(kind)) <= 1
