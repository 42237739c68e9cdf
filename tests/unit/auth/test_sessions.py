"""Sessions: each on its own, over when they are over, also for a hub that starts again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from slurmhub.auth.sessions import Session, Sessions, sessions
from tests.unit.fakes import ledger_at


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    """A database with the tables."""
    return ledger_at(tmp_path).engine


def kept(engine: sa.Engine, **changes: object) -> Sessions:
    """The sessions of a hub that starts now."""
    return Sessions(engine, **{"lifetime": 3600.0, **changes})  # type: ignore[arg-type]


def begin(live: Sessions, name: str = "alice", front: str = "_1") -> tuple[str, Session]:
    """A new session: its cookie and what is found by it."""
    cookie = live.begin(name, front_session=front, hub_session="h")
    found = live.find(cookie)
    assert found is not None
    return cookie, found


def test_a_cookie_finds_its_own_session_alone(engine: sa.Engine) -> None:
    live = kept(engine)
    cookies = [begin(live, name)[0] for name in ("alice", "alice", "bob")]
    assert len(set(cookies)) == 3
    names = [session.username for cookie in cookies if (session := live.find(cookie))]
    assert names == ["alice", "alice", "bob"]
    for wrong in (None, "", "x", cookies[0][:-1], cookies[0] + "x", "\udc80"):
        assert live.find(wrong) is None


def test_the_database_holds_no_cookie(engine: sa.Engine) -> None:
    cookie, session = begin(kept(engine))
    with engine.connect() as connection:
        row = connection.execute(sa.select(sessions)).mappings().one()
    assert cookie not in str(dict(row))
    assert row["digest"] == session.digest
    # And a digest is no cookie.
    assert kept(engine).find(row["digest"]) is None


def test_the_end_of_one_ends_no_other_and_lasts(engine: sa.Engine) -> None:
    live = kept(engine)
    (gone, session), (stays, _) = begin(live), begin(live)
    live.end([session])
    live.end([session])
    for each in (live, kept(engine)):
        assert each.find(gone) is None
        assert each.find(stays)


def test_the_sps_word_finds_what_began_with_its_session(engine: sa.Engine) -> None:
    live = kept(engine)
    begin(live, front="_1"), begin(live, front="_1"), begin(live, front="_2")
    assert [one.front_session for one in live.over("_1")] == ["_1", "_1"]
    assert live.over("_3") == []
    assert live.is_over("_1")
    assert not live.is_over("_2")


def test_they_last_as_long_as_the_site_says(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = kept(engine)
    cookie, session = begin(live)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3590)
    assert live.find(cookie)
    assert live.overdue() == []
    monkeypatch.setattr(time, "time", lambda: now + 3601)
    assert live.find(cookie) is None
    assert live.overdue() == [session]
    # A clock that was set back by more than a minute.
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    assert live.find(cookie) is None


def test_new_terms_end_them(engine: sa.Engine) -> None:
    cookie, session = begin(kept(engine, terms="1"))
    assert kept(engine, terms="1").find(cookie)
    later = kept(engine, terms="2")
    assert later.find(cookie) is None
    assert later.overdue() == [session]


def test_an_end_that_cannot_be_written_is_an_end_and_is_written_later(engine: sa.Engine) -> None:
    live = kept(engine)
    cookie, session = begin(live)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE slurmhub_session RENAME TO away"))
    with pytest.raises(sa.exc.SQLAlchemyError):
        live.end([session])
    assert live.find(cookie) is None
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE away RENAME TO slurmhub_session"))
    assert kept(engine).find(cookie)
    live.flush()
    assert kept(engine).find(cookie) is None


def test_a_beginning_that_cannot_be_written_is_none(engine: sa.Engine) -> None:
    live = kept(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE slurmhub_session"))
    with pytest.raises(sa.exc.SQLAlchemyError):
        live.begin("alice", front_session="_1", hub_session="h")
    assert live.of_person("alice") == []
