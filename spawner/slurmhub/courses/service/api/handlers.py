"""The REST API over HTTP: one handler for each path of the table."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from contextlib import aclosing
from http.client import responses
from typing import Any

from pydantic import BaseModel, ValidationError
from tornado import web
from tornado.iostream import StreamClosedError

from slurmhub.courses.changes import document_of
from slurmhub.courses.errors import CourseUnknown, NotAllowed
from slurmhub.courses.kinds import is_key
from slurmhub.courses.mistakes import mistakes
from slurmhub.courses.roster.applying import PreviewChanged
from slurmhub.courses.service.api.models import ErrorView, ProblemView
from slurmhub.courses.service.api.openapi import document
from slurmhub.courses.service.api.operations import JSON, KEY, NUMBER, Asked, Operation
from slurmhub.courses.service.api.table import OPERATIONS
from slurmhub.courses.service.asking import Asking
from slurmhub.courses.service.hub import Hub
from slurmhub.courses.service.statuses import status_of
from slurmhub.courses.stored import CourseChanged
from slurmhub.errors import SlurmhubError
from slurmhub.language import told
from slurmhub.options.refusal import Refusal, shown

_log = logging.getLogger(__name__)
_PARTS = {KEY: "([^/]+)", NUMBER: "([0-9]+)"}


class NobodyAsks(NotAllowed):
    """Nothing says who asks."""


class Unreadable(SlurmhubError):
    """What was sent cannot be read, with the status that says so."""

    def __init__(self, what: str, *, remedy: str, status: int) -> None:
        super().__init__(what, remedy=remedy)
        self.status = status


class ApiHandler(Asking):
    """Everything below api/: answers in JSON, errors too."""

    def set_default_headers(self) -> None:
        """An answer is for whoever asked, and never a page."""
        self.set_header("Content-Type", JSON)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")

    async def prepare(self) -> None:
        """Know who asks before anything is done."""
        person = await self.identify()
        if person is None:
            raise NobodyAsks(
                "Nothing says who asks, or it holds no more.",
                remedy="Send a token of yours: the hub's token page makes them.",
            )
        self.person = person

    def answer(self, model: BaseModel, status: int = 200) -> None:
        """Finish with this."""
        self.set_status(status)
        self.finish(model.model_dump_json())

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what is wrong and what to do, as JSON."""
        raised = kwargs.get("exc_info", (None, None, None))[1]
        status, view = said(raised, status_code)
        if status == 401:
            self.set_header("WWW-Authenticate", 'Bearer realm="courses"')
        self.answer(view, status)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """What is answered needs no stack in the log."""
        if isinstance(value, SlurmhubError):
            _log.info("%s %s: %s", self.request.method, self.request.path, value.what)
        else:
            super().log_exception(typ, value, tb)


class OperationHandler(ApiHandler):
    """One path: `table` has its operations by method, `names` what is in the path."""

    def initialize(self, table: dict[str, Operation], names: tuple[str, ...]) -> None:
        """Tornado's."""
        self.table, self.names = table, names

    async def prepare(self) -> None:
        """A method that there is not is refused before anybody is asked who it is."""
        if self.request.method not in self.table:
            raise web.HTTPError(405)
        await super().prepare()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """RFC 9110, section 15.5.6: with a method that there is not come those that there are."""
        if status_code == 405:
            self.set_header("Allow", ", ".join(self.table))
        super().write_error(status_code, **kwargs)

    async def _do(self, *parts: str) -> None:
        operation = self.table[str(self.request.method)]
        path = dict(zip(self.names, parts, strict=True))
        if KEY in path and not is_key(path[KEY]):
            raise CourseUnknown(shown(path[KEY]))
        asked = Asked(
            person=self.person,
            courses=self.courses,
            code_key=self.code_key,
            cluster=self.cluster,
            hub=Hub(self.place),
            folders=self.folders,
            path=path,
            body=self._body(operation),
            query=self._query(operation),
        )
        if operation.stream is not None:
            await self._stream(operation, asked)
            return
        if operation.wait is not None:
            found = await operation.wait(asked)
        else:
            assert operation.call is not None  # noqa: S101 - the table's test
            found = await self.ask(operation.call, asked)
        self.answer(found, operation.status)

    async def _stream(self, operation: Operation, asked: Asked) -> None:
        """Piece by piece; what fails on the way ends the connection, so that it is seen."""
        assert operation.stream is not None  # noqa: S101 - whoever calls looked
        begun = False
        try:
            async with aclosing(operation.stream(asked)) as pieces:
                async for piece in pieces:
                    if not begun:
                        begun = True
                        self.set_header("Content-Type", operation.media)
                        if operation.called is not None:
                            name = operation.called(asked)
                            said = f'attachment; filename="{name}"'
                            self.set_header("Content-Disposition", said)
                    self.write(piece)
                    await self.flush()
        except SlurmhubError as error:
            if not begun:
                raise
            _log.error("An archive is not whole. %s", error)
            self.request.connection.stream.close()  # type: ignore[union-attr]
        except StreamClosedError:
            _log.info("Somebody went away before their archive was whole.")

    get = post = put = patch = delete = _do

    def _body(self, operation: Operation) -> BaseModel | None:
        if operation.body is None:
            return None
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != JSON:
            raise Unreadable(
                "What was sent is not JSON.",
                remedy=f"Send it with the header Content-Type: {JSON}.",
                status=415,
            )
        try:
            return operation.body.model_validate_json(self.request.body, strict=True)
        except ValidationError as error:
            if any(one["type"] == "json_invalid" for one in error.errors()):
                raise Unreadable(
                    "What was sent cannot be read as JSON.",
                    remedy="Send one JSON object.",
                    status=400,
                ) from error
            raise _wrong(error, operation.body) from error

    def _query(self, operation: Operation) -> BaseModel | None:
        if operation.query is None:
            return None
        given = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        try:
            return operation.query.model_validate_strings(given)
        except ValidationError as error:
            raise _wrong(error, operation.query) from error


def _wrong(error: ValidationError, model: type[BaseModel]) -> Refusal:
    return Refusal(
        (one for _, one in mistakes(error, model)),
        what="What was sent cannot be taken.",
        remedy="Correct what is named here and send it again.",
    )


class DocumentHandler(ApiHandler):
    """The OpenAPI document, for everybody: it says nothing of any course."""

    async def prepare(self) -> None:
        """Nobody needs to say who they are."""

    def get(self) -> None:
        """The document, with this hub's own address."""
        found = document(OPERATIONS)
        found["servers"] = [{"url": f"{self.place.prefix}api"}]
        self.finish(json.dumps(found))


class NoOperation(ApiHandler):
    """Whatever else is below api/."""

    async def prepare(self) -> None:
        """The same for everybody."""
        raise web.HTTPError(404, "There is no such operation.")


def said(raised: BaseException | None, status: int) -> tuple[int, ErrorView]:
    """The status and the words of an error; nothing of what only operators understand."""
    if isinstance(raised, NobodyAsks):
        status = 401
    elif isinstance(raised, Unreadable):
        status = raised.status
    elif isinstance(raised, SlurmhubError):
        status = status_of(raised)
    if isinstance(raised, SlurmhubError):
        return status, _view(raised)
    words = raised.log_message if isinstance(raised, web.HTTPError) and status < 500 else None
    what = told(words) if words else responses.get(status, "")
    return status, ErrorView(what=what, remedy="")


def _view(error: SlurmhubError) -> ErrorView:
    values: dict[str, Any] = {"what": told(error.what), "remedy": told(error.remedy)}
    if isinstance(error, Refusal):
        found = (ProblemView.of(one) for one in error.problems)
        values["problems"] = tuple(
            one.model_copy(update={"message": told(one.message)}) for one in found
        )
    if isinstance(error, CourseChanged):
        values["version"] = error.stored.version
        values["course"] = document_of(error.stored.course)
        both = error.merged.course
        values["merged"] = document_of(both) if both is not None else None
    if isinstance(error, PreviewChanged):
        values["preview"] = error.now.as_json()
    return ErrorView(**values)


def handlers(operations: Iterable[Operation] = OPERATIONS) -> list[tuple[Any, ...]]:
    """The addresses of the API, below the service's own."""
    paths: dict[str, dict[str, Operation]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method] = one
    found: list[tuple[Any, ...]] = [("api/openapi.json", DocumentHandler)]
    for path, table in paths.items():
        names = tuple(re.findall(r"\{(\w+)\}", path))
        pattern = re.sub(r"\{(\w+)\}", lambda part: _PARTS[part[1]], path)
        found.append((f"api/{pattern}", OperationHandler, {"table": table, "names": names}))
    return [*found, ("api(?:/.*)?", NoOperation)]


HANDLERS = handlers()
