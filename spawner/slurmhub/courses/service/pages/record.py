"""Who did what in a course, when, the newest first."""

from __future__ import annotations

from slurmhub.courses.rights import Action
from slurmhub.courses.service.pages.base import CoursePage

AT_ONCE = 100


class RecordPage(CoursePage):
    """GET: the newest lines, or those before one of them."""

    HERE = "record"

    async def get(self, key: str) -> None:
        """Show them."""
        text = self.get_query_argument("before", "")
        before = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
        record = self.courses.record
        found = await self.ask(record, self.person, key, before=before, most=AT_ONCE)
        await self.show_course(
            "course_record.html",
            key,
            Action.SEE_RECORD,
            entries=found[::-1],
            older=found[0].number if len(found) == AT_ONCE else None,
        )


HANDLERS = [(r"course/([^/]+)/record", RecordPage)]
