"""Who comes into courses and leaves them: one at a time, by roster, by group, at first sign-in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from slurmhub.courses import rows
from slurmhub.courses.entering import (
    check_seats,
    drop_member,
    enter,
    may_return,
    merge,
    students_in,
    update_member,
)
from slurmhub.courses.errors import CourseFull, MemberUnknown
from slurmhub.courses.known import is_news, learn
from slurmhub.courses.model import Role, State
from slurmhub.courses.people import NOTHING_KNOWN, Member, Source, recognised
from slurmhub.courses.record import What
from slurmhub.courses.rights import SYSTEM, Action, Person, check_role_change
from slurmhub.courses.roster.facts import Identifiers, PersonFacts
from slurmhub.courses.stored import Stored
from slurmhub.courses.tables import courses, members, record
from slurmhub.courses.writing import Transactions, Writing, row_number


@dataclass(frozen=True)
class RosterChange:
    """What a roster changes: rows to add, rows as they are to be, and those who leave by number."""

    add: tuple[Member, ...] = ()
    update: tuple[Member, ...] = ()
    drop: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.add or self.update or self.drop)


@dataclass(frozen=True)
class Came:
    """What sign-in did for somebody in one course.

    `doubtful` says that staff must decide which of several rows is theirs; `full` that they belong
    to the course's group, and no seat is left.
    """

    course: str
    doubtful: bool = False
    full: bool = False
    left: bool = False


class Members:
    """The people of all courses; see `Transactions` for what everything here raises."""

    def __init__(self, transactions: Transactions) -> None:
        self._all = transactions

    def of(self, by: Person, key: str) -> tuple[Member, ...]:
        """All of a course, also those who were dropped; raises CourseUnknown, NotAllowed."""

        def ask(writing: Writing) -> tuple[Member, ...]:
            writing.require(key, Action.SEE_CLASS)
            return rows.read_members(writing.connection, members.c.course == key)

        return self._all.look(by, ask)

    def add(
        self,
        by: Person,
        key: str,
        *,
        username: str | None = None,
        identifiers: Identifiers = NOTHING_KNOWN,
        name: str = "",
        role: Role = Role.STUDENT,
    ) -> Member:
        """Bring somebody in, or back; with identifiers alone they are waited for.

        Somebody who is in it already stays as they are. Raises MemberUnknown if nothing says who
        it is, CourseFull, CourseUnknown, NotAllowed, NotNow.
        """
        if username is None and not identifiers:
            raise MemberUnknown(
                "Nothing says who this is.", remedy="Give a username, a mail address or a number."
            )

        def write(writing: Writing) -> Member:
            stored = writing.require(key, _changing(role))
            own = None if username is None else writing.member(key, username)
            if own is not None and own.active:
                return own
            check_role_change(by, writing.role(key), None, role)
            new = Member(
                course=key,
                role=role,
                source=Source.NAME,
                since=writing.now,
                username=username,
                identifiers=identifiers,
                name=name,
            )
            check_seats(writing, stored, 1 if role is Role.STUDENT else 0)
            done = enter(writing, own, new)
            writing.note(What.ADDED, key, subject=done.called, detail={"role": role.value})
            return done

        return self._all.write(by, write)

    def set_role(self, by: Person, key: str, number: int, role: Role) -> Member:
        """Make somebody something else; raises MemberUnknown, CourseFull, CourseUnknown,
        NotAllowed, NotNow.
        """

        def write(writing: Writing) -> Member:
            writing.require(key, Action.CHANGE_STAFF)
            stored, one = writing.stored(key), _active_member(writing, key, number)
            if one.role is role:
                return one
            check_role_change(by, writing.role(key), one.role, role)
            check_seats(writing, stored, 1 if role is Role.STUDENT else 0)
            done = update_member(writing, replace(one, role=role))
            writing.note(What.ROLE, key, subject=one.called, detail={"role": role.value})
            return done

        return self._all.write(by, write)

    def drop(self, by: Person, key: str, number: int) -> Member:
        """Take somebody out; their row stays. Raises MemberUnknown, CourseUnknown, NotAllowed,
        NotNow.
        """

        def write(writing: Writing) -> Member:
            writing.require(key, Action.SEE_CLASS)
            one = _active_member(writing, key, number)
            writing.require(key, _changing(one.role))
            check_role_change(by, writing.role(key), one.role, None)
            done = drop_member(writing, one)
            writing.note(What.DROPPED, key, subject=one.called)
            return done

        return self._all.write(by, write)

    def leave(self, by: Person, key: str) -> None:
        """Go out oneself; raises CourseUnknown, NotAllowed, NotNow."""

        def write(writing: Writing) -> None:
            writing.require(key, Action.LEAVE)
            own = writing.member(key, by.username)
            if own is not None:
                drop_member(writing, own)
                writing.note(What.LEFT, key, subject=by.username)

        self._all.write(by, write)

    def apply(
        self,
        by: Person,
        key: str,
        decide: Callable[[tuple[Member, ...]], RosterChange],
        *,
        detail: dict[str, object] | None = None,
    ) -> RosterChange:
        """What `decide` makes of the members as they are now, all of it or nothing.

        `decide` runs inside the transaction: it raises when they are not those that a preview was
        made of, and is called again when another writer was faster. It changes students only.
        Raises what it raises, CourseFull, MemberUnknown, CourseUnknown, NotAllowed, NotNow.
        """

        def write(writing: Writing) -> RosterChange:
            stored = writing.require(key, Action.CHANGE_ROSTER)
            before = rows.read_members(writing.connection, members.c.course == key)
            change = decide(before)
            if not change:
                return change
            there = students_in(writing, key)
            by_number = {one.number: one for one in before}
            told: dict[str, list[str]] = {"added": [], "back": [], "changed": [], "dropped": []}
            for number in change.drop:
                one = _student(by_number, number)
                drop_member(writing, one)
                told["dropped"].append(one.called)
            for one in change.update:
                old = _student(by_number, one.number)
                new = replace(one, course=key, role=Role.STUDENT)
                _rewrite(writing, old, new)
                told["changed" if old.active or not new.active else "back"].append(new.called)
            for one in change.add:
                new = replace(one, course=key, role=Role.STUDENT, since=writing.now)
                own = None if new.username is None else writing.member(key, new.username)
                if own is None or not own.active:
                    told["added"].append(enter(writing, own, new).called)
            after = students_in(writing, key)
            if after > max(there, stored.course.seats):
                raise CourseFull(stored.course.seats, after)
            writing.note(What.ROSTER, key, detail={**told, **(detail or {})})
            return change

        return self._all.write(by, write)

    def came(self, facts: PersonFacts) -> tuple[Came, ...]:
        """Somebody signed in: where they are waited for they are in, and where their groups say.

        What is known of them is kept, for rosters to come. Costs a look when nothing is new.
        """

        def ask(writing: Writing) -> bool:
            return bool(_work(writing, facts)) or is_news(writing, facts)

        if not self._all.look(Person(facts.username), ask):
            return ()

        def write(writing: Writing) -> tuple[Came, ...]:
            learn(writing, facts)
            found: list[Came] = []
            for key, waiting in _work(writing, facts).items():
                found += _comes(writing, writing.stored(key), waiting, facts)
            return tuple(found)

        return self._all.write(SYSTEM, write)

    def in_group(self, key: str, usernames: Collection[str]) -> tuple[Came, ...]:
        """The group that brings students into this course has these people, and no others."""

        def write(writing: Writing) -> tuple[Came, ...]:
            stored = writing.stored(key)
            if stored.state is not State.OPEN or stored.course.joining.group is None:
                return ()
            here = (members.c.course == key) & members.c.username.is_not(None)
            rows_of = {one.username: one for one in rows.read_members(writing.connection, here)}
            found: list[Came] = []
            for username in sorted({*usernames, *(name for name in rows_of if name)}):
                own = rows_of.get(username)
                found += _by_group(writing, stored, own, username, inside=username in usernames)
            return tuple(found)

        return self._all.write(SYSTEM, write)


def _work(writing: Writing, facts: PersonFacts) -> dict[str, tuple[Member, ...]]:
    """The courses in which something is to be done for this person, with who is waited for."""
    same = [members.c[kind.value] == value for kind, value in facts.identifiers]
    pending = members.c.username.is_(None) & members.c.dropped.is_(None)
    where = pending & sa.or_(*same) if same else sa.false()
    waiting: dict[str, tuple[Member, ...]] = {}
    for one in rows.read_members(writing.connection, where):
        waiting[one.course] = (*waiting.get(one.course, ()), one)
    alive = courses.c.state.in_([State.OPEN.value, State.FROZEN.value, State.WAITING.value])
    found: dict[str, tuple[Member, ...]] = {}
    for stored in rows.read_courses(writing.connection, alive):
        candidates = waiting.get(stored.key, ())
        if candidates or _group_differs(writing, stored, facts):
            found[stored.key] = candidates
    return found


def _group_differs(writing: Writing, stored: Stored, facts: PersonFacts) -> bool:
    group = stored.course.joining.group
    if group is None or stored.state is not State.OPEN:
        return False
    own = writing.member(stored.key, facts.username)
    if group in facts.groups:
        return own is None or (not own.active and may_return(own))
    return own is not None and own.active and own.source is Source.GROUP


def _comes(
    writing: Writing, stored: Stored, waiting: Sequence[Member], facts: PersonFacts
) -> list[Came]:
    key, username = stored.key, facts.username
    theirs = recognised(waiting, facts)
    found: list[Came] = []
    own = writing.member(key, username)
    if theirs.rows:
        own = merge(writing, own, theirs.rows, username)
        writing.note(What.CAME, key, subject=username, detail={"rows": len(theirs.rows)})
        found.append(Came(key))
    elif theirs.doubtful:
        found.append(Came(key, doubtful=True))
        if not _told_doubt(writing, key, username):
            writing.note(What.DOUBTFUL, key, subject=username)
    group = stored.course.joining.group
    if group is not None and stored.state is State.OPEN:
        found += _by_group(writing, stored, own, username, inside=group in facts.groups)
    return found


def _by_group(
    writing: Writing, stored: Stored, own: Member | None, username: str, *, inside: bool
) -> list[Came]:
    key = stored.key
    if own is not None and own.active:
        if inside or own.source is not Source.GROUP or own.role is not Role.STUDENT:
            return []
        drop_member(writing, own)
        writing.note(What.DROPPED, key, subject=username, detail={"group": True})
        return [Came(key, left=True)]
    if not inside or (own is not None and not may_return(own)):
        return []
    try:
        check_seats(writing, stored, 1)
    except CourseFull:
        return [Came(key, full=True)]
    new = Member(
        course=key, role=Role.STUDENT, source=Source.GROUP, since=writing.now, username=username
    )
    enter(writing, own, new)
    writing.note(What.ADDED, key, subject=username, detail={"role": "student", "group": True})
    return [Came(key)]


def _told_doubt(writing: Writing, key: str, username: str) -> bool:
    """Whether staff were told since the roster was last changed."""
    kinds = [What.DOUBTFUL.value, What.ROSTER.value, What.ADDED.value]
    where = (record.c.course == key) & record.c.what.in_(kinds)
    lines = rows.read_record(writing.connection, where)
    changed = max((one.number for one in lines if one.what is not What.DOUBTFUL), default=0)
    return any(
        one.number > changed and one.subject == username
        for one in lines
        if one.what is What.DOUBTFUL
    )


def _changing(role: Role) -> Action:
    return Action.CHANGE_STAFF if role.staff else Action.CHANGE_ROSTER


def _active_member(writing: Writing, key: str, number: int) -> Member:
    where = (
        (members.c.course == key)
        & (members.c.id == row_number(number))
        & members.c.dropped.is_(None)
    )
    found = rows.read_members(writing.connection, where)
    if not found:
        raise MemberUnknown(
            "They are not in this course, or not any more.", remedy="Look at its people again."
        )
    return found[0]


def _rewrite(writing: Writing, old: Member, new: Member) -> None:
    """A row of the roster as it is to be; whose it is never changes once that is known."""
    username = old.username or new.username
    new = replace(new, username=username)
    own = None if username is None else writing.member(new.course, username)
    if own is not None and username is not None and own.number != old.number:
        merge(writing, own, [new], username)
    else:
        update_member(writing, new)


def _student(found: dict[int, Member], number: int) -> Member:
    one = found.get(number)
    if one is None or one.role is not Role.STUDENT:
        raise MemberUnknown(
            "A roster changes the students of its course only.",
            remedy="Look at what the roster changes again.",
        )
    return one
