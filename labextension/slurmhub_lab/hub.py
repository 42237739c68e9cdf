"""Where the hub of this server is, from what the hub itself put into its environment."""

from __future__ import annotations

from urllib.parse import quote


def hub_url(environ: dict[str, str]) -> str | None:
    """Where the hub answers for this very server; None without a hub."""
    api, user = environ.get("JUPYTERHUB_API_URL", ""), environ.get("JUPYTERHUB_USER", "")
    if not api or not user or "JUPYTERHUB_API_TOKEN" not in environ:
        return None
    names = [user, *filter(None, [environ.get("JUPYTERHUB_SERVER_NAME", "")])]
    path = "/".join(quote(name, safe="@~") for name in names)
    return f"{api.rstrip('/')}/slurmhub/session/{path}"
