"""Every page of the service: signed in by the hub, in the hub's look, wrong in plain words."""

from __future__ import annotations

import logging
import secrets
from http.client import responses
from typing import Any

from jinja2 import Environment
from jupyterhub.services.auth import HubOAuthCallbackHandler
from tornado import web

from slurmhub.courses.errors import NotAllowed
from slurmhub.courses.rights import Person
from slurmhub.courses.service.asking import Asking
from slurmhub.courses.service.headers import page_headers
from slurmhub.courses.service.statuses import status_of
from slurmhub.errors import SlurmhubError

_log = logging.getLogger(__name__)


class Visitor:
    """Who asks, as the hub's templates have it."""

    def __init__(self, person: Person) -> None:
        self.name = person.username

    @property
    def json_escaped_name(self) -> str:
        """Fit to stand within quotes in a script."""
        return "".join(c if c.isalnum() else f"\\u{{{ord(c):x}}}" for c in self.name)


class PageHandler(Asking):
    """A page for somebody who has signed in; others are led to the hub's sign-in and back.

    `show` answers with a template. What is raised becomes a page that says it.
    """

    def set_default_headers(self) -> None:
        """Nothing of other sites, no scripts but those of the templates, never in a frame."""
        self.csp_nonce = secrets.token_urlsafe(16)
        for name, value in page_headers(self.csp_nonce, self.place.hub_host).items():
            self.set_header(name, value)

    async def prepare(self) -> None:
        """Know who asks before anything is done."""
        person = await self.identify()
        if person is not None:
            self.person = person
        elif self.reading:
            self.redirect(self.get_login_url())
        else:
            raise NotAllowed(
                "This form is from before you signed in, or from another site. Nothing was done.",
                remedy="Open the page again, and send the form anew.",
            )

    def show(self, template: str, /, *, status: int = 200, **values: Any) -> None:
        """Answer with a page."""
        self.set_status(status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(self.rendered(template, **values))

    def rendered(self, template: str, /, **values: Any) -> str:
        """A template with what all pages have."""
        templates: Environment = self.settings["templates"]
        place = self.place
        person: Person | None = getattr(self, "person", None)
        administers = {"admin-ui"} if person is not None and person.administrator else set()
        known: dict[str, Any] = {
            "base_url": place.hub_host + place.hub_url,
            "prefix": place.hub_host + place.base_url,
            "service_url": place.prefix,
            "language_url": f"{place.prefix}language",
            "login_url": place.prefix,
            "logout_url": f"{place.hub_host}{place.hub_url}logout",
            "static_url": self._static,
            "user": None if person is None else Visitor(person),
            "person": person,
            "no_spawner_check": True,
            "parsed_scopes": administers,
            "services": (),
            "courses_service": True,
            "csp_nonce": self.csp_nonce,
            "xsrf_token": self.xsrf_token.decode("ascii"),
        }
        return templates.get_template(template).render({**known, **values})

    def _static(self, path: str, **_: Any) -> str:
        return f"{self.place.hub_host}{self.place.hub_url}static/{path}"

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """The page of an error: what happened and what to do."""
        raised = kwargs.get("exc_info", (None, None, None))[1]
        status, words = said(raised, status_code)
        self.show("error.html", status=status, **error_values(status, words))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """What people are told needs no stack in the log."""
        if isinstance(value, SlurmhubError):
            _log.info("%s %s: %s", self.request.method, self.request.path, value)
        else:
            super().log_exception(typ, value, tb)


def said(raised: BaseException | None, status: int) -> tuple[int, str]:
    """The status and the words of an error; nothing of what only operators understand."""
    if isinstance(raised, SlurmhubError):
        return status_of(raised), str(raised)
    if isinstance(raised, web.HTTPError) and status < 500:
        return status, raised.log_message or ""
    return status, ""


def error_values(status: int, words: str) -> dict[str, Any]:
    """What the hub's page of an error shows."""
    return {
        "status_code": status,
        "status_message": responses.get(status, ""),
        "message": words,
    }


class SignedInPage(HubOAuthCallbackHandler, PageHandler):  # type: ignore[misc]
    """Where the hub sends people back to after they signed in."""

    async def prepare(self) -> None:
        """Whoever comes here is not signed in yet, or was already in another tab."""
        await self.identify()


class NoPage(PageHandler):
    """Everything else."""

    async def prepare(self) -> None:
        """The same for everybody, without asking who it is."""
        raise web.HTTPError(404, "There is no such page.")
