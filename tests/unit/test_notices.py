"""Notices: what is kept, what holds when, and what is refused in words."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from slurmhub import announcing
from slurmhub.hub import notices as handlers
from slurmhub.language import spoken
from slurmhub.ledger import Ledger
from slurmhub.notices import MOST, Notice, NoticeInvalid, Notices, NoticeUnknown
from slurmhub.options.draining import refuse_while_draining
from slurmhub.options.refusal import GENERAL, Refusal


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Notices]:
    """The notices of a fresh ledger, as the hub tells them."""
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite", log=logging.getLogger("test"))
    announcing.use(Notices(ledger.engine))
    found = announcing.board()
    assert found is not None
    yield found
    announcing.use(None)
    ledger.close()


def notice(text: str = "Words.", **values: Any) -> Notice:
    return Notice(texts={"en": text}, author="admin", **values)


def test_notices_outlive_the_hub(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    first = Ledger(url, log=logging.getLogger("test"))
    kept = Notices(first.engine).add(notice("Ça ira.\n\nNext week.", partition="gpu", until=9e9))
    first.close()
    second = Ledger(url, log=logging.getLogger("test"))
    assert Notices(second.engine).all() == (kept,)
    second.close()


def test_what_holds_now_and_for_a_partition(board: Notices) -> None:
    now = time.time()
    board.add(notice("past", until=now - 5))
    board.add(notice("later", since=now + 60))
    everybody = board.add(notice("everybody", since=now - 60, until=now + 60))
    gpu = board.add(notice("gpu", partition="gpu"))
    assert announcing.shown() == (everybody, gpu)
    assert announcing.shown("gpu") == (everybody, gpu)
    assert announcing.shown("cpu") == (everybody,)
    assert list(announcing.facts("cpu")) == [("Announcement", "everybody")]


def test_no_new_server_starts_where_it_drains(board: Notices) -> None:
    board.add(notice("Only words."))
    refuse_while_draining("gpu")
    one = board.add(notice("Cooling.", partition="gpu", drains=True))
    refuse_while_draining("cpu")
    with pytest.raises(Refusal) as refused:
        refuse_while_draining("gpu")
    (problem,) = refused.value.problems
    assert problem.field == "partition"
    assert "Cooling." in problem.message
    board.change(one.id, partition=None)
    with pytest.raises(Refusal) as refused:
        refuse_while_draining("cpu")
    assert refused.value.problems[0].field == GENERAL
    board.change(one.id, until=time.time())
    refuse_while_draining("cpu")


def test_the_words_are_those_of_the_readers_language(board: Notices) -> None:
    both = board.add(Notice(texts={"en": "Hello", "fr": "Bonjour"}, author="admin"))
    french = board.add(Notice(texts={"en": " ", "fr": "Salut"}, author="admin"))
    assert french.texts == {"fr": "Salut"}
    with spoken("fr"):
        assert (both.text, french.text) == ("Bonjour", "Salut")
    with spoken("en"):
        assert (both.text, french.text) == ("Hello", "Salut")


@pytest.mark.parametrize(
    "wrong",
    [
        Notice(texts={}, author="a"),
        Notice(texts={"en": " \n "}, author="a"),
        Notice(texts={"tlh": "Hello"}, author="a"),
        Notice(texts={"en": "x" * 2001}, author="a"),
        Notice(texts={"en": "a\x1b[31m"}, author="a"),
        notice(partition="two words"),
        notice(partition="x" * 256),
        notice(partition=""),
        notice(since=2000.0, until=1000.0),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(board: Notices, wrong: Notice) -> None:
    with pytest.raises(NoticeInvalid) as refused:
        board.add(wrong)
    assert refused.value.remedy
    assert board.all() == ()


def test_there_is_an_end_to_it(board: Notices) -> None:
    for _ in range(MOST):
        board.add(notice())
    with pytest.raises(NoticeInvalid):
        board.add(notice())
    for one in board.all():
        board.remove(one.id)
    for act in (board.remove, board.get, board.change):
        with pytest.raises(NoticeUnknown):
            act(1)


def test_a_database_that_refuses_is_said_in_words(board: Notices) -> None:
    engine: sa.Engine = board._engine
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE slurmhub_notice"))
    with pytest.raises(NoticeInvalid, match="could not write"):
        board.add(notice())


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"text": "Hello"},
        {"texts": "Hello"},
        {"texts": {"en": 1}},
        {"texts": {}, "partition": 1},
        {"texts": {}, "drains": "yes"},
        {"texts": {}, "until": "tomorrow"},
        {"texts": {}, "until": True},
        {"texts": {}, "since": 1e300},
        {"texts": {}, "since": -1},
    ],
)
def test_json_of_another_kind_is_refused(body: object) -> None:
    with pytest.raises(NoticeInvalid):
        handlers._read(body)


def test_times_of_forms() -> None:
    seconds = handlers._time("2031-05-30T18:00")
    assert handlers._local(seconds) == "2031-05-30T18:00"
    assert handlers._time("  ") is None
    for wrong in ("soon", "0001-01-01T00:00", "2031-13-01T00:00"):
        with pytest.raises(NoticeInvalid):
            handlers._time(wrong)
