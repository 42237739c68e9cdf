"""Who asks for the end of a server, which JupyterHub does not tell its spawner."""

from __future__ import annotations

from typing import Any

from jupyterhub.apihandlers.users import UserServerAPIHandler
from jupyterhub.scopes import needs_scope

from slurmhub import compat
from slurmhub.job.who import Asker


class StoppingHandler(UserServerAPIHandler):  # type: ignore[misc]
    """JupyterHub's own; it also remembers who asked."""

    @needs_scope("delete:servers")
    async def delete(self, user_name: str, server_name: str = "") -> None:
        """Stop a server, as JupyterHub does."""
        user = self.find_user(user_name)
        if user is not None and server_name in user.orm_spawners:
            user.spawners[server_name].stop_asked_by = asker_of(self.current_user)
        await super().delete(user_name, server_name)


def asker_of(current_user: Any) -> Asker | None:
    """The person or service behind a request."""
    if current_user is None:
        return None
    return Asker(str(current_user.name), str(getattr(current_user, "kind", "user")))


def remember_who_stops() -> None:
    """Make the hub's interface for stopping servers remember who asked."""
    compat.replace_api_handler(UserServerAPIHandler, StoppingHandler)
