"""Pages and endpoints for somebody who waits: what would start when, and the switch to it."""

from __future__ import annotations

import json
import time
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import url_escape_path, url_path_join
from tornado import web

from slurmhub.errors import SlurmhubError
from slurmhub.hub.pages import SERVERS, spawner_of
from slurmhub.language import told_json
from slurmhub.ledger import Outcome
from slurmhub.options.draining import refuse_while_draining
from slurmhub.options.profiles import profile_of
from slurmhub.options.refusal import Refusal
from slurmhub.runtime import runtime
from slurmhub.waiting.sooner import promise
from slurmhub.waiting.switch import GIVEN_UP, may_switch

# What a form carries beside the options.
_NOT_OPTIONS = frozenset({"_xsrf", "give_up"})


class SwitchHandler(BaseHandler):  # type: ignore[misc]
    """POST: ask for a second job that takes the server's place if it starts sooner.

    With `give_up`, take that request back. The first job is not touched by either.
    """

    @web.authenticated
    async def post(self, user_name: str, server_name: str = "") -> None:
        """Ask, then show the waiting page."""
        await self._switch(user_name, server_name)

    @needs_scope("servers")
    async def _switch(self, user_name: str, server_name: str) -> None:
        spawner = spawner_of(self, user_name, server_name)
        jobs = runtime(spawner).jobs
        job = jobs.find(user_name, server_name)
        second = jobs.switch.alternative(job) if job is not None else None
        if "give_up" in self.request.body_arguments:
            if second is not None:
                jobs.cancel(second, GIVEN_UP)
        elif (
            job is not None
            and second is None
            and may_switch(job)
            and not spawner.is_courses_server()
        ):
            await self._ask(spawner, job)
        names = (url_escape_path(user_name), url_escape_path(server_name))
        self.redirect(url_path_join(self.hub.base_url, "spawn-pending", *names))

    async def _ask(self, spawner: Any, job: Any) -> None:
        options = {
            name: [value.decode(errors="replace") for value in values]
            for name, values in self.request.body_arguments.items()
            if name not in _NOT_OPTIONS
        }
        job.lost_alternative = None
        try:
            request = spawner.judge({**options, **profile_of(job.intent.request)})
            refuse_while_draining(request.partition)
            await spawner.ask_for_alternative(request, job)
        except Refusal as refusal:
            job.lost_alternative = Outcome("refused", refusal.problems[0].message, "")
        except SlurmhubError as error:
            job.lost_alternative = Outcome("refused", error.what, error.remedy)


class OutlookHandler(BaseHandler):  # type: ignore[misc]
    """GET: the part of the waiting page that changes, as HTML, for the page's own script."""

    @web.authenticated
    async def get(self, user_name: str, server_name: str = "") -> None:
        """Answer with the fragment; it is empty when nothing is to be said."""
        await self._show(user_name, server_name)

    @needs_scope("read:servers")
    async def _show(self, user_name: str, server_name: str) -> None:
        spawner = spawner_of(self, user_name, server_name)
        html = await self.render_template(
            "slurmhub_waiting.html", user=spawner.user, spawner=spawner, status=spawner.status()
        )
        self.set_header("Cache-Control", "no-store")
        self.finish(html)


class EstimateHandler(APIHandler):  # type: ignore[misc]
    """GET: roughly how long a job with these options would wait, from what is cached.

    `state` of the answer is "known", "asked" (ask again in a moment), or "refused"; `wait` is in
    seconds, `start` since the epoch, `age` says how many seconds ago Slurm was asked.
    """

    @needs_scope("read:servers")
    async def get(self, user_name: str, server_name: str = "") -> None:
        """Answer at once; Slurm is asked in the background."""
        user = self.find_user(user_name)
        if user is None:
            raise web.HTTPError(404, "There is no such person.")
        # The form asks before there is a server of that name.
        spawner = user.spawners[server_name if server_name in user.orm_spawners else ""]
        options = {
            name: [value.decode(errors="replace") for value in values]
            for name, values in self.request.query_arguments.items()
            if name not in _NOT_OPTIONS
        }
        self.set_header("Content-Type", "application/json")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(told_json(await self._estimate(spawner, options))))

    async def _estimate(self, spawner: Any, options: dict[str, Any]) -> dict[str, Any]:
        try:
            request = spawner.judge(options)
            owner = await spawner.owner()
        except Refusal as refusal:
            return {"state": "refused", "message": refusal.problems[0].message}
        except SlurmhubError as error:
            return {"state": "refused", "message": error.what}
        found = runtime(spawner).waiting.estimate(request, owner.account, spawner)
        if found is None:
            return {"state": "asked", "message": ""}
        if found.start is None or found.wait is None:
            return {"state": "refused", "message": "Slurm would not start a job like this."}
        return {
            "state": "known",
            "message": promise(found.wait),
            "start": found.start,
            "wait": found.wait,
            "age": round(time.time() - found.asked),
        }


HANDLERS = [
    entry
    for server in SERVERS
    for entry in (
        (rf"/slurmhub/switch/{server}", SwitchHandler),
        (rf"/slurmhub/waiting/{server}", OutlookHandler),
        (rf"/api/slurmhub/estimate/{server}", EstimateHandler),
    )
]
