"""What servers report of their use, heard apart from what the proxy sees."""

from __future__ import annotations

from jupyterhub.apihandlers.users import ActivityAPIHandler
from jupyterhub.scopes import needs_scope

from slurmhub import compat
from slurmhub.idle.activity import reports


class ActivityHandler(ActivityAPIHandler):  # type: ignore[misc]
    """JupyterHub's own; it also keeps what was reported, which JupyterHub mixes with requests."""

    @needs_scope("users:activity")
    def post(self, user_name: str) -> None:
        """Take a report as JupyterHub does, which raises for one that it does not believe."""
        super().post(user_name)
        servers = self.get_json_body().get("servers") or {}
        for name, said in servers.items():
            reports.hear(user_name, name, said["last_activity"])


def hear_reports() -> None:
    """Make the hub's interface for activity keep what servers report."""
    compat.replace_api_handler(ActivityAPIHandler, ActivityHandler)
