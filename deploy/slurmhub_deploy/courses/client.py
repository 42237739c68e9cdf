"""The REST API of a hub's courses, as one client; see docs/api/courses.json.

Who asks is whoever the token is of: what they may do, the service alone decides.
"""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from slurmhub.courses.service.api.models import ErrorView
from slurmhub_deploy.operate.errors import FAILED, OperateError

PATH = "services/courses/api/"
SECONDS = 60
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class HubPlace:
    """Where a hub is, with a slash at its end, and the token of whoever asks."""

    url: str
    token: str = field(repr=False)


class CourseRefusal(OperateError):
    """The service did not do it; `view` is all that it said, `code` its status."""

    def __init__(self, code: int, view: ErrorView) -> None:
        what = "\n".join([view.what, *(f"  {line}" for line in _lines(view))])
        super().__init__(what, remedy=view.remedy or "Look at the course again.")
        self.code = code
        self.view = view


def _lines(view: ErrorView) -> list[str]:
    """Each thing that is wrong, with what would do, for people."""
    found = []
    for one in view.problems:
        value = f" ({one.value})" if one.value else ""
        choices = f" One of: {', '.join(one.choices)}." if one.choices else ""
        found.append(f"{one.field}{value}: {one.message}{choices}")
    return found


Answer = tuple[int, bytes]
Send = Callable[[urllib.request.Request], Answer]


class CourseClient:
    """Asks, and reads the answers. Every method raises OperateError, CourseRefusal among them."""

    def __init__(self, place: HubPlace, send: Send | None = None) -> None:
        self._place = place
        self._send = send or _over_http

    def get(self, path: str, model: type[M]) -> M:
        """What is there."""
        return self._ask("GET", path, None, model)

    def post(self, path: str, model: type[M], body: Mapping[str, Any] | None = None) -> M:
        """Have something done, or made."""
        return self._ask("POST", path, body, model)

    def put(self, path: str, model: type[M], body: Mapping[str, Any]) -> M:
        """Have something be as it is given."""
        return self._ask("PUT", path, body, model)

    def patch(self, path: str, model: type[M], body: Mapping[str, Any]) -> M:
        """Have a part of something be another."""
        return self._ask("PATCH", path, body, model)

    def delete(self, path: str, model: type[M]) -> M:
        """Have something taken away."""
        return self._ask("DELETE", path, None, model)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None, model: type[M]) -> M:
        # The place has been looked at: it is https, or this machine.
        request = urllib.request.Request(  # noqa: S310
            f"{self._place.url}{PATH}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self._place.token}",
                "Accept": "application/json",
                "Accept-Language": "en",
                "Content-Type": "application/json",
            },
        )
        status, content = self._send(request)
        if status >= 400:
            raise CourseRefusal(status, self._error(status, content))
        try:
            return model.model_validate_json(content)
        except ValidationError as error:
            raise OperateError(
                f"{self._place.url} answered what this slurmhub does not understand.",
                remedy="Use the release of slurmhub that the hub has; it may also be no hub.",
            ) from error

    def _error(self, status: int, content: bytes) -> ErrorView:
        try:
            return ErrorView.model_validate_json(content)
        except ValidationError:
            what = f"{self._place.url} answered with status {status}, and not as courses do."
            remedy = "Is it the hub's address, and has the hub courses?"
            return ErrorView(what=what, remedy=remedy)


def course_path(key: str, *more: object) -> str:
    """The path of a course, or of something of it: courses/phys101/members/3."""
    return "/".join(["courses", *(quote(str(part), safe="") for part in (key, *more))])


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An API leads nowhere else, and a token goes to nobody else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Tell of it as it is."""


def _over_http(request: urllib.request.Request) -> Answer:
    opener = urllib.request.build_opener(_NoRedirects())
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        trust = " Is its certificate one that this machine trusts?"
        raise OperateError(
            f"{request.host} does not answer: {reason}.",
            remedy=f"Look whether the address is right and the hub is up."
            f"{trust if isinstance(reason, ssl.SSLError) else ''}",
            status=FAILED,
        ) from error
