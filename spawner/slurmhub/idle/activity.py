"""When each server was last used, as JupyterHub has it."""

from __future__ import annotations

from datetime import timezone
from typing import Any

from jupyterhub import orm


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
    # JupyterHub keeps times in UTC and without a zone.
    return {
        (user, server): used.replace(tzinfo=timezone.utc).timestamp() for user, server, used in rows
    }
