"""The class as it is now: who has no server, whose waits and why, whose runs and for how long."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from tornado import web

from slurmhub.courses.errors import MemberUnknown
from slurmhub.courses.helping import Help
from slurmhub.courses.people import Member
from slurmhub.courses.record import What
from slurmhub.courses.rights import Action
from slurmhub.courses.service.hub import HubRefused, Server
from slurmhub.courses.service.identity import HubAway
from slurmhub.courses.service.pages.base import CoursePage
from slurmhub.errors import SlurmhubError

AT_ONCE = 8
"""Servers that are stopped or lengthened at the same time."""

# As job/who.py has it: by its owner, or by somebody else through the hub.
_STOPPED = ("stopped", "stopped-by-other")
_ACTIONS = {
    "stop": (What.STOPPED, False, "stopped"),
    "extend": (What.EXTENDED, False, "extended"),
    "stop-all": (What.STOPPED, True, "all-stopped"),
    "extend-all": (What.EXTENDED, True, "all-extended"),
}

ORDER = ("queued", "asking", "starting", "ended", "paused", "stopping", "ready", "none", "awaited")
"""States in the order in which staff look for them: first who waits, last who needs nothing."""


@dataclass(frozen=True)
class Seat:
    """One member and their server, if there is one."""

    member: Member
    server: Server | None

    @property
    def state(self) -> str:
        """That of the server; none without one, awaited for who never signed in."""
        if self.member.username is None:
            return "awaited"
        if self.server is None:
            return "none"
        if self.server.step == "ended" and self.server.kind in _STOPPED:
            return "none"
        if self.server.step in ORDER:
            return self.server.step
        return "ready" if self.server.open else "ended"

    @property
    def open(self) -> bool:
        """Whether there is something to stop."""
        return self.server is not None and self.server.open


def seats_of(members: Iterable[Member], servers: Iterable[Server]) -> tuple[Seat, ...]:
    """Students, and others of the course whose server is there; those who wait come first."""
    by_user = {one.user: one for one in servers}
    found = [Seat(one, by_user.get(one.username or "")) for one in members]
    shown = [one for one in found if one.open or (one.member.active and not one.member.role.staff)]
    return tuple(
        sorted(shown, key=lambda one: (ORDER.index(one.state), one.member.called.casefold()))
    )


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
                await self._all(key, what)
            else:
                await self._one(key, what)
        except (HubAway, HubRefused, MemberUnknown) as error:
            await self._draw(key, error)
        else:
            self.go(f"course/{key}/class", done)

    async def _seats(self, key: str) -> tuple[Seat, ...]:
        members = await self.ask(self.courses.members.of, self.person, key)
        return seats_of(members, await self.hub.servers(key))

    async def _draw(self, key: str, error: SlurmhubError | None = None) -> None:
        stored, _, _ = await self.rights(key, Action.SEE_CLASS)
        seats: Sequence[Seat] = ()
        away = ""
        try:
            seats = await self._seats(key)
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

    async def _one(self, key: str, what: What) -> None:
        """The server of somebody of the course."""
        user = self.typed("user")
        members = await self.ask(self.courses.members.of, self.person, key)
        # A server of this name may be somebody's who has nothing to do with the course.
        if user not in {one.username for one in members}:
            raise MemberUnknown(
                "They are not in this course, or not any more.",
                remedy="Look at its people again.",
            )
        await self._act(key, what, user)

    async def _all(self, key: str, what: What) -> None:
        """Every server that can be; those of which the hub says no are left out."""
        steps = ("ready",) if what is What.EXTENDED else ORDER
        seats = [one for one in await self._seats(key) if one.open and one.state in steps]
        turn = asyncio.Semaphore(AT_ONCE)

        async def act(seat: Seat) -> bool:
            async with turn:
                try:
                    await self._act(key, what, str(seat.member.username))
                except HubRefused:
                    return False
                return True

        done = await asyncio.gather(*(act(seat) for seat in seats))
        if seats and not any(done):
            raise HubRefused(
                "The hub did this for none of the servers.", remedy="Look at one by itself."
            )

    async def _act(self, key: str, what: What, user: str) -> None:
        note, hub = self.courses.note, self.hub
        await self.ask(note, self.person, key, Action.STEER, what, subject=user)
        await (hub.lengthen if what is What.EXTENDED else hub.stop)(user, key)


HANDLERS = [(r"course/([^/]+)/class", BoardPage)]
