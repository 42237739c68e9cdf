"""The page of the terms of use, between the institution and the hub."""

from __future__ import annotations

from jupyterhub.utils import url_path_join
from sqlalchemy.exc import SQLAlchemyError
from tornado import web

from slurmhub.auth.places import LOGIN, TERMS
from slurmhub.auth.refusals import NotRemembered
from slurmhub.auth.signing_in import Entering
from slurmhub.auth.terms import COOKIE, Waiting


class TermsHandler(Entering):
    """GET: the terms, for who waits to be signed in. POST: accept them, or leave."""

    async def get(self) -> None:
        """Show them; who does not wait, or no longer, begins again."""
        if self._waiting() is None:
            self.redirect(url_path_join(self.hub.base_url, LOGIN))
            return
        self.set_header("Cache-Control", "no-store")
        terms = self.authenticator.terms
        self.finish(await self.render_template("slurmhub_terms.html", terms=terms))

    async def post(self) -> None:
        """Do what the person decided."""
        waiting = self._waiting()
        if waiting is None:
            self.redirect(url_path_join(self.hub.base_url, LOGIN))
            return
        answer = self.get_body_argument("answer", "")
        if answer not in ("accept", "refuse"):
            raise web.HTTPError(400, "There is no such answer.")
        self.authenticator.waiting.leave(self.get_cookie(COOKIE))
        self.clear_cookie(COOKIE, path=url_path_join(self.hub.base_url, TERMS))
        if answer == "refuse":
            self.redirect(url_path_join(self.hub.base_url, "logout"))
            return
        terms = self.authenticator.terms
        shown_in = self.get_body_argument("language", "")
        if self.get_body_argument("version", "") != terms.version or shown_in not in terms.texts:
            # Another version has come since this page was drawn.
            self.redirect(url_path_join(self.hub.base_url, LOGIN))
            return
        try:
            self.authenticator.acceptances.add(waiting.username, terms.version, shown_in)
        except SQLAlchemyError as error:
            problem = type(error).__name__
            await self.refuse(NotRemembered(for_operator=f"the database refused: {problem}"))
            return
        self.log.info("%s accepts the terms of use, version %s.", waiting.username, terms.version)
        await self.enter(waiting.assertion, waiting.going_to)

    def _waiting(self) -> Waiting | None:
        found: Waiting | None = self.authenticator.waiting.find(self.get_cookie(COOKIE))
        return found
