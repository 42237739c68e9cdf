"""A class as staff see and steer it: its people with their servers, on pages and over REST."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from slurmhub.courses.errors import MemberUnknown
from slurmhub.courses.people import Member
from slurmhub.courses.record import What
from slurmhub.courses.rights import Action, Person
from slurmhub.courses.service.hub import Hub, HubRefused, Server
from slurmhub.courses.store import Courses

AT_ONCE = 8
"""Servers that are stopped or lengthened at the same time."""

# As job/who.py has it: by its owner, or by somebody else through the hub.
_STOPPED = ("stopped", "stopped-by-other")

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


@dataclass(frozen=True)
class ClassOf:
    """The class of one course, for one of its staff.

    Everything raises HubAway, and what the store raises where this person may not.
    """

    person: Person
    key: str
    courses: Courses
    hub: Hub

    async def seats(self) -> tuple[Seat, ...]:
        """Everybody and their server."""
        members = await asyncio.to_thread(self.courses.members.of, self.person, self.key)
        return seats_of(members, await self.hub.servers(self.key))

    async def steer(self, what: What, user: str) -> None:
        """Stop or lengthen somebody's server; raises MemberUnknown, HubRefused."""
        members = await asyncio.to_thread(self.courses.members.of, self.person, self.key)
        # A server of this name may be somebody's who has nothing to do with the course.
        if user not in {one.username for one in members}:
            raise MemberUnknown(
                "They are not in this course, or not any more.",
                remedy="Look at its people again.",
            )
        await self._act(what, user)

    async def steer_all(self, what: What) -> tuple[str, ...]:
        """Whose servers were stopped or lengthened; those of which the hub says no are left out.

        Raises HubRefused where it does none.
        """
        steps = ("ready",) if what is What.EXTENDED else ORDER
        seats = [one for one in await self.seats() if one.open and one.state in steps]
        turn = asyncio.Semaphore(AT_ONCE)

        async def act(user: str) -> bool:
            async with turn:
                try:
                    await self._act(what, user)
                except HubRefused:
                    return False
                return True

        users = [str(one.member.username) for one in seats]
        done = await asyncio.gather(*(act(user) for user in users))
        if seats and not any(done):
            raise HubRefused(
                "The hub did this for none of the servers.", remedy="Look at one by itself."
            )
        return tuple(user for user, did in zip(users, done, strict=True) if did)

    async def _act(self, what: What, user: str) -> None:
        """Each server has its line in the record first."""
        note = self.courses.note
        await asyncio.to_thread(note, self.person, self.key, Action.STEER, what, subject=user)
        await (self.hub.lengthen if what is What.EXTENDED else self.hub.stop)(user, self.key)
