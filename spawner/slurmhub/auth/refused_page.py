"""The page that says why nobody was signed in, whom to ask, and by which number."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timezone
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.utils import url_path_join

from slurmhub.auth.places import LOGIN
from slurmhub.auth.refusals import SignInRefused
from slurmhub.language import language
from slurmhub.metrics import SIGN_INS_REFUSED

# Without letters and digits that are taken for each other when they are read out.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def new_incident() -> str:
    """A number that a person can read out: two groups of four."""
    text = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{text[:4]}-{text[4:]}"


class RefusingHandler(BaseHandler):  # type: ignore[misc]
    """What the pages of the sign-in share."""

    async def refuse(self, refused: SignInRefused) -> None:
        """Answer with the page, count it, and write it down for the operator."""
        incident = new_incident()
        SIGN_INS_REFUSED.labels(refused.why).inc()
        self.log.warning(
            "Sign-in refused, incident %s, %s: %s",
            incident,
            refused.why,
            refused.for_operator or refused.what,
        )
        self.set_status(refused.status)
        self.set_header("Cache-Control", "no-store")
        if refused.try_again:
            self.set_header("Retry-After", "60")
        if self.request.path.startswith(url_path_join(self.hub.base_url, "api/")):
            self.set_header("Content-Type", "application/json")
            message = f"{refused} (incident {incident})"
            self.finish(json.dumps({"status": refused.status, "message": message}))
            return
        self.finish(await self._page(refused, incident))

    async def _page(self, refused: SignInRefused, incident: str) -> Any:
        return await self.render_template(
            "slurmhub_signin_refused.html",
            refused=refused,
            incident=incident,
            at=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC"),
            attribute=getattr(refused, "attribute", ""),
            idp=getattr(refused, "idp", ""),
            contact=self.authenticator.contact(language()),
            again=url_path_join(self.hub.base_url, LOGIN),
            no_spawner_check=True,
        )
