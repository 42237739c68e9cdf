"""What the pages of one course have in common."""

from __future__ import annotations

import logging
from functools import cached_property, partial
from typing import Any

from slurmhub.courses.model import Role
from slurmhub.courses.rights import Action
from slurmhub.courses.service.hub import Hub, HubRefused
from slurmhub.courses.service.identity import HubAway
from slurmhub.courses.service.page import PageHandler
from slurmhub.courses.service.pages.words import DONE, moment_said
from slurmhub.courses.service.statuses import status_of
from slurmhub.courses.stored import Stored
from slurmhub.errors import SlurmhubError

_log = logging.getLogger(__name__)


class CoursePage(PageHandler):
    """A page of the courses, or of one of them; `HERE` is the last part of its address."""

    HERE = ""

    def typed(self, name: str, *, most: int = 1000) -> str:
        """One value of a form, as it was typed."""
        return str(self.get_body_argument(name, ""))[:most]

    def number(self, name: str) -> int:
        """A number of a form, which names a row; 0, which none has, for anything else."""
        text = self.typed(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

    def done(self) -> str:
        """What was done, by the address of this page."""
        return DONE.get(self.get_query_argument("done", ""), "")

    def go(self, path: str, done: str = "") -> None:
        """Lead to another page, which says what was done."""
        query = f"?done={done}" if done else ""
        self.redirect(f"{self.place.prefix}{path}{query}", status=303)

    async def rights(
        self, key: str, action: Action = Action.SEE
    ) -> tuple[Stored, Role | None, frozenset[Action]]:
        """A course, and what may be done to it; raises CourseUnknown, NotAllowed, NotNow."""
        stored, role, may = await self.ask(self.courses.rights, self.person, key)
        if action not in may:
            # In the store's own words.
            await self.ask(self.courses.get, self.person, key, action)
        return stored, role, may

    async def show_course(
        self,
        template: str,
        key: str,
        action: Action,
        /,
        *,
        error: SlurmhubError | None = None,
        **values: Any,
    ) -> None:
        """A page of one course, with what went wrong, if anything did."""
        stored, role, may = await self.rights(key, action)
        known: dict[str, Any] = {
            "course": stored,
            "role": role,
            "may": {one.name for one in may},
            "at": partial(moment_said, zone=stored.course.timezone),
            "here": self.HERE,
            "error": error,
            "done": "" if error else self.done(),
        }
        status = self.get_status() if error is None else status_of(error)
        self.show(template, status=status, **{**known, **values})

    @cached_property
    def hub(self) -> Hub:
        """The hub, asked by the service itself."""
        return Hub(self.place)

    async def running(self, key: str) -> frozenset[str]:
        """Who has a server of this course now; nobody where the hub does not say."""
        try:
            servers = await self.hub.servers(key)
        except (HubAway, HubRefused) as error:
            _log.warning("Servers of %s are not known. %s", key, error)
            return frozenset()
        return frozenset(one.user for one in servers if one.open)
