"""All servers of one name at once: how a class is doing, for the service that shows it to staff."""

from __future__ import annotations

import json
from typing import Any

from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.scopes import needs_scope

from slurmhub.hub.status import Status
from slurmhub.session.card import Card, card_of


class ClassHandler(APIHandler):  # type: ignore[misc]
    """GET: the servers called this, of everybody whose servers the asker may know of.

    Those that were never started are not among them. Nothing is asked of Slurm.
    """

    @needs_scope("read:servers")
    async def get(self, name: str) -> None:
        """Answer with a list, by the names of their owners."""
        # Not server_name: JupyterHub takes that for one server of one person.
        may_know = self.get_scope_filter("read:servers")
        found = []
        query = self.db.query(orm.Spawner).filter(orm.Spawner.name == name)
        for server in query:
            if server.user is None or not may_know(server.user, "user"):
                continue
            user = self.users[server.user]
            card = card_of(user.spawners[name], name)
            if card is not None:
                found.append({"user": user.name, **card_as_json(card)})
        self.set_header("Content-Type", "application/json")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(sorted(found, key=lambda one: str(one["user"]))))


def card_as_json(card: Card) -> dict[str, Any]:
    """What staff see of a server: how it is, its time and its load; no log, which is its owner's.

    Words are English sentences of ours, to be said in the language of who reads them.
    """
    status: Status = card.status
    return {
        "step": status.step,
        "message": status.message,
        "remedy": status.remedy,
        "kind": status.kind,
        "job_id": status.job_id,
        "node": status.node,
        "before": status.before,
        "seconds_left": card.left,
        "left": card.left_words,
        "use": [meter.words for meter in card.meters],
        "ago": card.ago,
        "open": card.open,
    }


HANDLERS = [(r"/api/slurmhub/class/([^/]+)", ClassHandler)]
