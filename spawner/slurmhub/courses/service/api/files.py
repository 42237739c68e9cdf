"""The operation that hands out the files of a course."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import date

from slurmhub.courses.errors import NotNow
from slurmhub.courses.exporting import TYPE, export, file_name
from slurmhub.courses.service.api.operations import Asked, Nothing, Operation


def _name(asked: Asked) -> str:
    return file_name(asked.key, date.today())


def _export(asked: Asked) -> AsyncGenerator[bytes, None]:
    if asked.folders is None:
        raise NotNow(
            "Courses have no folders at this hub.", remedy="There is nothing to be exported."
        )
    return export(asked.courses, asked.folders.program, asked.person, asked.key)


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
