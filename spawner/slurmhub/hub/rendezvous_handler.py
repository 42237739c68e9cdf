"""The door at which jobs knock: /hub/api/slurmhub/jobs/NONCE/EVENT."""

from __future__ import annotations

import json

from jupyterhub.apihandlers.base import APIHandler

from slurmhub.rendezvous import EVENTS, MAX_BODY
from slurmhub.runtime import current

PATTERN = rf"/api/slurmhub/jobs/([0-9a-f]{{32}})/({'|'.join(sorted(EVENTS))})"


class RendezvousHandler(APIHandler):  # type: ignore[misc]
    """Hands a job's message to the rendezvous; the token in its header is the only credential."""

    def check_xsrf_cookie(self) -> None:
        """Cookies are not looked at, so a page of another site can do nothing here."""

    async def prepare(self) -> None:
        """Skip JupyterHub's look-up of a user: the token is judged against the job alone."""

    async def post(self, nonce: str, event: str) -> None:
        """Judge one message."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        running = current()
        if running is None:
            self._answer(503, {"message": "The hub is starting."})
            return
        credential = token if scheme.lower() in ("token", "bearer") else ""
        body = self.request.body[: MAX_BODY + 1]
        answer = await running.rendezvous.hear(nonce, event, credential, body)
        self._answer(answer.status, answer.body)

    def _answer(self, status: int, body: object) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(body))
