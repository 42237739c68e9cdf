"""The operation that hands out the files of a course."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date

from slurmhub.courses.errors import NotNow
from slurmhub.courses.exporting import TYPE, export, file_name
from slurmhub.courses.rights import Action
from slurmhub.courses.service.api.operations import Asked, Nothing, Operation


def _name(asked: Asked) -> str:
    return file_name(asked.key, date.today())


async def _export(asked: Asked) -> AsyncGenerator[bytes, None]:
    if asked.folders is None:
        # To whoever may not ask, the course does not say even this.
        await asyncio.to_thread(asked.courses.get, asked.person, asked.key, Action.EXPORT)
        raise NotNow(
            "Courses have no folders at this hub.", remedy="There is nothing to be exported."
        )
    async with aclosing(
        export(asked.courses, asked.folders.program, asked.person, asked.key)
    ) as pieces:
        async for piece in pieces:
            yield piece


OPERATIONS = (
    Operation(
        *("exportFiles", "GET", "courses/{key}/files", "The files of a course, as an archive"),
        answer=Nothing,
        stream=_export,
        media=TYPE,
        called=_name,
        errors=(403, 404, 409),
        about="A connection that is closed before its end says that the archive is not whole.",
    ),
)
