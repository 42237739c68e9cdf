"""Operations on courses themselves."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated

from pydantic import Field

from slurmhub.courses.bounds import Other, needs_approval, problems
from slurmhub.courses.course_file import Staff
from slurmhub.courses.hours import occurrences, term_span
from slurmhub.courses.kinds import Key, Line, Username
from slurmhub.courses.model import Course, CourseModel, Term
from slurmhub.courses.rights import Action, check_making, is_approver, is_maker
from slurmhub.courses.service.api.models import (
    Checked,
    Class,
    Classes,
    CourseList,
    CourseView,
    EntryView,
    Listed,
    Me,
    PolicyView,
    ProblemView,
    Record,
    RequestView,
    SavedView,
)
from slurmhub.courses.service.api.operations import Asked, Operation
from slurmhub.courses.stored import Saved

Note = Annotated[str, Field(max_length=2000)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]


class NewCourse(CourseModel):
    """A course to be made; only an administrator may name another owner."""

    course: Course
    owner: Username | None = None
    staff: Staff = Staff()
    note: Note = ""
    """For who decides on it, where it needs approval."""


class ChangedCourse(CourseModel):
    """A course as it is to be; `version` is that which was looked at."""

    version: Version
    course: Course
    note: Note = ""


class CourseToCheck(CourseModel):
    """A course that nobody has made."""

    course: Course


class Copy(CourseModel):
    """The key and the term of a copy."""

    key: Key
    term: Term
    title: Line | None = None


class NewOwner(CourseModel):
    """Who is to own a course: one of its instructors."""

    username: Username


class RecordQuery(CourseModel):
    """Which lines: those before the one with this number, and how many."""

    before: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    most: Annotated[int, Field(ge=1, le=1000)] = 200


class ClassQuery(CourseModel):
    """Which classes: from one day to another, in the course's time zone; both may lack."""

    first: date | None = None
    last: date | None = None


def _me(asked: Asked) -> Me:
    person, policy = asked.person, asked.courses.policy
    return Me(
        username=person.username,
        groups=tuple(sorted(person.groups)),
        administrator=person.administrator,
        makes_courses=is_maker(person, policy),
        decides=is_approver(person, policy),
    )


def _policy(asked: Asked) -> PolicyView:
    policy = asked.courses.policy
    return PolicyView(
        bounds=policy.bounds,
        free=policy.free,
        total=policy.total,
        most_courses=policy.most_courses,
        partitions=policy.partitions,
        environments={name: one.title for name, one in policy.environments.items()},
        repositories=policy.repositories,
        retention=policy.retention,
        rates=policy.rates,
        room=policy.room,
    )


def _list(asked: Asked) -> CourseList:
    roles = {one.stored.key: one.role for one in asked.courses.all_for(asked.person.username)}
    return CourseList(
        courses=tuple(
            Listed(
                key=one.key,
                title=one.course.title,
                term=one.course.term,
                state=one.state,
                role=roles.get(one.key),
            )
            for one in asked.courses.visible(asked.person)
        )
    )


def seen(asked: Asked, key: str) -> CourseView:
    """A course as whoever asks sees it."""
    return CourseView.of(*asked.courses.rights(asked.person, key))


def saved(asked: Asked, done: Saved, lacks: tuple[str, ...] = ()) -> SavedView:
    """A course after a change, for whoever made it."""
    request = RequestView.of(done.request) if done.request is not None else None
    return SavedView(course=seen(asked, done.stored.key), request=request, lacks=lacks)


def _create(asked: Asked) -> SavedView:
    body: NewCourse = asked.body
    done = asked.courses.create(
        asked.person, body.course, owner=body.owner, staff=body.staff.roles, note=body.note
    )
    return saved(asked, done)


def _get(asked: Asked) -> CourseView:
    return seen(asked, asked.key)


def _change(asked: Asked) -> SavedView:
    body: ChangedCourse = asked.body
    done = asked.courses.change(asked.person, asked.key, body.version, body.course, note=body.note)
    return saved(asked, done)


def _copy(asked: Asked) -> SavedView:
    body: Copy = asked.body
    done, copied = asked.courses.copy(
        asked.person, asked.key, body.key, body.term, title=body.title
    )
    return saved(asked, done, copied.left_out)


async def _check(asked: Asked) -> Checked:
    course = asked.body.course
    found, approval = await asyncio.to_thread(_against, asked, course)
    capacity = None
    if asked.cluster is not None:
        capacity = await asked.cluster.answer(course)
    return Checked(problems=found, approval=approval, capacity=capacity)


def _against(
    asked: Asked, course: Course
) -> tuple[tuple[ProblemView, ...], tuple[ProblemView, ...]]:
    policy, person = asked.courses.policy, asked.person
    check_making(person, policy)
    there = asked.courses.snapshot().courses
    own = next((one for one in there if one.key == course.key), None)
    others = [Other(one.course, one.state, one.owner) for one in there if one is not own]
    # Of a course that somebody else has, nothing is told by what it has already.
    before = None
    if own is not None and own.key in {one.key for one in asked.courses.visible(person)}:
        before = own.course
    found = problems(course, policy, others, owner=person.username, before=before)
    approval = needs_approval(course, policy, before=before)
    return (
        tuple(ProblemView.of(one) for one in found),
        tuple(ProblemView.of(one) for one in approval),
    )


def _freeze(asked: Asked) -> CourseView:
    asked.courses.stages.freeze(asked.person, asked.key)
    return seen(asked, asked.key)


def _thaw(asked: Asked) -> CourseView:
    asked.courses.stages.thaw(asked.person, asked.key)
    return seen(asked, asked.key)


def _end(asked: Asked) -> CourseView:
    asked.courses.stages.end(asked.person, asked.key)
    return seen(asked, asked.key)


def _give(asked: Asked) -> CourseView:
    asked.courses.stages.give(asked.person, asked.key, asked.body.username)
    return seen(asked, asked.key)


def _record(asked: Asked) -> Record:
    query: RecordQuery = asked.query
    found = asked.courses.record(asked.person, asked.key, before=query.before, most=query.most)
    return Record(entries=tuple(EntryView.of(one) for one in found))


def _classes(asked: Asked) -> Classes:
    course = asked.courses.get(asked.person, asked.key, Action.SEE).course
    query: ClassQuery = asked.query
    term = course.term
    first = max(query.first or term.first, term.first)
    last = min(query.last or term.last, term.last)
    if first > last:
        return Classes(classes=())
    days = term.model_copy(update={"first": first, "last": last})
    found = occurrences(course, *term_span(course.model_copy(update={"term": days})))
    return Classes(
        classes=tuple(Class(start=one.start, end=one.end, seats=one.seats) for one in found[:1000])
    )


_CHANGES = (403, 404, 409)

OPERATIONS = (
    Operation("getMe", "GET", "me", "Who is asking, and what they may do", Me, _me),
    Operation(
        "getPolicy", "GET", "policy", "What the institution lets people do", PolicyView, _policy
    ),
    Operation("listCourses", "GET", "courses", "The courses that one may see", CourseList, _list),
    Operation(
        *("createCourse", "POST", "courses", "Make a course", SavedView, _create),
        body=NewCourse,
        status=201,
        errors=(403, 409),
        about="It is open at once, unless it needs approval: then `request` says for what.",
    ),
    Operation(
        *("checkCourse", "POST", "check", "Whether a course could be, without making it"),
        answer=Checked,
        wait=_check,
        body=CourseToCheck,
        errors=(403,),
    ),
    Operation(*("getCourse", "GET", "courses/{key}", "A course", CourseView, _get), errors=(404,)),
    Operation(
        *("changeCourse", "PUT", "courses/{key}", "Change a course", SavedView, _change),
        body=ChangedCourse,
        errors=_CHANGES,
        about="409 when somebody else was faster: nothing was saved, and the answer has both.",
    ),
    Operation(
        *("copyCourse", "POST", "courses/{key}/copy", "The same in another term"),
        answer=SavedView,
        call=_copy,
        body=Copy,
        status=201,
        errors=_CHANGES,
    ),
    Operation(
        *("freezeCourse", "POST", "courses/{key}/freeze", "Nothing starts any more"),
        answer=CourseView,
        call=_freeze,
        errors=_CHANGES,
    ),
    Operation(
        *("thawCourse", "POST", "courses/{key}/thaw", "Open what was frozen"),
        answer=CourseView,
        call=_thaw,
        errors=_CHANGES,
    ),
    Operation(
        *("endCourse", "POST", "courses/{key}/end", "Take away all that a course has"),
        answer=CourseView,
        call=_end,
        errors=_CHANGES,
    ),
    Operation(
        *("giveCourse", "PUT", "courses/{key}/owner", "Give a course to an instructor of it"),
        answer=CourseView,
        call=_give,
        body=NewOwner,
        errors=_CHANGES,
    ),
    Operation(
        *("getRecord", "GET", "courses/{key}/record", "Who did what"),
        answer=Record,
        call=_record,
        query=RecordQuery,
        errors=(403, 404),
    ),
    Operation(
        *("getClasses", "GET", "courses/{key}/classes", "The classes, as moments"),
        answer=Classes,
        call=_classes,
        query=ClassQuery,
        errors=(404,),
    ),
)
