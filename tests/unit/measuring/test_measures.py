"""What was counted of each job is kept, and forgotten with the job."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from slurmhub.measuring.measures import Measures, measured
from tests.unit.fakes import LOG, ledger_at


def rows(engine: sa.Engine) -> dict[str, float | None]:
    """What is in the table: until when each job is counted."""
    with engine.connect() as connection:
        found = connection.execute(sa.select(measured.c.nonce, measured.c.until)).all()
    return {row.nonce: row.until for row in found}


def test_it_is_written_changed_read_and_forgotten(tmp_path: Path) -> None:
    engine = ledger_at(tmp_path).engine
    measures = Measures(engine, log=LOG)
    for nonce in ("a", "b"):
        measures.of(nonce).until = 1.0
        measures.changed(nonce)
    measures.flush()
    measures.of("a").until = 2.0
    measures.changed("a")
    measures.flush()
    assert rows(engine) == {"a": 2.0, "b": 1.0}
    again = Measures(engine, log=LOG)
    again.begin({"a"})
    assert again.of("a").until == 2.0
    assert not again.knows("b")
    again.flush()
    assert rows(engine) == {"a": 2.0}
    again.forget("a")
    again.flush()
    assert rows(engine) == {}


def test_what_cannot_be_written_is_written_later(tmp_path: Path) -> None:
    engine = ledger_at(tmp_path).engine
    measures = Measures(engine, log=LOG)
    measures.of("a").until = 1.0
    measures.changed("a")
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE slurmhub_measured RENAME TO away"))
    measures.flush()
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE away RENAME TO slurmhub_measured"))
    assert rows(engine) == {}
    measures.flush()
    assert rows(engine) == {"a": 1.0}
