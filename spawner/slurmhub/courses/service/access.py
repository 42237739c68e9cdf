"""Who asked for what, in the log and in what Prometheus sees; and Prometheus itself."""

from __future__ import annotations

import logging
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from tornado import web

from slurmhub.courses.service import measures
from slurmhub.courses.service.api.handlers import ApiHandler, OperationHandler
from slurmhub.options.refusal import shown

SCOPE = "read:metrics"
"""What a token must have, as for the hub's own metrics."""

_log = logging.getLogger("slurmhub.courses.access")


def note(handler: web.RequestHandler) -> None:
    """A line for one request, and its measures; tornado's `log_function`."""
    status, seconds = handler.get_status(), handler.request.request_time()
    what = _what(handler)
    measures.REQUESTS.labels(what, str(status)).inc()
    measures.REQUEST_SECONDS.observe(seconds)
    person = getattr(handler, "person", None)
    # Without its query: of a sign-in it holds what nobody else should have.
    _log.log(
        _level(status),
        "%d %s %s (%s@%s) %.0f ms",
        status,
        shown(handler.request.method or ""),
        shown(handler.request.path),
        shown(person.username) if person is not None else "",
        shown(handler.request.remote_ip or ""),
        1000 * seconds,
    )


def _level(status: int) -> int:
    if status >= 500:
        return logging.ERROR
    return logging.WARNING if status >= 400 else logging.INFO


def _what(handler: Any) -> str:
    """One of the pages or operations that there are, never what somebody typed."""
    if isinstance(handler, OperationHandler):
        operation = handler.table.get(str(handler.request.method))
        return "none" if operation is None else operation.name
    return type(handler).__name__


class MetricsHandler(ApiHandler):
    """GET: everything, for Prometheus, whose token has the scope for it."""

    async def prepare(self) -> None:
        """A service may ask as well as a person; what counts is what the token may do."""
        model = await self.owner()
        if model is None:
            self.set_header("WWW-Authenticate", 'Bearer realm="metrics"')
            raise web.HTTPError(401, "Nothing says who asks, or it holds no more.")
        if SCOPE not in model["scopes"]:
            raise web.HTTPError(403, f"This needs a token with the scope {SCOPE}.")

    def get(self) -> None:
        """In Prometheus's text format."""
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.finish(generate_latest())


class HealthHandler(ApiHandler):
    """GET: whether the service and its database work, for whoever starts it."""

    async def prepare(self) -> None:
        """Nobody needs to say who they are."""

    async def get(self) -> None:
        """200, or 503 when the database is away."""
        await self.ask(self.courses.revision)
        self.finish("{}")


HANDLERS = [("metrics", MetricsHandler), ("health", HealthHandler)]
