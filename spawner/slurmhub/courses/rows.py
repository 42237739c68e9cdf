"""Rows of the tables of courses, as what they mean."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from slurmhub.courses.errors import CoursesAway
from slurmhub.courses.model import Course, Role, State
from slurmhub.courses.people import Member, Source
from slurmhub.courses.record import Entry, What
from slurmhub.courses.roster.facts import Identifiers, Kind
from slurmhub.courses.stored import Request, Stored
from slurmhub.courses.tables import approvals, courses, members, record
from slurmhub.options.refusal import Problem


def read_course(connection: sa.Connection, key: str) -> Stored | None:
    """One course."""
    found = read_courses(connection, courses.c.key == key)
    return found[0] if found else None


def read_courses(
    connection: sa.Connection, where: sa.ColumnElement[bool] | None = None
) -> tuple[Stored, ...]:
    """Courses, by key."""
    query = sa.select(courses).order_by(courses.c.key)
    query = query if where is None else query.where(where)
    return tuple(_course(row) for row in connection.execute(query).mappings())


def read_members(connection: sa.Connection, where: sa.ColumnElement[bool]) -> tuple[Member, ...]:
    """Members, oldest row first."""
    query = sa.select(members).where(where).order_by(members.c.id)
    return tuple(_member(row) for row in connection.execute(query).mappings())


def read_record(
    connection: sa.Connection, where: sa.ColumnElement[bool], *, newest: int | None = None
) -> tuple[Entry, ...]:
    """Lines of the record, oldest first; with `newest` only so many."""
    query = sa.select(record).where(where).order_by(record.c.id.desc())
    query = query if newest is None else query.limit(newest)
    return tuple(_entry(row) for row in connection.execute(query).mappings())[::-1]


def read_requests(connection: sa.Connection, where: sa.ColumnElement[bool]) -> tuple[Request, ...]:
    """What was asked for, oldest first."""
    query = sa.select(approvals).where(where).order_by(approvals.c.id)
    return tuple(_request(row) for row in connection.execute(query).mappings())


def member_values(member: Member) -> dict[str, Any]:
    """The row of a member, without its number."""
    return {
        "course": member.course,
        "username": member.username,
        **{kind.value: member.identifiers.of(kind) for kind in Kind},
        "name": member.name,
        "role": member.role.value,
        "source": member.source.value,
        "since": member.since,
        "dropped": member.dropped,
        "dropped_by": member.dropped_by,
    }


def _course(row: sa.RowMapping) -> Stored:
    try:
        course = Course.model_validate(row["document"])
    except ValidationError as error:
        # To go on without this course would be to take away what it has.
        raise CoursesAway(f"the course {row['key']} cannot be read: {error}") from error
    return Stored(
        course=course,
        version=row["version"],
        state=State(row["state"]),
        owner=row["owner"],
        created=row["created"],
        changed=row["changed"],
        frozen=row["frozen"],
        ended=row["ended"],
        realised=row["realised"],
        waiting=row["waiting"] or "",
    )


def _member(row: sa.RowMapping) -> Member:
    return Member(
        course=row["course"],
        role=Role(row["role"]),
        source=Source(row["source"]),
        since=row["since"],
        username=row["username"],
        identifiers=Identifiers(**{kind.value: row[kind.value] for kind in Kind}),
        name=row["name"],
        dropped=row["dropped"],
        dropped_by=row["dropped_by"],
        number=row["id"],
    )


def _entry(row: sa.RowMapping) -> Entry:
    return Entry(
        at=row["at"],
        who=row["who"],
        course=row["course"],
        what=What(row["what"]),
        subject=row["subject"],
        version=row["version"],
        detail=row["detail"],
        number=row["id"],
    )


def _request(row: sa.RowMapping) -> Request:
    return Request(
        number=row["id"],
        course=row["course"],
        asked_by=row["asked_by"],
        asked=row["asked"],
        changes=row["changes"],
        reasons=tuple(
            Problem(**{**one, "choices": tuple(one["choices"])}) for one in row["reasons"]
        ),
        note=row["note"],
        decision=row["decision"],
        decided_by=row["decided_by"],
        decided=row["decided"],
        words=row["words"],
    )
