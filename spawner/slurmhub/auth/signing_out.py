"""The end of a session: by the person, or by their institution through the SP."""

from __future__ import annotations

from urllib.parse import urlencode

from jupyterhub.handlers.login import LogoutHandler
from jupyterhub.utils import url_path_join
from tornado import web

from slurmhub.auth.notification import ANSWER, NotificationWrong, sessions_that_ended
from slurmhub.auth.places import LOGIN, SIGNED_OUT
from slurmhub.auth.refusals import SignInRefused
from slurmhub.auth.refused_page import RefusingHandler
from slurmhub.auth.sessions import COOKIE
from slurmhub.auth.signing_in import FrontHandler


class SignOutHandler(LogoutHandler):  # type: ignore[misc]
    """GET: end this browser's session in the hub, then in the SP, then perhaps at the institution.

    In place of JupyterHub's own, at the same address, which servers lead to, too.
    """

    @property
    def shutdown_on_logout(self) -> bool:
        """JupyterHub's setting, or ours."""
        return bool(super().shutdown_on_logout or self.authenticator.end_servers_at_sign_out)

    async def handle_logout(self) -> None:
        """End our own session; JupyterHub has cleared its cookies."""
        session = self.authenticator.session_of(self)
        if session is not None:
            self.authenticator.end_sessions([session], "signed-out")
        self.clear_cookie(COOKIE, path=self.hub.base_url)

    async def render_logout_page(self) -> None:
        """Go on to the SP, which leads back to the page that says so."""
        back = urlencode({"return": url_path_join(self.hub.base_url, SIGNED_OUT)})
        handler = url_path_join(self.hub.base_url, self.authenticator.sp_handler, "Logout")
        self.redirect(f"{handler}?{back}")


class SignedOutHandler(RefusingHandler):
    """GET: the last page; it leads to no sign-in by itself."""

    async def get(self) -> None:
        """Show it, whoever asks."""
        self.set_header("Cache-Control", "no-store")
        page = await self.render_template(
            "slurmhub_signed_out.html",
            still_in=self.current_user is not None,
            again=url_path_join(self.hub.base_url, LOGIN),
            out=url_path_join(self.hub.base_url, "logout"),
            servers_end=self.authenticator.end_servers_at_sign_out,
        )
        self.finish(page)


class NotifyHandler(FrontHandler):
    """POST: the SP's word, by the front, that sessions are over."""

    async def post(self) -> None:
        """End them at once and say so."""
        try:
            self.prove()
        except SignInRefused as refused:
            await self.refuse(refused)
            return
        try:
            over = sessions_that_ended(self.request.body)
        except NotificationWrong as error:
            self.log.warning("The front's logout notification is refused. %s", error)
            raise web.HTTPError(400, str(error)) from error
        for front_session in over:
            self.authenticator.waiting.leave_front(front_session)
            ended = self.authenticator.sessions.over(front_session)
            self.authenticator.end_sessions(ended, "notified")
        self.set_header("Content-Type", "text/xml; charset=utf-8")
        self.finish(ANSWER)

    def check_xsrf_cookie(self) -> None:
        """The SP has no cookie; what it proves itself by no other site can send."""
