"""One course: what it is, its classes, how far Slurm is with it, what waits for approval."""

from __future__ import annotations

import time
from datetime import datetime, timezone

from tornado import web

from slurmhub.courses.hours import following, this_week
from slurmhub.courses.model import Course, Role
from slurmhub.courses.people import Member
from slurmhub.courses.retention import calendar, reminder
from slurmhub.courses.rights import Action
from slurmhub.courses.service.pages.base import CoursePage
from slurmhub.courses.service.pages.words import (
    Held,
    held,
    hours_said,
    materials_said,
    profile_said,
)
from slurmhub.courses.stored import Request


class OverviewPage(CoursePage):
    """GET: the course. POST: leave it, or ask no more for what needs approval."""

    async def get(self, key: str) -> None:
        """Show it: to students what concerns them, to staff all of it."""
        stored, _, may = await self.rights(key)
        members: tuple[Member, ...] = ()
        if Action.SEE_CLASS in may:
            members = await self.ask(self.courses.members.of, self.person, key)
        requests: tuple[Request, ...] = ()
        if Action.SEE_DESCRIPTION in may:
            requests = await self.ask(self.courses.approvals.of, self.person, key)
        active = [one for one in members if one.active]
        times = calendar(stored, self.courses.policy.retention)
        await self.show_course(
            "course.html",
            key,
            Action.SEE,
            has=profile_said(stored.course.profile),
            lasts=hours_said(stored.course),
            materials=materials_said(stored.course),
            environment=self._environment(stored.course),
            week=_week(stored.course),
            next_class=_next(stored.course),
            staff=[one for one in active if one.role.staff],
            students=sum(one.role is Role.STUDENT for one in active),
            awaited=sum(one.pending for one in active),
            requests=[one for one in requests if one.decision is None],
            decided=next((one for one in reversed(requests) if one.decision == "refused"), None),
            times=times,
            reminder=reminder(stored, self.courses.policy.retention, time.time()),
            archive=Action.EXPORT in may and self.folders is not None,
            messages=(await self.ask(self.courses.messages.of, self.person, key))[::-1],
        )

    async def post(self, key: str) -> None:
        """Do what the button says."""
        action = self.typed("action")
        if action == "leave":
            await self.ask(self.courses.members.leave, self.person, key)
            self.go("", "left")
        elif action == "withdraw":
            await self.rights(key, Action.CHANGE)
            await self.ask(self.courses.approvals.withdraw, self.person, self.number("request"))
            self.go(f"course/{key}/", "withdrawn")
        else:
            raise web.HTTPError(400, "There is no such action.")

    def _environment(self, course: Course) -> str:
        found = self.courses.policy.environments.get(course.profile.environment)
        return found.title if found else course.profile.environment


def _week(course: Course) -> list[Held]:
    now = datetime.now(timezone.utc)
    return [held(one, course.timezone) for one in this_week(course, now)]


def _next(course: Course) -> Held | None:
    found = following(course, datetime.now(timezone.utc))
    return None if found is None else held(found, course.timezone)


class SlashPage(CoursePage):
    """GET: the address of a course without the slash at its end."""

    async def get(self, key: str) -> None:
        """Lead to the course, if there is one."""
        await self.rights(key)
        self.go(f"course/{key}/")


HANDLERS = [(r"course/([^/]+)/", OverviewPage), (r"course/([^/]+)", SlashPage)]
