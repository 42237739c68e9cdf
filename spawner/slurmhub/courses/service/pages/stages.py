"""Freezing a course, opening it again, ending it, giving it to somebody, copying it."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from tornado import web

from slurmhub.courses.errors import CourseRefused, KeyTaken, MemberUnknown, NotNow
from slurmhub.courses.mistakes import mistakes, read_as
from slurmhub.courses.model import Role, Term
from slurmhub.courses.retention import calendar
from slurmhub.courses.rights import Action, is_maker
from slurmhub.courses.service.pages.base import CoursePage
from slurmhub.errors import SlurmhubError
from slurmhub.options.refusal import Problem

_COPY = ("key", "title", "name", "first", "last")


class StagesPage(CoursePage):
    """GET: what can be done. POST: do it."""

    HERE = "stages"

    async def get(self, key: str) -> None:
        """Show it."""
        await self._draw(key)

    async def post(self, key: str) -> None:
        """Do what the button says; what cannot be done is said."""
        action = {
            "freeze": self._freeze,
            "thaw": self._thaw,
            "end": self._end,
            "give": self._give,
            "copy": self._copy,
        }.get(self.typed("action"))
        if action is None:
            raise web.HTTPError(400, "There is no such action.")
        try:
            await action(key)
        except (CourseRefused, KeyTaken, MemberUnknown, NotNow) as error:
            await self._draw(key, error)

    async def _freeze(self, key: str) -> None:
        await self.ask(self.courses.stages.freeze, self.person, key)
        self.go(f"course/{key}/stages", "frozen")

    async def _thaw(self, key: str) -> None:
        await self.ask(self.courses.stages.thaw, self.person, key)
        self.go(f"course/{key}/stages", "thawed")

    async def _end(self, key: str) -> None:
        await self.rights(key, Action.END)
        if self.typed("confirm").strip() != key:
            words = "The short name of the course was not written there. Nothing was done."
            remedy = "Write it as it stands above, if the course shall really end."
            raise MemberUnknown(words, remedy=remedy)
        await self.ask(self.courses.stages.end, self.person, key)
        self.go(f"course/{key}/", "ended")

    async def _give(self, key: str) -> None:
        await self.ask(self.courses.stages.give, self.person, key, self.typed("to"))
        self.go(f"course/{key}/", "given")

    async def _copy(self, key: str) -> None:
        typed = {name: self.typed(name).strip() for name in _COPY}
        data = {name: typed[name] for name in ("name", "first", "last")}
        term, new = read_as(Term, data), typed["key"]
        copy, title = self.courses.copy, typed["title"] or None
        try:
            saved, copied = await self.ask(copy, self.person, key, new, term, title=title)
        except ValidationError as error:
            raise CourseRefused([one for _, one in mistakes(error)]) from error
        self.show(
            "course_copied.html",
            course=saved.stored,
            request=saved.request,
            left_out=copied.left_out,
        )

    async def _draw(self, key: str, error: SlurmhubError | None = None) -> None:
        stored, _, _ = await self.rights(key, Action.SEE_RECORD)
        members = await self.ask(self.courses.members.of, self.person, key)
        instructors = [
            one.username for one in members if one.active and one.role is Role.INSTRUCTOR
        ]
        values: dict[str, Any] = {
            "times": calendar(stored, self.courses.policy.retention),
            "instructors": instructors,
            "maker": is_maker(self.person, self.courses.policy),
            "typed": {name: self.typed(name) for name in _COPY},
            "problems": _problems(error),
        }
        await self.show_course("course_stages.html", key, Action.SEE_RECORD, error=error, **values)


def _problems(error: SlurmhubError | None) -> tuple[Problem, ...]:
    return error.problems if isinstance(error, CourseRefused) else ()


HANDLERS = [(r"course/([^/]+)/stages", StagesPage)]
