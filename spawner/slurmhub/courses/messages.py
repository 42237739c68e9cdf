"""Messages of a course's staff to everybody in it, each shown until its time is over."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from slurmhub.courses.errors import CourseError
from slurmhub.courses.record import What
from slurmhub.courses.rights import Action, Person
from slurmhub.courses.tables import messages
from slurmhub.courses.writing import Transactions, Writing, row_number

LONGEST = 1000
"""Characters of one message."""

MOST = 5
"""Messages that one course shows at once: more than that nobody reads."""

LONGEST_SHOWN = 14 * 86400.0
"""Seconds."""

# Lines may end; nothing may turn the direction of reading, or be what no database takes.
_TEXT = re.compile("[^\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


class MessageRefused(CourseError):
    """A message that is not sent."""


@dataclass(frozen=True)
class Message:
    """What staff wrote to their class; times are in seconds since the epoch."""

    number: int
    course: str
    author: str
    text: str
    sent: float
    until: float


class Messages:
    """The messages of all courses; see `Transactions` for what everything here raises."""

    def __init__(self, transactions: Transactions) -> None:
        self._all = transactions

    def send(self, by: Person, key: str, text: str, *, until: float) -> Message:
        """Show this to the class until then.

        Raises MessageRefused, CourseUnknown, NotAllowed, NotNow.
        """
        words = text.replace("\r\n", "\n").strip()

        def write(writing: Writing) -> Message:
            writing.require(key, Action.HELP)
            _check(writing, key, words, until)
            values = {
                "course": key,
                "author": by.username,
                "text": words,
                "sent": writing.now,
                "until": until,
            }
            done = writing.connection.execute(messages.insert().values(values))
            number = done.inserted_primary_key
            assert number is not None  # noqa: S101 - the table numbers its rows
            made = _read(writing.connection, messages.c.id == number[0])[0]
            writing.note(What.MESSAGE, key, detail={"text": words})
            return made

        return self._all.write(by, write)

    def withdraw(self, by: Person, key: str, number: int) -> None:
        """Show it no more; nothing when it is not shown. Raises as `send`."""

        def write(writing: Writing) -> None:
            writing.require(key, Action.HELP)
            this = (messages.c.id == row_number(number)) & (messages.c.course == key)
            for one in _read(writing.connection, this & (messages.c.until > writing.now)):
                where = messages.c.id == one.number
                writing.connection.execute(messages.update().where(where).values(until=writing.now))
                writing.note(What.MESSAGE_GONE, key, detail={"text": one.text})

        self._all.write(by, write)

    def of(self, by: Person, key: str) -> tuple[Message, ...]:
        """Those that a course shows now, oldest first; raises CourseUnknown."""

        def ask(writing: Writing) -> tuple[Message, ...]:
            writing.require(key, Action.SEE)
            return _shown(writing.connection, [key], writing.now)

        return self._all.look(by, ask)

    def shown(self, keys: Collection[str]) -> tuple[Message, ...]:
        """Those that these courses show now, whoever asks."""
        now = self._all.clock()
        return self._all.read(lambda connection: _shown(connection, keys, now))


def _check(writing: Writing, key: str, text: str, until: float) -> None:
    if not text or len(text) > LONGEST or not _TEXT.fullmatch(text):
        raise MessageRefused(
            "This is no message: it is empty, too long, or has characters that cannot be shown.",
            remedy=f"Write at most {LONGEST} letters.",
        )
    if not writing.now < until <= writing.now + LONGEST_SHOWN:
        raise MessageRefused(
            "A message is shown for 14 days at most, and until some time to come.",
            remedy="Give another moment.",
        )
    if len(_shown(writing.connection, [key], writing.now)) >= MOST:
        raise MessageRefused(
            f"The class sees {MOST} messages already.", remedy="Withdraw one that is over."
        )


def _shown(connection: sa.Connection, keys: Collection[str], now: float) -> tuple[Message, ...]:
    return _read(connection, messages.c.course.in_(list(keys)) & (messages.c.until > now))


def _read(connection: sa.Connection, where: sa.ColumnElement[bool]) -> tuple[Message, ...]:
    query = sa.select(messages).where(where).order_by(messages.c.id)
    return tuple(
        Message(
            number=row.id,
            course=row.course,
            author=row.author,
            text=row.text,
            sent=row.sent,
            until=row.until,
        )
        for row in connection.execute(query)
    )
