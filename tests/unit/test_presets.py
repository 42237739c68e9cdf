"""Presets: kept by name, for one person."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import sqlalchemy as sa

from slurmhub.ledger import Ledger, presets
from slurmhub.presets import LONGEST_NAME, MOST, PresetRefused, Presets


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(f"sqlite:///{tmp_path}/ledger.sqlite", log=logging.getLogger("test"))


@pytest.fixture
def kept(ledger: Ledger) -> Presets:
    return Presets(ledger.engine)


def names(kept: Presets, username: str) -> list[str]:
    return [preset.name for preset in kept.of(username)]


def test_each_person_has_their_own(kept: Presets) -> None:
    kept.keep("alice", "Lab", {"cpus": "2"})
    kept.keep("bob", "Lab", {"cpus": "3"})
    kept.keep("alice", "analysis", {"profile": "course-lab"})
    assert names(kept, "alice") == ["analysis", "Lab"]
    assert kept.of("bob")[0].options == {"cpus": "3"}
    kept.forget("bob", "Lab")
    kept.forget("bob", "Lab")
    assert names(kept, "bob") == []
    assert names(kept, "alice") == ["analysis", "Lab"]


def test_the_same_name_replaces(kept: Presets) -> None:
    # Composed, decomposed, and with spaces around.
    assert kept.keep("alice", "été", {"cpus": "1"}) == "été"
    assert kept.keep("alice", " e\u0301te\u0301 ", {"cpus": "2"}) == "été"
    assert [(one.name, one.options) for one in kept.of("alice")] == [("été", {"cpus": "2"})]


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("", "empty"),
        (" \u00a0 ", "empty"),
        ("x" * (LONGEST_NAME + 1), "long"),
        ("a\nb", "unprintable"),
        ("a\x00", "unprintable"),
        ("\u202egnp.exe", "unprintable"),
        ("\u2066a", "unprintable"),
        ("\ud800", "unprintable"),
    ],
)
def test_names_that_are_refused(kept: Presets, name: str, note: str) -> None:
    with pytest.raises(PresetRefused) as caught:
        kept.keep("alice", name, {"cpus": "1"})
    assert caught.value.note == note
    assert names(kept, "alice") == []


@pytest.mark.parametrize(
    "name", ["x" * LONGEST_NAME, "数据", "<b>'\"; DROP TABLE x; --", "👩🏽", "../.."]
)
def test_names_that_are_just_names(kept: Presets, name: str) -> None:
    kept.keep("alice", name, {"cpus": "1"})
    assert names(kept, "alice") == [name]


def test_there_are_at_most_fifty(kept: Presets) -> None:
    for number in range(MOST):
        kept.keep("alice", f"{number}", {"cpus": "1"})
    with pytest.raises(PresetRefused) as caught:
        kept.keep("alice", "one more", {"cpus": "1"})
    assert caught.value.note == "many"
    kept.keep("alice", "7", {"cpus": "9"})
    kept.keep("bob", "one more", {"cpus": "1"})
    assert len(names(kept, "alice")) == MOST


def test_a_ledger_that_cannot_be_written_is_said(ledger: Ledger, kept: Presets) -> None:
    kept.keep("alice", "Lab", {"cpus": "1"})
    with ledger.engine.begin() as connection:
        connection.execute(sa.text("PRAGMA query_only = 1"))
    for act in (lambda: kept.keep("alice", "more", {}), lambda: kept.forget("alice", "Lab")):
        with pytest.raises(PresetRefused) as caught:
            act()
        assert caught.value.note == "disk"


def test_what_somebody_else_wrote_does_no_harm(ledger: Ledger, kept: Presets) -> None:
    rows = [("list", [1]), ("mixed", {"cpus": 2, "hours": "1"})]
    with ledger.engine.begin() as connection:
        for name, options in rows:
            connection.execute(
                presets.insert().values(username="alice", name=name, options=options)
            )
    assert [one.options for one in kept.of("alice")] == [{}, {"hours": "1"}]
