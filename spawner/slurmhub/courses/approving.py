"""What waits for somebody's approval, and what was decided."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from slurmhub.courses import rows
from slurmhub.courses.bounds import problems
from slurmhub.courses.changes import changed_fields, document_of
from slurmhub.courses.errors import CourseRefused, CourseUnknown, NotAllowed, NotNow, RequestUnknown
from slurmhub.courses.model import Course, State
from slurmhub.courses.record import What
from slurmhub.courses.rights import Action, Person, is_approver
from slurmhub.courses.stored import CourseChanged, Request, Saved, Stored
from slurmhub.courses.tables import approvals, members, record
from slurmhub.courses.writing import Transactions, Writing, row_number
from slurmhub.options.refusal import Problem

LONGEST_NOTE = 2000
"""Characters of what is said to who decides, and by them."""

APPROVED, REFUSED, WITHDRAWN = "approved", "refused", "withdrawn"


class Approvals:
    """The requests of all courses; see `Transactions` for what everything here raises."""

    def __init__(self, transactions: Transactions) -> None:
        self._all = transactions

    def waiting(self, by: Person) -> tuple[Request, ...]:
        """Those on which this person may decide, oldest first."""
        if not is_approver(by, self._all.policy):
            return ()

        def ask(connection: sa.Connection) -> tuple[Request, ...]:
            staff = (members.c.username == by.username) & members.c.dropped.is_(None)
            mine = {one.course for one in rows.read_members(connection, staff) if one.role.staff}
            found = rows.read_requests(connection, approvals.c.decision.is_(None))
            return tuple(one for one in found if by.administrator or one.course not in mine)

        return self._all.read(ask)

    def of(self, by: Person, key: str) -> tuple[Request, ...]:
        """All requests of one course, oldest first; raises CourseUnknown, NotAllowed."""

        def ask(writing: Writing) -> tuple[Request, ...]:
            writing.require(key, Action.SEE_DESCRIPTION)
            return rows.read_requests(writing.connection, approvals.c.course == key)

        return self._all.look(by, ask)

    def decide(
        self, by: Person, number: int, version: int, *, approve: bool, words: str = ""
    ) -> Saved:
        """Approve or refuse the course of version `version` with what is asked for.

        Raises CourseChanged when it is not what was looked at, CourseRefused when it would be
        above the bounds by now, NotNow when it was decided already, RequestUnknown, NotAllowed.
        """

        def write(writing: Writing) -> Saved:
            request = _open_request(writing, number)
            stored = writing.require(request.course, Action.APPROVE)
            if stored.version != version:
                raise changed_since(writing, stored, version, None)
            close(writing, request, APPROVED if approve else REFUSED, words)
            what = What.APPROVED if approve else What.REFUSED
            if not approve:
                if stored.state is State.WAITING:
                    stored = writing.update_course(stored, state=State.REFUSED)
                writing.note(what, stored.key, version=stored.version, detail=_told(request, words))
                return Saved(stored)
            new = _wanted(request, stored)
            fresh = stored.state is State.WAITING
            found = problems(
                new,
                writing.policy,
                writing.others(stored.key),
                owner=stored.owner,
                before=None if fresh else stored.course,
            )
            if found:
                raise CourseRefused(found)
            state = State.OPEN if fresh else stored.state
            after = writing.update_course(stored, state=state, document=document_of(new))
            detail = {**_told(request, words), "changes": pairs(stored.course, new)}
            writing.note(what, stored.key, version=after.version, detail=detail)
            return Saved(after)

        return self._all.write(by, write)

    def withdraw(self, by: Person, number: int) -> None:
        """Ask no more; raises NotNow when it was decided already, RequestUnknown, NotAllowed.

        A course that was never open is ended instead.
        """

        def write(writing: Writing) -> None:
            request = _open_request(writing, number)
            stored = writing.require(request.course, Action.CHANGE)
            if stored.state is State.WAITING:
                raise NotNow(
                    "The whole course waits for approval.",
                    remedy="Change it to what needs none, or end it.",
                )
            close(writing, request, WITHDRAWN)
            writing.note(What.WITHDRAWN, stored.key, detail=_told(request, ""))

        self._all.write(by, write)


def ask(
    writing: Writing, stored: Stored, new: Course, reasons: tuple[Problem, ...], note: str
) -> Request:
    """Put a request in the place of the one that waits for this course, if any."""
    for old in open_requests(writing, stored.key):
        close(writing, old, WITHDRAWN)
    changes = changed_fields(document_of(stored.course), document_of(new))
    values: dict[str, Any] = {
        "course": stored.key,
        "asked_by": writing.by.username,
        "asked": writing.now,
        "changes": changes,
        "reasons": [one.as_json() for one in reasons],
        "note": _plain(note),
        "words": "",
    }
    writing.connection.execute(approvals.insert().values(values))
    detail = {"changes": pairs(stored.course, new), "asked": True}
    writing.note(What.ASKED, stored.key, version=stored.version, detail=detail)
    return open_requests(writing, stored.key)[-1]


def open_requests(writing: Writing, key: str) -> tuple[Request, ...]:
    """What waits for this course."""
    mine = (approvals.c.course == key) & approvals.c.decision.is_(None)
    return rows.read_requests(writing.connection, mine)


def close(writing: Writing, request: Request, decision: str, words: str = "") -> None:
    """Write down what became of a request."""
    values = {
        "decision": decision,
        "decided_by": writing.by.username,
        "decided": writing.now,
        "words": _plain(words),
    }
    this = approvals.c.id == request.number
    writing.connection.execute(approvals.update().where(this).values(values))


def changed_since(
    writing: Writing, stored: Stored, version: int, mine: Course | None
) -> CourseChanged:
    """The error for a change that was begun at an older version."""
    since = (
        (record.c.course == stored.key)
        & (record.c.version > version)
        & (record.c.what != What.ASKED.value)
    )
    return CourseChanged(stored, rows.read_record(writing.connection, since), mine)


def pairs(before: Course, after: Course) -> dict[str, list[Any]]:
    """The fields that differ, each with what it was and what it is."""
    old, new = document_of(before), document_of(after)
    return {name: [old[name], value] for name, value in changed_fields(old, new).items()}


def _open_request(writing: Writing, number: int) -> Request:
    found = rows.read_requests(writing.connection, approvals.c.id == row_number(number))
    if not found:
        raise RequestUnknown
    (request,) = found
    try:
        writing.require(request.course, Action.SEE_DESCRIPTION)
    except (CourseUnknown, NotAllowed) as error:
        raise RequestUnknown from error
    if request.decision is not None:
        raise NotNow(
            f"This was decided already: {request.decided_by} has {request.decision} it.",
            remedy="Look at the course as it is now.",
        )
    return request


def _wanted(request: Request, stored: Stored) -> Course:
    try:
        return request.wanted(stored.course)
    except ValidationError as error:
        raise NotNow(
            "What was asked for does not fit the course any more.",
            remedy="Refuse it, and let its staff ask again.",
        ) from error


def _plain(text: str) -> str:
    # PostgreSQL has no text with NUL in it.
    return text.replace("\0", "")[:LONGEST_NOTE]


def _told(request: Request, words: str) -> dict[str, Any]:
    return {"request": request.number, **({"words": _plain(words)} if words else {})}
