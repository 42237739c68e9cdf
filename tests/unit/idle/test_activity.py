"""When a server was last used: its own word counts, and the proxy's only where it says nothing."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub import orm
from jupyterhub.apihandlers import default_handlers
from jupyterhub.apihandlers.users import ActivityAPIHandler

from slurmhub.hub.activity import ActivityHandler, hear_reports
from slurmhub.idle import activity
from slurmhub.idle.activity import HEARD_LATELY, Reports, last_used


def ago(seconds: float) -> datetime:
    return datetime.now(timezone.utc) - timedelta(seconds=seconds)


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> Reports:
    fresh = Reports()
    monkeypatch.setattr(activity, "reports", fresh)
    return fresh


@pytest.fixture
def app() -> Any:
    """A hub's database in which alice's server was seen by the proxy a moment ago."""
    db = orm.new_session_factory("sqlite:///:memory:")()
    server = orm.Server()
    spawner = orm.Spawner(name="lab", server=server, last_activity=ago(5).replace(tzinfo=None))
    db.add_all([orm.User(name="alice", _orm_spawners=[spawner]), server])
    db.commit()
    return SimpleNamespace(db=db)


def test_a_request_through_the_proxy_counts_while_the_server_says_nothing(
    app: Any, reports: Reports
) -> None:
    assert last_used(app)["alice", "lab"] == pytest.approx(time.time() - 5, abs=2)
    reports.hear("alice", "lab", ago(3600).isoformat().replace("+00:00", "Z"))
    assert last_used(app)["alice", "lab"] == pytest.approx(time.time() - 3600, abs=2)
    reports.hear("alice", "other", ago(0).isoformat())
    assert set(last_used(app)) == {("alice", "lab")}


def test_a_server_that_is_not_heard_any_more_is_judged_by_the_proxy(
    app: Any, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports.hear("alice", "lab", ago(3600).isoformat())
    later = time.time() + HEARD_LATELY + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert reports.used("alice", "lab") is None
    assert last_used(app)["alice", "lab"] > later - HEARD_LATELY - 60


def test_use_is_never_taken_back_nor_put_into_the_future(reports: Reports) -> None:
    reports.hear("alice", "", ago(10).isoformat())
    reports.hear("alice", "", ago(3600).replace(tzinfo=None).isoformat())
    assert reports.used("alice", "") == pytest.approx(time.time() - 10, abs=2)
    reports.hear("alice", "", ago(-3000).isoformat())
    assert reports.used("alice", "") == pytest.approx(time.time(), abs=2)
    reports.hear("bob", "", "yesterday")
    assert reports.used("bob", "") is None


def test_reports_are_heard_wherever_the_hub_hears_them() -> None:
    before = list(default_handlers)
    # Another test of this process may have replaced it already.
    patterns = [entry[0] for entry in before if issubclass(entry[1], ActivityAPIHandler)]
    assert patterns
    try:
        hear_reports()
        assert [entry[0] for entry in default_handlers if entry[1] is ActivityHandler] == patterns
        assert not [entry for entry in default_handlers if entry[1] is ActivityAPIHandler]
    finally:
        default_handlers[:] = before
