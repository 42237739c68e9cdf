"""The files of a course as an archive for its staff."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date

from slurmhub.courses.folders.program import FoldersProgram
from slurmhub.courses.record import What
from slurmhub.courses.rights import Action, Person
from slurmhub.courses.store import Courses

EXPORTED = ("shared", "drop", "exchange")
"""Not the data, which may be large, and which staff brought in themselves."""

TYPE = "application/x-tar"


def file_name(key: str, day: date) -> str:
    """What the archive is called."""
    return f"{key}-{day.isoformat()}.tar"


async def export(
    courses: Courses, program: FoldersProgram, by: Person, key: str
) -> AsyncGenerator[bytes, None]:
    """The archive, piece by piece, if this person may have it; it is written down before.

    Raises CourseUnknown, NotAllowed, NotNow, FoldersRefused or FoldersUnusable before the first
    piece, and FoldersUnusable after one if the archive is not whole.
    """
    await asyncio.to_thread(courses.note, by, key, Action.EXPORT, What.EXPORTED)
    async with aclosing(program.export(key, EXPORTED)) as pieces:
        async for piece in pieces:
            yield piece
