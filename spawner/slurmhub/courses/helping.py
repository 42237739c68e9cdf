"""Help at a student's server: asked for by staff, allowed by the student, for some time only.

Here is what was asked and allowed. The hub gives access to what `allowed_now` says, and takes it
away when it says so no more: whoever is no longer staff, or whose student left, has no access,
whatever was allowed once.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from slurmhub.courses.errors import CourseError, MemberUnknown
from slurmhub.courses.model import Role, State
from slurmhub.courses.record import What
from slurmhub.courses.rights import SYSTEM, Action, Person
from slurmhub.courses.tables import courses, helps, members
from slurmhub.courses.writing import Transactions, Writing, row_number

ASKED_FOR = 30 * 60.0
"""Seconds for which a student may answer."""

LONGEST = 120
"""Minutes for which somebody may be let in."""


class HelpUnknown(CourseError):
    """Nobody asks this, or no longer."""

    def __init__(self) -> None:
        super().__init__("Nobody asks to be let in so, or no longer.", remedy="Ask for help again.")


class HelpRefused(CourseError):
    """Help for a time that nobody is let in for."""

    def __init__(self, minutes: int) -> None:
        super().__init__(
            f"Nobody is let in for {minutes} minutes.",
            remedy=f"Ask for 1 to {LONGEST} minutes.",
        )


@dataclass(frozen=True)
class Help:
    """Who asked to be let in at whose server, for so many minutes once it is allowed.

    Times are in seconds since the epoch; `ended` by the student, the helper, or the hub.
    """

    number: int
    course: str
    student: str
    helper: str
    minutes: int
    asked: float
    allowed: float | None = None
    ended: float | None = None
    ended_by: str | None = None

    @property
    def until(self) -> float:
        """When the question or the access is over, if nobody ends it before."""
        if self.allowed is None:
            return self.asked + ASKED_FOR
        return self.allowed + self.minutes * 60.0

    def open(self, now: float) -> bool:
        """Whether it can still be answered, or holds."""
        return self.ended is None and now < self.until


class Helps:
    """All help of a hub; see `Transactions` for what everything here raises."""

    def __init__(self, transactions: Transactions) -> None:
        self._all = transactions

    def ask(self, by: Person, key: str, student: str, minutes: int) -> Help:
        """Ask a student; what this helper asked them before is over.

        Raises MemberUnknown, HelpRefused, CourseUnknown, NotAllowed, NotNow.
        """

        def write(writing: Writing) -> Help:
            writing.require(key, Action.HELP)
            one = writing.member(key, student)
            if one is None or not one.active or one.role is not Role.STUDENT:
                raise MemberUnknown(
                    f"There is no student {student} in this course.",
                    remedy="Choose somebody of its roster.",
                )
            if not 1 <= minutes <= LONGEST:
                raise HelpRefused(minutes)
            for old in _open(writing, helps.c.course == key):
                if (old.student, old.helper) == (student, by.username):
                    _end(writing, old)
            values = {
                "course": key,
                "student": student,
                "helper": by.username,
                "minutes": minutes,
                "asked": writing.now,
            }
            done = writing.connection.execute(helps.insert().values(values))
            number = done.inserted_primary_key
            assert number is not None  # noqa: S101 - the table numbers its rows
            made = _read(writing.connection, helps.c.id == number[0])[0]
            writing.note(What.HELP_ASKED, key, subject=student, detail={"minutes": minutes})
            return made

        return self._all.write(by, write)

    def allow(self, by: Person, number: int) -> Help:
        """The student lets them in; raises HelpUnknown."""

        def write(writing: Writing) -> Help:
            one = _one(writing, number)
            known = one is not None and one.student == by.username and one.allowed is None
            if one is None or not known or not _stands(writing.connection, one):
                raise HelpUnknown()
            this = helps.c.id == one.number
            writing.connection.execute(helps.update().where(this).values(allowed=writing.now))
            detail = {"minutes": one.minutes}
            writing.note(What.HELP_ALLOWED, one.course, subject=one.helper, detail=detail)
            return _read(writing.connection, this)[0]

        return self._all.write(by, write)

    def end(self, by: Person, number: int) -> Help:
        """The student says no or ends it, or the helper does; raises HelpUnknown."""

        def write(writing: Writing) -> Help:
            one = _one(writing, number)
            if one is None or by.username not in (one.student, one.helper):
                raise HelpUnknown()
            denied = one.allowed is None and by.username == one.student
            what = What.HELP_DENIED if denied else What.HELP_ENDED
            _end(writing, one)
            other = one.helper if by.username == one.student else one.student
            writing.note(what, one.course, subject=other)
            return _read(writing.connection, helps.c.id == one.number)[0]

        return self._all.write(by, write)

    def of(self, by: Person, key: str) -> tuple[Help, ...]:
        """What is asked and allowed in a course now; raises CourseUnknown, NotAllowed."""

        def ask(writing: Writing) -> tuple[Help, ...]:
            writing.require(key, Action.SEE_CLASS)
            return _open(writing, helps.c.course == key)

        return self._all.look(by, ask)

    def of_student(self, username: str) -> tuple[Help, ...]:
        """What somebody is asked now, and whom they let in."""

        def ask(writing: Writing) -> tuple[Help, ...]:
            found = _open(writing, helps.c.student == username)
            return tuple(one for one in found if _stands(writing.connection, one))

        return self._all.look(SYSTEM, ask)

    def allowed_now(self) -> tuple[Help, ...]:
        """Who may be at whose server now: all that the hub is to give access to."""

        def ask(writing: Writing) -> tuple[Help, ...]:
            found = _open(writing, helps.c.allowed.is_not(None))
            return tuple(one for one in found if _stands(writing.connection, one))

        return self._all.look(SYSTEM, ask)


def _one(writing: Writing, number: int) -> Help | None:
    found = _open(writing, helps.c.id == row_number(number))
    return found[0] if found else None


def _open(writing: Writing, where: sa.ColumnElement[bool]) -> tuple[Help, ...]:
    found = _read(writing.connection, where & helps.c.ended.is_(None))
    return tuple(one for one in found if one.open(writing.now))


def _stands(connection: sa.Connection, one: Help) -> bool:
    """Whether the course is open, its student still in it, and the helper of its staff."""
    query = (
        sa.select(members.c.username, members.c.role)
        .join(courses, courses.c.key == members.c.course)
        .where(
            (members.c.course == one.course)
            & (courses.c.state == State.OPEN.value)
            & members.c.dropped.is_(None)
            & members.c.username.in_([one.student, one.helper])
        )
    )
    roles = {row.username: Role(row.role) for row in connection.execute(query)}
    student, helper = roles.get(one.student), roles.get(one.helper)
    return student is Role.STUDENT and helper is not None and helper.staff


def _end(writing: Writing, one: Help) -> None:
    this = helps.c.id == one.number
    values = {"ended": writing.now, "ended_by": writing.by.username}
    writing.connection.execute(helps.update().where(this).values(values))


def _read(connection: sa.Connection, where: sa.ColumnElement[bool]) -> tuple[Help, ...]:
    query = sa.select(helps).where(where).order_by(helps.c.id)
    return tuple(
        Help(
            number=row.id,
            course=row.course,
            student=row.student,
            helper=row.helper,
            minutes=row.minutes,
            asked=row.asked,
            allowed=row.allowed,
            ended=row.ended,
            ended_by=row.ended_by,
        )
        for row in connection.execute(query)
    )
