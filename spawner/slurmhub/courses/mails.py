"""Reminders that go to staff by mail: one row for each of them, from the reminder until it is sent.

A row is made in the transaction that writes the reminder down, so that there is never one without
the other. Who sends says then what became of it; what is no longer true is never sent.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from slurmhub.courses import rows
from slurmhub.courses.retention import calendar
from slurmhub.courses.rights import SYSTEM
from slurmhub.courses.stored import Stored
from slurmhub.courses.tables import mails, members, persons
from slurmhub.courses.writing import Transactions, Writing

AT_ONCE = 50
"""Mails in one round."""
# Seconds by which the end may have moved, and be the same.
_SAME = 60.0


@dataclass(frozen=True)
class Mail:
    """A reminder that is to be sent: `days` before the course ends at `ends`.

    `address` is what sign-in told last, None where it told none; `made` is when it was reminded.
    """

    number: int
    course: Stored
    username: str
    address: str | None
    days: int
    ends: float
    made: float


class Mails:
    """The mails of all courses; see `Transactions` for what everything here raises."""

    def __init__(self, transactions: Transactions) -> None:
        self._all = transactions

    def due(self) -> tuple[Mail, ...]:
        """Those whose time to be tried has come, oldest first, `AT_ONCE` at most.

        Those that are no longer true are taken away: the course ended, its end was put off, or
        they are not of its staff any more.
        """

        def write(writing: Writing) -> tuple[Mail, ...]:
            waits = mails.c.sent.is_(None) & (mails.c.again <= writing.now)
            query = sa.select(mails).where(waits).order_by(mails.c.again, mails.c.id).limit(AT_ONCE)
            found = []
            for row in writing.connection.execute(query).mappings().all():
                mail = _mail(writing, row)
                if mail is None:
                    gone = mails.delete().where(mails.c.id == row["id"])
                    writing.connection.execute(gone)
                else:
                    found.append(mail)
            return tuple(found)

        return self._all.write(SYSTEM, write)

    def sent(self, number: int) -> None:
        """A mail server took it."""
        self._set(number, sent=self._all.clock())

    def later(self, number: int, seconds: float) -> None:
        """Try it again, not before so many seconds."""
        self._set(number, again=self._all.clock() + seconds)

    def waiting(self) -> int:
        """How many are not sent yet."""
        query = sa.select(sa.func.count()).select_from(mails).where(mails.c.sent.is_(None))
        return self._all.read(lambda connection: int(connection.execute(query).scalar_one()))

    def _set(self, number: int, **values: float) -> None:
        def write(writing: Writing) -> None:
            this = mails.update().where(mails.c.id == number).values(values)
            writing.connection.execute(this)

        self._all.write(SYSTEM, write)


def remind(writing: Writing, stored: Stored, days: int) -> None:
    """A mail for each of the staff who ever signed in, in the transaction of the reminder."""
    ends = calendar(stored, writing.policy.retention).end
    for username in _staff(writing, stored.key):
        values = {
            "course": stored.key,
            "username": username,
            "days": days,
            "ends": ends,
            "made": writing.now,
            "again": writing.now,
        }
        writing.connection.execute(mails.insert().values(values))


def _staff(writing: Writing, key: str) -> list[str]:
    here = (members.c.course == key) & members.c.dropped.is_(None)
    found = rows.read_members(writing.connection, here)
    return [one.username for one in found if one.role.staff and one.username is not None]


def _mail(writing: Writing, row: sa.RowMapping) -> Mail | None:
    stored = rows.read_course(writing.connection, row["course"])
    if stored is None or not stored.state.served or writing.now >= row["ends"]:
        return None
    ends = calendar(stored, writing.policy.retention).end
    if ends is None or abs(ends - row["ends"]) > _SAME:
        return None
    if row["username"] not in _staff(writing, stored.key):
        return None
    query = sa.select(persons.c.mail).where(persons.c.username == row["username"])
    address = writing.connection.execute(query).scalar_one_or_none()
    return Mail(
        number=row["id"],
        course=stored,
        username=row["username"],
        address=address,
        days=row["days"],
        ends=row["ends"],
        made=row["made"],
    )
