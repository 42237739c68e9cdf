"""The one door for options: form, link and REST all pass through here, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jupyterhub.slugs import is_valid_display_name
from jupyterhub.utils import url_escape_path
from tornado import web
from traitlets import default

from slurmhub import metrics
from slurmhub.courses.hub_settings import CourseTraits
from slurmhub.courses.serving import CourseServerRefused
from slurmhub.errors import SlurmhubError
from slurmhub.options.admission import Admission, admit
from slurmhub.options.cards import Surroundings, draw_page
from slurmhub.options.draining import refuse_while_draining
from slurmhub.options.keeping import NOTHING_ASKED, Asked, Keeping, keeping
from slurmhub.options.offer import Offer
from slurmhub.options.profiles import PROFILE, Allowed, profile_of
from slurmhub.options.refusal import Problem, Refusal
from slurmhub.options.request import JobRequest
from slurmhub.options.sections import (
    NOTHING_PRESSED,
    filled_again,
    filled_by_link,
    filled_first,
    options_of_form,
    unasked,
)
from slurmhub.runtime import TEMPLATES, Runtime, runtime

# How long the form waits for the very first facts of a cluster, in seconds.
FIRST_FACTS = 2.0


@dataclass
class FormAttempt:
    """What one POST of the form said, what of it was asked for, and why it was refused."""

    server: str
    form: Mapping[str, Any]
    options: Mapping[str, Any]
    problems: tuple[Problem, ...] = field(default=())


# The handler of a POST and the spawn it asks for are two tasks that share one context; the
# hub draws a refused form from the default server's spawner, whichever server was asked for.
_attempt: ContextVar[FormAttempt | None] = ContextVar("slurmhub_form_attempt", default=None)
# What the address of the page says, for the form and for the template around it.
_asked: ContextVar[Asked] = ContextVar("slurmhub_asked", default=NOTHING_ASKED)


class Prefilled(Exception):
    """Raised where the hub would start a server from a link: it then draws the form."""

    def __str__(self) -> str:
        return ""


class ServerFailed(web.HTTPError):
    """A server that could not be started, with words for its owner.

    `remedy` says what to do, where that can be told apart; `message` is all of it.
    """

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        status: int = 424,
        reason: str = "Server failed",
    ) -> None:
        super().__init__(status, message, reason=reason)
        self.jupyterhub_message = message
        self.what = message.removesuffix(remedy).strip()
        self.remedy = remedy
        # The job that failed, where there was one.
        self.nonce = ""
        self.jupyterhub_html_message = None
        # JupyterHub sets these on the answer.
        self.headers: dict[str, str] = {}

    @classmethod
    def of(cls, error: SlurmhubError | ServerFailed) -> ServerFailed:
        """One of our errors as JupyterHub can show it; what is one already stays itself."""
        if isinstance(error, ServerFailed):
            return error
        failure = cls(str(error), remedy=error.remedy)
        failure.__cause__ = error
        return failure


class OptionsDoor(CourseTraits):
    """The spawner's options: drawn as a form, read from anywhere, validated once.

    Mixed into the spawner, whose attributes it uses.
    """

    request: JobRequest | None = None
    _profile = ""

    if TYPE_CHECKING:
        user: Any
        hub: Any
        hub_app: Any
        job: Any
        name: str
        handler: Any
        orm_spawner: Any
        user_options: dict[str, Any]
        unix_account: Any

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
        form = {name: value for name, value in form_data.items() if name != "_xsrf"}
        if self.is_courses_server():
            # Nothing is asked there, so nothing is read.
            _attempt.set(FormAttempt(self.name, {}, {}))
            return {}
        options = options_of_form(form)
        if options is None:
            _attempt.set(FormAttempt(self.name, form, {}, (NOTHING_PRESSED,)))
            raise ServerFailed(NOTHING_PRESSED.message, status=400, reason="Nothing to start")
        asked = unasked(options, self.allowed())
        _attempt.set(FormAttempt(self.name, form, asked))
        return asked

    def options_from_query(self, query_data: Mapping[str, Any]) -> dict[str, Any]:
        """A link only prefills the form; nothing starts from a GET."""
        handler = self.handler
        query = {
            name: [each.decode(errors="replace") for each in values]
            for name, values in handler.request.query_arguments.items()
        }
        public = handler.public_url or handler.request
        scheme = getattr(public, "scheme", "") or handler.request.protocol
        host = getattr(public, "netloc", "") or handler.request.host
        _asked.set(Asked.read(query, f"{scheme}://{host}{self.hub.base_url}spawn"))
        raise Prefilled

    async def draw_form(self) -> str:
        """The options form: as refused, as the link says, or as last accepted."""
        await self.known()
        attempt, asked = _attempt.get(), _asked.get()
        # The hub draws a refused form from the default server's spawner.
        asking = self.user.spawners[attempt.server] if attempt else self
        if asking.is_courses_server():
            return str(asking.draw_course(attempt.problems if attempt else ()))
        offer, allowed = self.offer(), self.allowed()
        if attempt is not None:
            filling = filled_again(attempt.form, attempt.options, attempt.problems)
        elif asked.options:
            filling = filled_by_link(asked.options, offer, allowed, self._last_accepted())
        else:
            filling = filled_first(offer, allowed, self._last_accepted())
        return draw_page(
            offer,
            allowed,
            filling,
            around=self._surroundings(attempt.server if attempt else self.name),
            stale_seconds=self.runtime.facts.age if self.runtime.facts.trouble else None,
        )

    async def known(self) -> None:
        """Wait, not for long, for what was never known before: the cluster, and one's rights."""
        await asyncio.gather(
            self.runtime.facts.within(FIRST_FACTS),
            self.runtime.people.within(self.account_name(), FIRST_FACTS),
            self.courses_known(FIRST_FACTS),
        )

    def account_name(self) -> str:
        """The Unix account that jobs of this server run as."""
        name: str = self.user.name
        return str(self.unix_account(name)) if self.unix_account else name

    def offer(self) -> Offer | None:
        """What this person may ask for now; None while nothing is known of the cluster."""
        return self.runtime.offer(self.account_name())

    def _surroundings(self, server: str) -> Surroundings:
        if self.hub_app is None or str(TEMPLATES) not in self.hub_app.template_paths:
            # Without `configure` the hub has none of our pages.
            return Surroundings()
        page = self.user.escaped_name + (f"/{url_escape_path(server)}" if server else "")
        ours = f"{self.hub.base_url}slurmhub/"
        return Surroundings(f"{ours}share?{urlencode({'page': page})}", f"{ours}pictures/")

    def keeping(self, viewer: Any) -> Keeping:
        """What the page shows beside the form, to whoever looks at it."""
        titles = {one.name: one.said_title for one in self.runtime.profiles.profiles}
        return keeping(_asked.get(), self.runtime.presets.of(viewer.name), titles)

    def allowed(self) -> Allowed:
        """The profiles that this person may choose, and whether everything."""
        return self.runtime.profiles.allowed([group.name for group in self.user.groups])

    def by_profile(self) -> dict[str, str]:
        """The profile by which the request was accepted, as stored options have it."""
        if self.request is None and self.job is not None:
            # Accepted before the hub was started.
            return profile_of(self.job.intent.request)
        return {PROFILE: self._profile} if self._profile else {}

    def grants(self, request: JobRequest, like: Mapping[str, Any]) -> bool:
        """Whether this request could be made as the stored one was: by its profile, or by none."""
        try:
            if self.course_server() is not None:
                # A course's server is as the course says, and no other way.
                return False
            self.judge({**request.stored(), **profile_of(like)})
        except Refusal:
            return False
        return True

    def _last_accepted(self) -> dict[str, Any]:
        return self.runtime.jobs.ledger.accepted(self.user.name, self.name) or {}

    def judge(
        self, options: Mapping[str, Any], *, previous: Mapping[str, Any] | None = None
    ) -> JobRequest:
        """The request that these options ask for; raises Refusal. Nothing is kept or started."""
        return self._admit(options, previous=previous).request

    def _admit(
        self, options: Mapping[str, Any], *, previous: Mapping[str, Any] | None = None
    ) -> Admission:
        course = self.course_request()
        if course is not None:
            return Admission(self.runtime.profiles.whole, course)
        self.refuse_without_account()
        return admit(options, self.offer(), self.allowed(), previous=previous)

    def accept(self, options: Mapping[str, Any]) -> None:
        """Turn options from any door into the validated request, or refuse them.

        Uses cached knowledge only. Raises ServerFailed (HTTP 400) that names
        field, value, limit and choices.
        """
        accepted = self._last_accepted()
        try:
            # Who says nothing means what was accepted last; who says something, the defaults.
            admission = self._admit(options, previous=None if options else accepted)
            if self.runtime.jobs.find(self.user.name, self.name) is None:
                # A job that waits already is only taken up again.
                refuse_while_draining(admission.request.partition)
        except Refusal as refusal:
            for problem in refusal.problems:
                metrics.REQUESTS_REFUSED.labels(problem.field).inc()
            self._keep_options(accepted)
            attempt = _attempt.get()
            if attempt is not None:
                attempt.problems = refusal.problems
            words = f"{refusal.what}\n{refusal.message()}"
            failed = ServerFailed(
                words, remedy=refusal.remedy, status=400, reason="Options refused"
            )
            if isinstance(refusal, CourseServerRefused):
                failed.status_code = refusal.status
            elif self.runtime.offer() is None:
                # Not the person's mistake: a hub that has just started does not know yet.
                failed = ServerFailed(
                    words, remedy=refusal.remedy, status=503, reason="Cluster not known yet"
                )
                failed.headers = {"Retry-After": "2"}
            raise failed from refusal
        course = self.course_server()
        if course is not None:
            # Whatever was sent: the course's own are those that count.
            title = course.course.title
            if self.orm_spawner is not None and is_valid_display_name(title):
                self.orm_spawner.display_name = title
            self._keep_options(admission.stored())
        self.request, self._profile = admission.request, admission.profile.name
        self.runtime.jobs.ledger.accept(self.user.name, self.name, admission.stored())

    def _keep_options(self, accepted: dict[str, Any]) -> None:
        # JupyterHub stores options before they are validated, and would offer them again.
        self.user_options = accepted
        if self.orm_spawner is not None:
            self.orm_spawner.user_options = accepted
            self.user.db.commit()


async def _options_form(spawner: OptionsDoor) -> str:
    return await spawner.draw_form()


async def _apply_user_options(spawner: OptionsDoor, options: Mapping[str, Any]) -> None:
    await spawner.known()
    spawner.accept(options)
