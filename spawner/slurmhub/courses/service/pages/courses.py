"""The first page: all courses that somebody may see."""

from __future__ import annotations

from slurmhub.courses.rights import is_maker
from slurmhub.courses.service.page import PageHandler


class CoursesPage(PageHandler):
    """GET: the courses of whoever asks, or all for those who decide on them."""

    async def get(self) -> None:
        """Show them."""
        found = await self.ask(self.courses.visible, self.person)
        self.show(
            "courses.html", courses=found, may_make=is_maker(self.person, self.courses.policy)
        )


HANDLERS = [("", CoursesPage)]
