"""From open to frozen to ended to forgotten, and who owns a course meanwhile."""

from __future__ import annotations

import sqlalchemy as sa

from slurmhub.courses import rows
from slurmhub.courses.approving import WITHDRAWN, close, open_requests
from slurmhub.courses.bounds import problems
from slurmhub.courses.errors import CourseRefused, MemberUnknown, NotNow
from slurmhub.courses.mails import remind
from slurmhub.courses.model import Role, State
from slurmhub.courses.record import What
from slurmhub.courses.retention import Due, Step, calendar, due
from slurmhub.courses.rights import SYSTEM, Action, Person
from slurmhub.courses.stored import Stored
from slurmhub.courses.tables import (
    approvals,
    codes,
    courses,
    helps,
    mails,
    members,
    messages,
    record,
)
from slurmhub.courses.writing import Transactions, Writing


class Stages:
    """What each course is at; see `Transactions` for what everything here raises.

    `by_mail` says that reminders go to staff by mail as well.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._all = transactions
        self.by_mail = False

    def freeze(self, by: Person, key: str) -> Stored:
        """Files can be read, nothing starts; raises CourseUnknown, NotAllowed, NotNow."""

        def write(writing: Writing) -> Stored:
            stored = writing.require(key, Action.FREEZE)
            if stored.state is State.FROZEN:
                return stored
            return _to(writing, stored, State.FROZEN, What.FROZEN)

        return self._all.write(by, write)

    def thaw(self, by: Person, key: str) -> Stored:
        """Open again what is frozen, if it is still within its bounds.

        Raises CourseRefused, CourseUnknown, NotAllowed, NotNow.
        """

        def write(writing: Writing) -> Stored:
            stored = writing.require(key, Action.FREEZE)
            if stored.state is State.OPEN:
                return stored
            found = problems(stored.course, writing.policy, writing.others(key), owner=stored.owner)
            if found:
                raise CourseRefused(found)
            after = _to(writing, stored, State.OPEN, What.OPENED)
            at = calendar(after, writing.policy.retention).freeze
            if at is not None and at <= writing.now:
                raise NotNow(
                    "The term of this course is over, so it would be frozen again at once.",
                    remedy="Let its term end later first.",
                )
            return after

        return self._all.write(by, write)

    def end(self, by: Person, key: str) -> Stored:
        """Take away what the course has; raises CourseUnknown, NotAllowed, NotNow."""

        def write(writing: Writing) -> Stored:
            return _end(writing, writing.require(key, Action.END))

        return self._all.write(by, write)

    def give(self, by: Person, key: str, username: str) -> Stored:
        """Another owner, who must be an instructor of the course; the old one is one then.

        Raises MemberUnknown, CourseRefused, CourseUnknown, NotAllowed, NotNow.
        """

        def write(writing: Writing) -> Stored:
            stored = writing.require(key, Action.CHANGE_OWNER)
            if username == stored.owner:
                return stored
            new = writing.member(key, username)
            if new is None or not new.active or new.role is not Role.INSTRUCTOR:
                raise MemberUnknown(
                    f"{username} is no instructor of this course.",
                    remedy="Bring them in as an instructor first.",
                )
            others = writing.others(key)
            found = problems(stored.course, writing.policy, others, owner=username)
            too_many = [one for one in found if one.field == "owner"]
            if too_many and not by.administrator:
                raise CourseRefused(too_many)
            after = writing.update_course(stored, owner=username)
            for name, role in ((stored.owner, Role.INSTRUCTOR), (username, Role.OWNER)):
                this = (members.c.course == key) & (members.c.username == name)
                writing.connection.execute(members.update().where(this).values(role=role.value))
            writing.note(What.OWNER, key, subject=username, version=after.version)
            return after

        return self._all.write(by, write)

    def due(self) -> tuple[Due, ...]:
        """What the time has brought and is still to be done, oldest first."""
        retention, now = self._all.policy.retention, self._all.clock()

        def ask(connection: sa.Connection) -> tuple[Due, ...]:
            found = [
                due(one, retention, now, reminded=_reminded(connection, one))
                for one in rows.read_courses(connection)
            ]
            return tuple(sorted((one for one in found if one), key=lambda one: one.at))

        return self._all.read(ask)

    def do(self, step: Due) -> bool:
        """Do it, if its time has come still; a reminder is written down, with its mails.

        False when there is nothing to do any more.
        """

        def write(writing: Writing) -> bool:
            stored = rows.read_course(writing.connection, step.key)
            if stored is None:
                return False
            reminded = _reminded(writing.connection, stored)
            now = due(stored, writing.policy.retention, writing.now, reminded=reminded)
            if now is None or (now.step, now.days) != (step.step, step.days):
                return False
            if now.step is Step.REMIND:
                writing.note(What.REMINDED, stored.key, detail={"days": now.days})
                if self.by_mail and now.days is not None:
                    remind(writing, stored, now.days)
            elif now.step is Step.FREEZE:
                _to(writing, stored, State.FROZEN, What.FROZEN)
            elif now.step is Step.END:
                _end(writing, stored)
            else:
                _forget(writing, stored.key)
            return True

        return self._all.write(SYSTEM, write)


def _to(writing: Writing, stored: Stored, state: State, what: What) -> Stored:
    after = writing.update_course(stored, state=state)
    writing.note(what, stored.key, version=after.version)
    return after


def _end(writing: Writing, stored: Stored) -> Stored:
    for waiting in open_requests(writing, stored.key):
        close(writing, waiting, WITHDRAWN)
    this = (codes.c.course == stored.key) & codes.c.revoked.is_(None)
    writing.connection.execute(codes.update().where(this).values(revoked=writing.now))
    return _to(writing, stored, State.ENDED, What.ENDED)


def _forget(writing: Writing, key: str) -> None:
    for table in (record, approvals, codes, members, messages, helps, mails):
        writing.connection.execute(table.delete().where(table.c.course == key))
    writing.connection.execute(courses.delete().where(courses.c.key == key))
    writing.changed = True


def _reminded(connection: sa.Connection, stored: Stored) -> dict[int, float]:
    """When each reminder was sent last, by its days."""
    where = (record.c.course == stored.key) & (record.c.what == What.REMINDED.value)
    return {int(one.detail["days"]): one.at for one in rows.read_record(connection, where)}
