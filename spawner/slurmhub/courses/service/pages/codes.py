"""Join codes: staff make them for a course, students come in with them."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo

from tornado import web

from slurmhub.courses.errors import CourseRefused, CourseUnknown, MemberUnknown
from slurmhub.courses.joining import Outcome
from slurmhub.courses.model import Course, Role
from slurmhub.courses.rights import Action
from slurmhub.courses.roster.codes import (
    CodeRefused,
    code_problems,
    make_code,
    read_code,
)
from slurmhub.courses.service.pages.base import CoursePage
from slurmhub.courses.service.pages.words import moment_said
from slurmhub.errors import SlurmhubError

_WEEK = 7 * 86400


class CodesPage(CoursePage):
    """GET: the codes of a course, without the codes themselves. POST: make one, revoke one."""

    HERE = "codes"

    async def get(self, key: str) -> None:
        """Show them."""
        await self._draw(key)

    async def post(self, key: str) -> None:
        """Do what the button says; a new code is shown on the page that answers, and nowhere."""
        stored, _, _ = await self.rights(key, Action.CHANGE_ROSTER)
        action = self.typed("action")
        if action == "make":
            await self._make(key, stored.course)
        elif action == "revoke":
            try:
                number = self.number("number")
                await self.ask(self.courses.codes.revoke, self.person, key, number)
            except MemberUnknown as error:
                await self._draw(key, error)
            else:
                self.go(f"course/{key}/codes", "revoked")
        else:
            raise web.HTTPError(400, "There is no such action.")

    async def _make(self, key: str, course: Course) -> None:
        seats, expires = self.number("seats"), _moment(self.typed("expires"), course.timezone)
        found = code_problems(seats=seats, expires=expires, now=time.time())
        if found:
            await self._draw(key, CourseRefused(found))
            return
        code = make_code()
        await self.ask(
            self.courses.codes.add,
            self.person,
            key,
            self.code_key.digest(read_code(code)),
            seats=seats,
            expires=expires,
        )
        await self._draw(key, made=code)

    async def _draw(self, key: str, error: SlurmhubError | None = None, made: str = "") -> None:
        stored, _, _ = await self.rights(key, Action.SEE_RECORD)
        codes = await self.ask(self.courses.codes.of, self.person, key)
        members = await self.ask(self.courses.members.of, self.person, key)
        there = sum(one.active and one.role is Role.STUDENT for one in members)
        now, zone = time.time(), stored.course.timezone
        usual = moment_said(now + _WEEK, zone).replace(" ", "T")
        await self.show_course(
            "course_codes.html",
            key,
            Action.SEE_RECORD,
            error=error,
            codes=codes[::-1],
            made=made,
            now=now,
            link=f"{self.request.protocol}://{self.request.host}{self.place.prefix}join",
            typed={
                "seats": self.typed("seats") or max(stored.course.seats - there, 1),
                "expires": self.typed("expires") or usual,
            },
        )


class JoinPage(CoursePage):
    """GET: a field for a code. POST: come in with it."""

    async def get(self) -> None:
        """Show the field; a code in the address is filled in, and not used."""
        self._draw(self.get_query_argument("code", "")[:40])

    async def post(self) -> None:
        """Come in, or the page again with why not."""
        text = self.typed("code")
        try:
            key = await self._come_in(text)
        except CodeRefused as error:
            self._draw(text[:40], error)
            return
        try:
            stored = await self.ask(self.courses.get, self.person, key)
        except CourseUnknown:
            # It is not open to its students yet.
            self._draw("", CodeRefused(Outcome.CLOSED.value))
            return
        self.go(f"course/{stored.key}/", "joined")

    async def _come_in(self, text: str) -> str:
        digest = self.code_key.digest(read_code(text))
        given = await self.ask(self.courses.codes.use, self.person, digest)
        if given.outcome not in (Outcome.IN, Outcome.ALREADY) or given.course is None:
            raise CodeRefused(given.outcome.value)
        return given.course

    def _draw(self, code: str, error: CodeRefused | None = None) -> None:
        self.show("course_join.html", status=400 if error else 200, code=code, error=error)


def _moment(text: str, zone: str) -> float:
    """A moment of a form in seconds since the epoch; 0.0, long ago, for what is none."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


HANDLERS = [(r"course/([^/]+)/codes", CodesPage), ("join", JoinPage)]
