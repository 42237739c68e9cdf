"""Join codes in the database: who made them, how many they let in, and who tries how often.

A code itself is nowhere: only its digest is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa

from slurmhub.courses.entering import check_seats, enter, may_return
from slurmhub.courses.errors import CourseFull, MemberUnknown
from slurmhub.courses.model import Role, State
from slurmhub.courses.people import Member, Source
from slurmhub.courses.record import What
from slurmhub.courses.rights import Action, Person
from slurmhub.courses.tables import codes, tries
from slurmhub.courses.writing import Transactions, Writing, row_number


@dataclass(frozen=True)
class JoinCode:
    """A code as staff see it; times are in seconds since the epoch."""

    number: int
    course: str
    made_by: str
    made: float
    expires: float
    seats: int
    used: int
    revoked: float | None = None


@dataclass(frozen=True)
class Tries:
    """How many wrong codes are heard in so many seconds: of one person, and of all together.

    Beyond those of all, each person is still heard until they were wrong `spared` times: nobody
    keeps a whole class out by being wrong often enough.
    """

    of_one: int = 10
    of_all: int = 300
    spared: int = 2
    seconds: float = 3600.0


class Outcome(Enum):
    """What became of a code that somebody gave."""

    IN = "in"
    ALREADY = "already"
    """They are in the course; the code has as many seats as before."""
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"
    USED_UP = "used-up"
    """As many came in with it as it was made for."""
    FULL = "full"
    """The course has no seat."""
    TAKEN_OUT = "taken-out"
    """Staff took them out of the course, and alone bring them in again."""
    CLOSED = "closed"
    """The course is not open."""
    TOO_MANY = "too-many"
    """Too many wrong codes were given lately."""


@dataclass(frozen=True)
class Given:
    """What became of a code, and the course that it is for, where that is to be known."""

    outcome: Outcome
    course: str | None = None


USUAL_TRIES = Tries()


class Codes:
    """The join codes of all courses; see `Transactions` for what everything here raises."""

    def __init__(self, transactions: Transactions) -> None:
        self._all = transactions

    def add(self, by: Person, key: str, digest: str, *, seats: int, expires: float) -> JoinCode:
        """A new code for so many students until then; raises CourseUnknown, NotAllowed, NotNow."""

        def write(writing: Writing) -> JoinCode:
            writing.require(key, Action.CHANGE_ROSTER)
            values = {
                "digest": digest,
                "course": key,
                "made_by": by.username,
                "made": writing.now,
                "expires": expires,
                "seats": seats,
                "used": 0,
            }
            writing.connection.execute(codes.insert().values(values))
            detail = {"limit": seats, "expires": expires}
            writing.note(What.CODE_MADE, key, detail=detail)
            return _read(writing, codes.c.digest == digest)[0]

        return self._all.write(by, write)

    def of(self, by: Person, key: str) -> tuple[JoinCode, ...]:
        """The codes of a course, oldest first; raises CourseUnknown, NotAllowed."""

        def ask(writing: Writing) -> tuple[JoinCode, ...]:
            writing.require(key, Action.SEE_RECORD)
            return _read(writing, codes.c.course == key)

        return self._all.look(by, ask)

    def revoke(self, by: Person, key: str, number: int) -> JoinCode:
        """Let nobody in with it any more; raises MemberUnknown, CourseUnknown, NotAllowed."""

        def write(writing: Writing) -> JoinCode:
            writing.require(key, Action.CHANGE_ROSTER)
            this = (codes.c.course == key) & (codes.c.id == row_number(number))
            found = _read(writing, this)
            if not found:
                raise MemberUnknown(
                    "There is no such join code.", remedy="Look at the codes of the course again."
                )
            if found[0].revoked is not None:
                return found[0]
            writing.connection.execute(codes.update().where(this).values(revoked=writing.now))
            writing.note(What.CODE_REVOKED, key, detail={"code": number})
            return _read(writing, this)[0]

        return self._all.write(by, write)

    def use(self, by: Person, digest: str, *, allowed: Tries = USUAL_TRIES) -> Given:
        """Let somebody in, if the code does; wrong ones are counted, also when this says no."""

        def write(writing: Writing) -> Given:
            if _too_many(writing, allowed):
                return Given(Outcome.TOO_MANY)
            given = _given(writing, digest)
            if given.outcome in (Outcome.UNKNOWN, Outcome.EXPIRED, Outcome.REVOKED):
                values = {"username": by.username, "at": writing.now}
                writing.connection.execute(tries.insert().values(values))
            return given

        return self._all.write(by, write)


def _given(writing: Writing, digest: str) -> Given:
    found = _read(writing, codes.c.digest == digest)
    if not found:
        return Given(Outcome.UNKNOWN)
    (code,) = found
    key, username = code.course, writing.by.username
    stored, own = writing.stored(key), writing.member(key, username)
    if own is not None and own.active:
        return Given(Outcome.ALREADY, key)
    if code.revoked is not None:
        return Given(Outcome.REVOKED)
    if writing.now >= code.expires:
        return Given(Outcome.EXPIRED)
    if stored.state is not State.OPEN:
        return Given(Outcome.CLOSED, key)
    if own is not None and not may_return(own) and own.dropped_by != username:
        return Given(Outcome.TAKEN_OUT, key)
    if code.used >= code.seats:
        return Given(Outcome.USED_UP, key)
    try:
        check_seats(writing, stored, 1)
    except CourseFull:
        return Given(Outcome.FULL, key)
    new = Member(
        course=key, role=Role.STUDENT, source=Source.CODE, since=writing.now, username=username
    )
    enter(writing, own, new)
    this = codes.c.id == code.number
    writing.connection.execute(codes.update().where(this).values(used=codes.c.used + 1))
    writing.note(What.CODE_USED, key, subject=username, detail={"code": code.number})
    return Given(Outcome.IN, key)


def _too_many(writing: Writing, allowed: Tries) -> bool:
    since = writing.now - allowed.seconds
    writing.connection.execute(tries.delete().where(tries.c.at < since))
    count = sa.select(sa.func.count()).select_from(tries)
    mine = count.where(tries.c.username == writing.by.username)
    of_one = int(writing.connection.execute(mine).scalar_one())
    of_all = int(writing.connection.execute(count).scalar_one())
    busy = of_all >= allowed.of_all
    return of_one >= (min(allowed.spared, allowed.of_one) if busy else allowed.of_one)


def _read(writing: Writing, where: sa.ColumnElement[bool]) -> tuple[JoinCode, ...]:
    query = sa.select(codes).where(where).order_by(codes.c.id)
    return tuple(
        JoinCode(
            number=row.id,
            course=row.course,
            made_by=row.made_by,
            made=row.made,
            expires=row.expires,
            seats=row.seats,
            used=row.used,
            revoked=row.revoked,
        )
        for row in writing.connection.execute(query)
    )
