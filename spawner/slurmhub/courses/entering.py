"""Rows of members: how one comes in, comes back, becomes another's, and goes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from slurmhub.courses import rows
from slurmhub.courses.errors import CourseFull, MemberUnknown
from slurmhub.courses.kinds import is_username
from slurmhub.courses.model import Role
from slurmhub.courses.people import Member, joined
from slurmhub.courses.rights import SYSTEM
from slurmhub.courses.stored import Stored
from slurmhub.courses.tables import members
from slurmhub.courses.writing import Writing

LONGEST = 255
"""Characters of a name or of what identifies somebody."""

# What no database takes, or what no name has.
_TEXT = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]*")


def insert_member(writing: Writing, member: Member) -> Member:
    """A new row; raises MemberUnknown where its texts are no names."""
    _check_texts(member)
    values = rows.member_values(member)
    done = writing.connection.execute(members.insert().values(values))
    key = done.inserted_primary_key
    assert key is not None  # noqa: S101 - the table numbers its rows
    return replace(member, number=int(key[0]))


def update_member(writing: Writing, member: Member) -> Member:
    """The row with this number as this; raises MemberUnknown where its texts are no names."""
    _check_texts(member)
    this = members.c.id == member.number
    writing.connection.execute(members.update().where(this).values(rows.member_values(member)))
    return member


def drop_member(writing: Writing, member: Member) -> Member:
    """Out of the course; the row stays, with who did it."""
    return update_member(
        writing, replace(member, dropped=writing.now, dropped_by=writing.by.username)
    )


def enter(writing: Writing, own: Member | None, new: Member) -> Member:
    """A new row, or the one that somebody had, in the course again."""
    if own is None:
        return insert_member(writing, new)
    back = replace(
        new,
        number=own.number,
        identifiers=new.identifiers.filled(own.identifiers),
        name=new.name or own.name,
    )
    return update_member(writing, back)


def merge(writing: Writing, own: Member | None, waiting: Sequence[Member], username: str) -> Member:
    """All rows that are this person's become one."""
    done = joined(own, waiting, username)
    spare = [one.number for one in waiting if one.number != done.number]
    writing.connection.execute(members.delete().where(members.c.id.in_(spare)))
    return update_member(writing, done)


def may_return(own: Member) -> bool:
    """Whether somebody who is out comes in again by themselves: staff did not take them out."""
    return own.dropped_by in (None, SYSTEM.username)


def check_seats(writing: Writing, stored: Stored, more: int) -> None:
    """Raises CourseFull if there is no seat for so many more students."""
    there = students_in(writing, stored.key)
    if more > 0 and there + more > stored.course.seats:
        raise CourseFull(stored.course.seats, there + more)


def students_in(writing: Writing, key: str) -> int:
    """How many students a course has, those who are waited for as well."""
    students = (
        (members.c.course == key)
        & members.c.dropped.is_(None)
        & (members.c.role == Role.STUDENT.value)
    )
    count = sa.select(sa.func.count()).where(students)
    return int(writing.connection.execute(count).scalar_one())


def _check_texts(member: Member) -> None:
    texts = [member.name, *(value for _, value in member.identifiers)]
    odd = any(len(text) > LONGEST or not _TEXT.fullmatch(text) for text in texts)
    if odd or (member.username is not None and not is_username(member.username)):
        raise MemberUnknown(
            "A name is too long, or has characters that no name has.",
            remedy=f"Write at most {LONGEST} letters on one line.",
        )
