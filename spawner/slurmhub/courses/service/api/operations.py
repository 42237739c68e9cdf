"""What an operation of the REST API is, and what it is given.

Each is a row of a table: handlers and the OpenAPI document are made of the same rows, so that
neither says what the other does not do. An operation calls the store with whoever asks, and
decides nothing itself.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

from slurmhub.courses.errors import MemberUnknown
from slurmhub.courses.model import CourseModel
from slurmhub.courses.rights import Person
from slurmhub.courses.roster.codes import CodeKey
from slurmhub.courses.service.cluster import CourseCluster
from slurmhub.courses.service.course_folders import CourseFolders
from slurmhub.courses.service.hub import Hub
from slurmhub.courses.store import Courses

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

JSON = "application/json"
KEY, NUMBER = "key", "number"
"""What there may be in a path: a course's key, and the number of a row."""


class Nothing(CourseModel):
    """No content."""


@dataclass(frozen=True)
class Asked:
    """One request, checked: `body` and `query` are of the operation's own models."""

    person: Person
    courses: Courses
    code_key: CodeKey
    cluster: CourseCluster | None = None
    hub: Hub | None = None
    folders: CourseFolders | None = None
    path: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    query: Any = None

    @property
    def key(self) -> str:
        """The key in the path."""
        return self.path[KEY]

    @property
    def number(self) -> int:
        """The number in the path; raises MemberUnknown for one that no row has."""
        digits = self.path[NUMBER]
        if len(digits) > 10:
            raise MemberUnknown("There is no such row.", remedy="Look at the list again.")
        return int(digits)


@dataclass(frozen=True)
class Operation:
    """`name` is the operation's id. `path` is below /services/courses/api/, with {key}, {number}.

    `call` waits for the database and is run in a thread; `wait` is for what waits for Slurm.
    `stream` hands on bytes of the type `media`, in a file that is `called` so.
    `errors` are the statuses that it may answer with beside those that all have.
    """

    name: str
    method: Method
    path: str
    summary: str
    answer: type[BaseModel]
    call: Callable[[Asked], BaseModel] | None = None
    wait: Callable[[Asked], Awaitable[BaseModel]] | None = None
    stream: Callable[[Asked], AsyncGenerator[bytes, None]] | None = None
    media: str = JSON
    called: Callable[[Asked], str] | None = None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    status: int = 200
    errors: tuple[int, ...] = ()
    about: str = ""
    """More than the summary, where that is needed."""
