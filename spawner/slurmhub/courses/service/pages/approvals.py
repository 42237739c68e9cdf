"""What waits for somebody's approval, and the decision."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError
from tornado import web

from slurmhub.courses.changes import document_of
from slurmhub.courses.errors import CourseRefused, NotAllowed, NotNow
from slurmhub.courses.model import State
from slurmhub.courses.rights import is_approver
from slurmhub.courses.service.pages.base import CoursePage
from slurmhub.courses.service.pages.forms import typed_of
from slurmhub.courses.service.pages.labels import label_of
from slurmhub.courses.service.pages.words import hours_said, moment_said, profile_said
from slurmhub.courses.service.statuses import status_of
from slurmhub.courses.stored import CourseChanged, Request, Stored
from slurmhub.errors import SlurmhubError


@dataclass(frozen=True)
class Asked:
    """One request, with its course and what would change of it: field, before, after."""

    request: Request
    course: Stored
    changes: tuple[tuple[str, str, str], ...]
    has: str
    lasts: str

    @property
    def at(self) -> str:
        """When it was asked for, where the course is."""
        return moment_said(self.request.asked, self.course.course.timezone)

    @property
    def whole(self) -> bool:
        """Whether all of the course is asked for."""
        return self.course.state is State.WAITING


class ApprovalsPage(CoursePage):
    """GET: what waits, oldest first. POST: decide on one."""

    async def get(self) -> None:
        """Show it."""
        await self._draw()

    async def post(self) -> None:
        """Approve or refuse; what cannot be done is said."""
        decision = self.typed("action")
        if decision not in ("approve", "refuse"):
            raise web.HTTPError(400, "There is no such action.")
        try:
            await self.ask(
                self.courses.approvals.decide,
                self.person,
                self.number("request"),
                self.number("version"),
                approve=decision == "approve",
                words=self.typed("words", most=2000),
            )
        except (CourseChanged, CourseRefused, NotNow) as error:
            await self._draw(error)
        else:
            self.go("approvals", "approved" if decision == "approve" else "refused")

    async def _draw(self, error: SlurmhubError | None = None) -> None:
        if not is_approver(self.person, self.courses.policy):
            raise NotAllowed(
                "You decide on no courses at this hub.",
                remedy="What you asked for is on the page of its course.",
            )
        waiting = await self.ask(self.courses.approvals.waiting, self.person)
        found = []
        for request in waiting:
            course = await self.ask(self.courses.get, self.person, request.course)
            found.append(_asked(request, course))
        status = 200 if error is None else status_of(error)
        self.show(
            "course_approvals.html", status=status, waiting=found, error=error, done=self.done()
        )


def _asked(request: Request, stored: Stored) -> Asked:
    try:
        wanted = request.wanted(stored.course)
    except ValidationError:
        # Deciding on it says what is in the way.
        wanted = stored.course
    now, then = typed_of(document_of(stored.course)), typed_of(document_of(wanted))
    names = [*now, *(name for name in then if name not in now)]
    changes = tuple(
        (label_of(name), now.get(name, ""), then.get(name, ""))
        for name in names
        if now.get(name, "") != then.get(name, "")
    )
    return Asked(request, stored, changes, profile_said(wanted.profile), hours_said(wanted))


HANDLERS = [("approvals", ApprovalsPage)]
