"""Access to a student's server: given when it is allowed, taken when it is over, and only ours."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from jupyterhub import orm

from slurmhub.courses.helping import Help
from slurmhub.hub.helping import keep_shares


def now() -> datetime:
    """The moment, as JupyterHub keeps moments."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


@dataclass
class App:
    """Of a hub what is needed here."""

    db: Any
    log: logging.Logger

    def shares(self) -> dict[tuple[str, str, str], datetime | None]:
        """Who may be where, until when."""
        return {
            (one.owner.name, one.spawner.name, one.user.name): one.expires_at
            for one in self.db.query(orm.Share)
        }


@pytest.fixture
def app() -> Iterator[App]:
    """A hub of three people; the student's server of phys101 was started once."""
    db = orm.new_session_factory("sqlite:///:memory:")()
    for name in ("student", "assistant", "friend"):
        db.add(orm.User(name=name))
    db.commit()
    student = orm.User.find(db, "student")
    db.add(orm.Spawner(name="phys101", user=student))
    db.commit()
    yield App(db, logging.getLogger("slurmhub.tests.help"))
    db.close()


def help_(**changes: Any) -> Help:
    """The assistant is let in for half an hour."""
    moment = time.time()
    one = Help(
        number=1,
        course="phys101",
        student="student",
        helper="assistant",
        minutes=30,
        asked=moment - 60,
        allowed=moment,
    )
    return replace(one, **changes)


def test_what_is_allowed_is_given_with_an_end_and_taken_again(app: App) -> None:
    keep_shares(app, [help_()])
    ((who, until),) = app.shares().items()
    assert who == ("student", "phys101", "assistant")
    assert until is not None
    assert timedelta(minutes=29) < until - now() < timedelta(minutes=31)
    (share,) = app.db.query(orm.Share)
    assert share.scopes == ["access:servers!server=student/phys101"], "and nothing else"
    keep_shares(app, [help_()])
    assert len(app.shares()) == 1
    keep_shares(app, [])
    assert app.shares() == {}


def test_while_nobody_can_say_what_is_over_is_taken_and_nothing_else(app: App) -> None:
    keep_shares(app, [help_()])
    keep_shares(app, None)
    assert len(app.shares()) == 1
    (share,) = app.db.query(orm.Share)
    share.expires_at = now() - timedelta(seconds=1)
    keep_shares(app, None)
    assert app.shares() == {}


def test_what_people_share_themselves_is_left_alone(app: App) -> None:
    student = orm.User.find(app.db, "student")
    server = student.orm_spawners["phys101"]
    for name in ("friend", "assistant"):
        orm.Share.grant(app.db, server, orm.User.find(app.db, name))
    keep_shares(app, [help_()])
    keep_shares(app, [])
    assert app.shares() == {
        ("student", "phys101", "friend"): None,
        ("student", "phys101", "assistant"): None,
    }


@pytest.mark.parametrize(
    "changes", [{"course": "chem101"}, {"student": "stranger"}, {"helper": "stranger"}]
)
def test_what_is_not_there_yet_is_shared_later(app: App, changes: dict[str, str]) -> None:
    keep_shares(app, [help_(**changes)])
    assert app.shares() == {}
    if "course" in changes:
        app.db.add(orm.Spawner(name="chem101", user=orm.User.find(app.db, "student")))
        app.db.commit()
        keep_shares(app, [help_(**changes)])
        assert list(app.shares()) == [("student", "chem101", "assistant")]
