"""The courses of a hub in their database: the one door for pages, command, file and REST alike.

Each change is one transaction with its line in the record, checks in itself whether its person may
make it, and moves the revision. All of it waits for the database: call it in threads.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from slurmhub import database
from slurmhub.courses import rows
from slurmhub.courses.approving import WITHDRAWN as NOT_ASKED
from slurmhub.courses.approving import Approvals, ask, changed_since, close, open_requests, pairs
from slurmhub.courses.bounds import needs_approval, problems
from slurmhub.courses.changes import document_of
from slurmhub.courses.copying import Copied, copied
from slurmhub.courses.entering import insert_member, students_in
from slurmhub.courses.errors import CourseRefused, CoursesAway, KeyTaken, MemberUnknown, NotAllowed
from slurmhub.courses.helping import Helps
from slurmhub.courses.joining import Codes
from slurmhub.courses.kinds import is_username
from slurmhub.courses.known import KnownPeople
from slurmhub.courses.mails import Mails
from slurmhub.courses.membership import Members
from slurmhub.courses.messages import Messages
from slurmhub.courses.model import Course, Role, State, Term
from slurmhub.courses.people import Member, Source
from slurmhub.courses.policy import Policy
from slurmhub.courses.record import Entry, What
from slurmhub.courses.rights import (
    SYSTEM,
    Action,
    Person,
    allowed,
    check_making,
    is_approver,
    refusal,
)
from slurmhub.courses.stages import Stages
from slurmhub.courses.stored import Enrolment, Saved, Snapshot, Stored
from slurmhub.courses.tables import MIGRATIONS, VERSION_TABLE, courses, members, record, revision
from slurmhub.courses.writing import Clock, Transactions, Writing, away, row_number
from slurmhub.options.refusal import Problem
from slurmhub.options.words import counted

NOBODY: Mapping[str, Role] = {}


def open_courses(url: str, policy: Policy, *, clock: Clock = time.time) -> Courses:
    """The courses in the database at this SQLAlchemy URL, with tables of the newest form.

    Raises CoursesAway.
    """
    try:
        engine = database.open_engine(url)
        database.migrate(engine, MIGRATIONS, version_table=VERSION_TABLE)
    except sa.exc.SQLAlchemyError as error:
        raise away(error) from error
    except OSError as error:
        raise CoursesAway(f"{error.filename}: {error.strerror}") from error
    return Courses(engine, policy, clock=clock)


class Courses:
    """All courses of one hub. Every method raises CoursesAway when the database is away.

    `members`, `people`, `codes`, `approvals`, `stages`, `messages`, `helps` and `mails` are what
    has a class of its own.
    """

    def __init__(self, engine: sa.Engine, policy: Policy, *, clock: Clock = time.time) -> None:
        self._all = Transactions(engine, policy, clock)
        self.members = Members(self._all)
        self.codes = Codes(self._all)
        self.people = KnownPeople(self._all)
        self.approvals = Approvals(self._all)
        self.stages = Stages(self._all)
        self.messages = Messages(self._all)
        self.helps = Helps(self._all)
        self.mails = Mails(self._all)

    @property
    def policy(self) -> Policy:
        """What the institution says; may be replaced."""
        return self._all.policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        self._all.policy = policy

    def close(self) -> None:
        """Give the connections back."""
        self._all.engine.dispose()

    # What is made and changed

    def create(
        self,
        by: Person,
        course: Course,
        *,
        owner: str | None = None,
        staff: Mapping[str, Role] = NOBODY,
        note: str = "",
    ) -> Saved:
        """A new course, open at once or waiting for approval; an administrator names an owner.

        `staff` are others by username. Raises NotAllowed, KeyTaken, CourseRefused.
        """

        def write(writing: Writing) -> Saved:
            check_making(by, writing.policy)
            whose = owner if owner is not None and by.administrator else by.username
            if not is_username(whose):
                raise MemberUnknown(
                    "The owner is called as nobody can be.", remedy="Give their name at the hub."
                )
            saved = _insert(writing, course, whose, note, What.CREATED, {})
            for username, role in staff.items():
                if role not in (Role.INSTRUCTOR, Role.ASSISTANT):
                    raise NotAllowed(
                        "The staff of a course are its instructors and assistants.",
                        remedy="Bring students in by themselves, or by a roster.",
                    )
                if username != whose:
                    _bring_in(writing, course.key, username, role)
            return saved

        return self._all.write(by, write)

    def change(self, by: Person, key: str, version: int, new: Course, *, note: str = "") -> Saved:
        """The course of version `version` as `new`, or a request if that needs approval.

        Raises CourseChanged when somebody was faster, CourseRefused, CourseUnknown, NotAllowed,
        NotNow.
        """

        def write(writing: Writing) -> Saved:
            stored = writing.require(key, Action.CHANGE)
            if stored.version != version:
                raise changed_since(writing, stored, version, new)
            if new.key != key:
                words = "The name of a course stays: it is that of its server and its folders."
                raise CourseRefused([Problem("key", new.key, words)])
            if new == stored.course and stored.state is not State.REFUSED:
                return Saved(stored)
            if stored.state.served:
                return _change_served(writing, stored, new, note)
            return _change_unserved(writing, stored, new, note)

        return self._all.write(by, write)

    def copy(
        self, by: Person, key: str, new_key: str, term: Term, *, title: str | None = None
    ) -> tuple[Saved, Copied]:
        """The same course in another term with the same staff, in one step, and what it lacks.

        Who copies it owns it. Raises as `create`, CourseUnknown, and pydantic.ValidationError for
        a key that is none.
        """

        def write(writing: Writing) -> tuple[Saved, Copied]:
            stored = writing.require(key, Action.COPY)
            check_making(by, writing.policy)
            copy = copied(stored.course, new_key, term, title=title)
            detail = {"source": key}
            saved = _insert(writing, copy.course, by.username, "", What.COPIED, detail)
            for one in rows.read_members(writing.connection, _active(key)):
                if one.role.staff and one.username not in (None, by.username):
                    role = Role.INSTRUCTOR if one.role is Role.OWNER else one.role
                    _bring_in(writing, new_key, str(one.username), role, name=one.name)
            return saved, copy

        return self._all.write(by, write)

    # What there is

    def get(self, by: Person, key: str, action: Action = Action.SEE) -> Stored:
        """One course, if this person may do this; raises CourseUnknown, NotAllowed, NotNow."""
        return self._all.look(by, lambda writing: writing.require(key, action))

    def rights(self, by: Person, key: str) -> tuple[Stored, Role | None, frozenset[Action]]:
        """One course, what this person is in it, and all that they may do now; CourseUnknown."""

        def ask_all(writing: Writing) -> tuple[Stored, Role | None, frozenset[Action]]:
            stored, role, policy = writing.require(key, Action.SEE), writing.role(key), self.policy
            now = {
                one
                for one in allowed(by, role, policy)
                if refusal(by, one, role, stored.state, policy, key=key) is None
            }
            return stored, role, frozenset(now)

        return self._all.look(by, ask_all)

    def all_for(self, username: str) -> tuple[Enrolment, ...]:
        """The courses that somebody is in now, whatever they are at, by key."""

        def ask_all(connection: sa.Connection) -> tuple[Enrolment, ...]:
            mine = _everywhere(username)
            rows_of = {one.course: one for one in rows.read_members(connection, mine)}
            if not rows_of:
                return ()
            found = rows.read_courses(connection, courses.c.key.in_(rows_of))
            return tuple(Enrolment(one, rows_of[one.key]) for one in found)

        return self._all.read(ask_all)

    def visible(self, by: Person) -> tuple[Stored, ...]:
        """Every course that this person may see: their own, or all who decide on them."""

        def ask_all(writing: Writing) -> tuple[Stored, ...]:
            found = rows.read_members(writing.connection, _everywhere(by.username))
            roles = {one.course: one.role for one in found}
            where = None if is_approver(by, self.policy) else courses.c.key.in_(roles)
            return tuple(
                one
                for one in rows.read_courses(writing.connection, where)
                if refusal(by, Action.SEE, roles.get(one.key), one.state, self.policy, key=one.key)
                is None
            )

        return self._all.look(by, ask_all)

    def revision(self) -> int:
        """A number that grows with each change of anything."""
        query = sa.select(revision.c.number)
        return self._all.read(lambda connection: int(connection.execute(query).scalar_one()))

    def snapshot(self) -> Snapshot:
        """Everything at one moment, ended courses as well: what is to be in Slurm follows."""

        def ask_all(connection: sa.Connection) -> Snapshot:
            number = int(connection.execute(sa.select(revision.c.number)).scalar_one())
            found: dict[str, list[Member]] = defaultdict(list)
            for one in rows.read_members(connection, sa.true()):
                found[one.course].append(one)
            people = {key: tuple(each) for key, each in found.items()}
            return Snapshot(number, rows.read_courses(connection), people)

        return self._all.read(ask_all)

    # What was done

    def record(
        self, by: Person, key: str, *, before: int | None = None, most: int = 200
    ) -> tuple[Entry, ...]:
        """The newest lines of a course, oldest first; `before` is the number of a line.

        Raises CourseUnknown, NotAllowed.
        """

        def ask_all(writing: Writing) -> tuple[Entry, ...]:
            writing.require(key, Action.SEE_RECORD)
            where = record.c.course == key
            if before is not None:
                where &= record.c.id < row_number(before)
            return rows.read_record(writing.connection, where, newest=most)

        return self._all.look(by, ask_all)

    def note(
        self,
        by: Person,
        key: str,
        action: Action,
        what: What,
        *,
        subject: str | None = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """A line for something that is done elsewhere, if this person may do it.

        Raises CourseUnknown, NotAllowed, NotNow; write it before the thing is done.
        """

        def write(writing: Writing) -> None:
            writing.require(key, action)
            writing.note(what, key, subject=subject, detail=detail)

        self._all.write(by, write)

    def realised(self, key: str, waiting: str = "") -> None:
        """What the Slurm side says of a course: all is as it should be, or why it is not yet."""

        def write(writing: Writing) -> None:
            values = {"realised": writing.now, "waiting": waiting}
            this = courses.c.key == key
            writing.connection.execute(courses.update().where(this).values(values))

        self._all.write(SYSTEM, write)


def _everywhere(username: str) -> sa.ColumnElement[bool]:
    if not is_username(username):
        return sa.false()
    return (members.c.username == username) & members.c.dropped.is_(None)


def _active(key: str) -> sa.ColumnElement[bool]:
    return (members.c.course == key) & members.c.dropped.is_(None)


def _insert(
    writing: Writing, course: Course, owner: str, note: str, what: What, detail: dict[str, Any]
) -> Saved:
    key, policy = course.key, writing.policy
    if rows.read_course(writing.connection, key) is not None:
        raise KeyTaken(key)
    found = problems(course, policy, writing.others(key), owner=owner)
    if found:
        raise CourseRefused(found)
    reasons = () if writing.by.administrator else needs_approval(course, policy)
    values = {
        "key": key,
        "version": 1,
        "state": (State.WAITING if reasons else State.OPEN).value,
        "document": document_of(course),
        "owner": owner,
        "created": writing.now,
        "changed": writing.now,
    }
    writing.connection.execute(courses.insert().values(values))
    first = Member(
        course=key, role=Role.OWNER, source=Source.NAME, since=writing.now, username=owner
    )
    insert_member(writing, first)
    writing.note(what, key, subject=owner, version=1, detail=detail)
    stored = writing.stored(key)
    return Saved(stored, ask(writing, stored, course, reasons, note) if reasons else None)


def _bring_in(writing: Writing, key: str, username: str, role: Role, *, name: str = "") -> None:
    colleague = Member(
        course=key,
        role=role,
        source=Source.NAME,
        since=writing.now,
        username=username,
        name=name,
    )
    insert_member(writing, colleague)
    writing.note(What.ADDED, key, subject=username, detail={"role": role.value})


def _change_served(writing: Writing, stored: Stored, new: Course, note: str) -> Saved:
    """Changed at once, or not at all until it is approved."""
    _check_bounds(writing, stored, new, before=stored.course)
    reasons = needs_approval(new, writing.policy, before=stored.course)
    if reasons and not writing.by.administrator:
        return Saved(stored, ask(writing, stored, new, reasons, note))
    after = writing.update_course(stored, document=document_of(new))
    detail = {"changes": pairs(stored.course, new)}
    writing.note(What.CHANGED, stored.key, version=after.version, detail=detail)
    waiting = open_requests(writing, stored.key)
    return Saved(after, waiting[-1] if waiting else None)


def _change_unserved(writing: Writing, stored: Stored, new: Course, note: str) -> Saved:
    """Changed at once, and asked for anew unless it needs no approval any more."""
    _check_bounds(writing, stored, new, before=None)
    reasons = () if writing.by.administrator else needs_approval(new, writing.policy)
    state = State.WAITING if reasons else State.OPEN
    for old in open_requests(writing, stored.key):
        close(writing, old, NOT_ASKED)
    after = writing.update_course(stored, state=state, document=document_of(new))
    detail = {"changes": pairs(stored.course, new)}
    writing.note(What.CHANGED, stored.key, version=after.version, detail=detail)
    if not reasons:
        writing.note(What.OPENED, stored.key, version=after.version)
        return Saved(after)
    return Saved(after, ask(writing, after, new, reasons, note))


def _check_bounds(writing: Writing, stored: Stored, new: Course, *, before: Course | None) -> None:
    found = problems(
        new, writing.policy, writing.others(stored.key), owner=stored.owner, before=before
    )
    there = students_in(writing, stored.key)
    if new.seats < min(there, stored.course.seats):
        words = f"There are {counted(there, 'student')} in the course already."
        found = (*found, Problem("seats", str(new.seats), words))
    if found:
        raise CourseRefused(found)
