"""The one door for options: form, link and REST all pass through here, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tornado import web
from traitlets import HasTraits, default

from slurmhub import metrics
from slurmhub.options.form import render_form
from slurmhub.options.reading import prefill, read_request
from slurmhub.options.refusal import Problem, Refusal
from slurmhub.options.request import JobRequest
from slurmhub.runtime import Runtime, runtime

# How long the form waits for the very first facts of a cluster, in seconds.
FIRST_FACTS = 2.0


@dataclass
class FormAttempt:
    """What one POST of the form said, and why it was refused."""

    server: str
    values: Mapping[str, Any]
    problems: tuple[Problem, ...] = field(default=())


# The handler of a POST and the spawn it asks for are two tasks that share one context; the
# hub draws a refused form from the default server's spawner, whichever server was asked for.
_attempt: ContextVar[FormAttempt | None] = ContextVar("slurmhub_form_attempt", default=None)


class Prefilled(Exception):
    """Raised where the hub would start a server from a link: it then draws the form."""

    def __str__(self) -> str:
        return ""


class ServerFailed(web.HTTPError):
    """A server that could not be started, with words for its owner."""

    def __init__(self, message: str, *, status: int = 424, reason: str = "Server failed") -> None:
        super().__init__(status, message, reason=reason)
        self.jupyterhub_message = message
        self.jupyterhub_html_message = None
        # JupyterHub sets these on the answer.
        self.headers: dict[str, str] = {}


class OptionsDoor(HasTraits):
    """The spawner's options: drawn as a form, read from anywhere, validated once.

    Mixed into the spawner, whose attributes it uses.
    """

    request: JobRequest | None = None

    if TYPE_CHECKING:
        user: Any
        name: str
        handler: Any
        orm_spawner: Any
        user_options: dict[str, Any]

    @property
    def runtime(self) -> Runtime:
        """The hub's jobs and its view of the cluster."""
        return runtime(self)

    @default("options_form")
    def _default_options_form(self) -> Any:
        return _options_form

    @default("options_from_form")
    def _default_options_from_form(self) -> Any:
        return self._read_form

    @default("apply_user_options")
    def _default_apply_user_options(self) -> Any:
        return _apply_user_options

    def _read_form(self, form_data: Mapping[str, Any]) -> dict[str, Any]:
        values = {name: value for name, value in form_data.items() if name != "_xsrf"}
        _attempt.set(FormAttempt(self.name, values))
        return values

    def options_from_query(self, query_data: Mapping[str, Any]) -> dict[str, Any]:
        """A link only prefills the form; nothing starts from a GET."""
        raise Prefilled

    async def draw_form(self) -> str:
        """The options form: as refused, as the link says, or as last accepted."""
        await self.runtime.facts.within(FIRST_FACTS)
        offer = self.runtime.offer()
        attempt = _attempt.get()
        problems: tuple[Problem, ...] = ()
        if attempt is not None:
            values, problems = attempt.values, attempt.problems
        else:
            values, problems = prefill(self._asked_by_link(), offer, previous=self._last_accepted())
        return render_form(
            offer,
            values,
            problems,
            stale_seconds=self.runtime.facts.age if self.runtime.facts.trouble else None,
            unavailable=None,
        )

    def _asked_by_link(self) -> dict[str, list[str]]:
        handler = self.handler
        if handler is None or handler.request.method != "GET":
            return {}
        asked = {}
        for name, values in handler.request.query_arguments.items():
            if name not in ("next", "display_name", "_xsrf"):
                asked[name.removeprefix("opt-")] = [
                    each.decode(errors="replace") for each in values
                ]
        return asked

    def _last_accepted(self) -> dict[str, Any]:
        return self.runtime.jobs.ledger.accepted(self.user.name, self.name) or {}

    def accept(self, options: Mapping[str, Any]) -> None:
        """Turn options from any door into the validated request, or refuse them.

        Uses cached knowledge only. Raises ServerFailed (HTTP 400) that names
        field, value, limit and choices.
        """
        accepted = self._last_accepted()
        try:
            # Who says nothing means what was accepted last; who says something, the defaults.
            self.request = read_request(
                options, self.runtime.offer(), previous=None if options else accepted
            )
        except Refusal as refusal:
            for problem in refusal.problems:
                metrics.REQUESTS_REFUSED.labels(problem.field).inc()
            self._forget_refused(accepted)
            attempt = _attempt.get()
            if attempt is not None:
                attempt.problems = refusal.problems
            words = f"{refusal.what}\n{refusal.message()}"
            failed = ServerFailed(words, status=400, reason="Options refused")
            if self.runtime.offer() is None:
                # Not the person's mistake: a hub that has just started does not know yet.
                failed = ServerFailed(words, status=503, reason="Cluster not known yet")
                failed.headers = {"Retry-After": "2"}
            raise failed from refusal
        self.runtime.jobs.ledger.accept(self.user.name, self.name, self.request.stored())

    def _forget_refused(self, accepted: dict[str, Any]) -> None:
        # JupyterHub stores options before they are validated, and would offer them again.
        self.user_options = accepted
        if self.orm_spawner is not None:
            self.orm_spawner.user_options = accepted
            self.user.db.commit()


async def _options_form(spawner: OptionsDoor) -> str:
    return await spawner.draw_form()


async def _apply_user_options(spawner: OptionsDoor, options: Mapping[str, Any]) -> None:
    spawner.accept(options)
