"""One transaction on courses: who does it, when, and the line in the record that it leaves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa

from slurmhub import database
from slurmhub.courses import rows
from slurmhub.courses.bounds import Other
from slurmhub.courses.errors import CoursesAway, CourseUnknown
from slurmhub.courses.kinds import is_key, is_username
from slurmhub.courses.model import Role, State
from slurmhub.courses.people import Member
from slurmhub.courses.policy import Policy
from slurmhub.courses.record import What
from slurmhub.courses.rights import Action, Person, check
from slurmhub.courses.stored import Stored
from slurmhub.courses.tables import courses, members, record, revision

T = TypeVar("T")
Clock = Callable[[], float]


class Transactions:
    """The database of courses, in whole transactions; `policy` may be replaced at any time.

    Everything raises CoursesAway when the database cannot be used.
    """

    def __init__(self, engine: sa.Engine, policy: Policy, clock: Clock = time.time) -> None:
        self.engine = engine
        self.policy = policy
        self.clock = clock

    def write(self, by: Person, change: Callable[[Writing], T]) -> T:
        """All that `change` does, or nothing of it. Writers come one after the other."""

        def whole(connection: sa.Connection) -> T:
            # Held until the end: what is read here stays true until it is written.
            connection.execute(sa.select(revision.c.number).with_for_update()).one()
            writing = Writing(connection, by, self.clock(), self.policy)
            result = change(writing)
            if writing.changed:
                connection.execute(revision.update().values(number=revision.c.number + 1))
            return result

        return database.in_transaction(self.engine, whole, away=away)

    def look(self, by: Person, question: Callable[[Writing], T]) -> T:
        """What this reads, as of one moment; it must not write."""
        return self.read(
            lambda connection: question(Writing(connection, by, self.clock(), self.policy))
        )

    def read(self, question: Callable[[sa.Connection], T]) -> T:
        """What this reads, as of one moment."""
        try:
            with self.engine.connect() as connection:
                if self.engine.dialect.name == "postgresql":
                    connection = connection.execution_options(isolation_level="REPEATABLE READ")
                else:
                    connection.exec_driver_sql("BEGIN")
                return question(connection)
        except sa.exc.SQLAlchemyError as error:
            raise away(error) from error


@dataclass
class Writing:
    """What a transaction knows: `now` is in seconds since the epoch."""

    connection: sa.Connection
    by: Person
    now: float
    policy: Policy
    changed: bool = field(default=False)

    def stored(self, key: str) -> Stored:
        """A course; raises CourseUnknown."""
        found = rows.read_course(self.connection, key) if is_key(key) else None
        if found is None:
            raise CourseUnknown(key)
        return found

    def member(self, key: str, username: str) -> Member | None:
        """The row of somebody the hub knows, dropped or not."""
        if not is_username(username):
            return None
        mine = (members.c.course == key) & (members.c.username == username)
        found = rows.read_members(self.connection, mine)
        return found[0] if found else None

    def role(self, key: str) -> Role | None:
        """What who does this is in the course."""
        mine = self.member(key, self.by.username)
        return mine.role if mine is not None and mine.active else None

    def require(self, key: str, action: Action) -> Stored:
        """The course, if this may be done to it; raises CourseUnknown, NotAllowed or NotNow."""
        stored = self.stored(key)
        check(self.by, action, self.role(key), stored.state, self.policy, key=key)
        return stored

    def note(
        self,
        what: What,
        key: str,
        *,
        subject: str | None = None,
        version: int | None = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Add the line of the record, without which nothing is changed."""
        self.changed = True
        line = {
            "at": self.now,
            "who": self.by.username,
            "course": key,
            "what": what.value,
            "subject": subject,
            "version": version,
            "detail": detail or {},
        }
        self.connection.execute(record.insert().values(line))

    def others(self, key: str) -> tuple[Other, ...]:
        """The hub's other courses, for its bounds."""
        found = rows.read_courses(self.connection, courses.c.key != key)
        return tuple(Other(one.course, one.state, one.owner) for one in found)

    def update_course(self, stored: Stored, **values: Any) -> Stored:
        """The next version of a course."""
        state = values.pop("state", stored.state)
        new = {
            **values,
            "state": state.value,
            "version": stored.version + 1,
            "changed": self.now,
        }
        if state is not stored.state:
            new["frozen"] = self.now if state is State.FROZEN else None
            if state is State.ENDED:
                new["frozen"], new["ended"] = stored.frozen, self.now
        self.connection.execute(courses.update().where(courses.c.key == stored.key).values(new))
        return self.stored(stored.key)


def row_number(number: int) -> int:
    """The number of a row as somebody gave it; one that no row has where databases count so far."""
    return number if 0 < number < 2**31 else 0


def away(error: sa.exc.SQLAlchemyError) -> CoursesAway:
    """The error for a failure of the database."""
    return CoursesAway(database.first_line(error))
