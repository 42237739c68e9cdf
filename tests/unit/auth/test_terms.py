"""Terms of use: read from data, accepted once for each version, asked for in between."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from slurmhub.auth.terms import (
    PATIENCE,
    Acceptances,
    Terms,
    TermsWrong,
    WaitingRoom,
    accepted_terms,
    read_terms,
)
from slurmhub.language import spoken
from tests.unit.auth.test_groups import assertion
from tests.unit.fakes import ledger_at


def test_terms_are_read_in_the_language_of_who_reads() -> None:
    terms = read_terms(
        {"version": "2031-1", "text": {"en": "One.\n\nTwo.\n \nThree.", "fr": "Un."}}
    )
    assert terms.version == "2031-1"
    with spoken("en"):
        assert (terms.spoken, terms.paragraphs) == ("en", ["One.", "Two.", "Three."])
    with spoken("fr"):
        assert (terms.spoken, terms.paragraphs) == ("fr", ["Un."])
    only = read_terms({"version": "1", "text": {"fr": "Un."}})
    with spoken("en"):
        assert (only.spoken, only.paragraphs) == ("fr", ["Un."])
    assert read_terms({"version": "1", "text": "Plain."}).texts == {"en": "Plain."}
    assert read_terms({}) == Terms()


@pytest.mark.parametrize(
    "said",
    [
        {"version": "1"},
        {"text": "x"},
        {"version": "", "text": "x"},
        {"version": 1, "text": "x"},
        {"version": "a b", "text": "x"},
        {"version": "x" * 65, "text": "x"},
        {"version": "1", "text": ""},
        {"version": "1", "text": "  "},
        {"version": "1", "text": {}},
        {"version": "1", "text": {"tlh": "x"}},
        {"version": "1", "text": {"en": 1}},
        {"version": "1", "text": "x", "url": "y"},
    ],
)
def test_terms_that_are_none_are_refused(said: dict[str, Any]) -> None:
    with pytest.raises(TermsWrong):
        read_terms(said)


def test_each_version_is_accepted_once_and_kept(tmp_path: Path) -> None:
    engine = ledger_at(tmp_path).engine
    accepted = Acceptances(engine)
    assert not accepted.has("alice", "1")
    before = time.time()
    accepted.add("alice", "1", "fr")
    accepted.add("alice", "1", "en")
    accepted.add("alice", "2", "en")
    for each in (accepted, Acceptances(engine)):
        assert each.has("alice", "1")
        assert each.has("alice", "2")
        assert not each.has("bob", "1")
    with engine.connect() as connection:
        rows = connection.execute(sa.select(accepted_terms)).mappings().all()
    first = next(row for row in rows if row["version"] == "1")
    assert first["language"] == "fr"
    assert before <= first["accepted"] <= time.time()


def test_who_waits_is_found_by_their_cookie_alone_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = WaitingRoom()
    cookie = room.enter(assertion(session="_1"), "alice", "/hub/home")
    other = room.enter(assertion(session="_2"), "bob", "")
    found = room.find(cookie)
    assert found is not None
    assert (found.username, found.going_to) == ("alice", "/hub/home")
    for wrong in (None, "", cookie[:-1]):
        assert room.find(wrong) is None
    room.leave_front("_1")
    assert room.find(cookie) is None
    assert room.find(other)
    room.leave(other)
    assert room.find(other) is None
    late = room.enter(assertion(), "alice", "")
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + PATIENCE + 1)
    assert room.find(late) is None
