"""Operations on who is in a course, and how they come in."""

from __future__ import annotations

import time
from typing import Annotated

from pydantic import AwareDatetime, Field

from slurmhub.courses.errors import CourseRefused
from slurmhub.courses.joining import JoinCode, Outcome
from slurmhub.courses.kinds import Username
from slurmhub.courses.model import CourseModel, Role
from slurmhub.courses.roster.codes import (
    MOST_SEATS,
    CodeRefused,
    code_problems,
    make_code,
    read_code,
)
from slurmhub.courses.service.api.models import (
    CodeList,
    CodeView,
    IdentifiersView,
    Joined,
    MemberList,
    MemberView,
    moment,
    perhaps,
)
from slurmhub.courses.service.api.operations import Asked, Nothing, Operation


class NewMember(CourseModel):
    """Somebody to bring in: by their name at the hub, or by what will tell who they are."""

    username: Username | None = None
    identifiers: IdentifiersView = IdentifiersView()
    name: Annotated[str, Field(max_length=255)] = ""
    role: Role = Role.STUDENT


class NewRole(CourseModel):
    """What somebody is to be."""

    role: Role


class NewCode(CourseModel):
    """For how many a join code is, and until when."""

    seats: Annotated[int, Field(ge=1, le=MOST_SEATS)]
    expires: AwareDatetime


class GivenCode(CourseModel):
    """A join code as somebody typed it."""

    code: Annotated[str, Field(max_length=200)]


def _members(asked: Asked) -> MemberList:
    found = asked.courses.members.of(asked.person, asked.key)
    return MemberList(members=tuple(MemberView.of(one) for one in found))


def _add(asked: Asked) -> MemberView:
    body: NewMember = asked.body
    done = asked.courses.members.add(
        asked.person,
        asked.key,
        username=body.username,
        identifiers=body.identifiers.identifiers,
        name=body.name,
        role=body.role,
    )
    return MemberView.of(done)


def _set_role(asked: Asked) -> MemberView:
    body: NewRole = asked.body
    members = asked.courses.members
    return MemberView.of(members.set_role(asked.person, asked.key, asked.number, body.role))


def _drop(asked: Asked) -> MemberView:
    return MemberView.of(asked.courses.members.drop(asked.person, asked.key, asked.number))


def _leave(asked: Asked) -> Nothing:
    asked.courses.members.leave(asked.person, asked.key)
    return Nothing()


def _codes(asked: Asked) -> CodeList:
    found = asked.courses.codes.of(asked.person, asked.key)
    return CodeList(codes=tuple(_code(one) for one in found))


def _make_code(asked: Asked) -> CodeView:
    body: NewCode = asked.body
    expires = body.expires.timestamp()
    found = code_problems(seats=body.seats, expires=expires, now=time.time())
    if found:
        raise CourseRefused(found)
    code = make_code()
    digest = asked.code_key.digest(read_code(code))
    made = asked.courses.codes.add(
        asked.person, asked.key, digest, seats=body.seats, expires=expires
    )
    return _code(made, code)


def _revoke(asked: Asked) -> CodeView:
    return _code(asked.courses.codes.revoke(asked.person, asked.key, asked.number))


def _join(asked: Asked) -> Joined:
    body: GivenCode = asked.body
    digest = asked.code_key.digest(read_code(body.code))
    given = asked.courses.codes.use(asked.person, digest)
    if given.outcome not in (Outcome.IN, Outcome.ALREADY):
        raise CodeRefused(given.outcome.value)
    return Joined(course=str(given.course), already=given.outcome is Outcome.ALREADY)


def _code(one: JoinCode, code: str | None = None) -> CodeView:
    return CodeView(
        number=one.number,
        made_by=one.made_by,
        made=moment(one.made),
        expires=moment(one.expires),
        seats=one.seats,
        used=one.used,
        revoked=perhaps(one.revoked),
        code=code,
    )


_CHANGES = (403, 404, 409)

OPERATIONS = (
    Operation(
        *("listMembers", "GET", "courses/{key}/members", "Everybody who is or was in a course"),
        answer=MemberList,
        call=_members,
        errors=(403, 404),
    ),
    Operation(
        *("addMember", "POST", "courses/{key}/members", "Bring somebody in, or back"),
        answer=MemberView,
        call=_add,
        body=NewMember,
        errors=_CHANGES,
        about="Somebody who is in the course already stays as they are.",
    ),
    Operation(
        *("changeMember", "PATCH", "courses/{key}/members/{number}", "Give another role"),
        answer=MemberView,
        call=_set_role,
        body=NewRole,
        errors=_CHANGES,
    ),
    Operation(
        *("dropMember", "DELETE", "courses/{key}/members/{number}", "Take somebody out"),
        answer=MemberView,
        call=_drop,
        errors=_CHANGES,
        about="Their row stays, and so do their files.",
    ),
    Operation(
        *("leaveCourse", "POST", "courses/{key}/leave", "Go out oneself"),
        answer=Nothing,
        call=_leave,
        errors=_CHANGES,
    ),
    Operation(
        *("listCodes", "GET", "courses/{key}/codes", "The join codes of a course"),
        answer=CodeList,
        call=_codes,
        errors=(403, 404),
    ),
    Operation(
        *("makeCode", "POST", "courses/{key}/codes", "Make a join code"),
        answer=CodeView,
        call=_make_code,
        body=NewCode,
        status=201,
        errors=_CHANGES,
        about="The code is in this answer only; nobody can read it again.",
    ),
    Operation(
        *("revokeCode", "DELETE", "courses/{key}/codes/{number}", "Let nobody in with it"),
        answer=CodeView,
        call=_revoke,
        errors=_CHANGES,
    ),
    Operation(
        *("join", "POST", "join", "Come into a course with a join code"),
        answer=Joined,
        call=_join,
        body=GivenCode,
        errors=(400, 404, 409, 429),
    ),
)
