"""Operations on what waits for somebody's approval."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slurmhub.courses.model import CourseModel
from slurmhub.courses.service.api.courses import Version, saved
from slurmhub.courses.service.api.models import RequestList, RequestView, SavedView
from slurmhub.courses.service.api.operations import Asked, Nothing, Operation


class Decision(CourseModel):
    """What is decided of a course of this version; `words` are for who asked."""

    version: Version
    approve: bool
    words: Annotated[str, Field(max_length=2000)] = ""


def _waiting(asked: Asked) -> RequestList:
    found = asked.courses.approvals.waiting(asked.person)
    return RequestList(requests=tuple(RequestView.of(one) for one in found))


def _of(asked: Asked) -> RequestList:
    found = asked.courses.approvals.of(asked.person, asked.key)
    return RequestList(requests=tuple(RequestView.of(one) for one in found))


def _decide(asked: Asked) -> SavedView:
    body: Decision = asked.body
    done = asked.courses.approvals.decide(
        asked.person, asked.number, body.version, approve=body.approve, words=body.words
    )
    return saved(asked, done)


def _withdraw(asked: Asked) -> Nothing:
    asked.courses.approvals.withdraw(asked.person, asked.number)
    return Nothing()


OPERATIONS = (
    Operation(
        *("listRequests", "GET", "requests", "All on which one may decide"),
        answer=RequestList,
        call=_waiting,
    ),
    Operation(
        *("listRequestsOfCourse", "GET", "courses/{key}/requests", "The requests of a course"),
        answer=RequestList,
        call=_of,
        errors=(403, 404),
    ),
    Operation(
        *("decide", "POST", "requests/{number}/decision", "Approve or refuse a request"),
        answer=SavedView,
        call=_decide,
        body=Decision,
        errors=(403, 404, 409),
    ),
    Operation(
        *("withdraw", "DELETE", "requests/{number}", "Ask no more"),
        answer=Nothing,
        call=_withdraw,
        errors=(403, 404, 409),
    ),
)
