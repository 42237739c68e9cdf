"""Making a course and changing one: the same form, with what is wrong beside what was typed."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from slurmhub.courses.bounds import needs_approval
from slurmhub.courses.changes import changed_fields, document_of
from slurmhub.courses.errors import CourseRefused, CoursesAway, KeyTaken
from slurmhub.courses.model import Course
from slurmhub.courses.policy import Policy
from slurmhub.courses.rights import Action, check_making
from slurmhub.courses.service.pages.base import CoursePage
from slurmhub.courses.service.pages.forms import beside, classes_in, read_form, typed_in, typed_of
from slurmhub.courses.service.pages.labels import label_of
from slurmhub.courses.service.pages.limits import limits_said
from slurmhub.courses.service.statuses import status_of
from slurmhub.courses.stored import CourseChanged, Stored, before
from slurmhub.errors import SlurmhubError
from slurmhub.options.refusal import Problem
from slurmhub.options.words import memory_plain
from slurmhub.slurm.memory import Memory

_log = logging.getLogger(__name__)

_ZONES = Path("/usr/share/zoneinfo")
_USUAL: Mapping[str, str] = {
    "seats": "30",
    "profile.cpus": "1",
    "profile.memory": "2",
    "profile.gpus": "0",
    "profile.hours": "2",
    "materials.repository.branch": "main",
    "storage.shared": "yes",
}


_ROOM = ("class_hours", "profile", "seats", "term", "timezone")
_PATIENCE = 10.0


@dataclass(frozen=True)
class Form:
    """What the template draws: what is typed, what is wrong with it, and what is allowed."""

    typed: Mapping[str, str]
    policy: Policy
    problems: Mapping[str, Sequence[Problem]] = field(default_factory=dict)

    @property
    def limits(self) -> Mapping[str, Sequence[str]]:
        """Sentences about the most, by field."""
        return limits_said(self.policy)

    def label(self, name: str) -> str:
        """What a field is called, in the language of this request."""
        return label_of(name)


@dataclass(frozen=True)
class Different:
    """A field that is one thing in the course and another in the form."""

    label: str
    theirs: str
    mine: str


class _FormPage(CoursePage):
    """Draws the form, and reads it."""

    def sent(self) -> dict[str, str]:
        """What was typed into the form."""
        arguments = self.request.body_arguments
        return typed_in({name: self.get_body_arguments(name) for name in arguments})

    def rows(self, typed: Mapping[str, str]) -> int:
        """How many classes the form has room for."""
        there = classes_in(typed)
        if self.typed("action") != "more":
            return max(there, 1)
        drawn = sum(name.endswith("].weekday") for name in self.request.body_arguments)
        return max(there, drawn) + 1

    def values(self, typed: Mapping[str, str], **more: Any) -> dict[str, Any]:
        """What the template needs beside the course."""
        policy = self.courses.policy
        problems = more.pop("problems", ())
        return {
            "form": Form(typed, policy, beside(problems, typed)),
            "rows": self.rows(typed),
            "zones": _zones(),
            "partitions": {name: name for name in policy.partitions},
            "environments": {name: one.title for name, one in policy.environments.items()},
            "groups": policy.join_groups,
            "usual_room": memory_plain(Memory.parse(policy.room)),
            "freely": policy.free is None or self.person.administrator,
            "note": self.typed("note", most=2000),
            "asks": (),
            "short": (),
            "conflict": None,
            **more,
        }

    def unasked(self, course: Course, had: Course | None) -> dict[str, Any]:
        """What needs approval and was not yet said to who makes it; nothing if nothing does."""
        if self.person.administrator:
            return {}
        reasons = needs_approval(course, self.courses.policy, before=had)
        told = hashlib.sha256("\n".join(one.line() for one in reasons).encode()).hexdigest()
        if not reasons or self.typed("asked") == told:
            return {}
        return {"asks": reasons, "asked": told}

    async def unfit(self, course: Course, had: Course | None) -> dict[str, Any]:
        """Which of its classes have no room, unless that was said; nothing if all have.

        Nor where it cannot be known now: the page of the course says it later.
        """
        same = had is not None and all(
            getattr(course, name) == getattr(had, name) for name in _ROOM
        )
        if self.cluster is None or not course.class_hours or same or self.typed("short"):
            return {}
        try:
            short = await asyncio.wait_for(self.cluster.answer(course), _PATIENCE)
        except (SlurmhubError, asyncio.TimeoutError) as error:
            _log.warning("Whether %s fits is not known. %s", course.key, error)
            return {}
        return {"short": short} if short else {}


class NewPage(_FormPage):
    """GET: an empty form. POST: make the course."""

    async def get(self) -> None:
        """Show it, with what is usual."""
        check_making(self.person, self.courses.policy)
        usual = {**_USUAL, "timezone": await self._zone()}
        self.show("course_form.html", course=None, **self.values(usual))

    async def post(self) -> None:
        """Make it, and go there; or the form again, with what is wrong."""
        check_making(self.person, self.courses.policy)
        typed = self.sent()
        if self.typed("action") == "more":
            self.show("course_form.html", course=None, **self.values(typed))
            return
        try:
            course = read_form(typed)
            first = self.unasked(course, None) or await self.unfit(course, None)
            if first:
                self.show("course_form.html", course=None, **self.values(typed, **first))
                return
            note = self.typed("note", most=2000)
            saved = await self.ask(self.courses.create, self.person, course, note=note)
        except (CourseRefused, KeyTaken, CoursesAway) as error:
            values = self.values(typed, problems=_problems(error))
            self.show("course_form.html", status=status_of(error), course=None, **values)
            return
        self.go(f"course/{course.key}/", "asked" if saved.request else "made")

    async def _zone(self) -> str:
        """That of the last course of whoever asks, else that of this host."""
        mine = await self.ask(self.courses.all_for, self.person.username)
        last = max(mine, key=lambda one: one.stored.created, default=None)
        return _host_zone() if last is None else last.stored.course.timezone


class ChangePage(_FormPage):
    """GET: the course as a form. POST: save it, unless somebody was faster."""

    HERE = "change"

    async def get(self, key: str) -> None:
        """Show it."""
        stored, _, _ = await self.rights(key, Action.CHANGE)
        await self._form(key, typed_of(document_of(stored.course)), stored.version)

    async def post(self, key: str) -> None:
        """Save it; or the form again, with what is wrong, or with what somebody else changed."""
        stored, _, _ = await self.rights(key, Action.CHANGE)
        typed, version = self.sent(), self.number("version")
        if self.typed("action") == "more":
            await self._form(key, typed, version)
            return
        try:
            course = read_form(typed, stored.course)
            first = self.unasked(course, stored.course if stored.state.served else None)
            first = first or await self.unfit(course, stored.course)
            if first and version == stored.version:
                await self._form(key, typed, version, **first)
                return
            note = self.typed("note", most=2000)
            change = self.courses.change
            saved = await self.ask(change, self.person, key, version, course, note=note)
        except CourseChanged as error:
            await self._conflict(key, error, course)
        except (CourseRefused, CoursesAway) as error:
            self.set_status(status_of(error))
            await self._form(key, typed, version, problems=_problems(error))
        else:
            self.go(f"course/{key}/", "asked" if saved.request else "saved")

    async def _form(self, key: str, typed: Mapping[str, str], version: int, **more: Any) -> None:
        values = self.values(typed, **more)
        await self.show_course("course_form.html", key, Action.CHANGE, version=version, **values)

    async def _conflict(self, key: str, error: CourseChanged, mine: Course) -> None:
        """Theirs where nothing was changed here, and what differs still, to be looked at."""
        typed = typed_of(_over(error.stored, error, mine))
        theirs = typed_of(document_of(error.stored.course))
        names = [*theirs, *(name for name in typed if name not in theirs)]
        found = [
            Different(label_of(name), theirs.get(name, ""), typed.get(name, ""))
            for name in names
            if theirs.get(name, "") != typed.get(name, "")
        ]
        self.set_status(status_of(error))
        await self._form(key, typed, error.stored.version, conflict=error, differences=found)


def _over(stored: Stored, error: CourseChanged, mine: Course) -> dict[str, Any]:
    """What was changed here, over the course as it is now."""
    by_me = changed_fields(before(stored, error.entries), document_of(mine))
    return {**document_of(stored.course), **by_me}


def _problems(error: CourseRefused | KeyTaken | CoursesAway) -> Sequence[Problem]:
    if isinstance(error, CourseRefused):
        return error.problems
    if isinstance(error, KeyTaken):
        return [Problem("key", error.key, f"{error.what} {error.remedy}")]
    return [Problem("", "", f"{error.what} {error.remedy}")]


@lru_cache(maxsize=1)
def _zones() -> tuple[str, ...]:
    return tuple(sorted(name for name in available_timezones() if "/" in name or name == "UTC"))


@lru_cache(maxsize=1)
def _host_zone() -> str:
    """The time zone of this host, by where its clock's file leads."""
    found = Path("/etc/localtime").resolve()
    name = str(found.relative_to(_ZONES)) if found.is_relative_to(_ZONES) else "UTC"
    return name if name in available_timezones() else "UTC"


HANDLERS = [("new", NewPage), (r"course/([^/]+)/change", ChangePage)]
