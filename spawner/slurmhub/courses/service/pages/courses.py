"""The first page: all courses that somebody may see, and what there is to do with courses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from slurmhub.courses.model import Role, State
from slurmhub.courses.rights import is_approver, is_maker
from slurmhub.courses.service.pages.base import CoursePage
from slurmhub.courses.stored import Stored

_LAST = (State.ENDED,)


class CoursesPage(CoursePage):
    """GET: the courses of whoever asks, or all for those who decide on them."""

    async def get(self) -> None:
        """Show them, those that are over at the end."""
        person, policy = self.person, self.courses.policy
        found = await self.ask(self.courses.visible, person)
        mine = {
            one.stored.key: one.role
            for one in await self.ask(self.courses.all_for, person.username)
        }
        waiting = None
        if is_approver(person, policy):
            waiting = len(await self.ask(self.courses.approvals.waiting, person))
        self.show(
            "courses.html",
            listed=[(one, mine.get(one.key)) for one in sorted(found, key=_order(mine))],
            maker=is_maker(person, policy),
            waiting=waiting,
            done=self.done(),
        )


def _order(mine: Mapping[str, Role]) -> Callable[[Stored], tuple[bool, bool, str]]:
    def of(one: Stored) -> tuple[bool, bool, str]:
        return one.state in _LAST, one.key not in mine, one.course.title.casefold()

    return of


HANDLERS = [("", CoursesPage)]
