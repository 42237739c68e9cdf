"""The people of a course: staff and students, brought in one at a time, given roles, taken out."""

from __future__ import annotations

from collections import Counter
from functools import partial

from tornado import web

from slurmhub.courses.errors import CourseFull, MemberUnknown, NotAllowed
from slurmhub.courses.model import Role
from slurmhub.courses.people import NOTHING_KNOWN, Member
from slurmhub.courses.rights import Action
from slurmhub.courses.roster.facts import CALLED, Identifiers, Kind
from slurmhub.courses.service.pages.base import CoursePage
from slurmhub.errors import SlurmhubError

_ORDER = tuple(Role)
_GIVEN = {"assistant": Role.ASSISTANT, "instructor": Role.INSTRUCTOR, "student": Role.STUDENT}


class PeoplePage(CoursePage):
    """GET: everybody. POST: bring somebody in, give them another role, take them out."""

    HERE = "people"

    async def get(self, key: str) -> None:
        """Show them."""
        await self._draw(key)

    async def post(self, key: str) -> None:
        """Do what the button says; what cannot be done is said above what was typed."""
        # A button for a role names it as well: role:assistant.
        name = self.typed("action").partition(":")[0]
        action = {"add": self._add, "role": self._role, "drop": self._drop}.get(name)
        if action is None:
            raise web.HTTPError(400, "There is no such action.")
        try:
            done = await action(key)
        except (MemberUnknown, CourseFull, NotAllowed) as error:
            await self._draw(key, error)
        else:
            self.go(f"course/{key}/people", done)

    async def _draw(self, key: str, error: SlurmhubError | None = None) -> None:
        await self.rights(key, Action.SEE_CLASS)
        members = await self.ask(self.courses.members.of, self.person, key)
        active = [one for one in members if one.active]
        names = Counter(one.name.casefold() for one in active if one.name)
        await self.show_course(
            "course_people.html",
            key,
            Action.SEE_CLASS,
            error=error,
            people=sorted(active, key=_by_role),
            gone=sorted((one for one in members if not one.active), key=_by_role),
            known=_known,
            same_name=lambda one: bool(one.name) and names[one.name.casefold()] > 1,
            typed={name: self.typed(name) for name in ("username", "mail", "number", "name", "as")},
        )

    async def _add(self, key: str) -> str:
        role = _role(self.typed("as"))
        username = self.typed("username").strip() or None
        found = Identifiers(
            mail=self.typed("mail", most=255).strip() or None,
            number=self.typed("number", most=255).strip() or None,
        )
        add = partial(
            self.courses.members.add,
            username=username,
            identifiers=found or NOTHING_KNOWN,
            name=self.typed("name", most=255).strip(),
            role=role,
        )
        member: Member = await self.ask(add, self.person, key)
        return "awaited" if member.pending else "brought"

    async def _role(self, key: str) -> str:
        role = _role(self.typed("action").partition(":")[2])
        await self.ask(self.courses.members.set_role, self.person, key, self.number("number"), role)
        return "role"

    async def _drop(self, key: str) -> str:
        await self.ask(self.courses.members.drop, self.person, key, self.number("number"))
        return "dropped"


def _role(name: str) -> Role:
    role = _GIVEN.get(name)
    if role is None:
        raise web.HTTPError(400, "There is no such role.")
    return role


def _by_role(one: Member) -> tuple[int, str, int]:
    return _ORDER.index(one.role), (one.name or one.called).casefold(), one.number


def _known(one: Member) -> list[tuple[str, str]]:
    """What tells somebody from others, each with what it is called."""
    found = [(CALLED[kind], value) for kind, value in one.identifiers if kind is not Kind.LOGIN]
    login = one.identifiers.login
    return found if login in (None, one.username) else [(CALLED[Kind.LOGIN], str(login)), *found]


HANDLERS = [(r"course/([^/]+)/people", PeoplePage)]
