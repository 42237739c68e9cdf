"""When each server was last used: by what it says itself, else as JupyterHub has it.

JupyterHub takes the later of two times: the server's own report, and the last request that its
proxy has seen. An open tab of JupyterLab asks its server something every few seconds for as long
as it is open, so the second says that somebody has a tab, not that anybody is there.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

from jupyterhub import orm

# Servers report every five minutes. One that was not heard for so many seconds may have lost its
# way to the hub, and is judged by what JupyterHub knows.
HEARD_LATELY = 1200.0


class Reports:
    """What servers say of their own use. Times are in seconds since the epoch."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, str], float] = {}
        self._heard: dict[tuple[str, str], float] = {}

    def hear(self, user: str, server: str, used: str) -> None:
        """A server of this person reports its last use, as JupyterHub has such times (ISO 8601)."""
        try:
            moment = datetime.fromisoformat(used.replace("Z", "+00:00"))
        except ValueError:
            # JupyterHub reads more ways to write a time; this report says nothing here.
            return
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        now, name = time.time(), (user, server)
        self._used[name] = max(self._used.get(name, 0.0), min(moment.timestamp(), now))
        self._heard[name] = now

    def used(self, user: str, server: str) -> float | None:
        """Its last use by its own report, or None where none was heard lately."""
        name = (user, server)
        lately = time.time() - self._heard.get(name, 0.0) <= HEARD_LATELY
        return self._used[name] if lately else None


reports = Reports()
"""Those of this hub's servers; kept for as long as the hub runs."""


def last_used(app: Any) -> dict[tuple[str, str], float]:
    """By owner and name of each running server: its last use, in seconds since the epoch.

    One query for the whole hub. Servers tell the hub of their use every five minutes, and the
    hub asks its proxy as often.
    """
    if app is None:
        return {}
    rows = (
        app.db.query(orm.User.name, orm.Spawner.name, orm.Spawner.last_activity)
        .join(orm.User, orm.User.id == orm.Spawner.user_id)
        .filter(orm.Spawner.server_id.isnot(None), orm.Spawner.last_activity.isnot(None))
    )
    found = {}
    for user, server, seen in rows:
        own = reports.used(user, server)
        # JupyterHub keeps times in UTC and without a zone.
        found[user, server] = seen.replace(tzinfo=timezone.utc).timestamp() if own is None else own
    return found
