"""The operators' page of notices, and the same by REST."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import url_path_join
from tornado import web

from slurmhub.announcing import board
from slurmhub.language import LANGUAGES
from slurmhub.notices import Notice, NoticeInvalid, Notices, NoticeUnknown
from slurmhub.runtime import current

_SCOPES = ("admin:servers", "admin-ui")
_FIELDS = frozenset({"texts", "partition", "drains", "since", "until"})


def _notices() -> Notices:
    found = board()
    if found is None:
        raise web.HTTPError(503, "The hub is starting.")
    return found


class NoticesHandler(BaseHandler):  # type: ignore[misc]
    """GET: the notices and a form for another. POST: add one, change its end, remove it."""

    @web.authenticated
    async def get(self) -> None:
        """Show the page."""
        await self._show()

    @web.authenticated
    async def post(self) -> None:
        """Do what the form asks for; what cannot be done returns the form as it was filled in."""
        await self._act()

    @needs_scope(*_SCOPES)
    async def _act(self) -> None:
        action = {"add": self._add, "change": self._change, "remove": self._remove}.get(
            self.get_body_argument("action", "")
        )
        if action is None:
            raise web.HTTPError(400, "There is no such action.")
        try:
            action()
        except (NoticeInvalid, NoticeUnknown) as error:
            self.set_status(404 if isinstance(error, NoticeUnknown) else 400)
            await self._show(error)
        else:
            self.redirect(url_path_join(self.hub.base_url, "slurmhub", "notices"))

    @needs_scope(*_SCOPES)
    async def _show(self, error: Exception | None = None) -> None:
        page = self.render_template(
            "slurmhub_notices.html",
            all_notices=_notices().all(),
            partitions=_partitions(),
            typed={name: self.get_body_argument(name, "", strip=False) for name in _typed()},
            error=error,
            local=_local,
            now=datetime.now().astimezone(),
        )
        self.finish(await page)

    def _add(self) -> None:
        _notices().add(
            Notice(
                texts={code: self.get_body_argument(f"text_{code}", "") for code in LANGUAGES},
                author=self.current_user.name,
                partition=_known(self.get_body_argument("partition", "") or None),
                drains=bool(self.get_body_argument("drains", "")),
                since=_time(self.get_body_argument("since", "")),
                until=_time(self.get_body_argument("until", "")),
            )
        )

    def _change(self) -> None:
        until = _time(self.get_body_argument("until", ""))
        drains = bool(self.get_body_argument("drains", ""))
        _notices().change(self._number(), until=until, drains=drains)

    def _remove(self) -> None:
        _notices().remove(self._number())

    def _number(self) -> int:
        number = self.get_body_argument("id", "")
        return int(number) if number.isdecimal() and len(number) < 10 else 0


class _Answering(APIHandler):  # type: ignore[misc]
    """Reads a notice from JSON and answers with one, or says what is wrong with it."""

    def _values(self) -> Mapping[str, Any]:
        try:
            return _read(self.get_json_body())
        except NoticeInvalid as error:
            raise web.HTTPError(400, str(error)) from error

    def _try(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except NoticeUnknown as error:
            raise web.HTTPError(404, str(error)) from error
        except NoticeInvalid as error:
            raise web.HTTPError(400, str(error)) from error

    def _answer(self, value: object) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(value))


class NoticesAPIHandler(_Answering):
    """The notices by REST."""

    @needs_scope(*_SCOPES)
    async def get(self) -> None:
        """Every notice, also those of the past and of the future."""
        self._answer([notice.as_json() for notice in _notices().all()])

    @needs_scope(*_SCOPES)
    async def post(self) -> None:
        """Add a notice: texts by language, and perhaps partition, drains, since, until."""
        values = self._values()
        author = self.current_user.name
        notice = self._try(lambda: _notices().add(Notice(**{"texts": {}, **values}, author=author)))
        self.set_status(201)
        self._answer(notice.as_json())


class NoticeAPIHandler(_Answering):
    """One notice by REST."""

    @needs_scope(*_SCOPES)
    async def patch(self, number: str) -> None:
        """Change what is named."""
        values = self._values()
        notice = self._try(lambda: _notices().change(int(number), **values))
        self._answer(notice.as_json())

    @needs_scope(*_SCOPES)
    async def delete(self, number: str) -> None:
        """Remove it."""
        self._try(lambda: _notices().remove(int(number)))
        self.set_status(204)
        self.finish()


def _typed() -> list[str]:
    return [*(f"text_{code}" for code in LANGUAGES), "partition", "drains", "since", "until"]


def _partitions() -> tuple[str, ...]:
    """Every partition of the cluster, also those that take no jobs now; none while unknown."""
    running = current()
    facts = running.facts.facts if running is not None else None
    return tuple(one.name for one in facts.partitions) if facts is not None else ()


def _known(partition: str | None) -> str | None:
    """A partition that there is: a wrong letter would hold up nobody, and nobody would notice."""
    there = _partitions()
    if partition and there and partition not in there:
        raise NoticeInvalid(
            "There is no such partition on this cluster.",
            remedy=f"Choose among: {', '.join(there)}; or leave it empty for all of them.",
        )
    return partition


def _time(typed: str) -> float | None:
    """A time of a form, in the time of the hub's host, as seconds since the epoch."""
    if not typed.strip():
        return None
    try:
        return datetime.fromisoformat(typed.strip()).astimezone().timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise NoticeInvalid(
            "This is not a time.", remedy="Write it as 2031-05-30T18:00 or leave it empty."
        ) from error


def _local(seconds: float | None) -> str:
    """A time as a form's field has it."""
    return "" if seconds is None else datetime.fromtimestamp(seconds).strftime("%Y-%m-%dT%H:%M")


def _read(body: object) -> dict[str, Any]:
    """The values of a JSON notice, each of its own type; raises NoticeInvalid."""
    if not isinstance(body, dict) or not set(body) <= _FIELDS:
        raise NoticeInvalid(
            "This is not a notice.", remedy=f"Give some of: {', '.join(sorted(_FIELDS))}."
        )
    texts = body.get("texts", {})
    fits = (
        isinstance(texts, dict)
        and all(isinstance(text, str) for text in texts.values())
        and isinstance(body.get("partition"), (str, type(None)))
        and isinstance(body.get("drains", False), bool)
        and all(_is_time(body.get(name)) for name in ("since", "until"))
    )
    if not fits:
        raise NoticeInvalid(
            "A field of this notice has a wrong type.",
            remedy="texts: texts by language; partition: a name; drains: true or false; since and "
            "until: seconds since the epoch.",
        )
    _known(body.get("partition"))
    return body


def _is_time(value: object) -> bool:
    if value is None:
        return True
    # A bool is an int to Python, but no time to anybody.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e11


HANDLERS = [
    ("/slurmhub/notices", NoticesHandler),
    ("/api/slurmhub/notices", NoticesAPIHandler),
    (r"/api/slurmhub/notices/([0-9]{1,9})", NoticeAPIHandler),
]
