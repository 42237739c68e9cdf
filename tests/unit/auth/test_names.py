"""Account names: valid, readable, and nobody else's."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.assets import asset
from slurmhub.auth.assertion import Assertion
from slurmhub.auth.names import (
    LONGEST,
    RESERVED_NAMES,
    UsedNames,
    candidates,
    folded,
    is_a_login,
    is_reserved,
    is_valid,
    numbered,
    proposals,
)
from tests.unit.auth.people import asserted
from tests.unit.helper.loaded import load_program

TEXT = st.text(max_size=80)


def first(assertion: Assertion, *used: str, reserved: frozenset[str] = frozenset()) -> str:
    """The name that this person gets when those are somebody's."""
    return next(candidates(assertion, reserved=reserved, used=UsedNames(frozenset(used))))


@pytest.mark.parametrize(
    ("eppn", "name"),
    [
        ("alice@ubc.ca", "alice"),
        ("Alice.Smith@ubc.ca", "alice-smith"),
        ("o'neil@ubc.ca", "oneil"),
        ("o\u2019neil@ubc.ca", "oneil"),
        ("j_doe+lab@ubc.ca", "j-doe-lab"),
        ("zo\u00eb@ubc.ca", "zoe"),
        ("zoe\u0308@ubc.ca", "zoe"),
        ("gr\u00f6\u00dfe@ubc.ca", "grosse"),
        ("\u0141ukasz@ubc.ca", "lukasz"),
        ("s\u00f8ren@ubc.ca", "soren"),
        ("\u00deorir@ubc.ca", "thorir"),
        ("\u0130stanbul@ubc.ca", "istanbul"),
        ("\uff41\uff4c\uff49\uff43\uff45@ubc.ca", "alice"),
        ("12345678@ubc.ca", "u12345678"),
        ("0x10@ubc.ca", "u0x10"),
        ("1e5@ubc.ca", "u1e5"),
        ("a@b@ubc.ca", "a-b"),
        ("x" * 60 + "@ubc.ca", "x" * 32),
        ("x" * 31 + "-y@ubc.ca", "x" * 31),
    ],
)
def test_names_that_people_know_as_theirs(eppn: str, name: str) -> None:
    assert first(asserted(eppn=eppn)) == name


@pytest.mark.parametrize(
    "eppn",
    ["\u7530\u4e2d@ubc.ca", "-@ubc.ca", "_@ubc.ca", "x@ubc.ca", "...@ubc.ca", "\u0301@ubc.ca"],
)
def test_where_nothing_can_be_read_the_name_says_so(eppn: str) -> None:
    assert first(asserted(eppn=eppn)) == "person"
    assert first(asserted(eppn=eppn), "person", "person2") == "person3"


def test_what_a_name_is_taken_from() -> None:
    alice = {"given_name": "Alice", "surname": "Smith", "display_name": "Dr Alice Smith"}
    opaque = "a1b2c3d4e5f60718293a4b5c@ubc.ca"
    assert first(asserted(subject_id="asmith@ubc.ca", **alice)) == "asmith"
    assert first(asserted(subject_id=opaque, **alice)) == "asmith"
    assert first(asserted(subject_id="student=77=x@ubc.ca", **alice)) == "asmith"
    assert first(asserted(pairwise_id="abc@ubc.ca", display_name="Alice Smith")) == "alice-smith"
    assert first(asserted(subject_id=opaque)) == "person"
    both = asserted(eppn="alice@ubc.ca", subject_id="als77@ubc.ca", **alice)
    assert list(proposals(both)) == ["alice", "als77", "asmith"]


def test_collisions_are_readable_and_never_end() -> None:
    alice = asserted(eppn="alice@ubc.ca")
    names = candidates(alice, reserved=frozenset(), used=UsedNames())
    assert list(itertools.islice(names, 4)) == ["alice", "alice2", "alice3", "alice4"]
    assert first(alice, "alice", "alice2") == "alice3"
    assert first(asserted(eppn="lab1@ubc.ca"), "lab1") == "lab1-2"
    assert first(asserted(eppn="x" * 40 + "@a"), "x" * 32) == "x" * 31 + "2"
    named = asserted(eppn="alice@ubc.ca", given_name="Alice", surname="Smith")
    assert first(named, "alice") == "alice2"


@pytest.mark.parametrize(
    "name",
    [
        *("root", "nobody", "slurm", "munge", "jupyterhub", "admin", "www-data", "systemd-network"),
        *("slurm-web", "_apt", "null", "true", "no", "nan", "debian-tor", "messagebus", "sudo"),
    ],
)
def test_reserved_names_are_given_to_nobody(name: str) -> None:
    assert is_reserved(name)
    got = first(asserted(eppn=f"{name}@ubc.ca", given_name="Alice", surname="Smith"))
    assert got == "asmith" or not is_reserved(got)
    assert not is_reserved(first(asserted(eppn=f"{name}@ubc.ca")))


def test_the_sites_own_reserved_names() -> None:
    alice = asserted(eppn="alice@ubc.ca")
    assert first(alice, reserved=frozenset({"alice"})) == "alice2"
    assert first(alice, "alice", reserved=frozenset({"alice2"})) == "alice3"
    nobody = asserted(eppn="-@ubc.ca")
    assert first(nobody, reserved=frozenset({"person"})) == "person2"


def test_the_helper_reserves_the_same_names() -> None:
    helper = load_program("slurmhub-account")
    assert helper.RESERVED == RESERVED_NAMES
    assert all(is_reserved(f"{beginning}x") for beginning in helper.RESERVED_BEGINNINGS)
    assert asset("libexec/slurmhub-account").is_file()


def test_existing_accounts_may_have_dots_but_no_capitals() -> None:
    assert is_a_login("alice.smith")
    assert not any(is_a_login(name) for name in ("Alice", "", "a b", "a/b", "1a", "a" * 33))


@given(eppn=TEXT, given_name=TEXT, surname=TEXT, display_name=TEXT, used=st.sets(TEXT, max_size=5))
def test_every_candidate_is_valid_unused_unreserved_and_new(
    eppn: str, given_name: str, surname: str, display_name: str, used: set[str]
) -> None:
    person = asserted(
        eppn=f"{eppn}@ubc.ca", given_name=given_name, surname=surname, display_name=display_name
    )
    found = list(
        itertools.islice(
            candidates(person, reserved=frozenset(), used=UsedNames(frozenset(used))), 15
        )
    )
    assert len(set(found)) == 15
    for name in found:
        assert is_valid(name)
        assert len(name) <= LONGEST
        assert name not in used
        assert not is_reserved(name)
        assert not name.isdigit()
        assert name.isascii()


@given(TEXT)
def test_folding_is_settled_and_blind_to_how_a_text_is_encoded(text: str) -> None:
    once = folded(text)
    assert folded(once) == once
    assert folded(unicodedata.normalize("NFD", text)) == folded(unicodedata.normalize("NFC", text))
    assert set(once) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@given(st.from_regex(r"[a-z][a-z0-9-]{1,31}", fullmatch=True), st.integers(2, 10**6))
def test_a_number_can_be_told_from_the_name(base: str, number: int) -> None:
    name = numbered(base, number)
    assert is_valid(name)
    assert name.endswith(str(number))
    assert numbered(base, number + 1) != name
