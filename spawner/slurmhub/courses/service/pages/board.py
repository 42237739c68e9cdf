"""The class as it is now: who has no server, whose waits and why, whose runs and for how long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote

from tornado import web

from slurmhub.courses.errors import MemberUnknown
from slurmhub.courses.helping import Help
from slurmhub.courses.record import What
from slurmhub.courses.rights import Action
from slurmhub.courses.service.hub import HubRefused
from slurmhub.courses.service.identity import HubAway
from slurmhub.courses.service.pages.base import CoursePage
from slurmhub.courses.service.seats import ORDER, ClassOf, Seat
from slurmhub.errors import SlurmhubError

_ACTIONS = {
    "stop": (What.STOPPED, False, "stopped"),
    "extend": (What.EXTENDED, False, "extended"),
    "stop-all": (What.STOPPED, True, "all-stopped"),
    "extend-all": (What.EXTENDED, True, "all-extended"),
}


class BoardPage(CoursePage):
    """GET: the class. POST: stop or lengthen one server, or all."""

    HERE = "class"

    async def get(self, key: str) -> None:
        """Show it."""
        await self._draw(key)

    async def post(self, key: str) -> None:
        """Do what the button says; each server has its line in the record first."""
        await self.rights(key, Action.STEER)
        action = self.typed("action")
        if action not in _ACTIONS:
            raise web.HTTPError(400, "There is no such action.")
        what, for_all, done = _ACTIONS[action]
        try:
            if for_all:
                await self._class(key).steer_all(what)
            else:
                await self._class(key).steer(what, self.typed("user"))
        except (HubAway, HubRefused, MemberUnknown) as error:
            await self._draw(key, error)
        else:
            self.go(f"course/{key}/class", done)

    def _class(self, key: str) -> ClassOf:
        return ClassOf(self.person, key, self.courses, self.hub)

    async def _draw(self, key: str, error: SlurmhubError | None = None) -> None:
        stored, _, _ = await self.rights(key, Action.SEE_CLASS)
        seats: Sequence[Seat] = ()
        away = ""
        try:
            seats = await self._class(key).seats()
        except (HubAway, HubRefused) as trouble:
            away = str(trouble)
        counts = Counter(one.state for one in seats)
        await self.show_course(
            "course_class.html",
            key,
            Action.SEE_CLASS,
            error=error,
            seats=seats,
            away=away,
            counts={state: counts[state] for state in ORDER if counts[state]},
            most=stored.course.most_running,
            running=sum(one.open for one in seats),
            helps=await self._helps(key),
            server_of=self._server_of,
        )

    async def _helps(self, key: str) -> dict[str, list[Help]]:
        """What is asked and allowed now, by student."""
        found: dict[str, list[Help]] = {}
        for one in await self.ask(self.courses.helps.of, self.person, key):
            found.setdefault(one.student, []).append(one)
        return found

    def _server_of(self, user: str, key: str) -> str:
        place = self.place
        return f"{place.hub_host}{place.base_url}user/{quote(user, safe='')}/{quote(key, safe='')}/"


HANDLERS = [(r"course/([^/]+)/class", BoardPage)]
