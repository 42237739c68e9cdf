"""The page on which people say which institution they are from.

Its address and answer are those of SAML's Identity Provider Discovery Service Protocol 1.0.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

from jupyterhub.utils import url_path_join
from tornado import web

from slurmhub.auth.discovery import MOST_SHOWN, InstitutionsUnknown, search
from slurmhub.auth.places import WHERE
from slurmhub.auth.signing_in import Entering

COOKIE = "slurmhub-institution"
_YEAR = 365 * 24 * 3600
_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_BELOW = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")


class WhereHandler(Entering):
    """GET: the list with a search; with `idp`, back to the SP with that institution."""

    async def get(self) -> None:
        """Show it, or lead back."""
        back = self._back()
        parameter = self.get_query_argument("returnIDParam", "entityID")
        if not _PARAMETER.fullmatch(parameter):
            raise web.HTTPError(400, "This page was asked for in a way that no sign-in asks.")
        try:
            known = await self.authenticator.institutions.known()
        except InstitutionsUnknown as error:
            raise web.HTTPError(503, str(error)) from error
        ids = {one.entity_id for one in known}
        last = self.get_cookie(COOKIE, "")
        last = bytes.fromhex(last).decode(errors="replace") if _is_hex(last) else ""
        chosen = self.get_query_argument("idp", "")
        if chosen and chosen in ids:
            self._lead(back, parameter, chosen)
            return
        if self.get_query_argument("isPassive", "") == "true":
            # The SP asks whether we know without asking anybody.
            self._lead(back, parameter, last if last in ids else "")
            return
        words = self.get_query_argument("search", "")
        found = search(known, words)
        page = await self.render_template(
            "slurmhub_where.html",
            here=url_path_join(self.hub.base_url, WHERE),
            kept=self._kept(),
            last=next((one for one in known if one.entity_id == last), None),
            found=found[:MOST_SHOWN],
            more=len(found) > MOST_SHOWN,
            words=words,
        )
        self.set_header("Cache-Control", "no-store")
        self.finish(page)

    def _back(self) -> str:
        """Where to lead back to: an address of our own SP's handler, as a path of this host."""
        said = self.get_query_argument("return", "")
        try:
            parts = urlsplit(said)
        except ValueError:
            parts = urlsplit("//")
        handler = f"{url_path_join(self.hub.base_url, self.authenticator.sp_handler)}/"
        public = self.settings.get("public_url")
        host = public.netloc if public else self.request.host
        ours = (parts.scheme in ("http", "https") and parts.netloc == host) or (
            not parts.scheme and not parts.netloc
        )
        below = parts.path[len(handler) :] if parts.path.startswith(handler) else ""
        if not ours or not _BELOW.fullmatch(below) or not said.isascii() or "\\" in said:
            self.log.warning("The page of institutions leads back to our own SP only.")
            raise web.HTTPError(400, "This page leads back to this hub's own sign-in only.")
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def _lead(self, back: str, parameter: str, entity_id: str) -> None:
        path, _, query = back.partition("?")
        arguments = [
            pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != parameter
        ]
        if entity_id:
            # Addresses have signs that no cookie can hold.
            self.keep_cookie(COOKIE, entity_id.encode().hex(), self._path(), max_age=_YEAR)
            arguments.append((parameter, entity_id))
        self.redirect(f"{path}?{urlencode(arguments)}")

    def _path(self) -> str:
        return str(url_path_join(self.hub.base_url, WHERE))

    def _kept(self) -> list[tuple[str, str]]:
        """What the form must carry along."""
        names = ("entityID", "return", "returnIDParam", "policy")
        said = [(name, self.get_query_argument(name, "")) for name in names]
        return [(name, value) for name, value in said if value]


def _is_hex(text: str) -> bool:
    return bool(re.fullmatch(r"([0-9a-f]{2}){1,1024}", text))
