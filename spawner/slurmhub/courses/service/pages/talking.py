"""Messages to a whole class, and help at one student's server, which the student must allow."""

from __future__ import annotations

import time
from collections.abc import Mapping

from tornado import web

from slurmhub.courses.errors import MemberUnknown, NotNow
from slurmhub.courses.helping import HelpRefused, HelpUnknown
from slurmhub.courses.messages import LONGEST, MessageRefused
from slurmhub.courses.rights import Action
from slurmhub.courses.service.pages.base import CoursePage
from slurmhub.errors import SlurmhubError

_HOUR = 3600.0
SHOWN_FOR: Mapping[str, float] = {
    "1": _HOUR,
    "3": 3 * _HOUR,
    "24": 24 * _HOUR,
    "168": 168 * _HOUR,
    # A moment less than the most that there may be: the answer takes its time.
    "336": 336 * _HOUR - 60,
}
"""Seconds for which a message is shown, by what the form has."""


class MessagesPage(CoursePage):
    """GET: what the class is shown now. POST: show it something, or that no more."""

    HERE = "messages"

    async def get(self, key: str) -> None:
        """Show it."""
        await self._draw(key)

    async def post(self, key: str) -> None:
        """Do what the button says; what cannot be sent stays in its field."""
        action = self.typed("action")
        if action not in ("send", "withdraw"):
            raise web.HTTPError(400, "There is no such action.")
        try:
            if action == "send":
                await self._send(key)
            else:
                withdraw = self.courses.messages.withdraw
                await self.ask(withdraw, self.person, key, self.number("number"))
                self.go(f"course/{key}/messages", "unsaid")
        except MessageRefused as error:
            await self._draw(key, error)

    async def _send(self, key: str) -> None:
        until = time.time() + SHOWN_FOR.get(self.typed("hours"), 0.0)
        # All of it: what is too long is refused, and not cut.
        text = self.get_body_argument("text", "")
        await self.ask(self.courses.messages.send, self.person, key, text, until=until)
        self.go(f"course/{key}/messages", "said")

    async def _draw(self, key: str, error: SlurmhubError | None = None) -> None:
        await self.rights(key, Action.HELP)
        messages = await self.ask(self.courses.messages.of, self.person, key)
        await self.show_course(
            "course_messages.html",
            key,
            Action.HELP,
            error=error,
            messages=messages[::-1],
            longest=LONGEST,
            typed=self.get_body_argument("text", "")[: 2 * LONGEST],
        )


class HelpPage(CoursePage):
    """POST: ask a student to be let in at their server, or end that."""

    async def post(self, key: str) -> None:
        """Do what the button says, then the class again."""
        action = self.typed("action")
        if action == "ask":
            await self.rights(key, Action.HELP)
            try:
                ask, minutes = self.courses.helps.ask, self.number("minutes")
                await self.ask(ask, self.person, key, self.typed("user"), minutes)
            except HelpRefused as error:
                raise NotNow(error.what, remedy=error.remedy) from error
            self.go(f"course/{key}/class", "help-asked")
        elif action == "end":
            await self.rights(key, Action.SEE_CLASS)
            try:
                await self.ask(self.courses.helps.end, self.person, self.number("number"))
            except HelpUnknown as error:
                raise MemberUnknown(error.what, remedy=error.remedy) from error
            self.go(f"course/{key}/class", "help-ended")
        else:
            raise web.HTTPError(400, "There is no such action.")


HANDLERS = [(r"course/([^/]+)/messages", MessagesPage), (r"course/([^/]+)/help", HelpPage)]
