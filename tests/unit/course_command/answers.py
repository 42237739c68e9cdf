"""A service that answers as it is told, and remembers what it was asked."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

from slurmhub.courses.model import Course
from slurmhub_deploy.courses.client import PATH, CourseClient, HubPlace
from tests.unit.courses.world import course

URL = "https://hub.example.ca/"
TOKEN = "0123456789abcdef"
NOW = "2031-09-02T16:00:00Z"

Said = dict[str, Any] | Callable[[Any], Any]


class Answering:
    """Answers by method and path; what is not there is a 404 as the service says it."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, tuple[int, Any]] = {
            name: value if isinstance(value, tuple) else (200, value)
            for name, value in answers.items()
        }
        self.asked: list[tuple[str, Any]] = []
        self.headers: dict[str, str] = {}

    def send(self, request: urllib.request.Request) -> tuple[int, bytes]:
        name = f"{request.method} {request.full_url.removeprefix(URL + PATH)}"
        assert isinstance(request.data, bytes | None)
        self.asked.append((name, json.loads(request.data) if request.data else None))
        self.headers = dict(request.header_items())
        unknown = (404, {"what": "There is no such course.", "remedy": "Look again."})
        status, answer = self.answers.get(name, unknown)
        return status, answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    @property
    def client(self) -> CourseClient:
        return CourseClient(HubPlace(URL, TOKEN), self.send)


def view(one: Course | None = None, version: int = 3, **more: Any) -> dict[str, Any]:
    """What the service says of a course to its owner."""
    found = one or course()
    document = found.model_dump(mode="json")
    seen = ("key", "title", "description", "term", "timezone", "materials", "class_hours")
    return {
        **{name: document[name] for name in seen},
        "state": "open",
        "role": "owner",
        "may": ["see", "change"],
        "details": {
            "course": document,
            "version": version,
            "owner": "alice",
            **dict.fromkeys(("created", "changed"), NOW),
            **dict.fromkeys(("frozen", "ended", "realised")),
            "waiting": "",
        },
        **more,
    }


def member(number: int, username: str | None, role: str, **more: Any) -> dict[str, Any]:
    """Somebody as the service has them."""
    return {
        "number": number,
        "username": username,
        "name": "",
        "role": role,
        "source": "name",
        "identifiers": {},
        "since": NOW,
        "dropped": None,
        "dropped_by": None,
        **more,
    }
