"""The one location at which people come in, proved by the front."""

from __future__ import annotations

from typing import Any

from jupyterhub.utils import url_path_join
from sqlalchemy.exc import SQLAlchemyError
from tornado.httputil import HTTPHeaders

from slurmhub import compat
from slurmhub.auth.assertion import Assertion, read_assertion
from slurmhub.auth.headers import ALL, identity_headers
from slurmhub.auth.places import TERMS
from slurmhub.auth.refusals import NotAllowed, NotRemembered, SignInRefused
from slurmhub.auth.refused_page import RefusingHandler
from slurmhub.auth.sessions import COOKIE
from slurmhub.auth.terms import COOKIE as TERMS_COOKIE
from slurmhub.auth.terms import PATIENCE, TermsAwaited
from slurmhub.metrics import SIGN_INS


class FrontHandler(RefusingHandler):
    """A location that only the front may use: it takes the front's headers out of the request."""

    async def prepare(self) -> None:
        """Before anything can fail: JupyterHub logs the headers of a request that does."""
        self.said = HTTPHeaders()
        for name in identity_headers(self.request.headers):
            if name in ALL:
                for value in self.request.headers.get_list(name):
                    self.said.add(name, value)
            del self.request.headers[name]
        await super().prepare()

    def prove(self) -> None:
        """Raise SignInRefused unless the front sent this request."""
        self.authenticator.front_secret.prove(self.said)


class Entering(RefusingHandler):
    """From an assertion to a signed-in browser; shared with the page of the terms."""

    async def enter(self, assertion: Assertion, going_to: str = "") -> None:
        """Sign in and lead on; or show the terms, or why not."""
        try:
            user = await self._enter(assertion)
        except TermsAwaited as awaited:
            self._await_terms(assertion, str(awaited))
        except SignInRefused as refused:
            await self.refuse(refused)
        except SQLAlchemyError as error:
            self.db.rollback()
            await self.refuse(NotRemembered(f"the database refused: {type(error).__name__}"))
        else:
            self.redirect(going_to or self.get_next_url(user))

    async def _enter(self, assertion: Assertion) -> Any:
        before = self.authenticator.session_of(self)
        if before is not None and before.front_session != assertion.session:
            self.authenticator.end_sessions([before], "signed-in-anew")
            before = None
        if before is None:
            # Also a fresh id for JupyterHub: one that the browser brought may be known to others.
            compat.begin_session(self)
        user = await self.login_user({"assertion": assertion})
        if user is None:
            raise NotAllowed(f"somebody from {assertion.idp}; the line above has the account")
        if before is not None and before.username == user.name:
            return user
        if before is not None:
            self.authenticator.end_sessions([before], "signed-in-anew")
            compat.begin_session(self)
        self._begin(user, assertion)
        return user

    def _begin(self, user: Any, assertion: Assertion) -> None:
        cookie = self.authenticator.begin_session(
            user.name, assertion.session, self.get_session_cookie()
        )
        # For as long as the browser is open: computers in labs are shared.
        self.keep_cookie(COOKIE, cookie, self.hub.base_url)
        self.set_login_cookie(user)
        # JupyterHub leaves an older cookie of this person as it is, also when it ends tomorrow.
        self.set_hub_cookie(user)
        SIGN_INS.inc()

    def keep_cookie(self, name: str, value: str, path: str, **more: Any) -> None:
        """Set a cookie that is for the hub alone."""
        public = self.settings.get("public_url")
        scheme = public.scheme if public else self.request.protocol
        self.set_cookie(
            name,
            value,
            path=path,
            httponly=True,
            samesite="Lax",
            secure=scheme == "https",
            **more,
        )

    def _await_terms(self, assertion: Assertion, username: str) -> None:
        waiting = self.authenticator.waiting
        cookie = waiting.enter(assertion, username, self.get_next_url() if self._named() else "")
        path = url_path_join(self.hub.base_url, TERMS)
        self.keep_cookie(TERMS_COOKIE, cookie, path, max_age=int(PATIENCE))
        self.redirect(path)

    def _named(self) -> str:
        return str(self.get_argument("next", ""))


class SignInHandler(FrontHandler, Entering):
    """GET: what the SP protects. Everybody else who comes here is refused."""

    async def get(self) -> None:
        """Sign the person in of whom the front speaks."""
        try:
            self.prove()
            assertion = read_assertion(self.said, self.authenticator.attribute_rules)
        except SignInRefused as refused:
            await self.refuse(refused)
        else:
            await self.enter(assertion)
