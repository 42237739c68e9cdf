"""What a hub is told of the courses service, in its jupyterhub_config.py.

    import slurmhub
    from slurmhub.courses.service.registration import with_courses

    slurmhub.configure(c)
    with_courses(c, url="http://127.0.0.1:8095", api_token=...)     # run by somebody else
    with_courses(c, url=..., settings="/etc/slurmhub/courses.json")  # run by the hub

The service may read who people are, in which groups, and which servers they have; it may stop
servers, and give them more time by a scope of our own. It can enter no server and change no group,
so that nobody who got hold of it comes to anybody's files.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from slurmhub.courses.service.place import NAME

LENGTHEN = "custom:slurmhub:lengthen"
"""The scope of our own: to give servers more time, whosever they are."""

ACCESS = f"access:services!service={NAME}"
"""What each person has, so that they may come to the service."""

SCOPES = (
    "list:users",
    "read:users:groups",
    "read:servers",
    "delete:servers",
    LENGTHEN,
)
"""What the service itself may do at the hub. With `list:users` come names only."""


def with_courses(
    c: Any, *, url: str, api_token: str = "", settings: str | Path | None = None, **more: Any
) -> None:
    """Register the service, which listens at `url`; call it after `slurmhub.configure`.

    With `settings`, the hub starts the service itself, and gives it a token if there is none.
    `more` is what JupyterHub has besides for a service: environment, user, cwd.
    """
    service: dict[str, Any] = {
        "name": NAME,
        "url": url,
        # It is a part of the hub: nobody is asked whether it may know who they are.
        "oauth_no_confirm": True,
        # Its own place in the menu is on each page, without scripts.
        "display": False,
        **more,
    }
    if api_token:
        service["api_token"] = api_token
    if settings is not None:
        service["command"] = [sys.executable, "-m", "slurmhub.courses.service", str(settings)]
    hub = c.JupyterHub
    hub.services = [*_listed(hub, "services"), service]
    hub.custom_scopes = {
        **_mapped(hub, "custom_scopes"),
        LENGTHEN: {"description": "Give servers more time."},
    }
    roles = _with_access(_listed(hub, "load_roles"))
    hub.load_roles = [
        *roles,
        {"name": f"service-{NAME}", "services": [NAME], "scopes": list(SCOPES)},
    ]
    hub.template_vars = {**_mapped(hub, "template_vars"), "courses_service": True}


def _with_access(roles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same roles; that of everybody lets them come to the service."""
    own = next((role for role in roles if role["name"] == "user"), None)
    if own is None:
        return [*roles, {"name": "user", "scopes": ["self", ACCESS]}]
    scopes = list(own.get("scopes", ["self"]))
    if ACCESS not in scopes:
        scopes.append(ACCESS)
    return [{**role, "scopes": scopes} if role is own else role for role in roles]


def _listed(section: Any, name: str) -> list[Any]:
    # An option that was never set is a LazyConfigValue, which is no list.
    value = section.get(name, [])
    return list(value) if isinstance(value, (list, tuple)) else []


def _mapped(section: Any, name: str) -> dict[str, Any]:
    value = section.get(name, {})
    return dict(value) if isinstance(value, dict) else {}
