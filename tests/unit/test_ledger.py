"""The ledger: written first, never forgetful, and clear when it cannot be written."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from slurmhub.auth.sessions import sessions
from slurmhub.auth.terms import accepted_terms
from slurmhub.ledger import Ledger, LedgerUnwritable, Outcome, metadata
from tests.unit.fakes import LOG, intent, ledger_at


def test_an_intent_survives_the_hub(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    written = intent()
    ledger.begin(written)
    written.job_id = 42
    written.outcome = Outcome("failed", "It failed.", "Try again.", detail="log", exit_code=3)
    ledger.note(written)
    ledger.close()
    assert ledger_at(tmp_path).open_intents() == [written]


def test_what_slurm_confirmed_gone_is_no_longer_open(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    written = intent()
    ledger.begin(written)
    written.ended, written.confirmed_gone = 1.0, True
    ledger.note(written)
    assert ledger.open_intents() == []
    assert ledger.last("alice", "") == written


def test_an_intent_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    ledger.begin(intent())
    _break(tmp_path)
    with pytest.raises(LedgerUnwritable, match="no job was submitted"):
        ledger.begin(intent("f" * 32))


def test_news_that_cannot_be_written_is_kept_and_written_later(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    written = intent()
    ledger.begin(written)
    with sqlite3.connect(tmp_path / "ledger.sqlite") as raw:
        raw.execute("ALTER TABLE slurmhub_intent RENAME TO elsewhere")
    written.job_id = 42
    ledger.note(written)
    with sqlite3.connect(tmp_path / "ledger.sqlite") as raw:
        raw.execute("ALTER TABLE elsewhere RENAME TO slurmhub_intent")
    ledger.flush()
    ledger.close()
    (again,) = ledger_at(tmp_path).open_intents()
    assert again.job_id == 42


def test_accepted_options_are_those_of_one_server(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    ledger.accept("alice", "", {"cpus": "1"})
    ledger.accept("alice", "lab", {"cpus": "2"})
    ledger.accept("alice", "lab", {"cpus": "4"})
    assert ledger.accepted("alice", "") == {"cpus": "1"}
    assert ledger.accepted("alice", "lab") == {"cpus": "4"}
    assert ledger.accepted("bob", "") is None


def test_the_migrations_make_the_tables_the_code_expects(tmp_path: Path) -> None:
    ledger_at(tmp_path).close()
    # Tables that are described beside what uses them.
    assert {sessions.name, accepted_terms.name} <= set(metadata.tables)
    engine = sa.create_engine(f"sqlite:///{tmp_path}/ledger.sqlite")
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert differences == []


def test_only_what_ended_long_ago_is_forgotten(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    old, new = intent("a" * 32), intent("b" * 32)
    for each, ended in ((old, 1.0), (new, 4e9)):
        ledger.begin(each)
        each.ended, each.confirmed_gone = ended, True
        ledger.note(each)
    assert ledger.forget_old() == 1
    assert ledger.last("alice", "") == new


def test_a_place_that_cannot_hold_a_ledger_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnwritable, match="ledger_url"):
        Ledger(f"sqlite:///{tmp_path}/no/such/folder/l.sqlite", log=LOG)


def _break(folder: Path) -> None:
    with sqlite3.connect(folder / "ledger.sqlite") as raw:
        raw.execute("DROP TABLE slurmhub_intent")
