"""What a hub is told of the courses service, in its jupyterhub_config.py.

    import slurmhub
    from slurmhub.courses.service.registration import with_courses

    slurmhub.configure(c)
    with_courses(c, settings="/etc/slurmhub/courses.json", url="http://127.0.0.1:8095")

The hub starts the service, unless `start=False`: then somebody else does, with the same `api_token`
and settings. The hub itself reads courses from their database.

The service may read who people are, in which groups, and which servers they have; it may stop
servers, and give them more time by a scope of our own. It can enter no server and change no group,
so that nobody who got hold of it comes to anybody's files.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from slurmhub.courses.service.place import NAME, ServiceUnusable
from slurmhub.courses.service.settings import ServiceSettings, read_settings

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
    c: Any,
    *,
    url: str,
    settings: str | Path | None = None,
    api_token: str = "",
    start: bool = True,
    **more: Any,
) -> None:
    """Register the service, which listens at `url`; call it after `slurmhub.configure`.

    `settings` is the service's own file: the hub takes from it where courses are, and starts the
    service with it, unless `start` is False. `more` is what JupyterHub has besides for a service
    that it starts: environment, user, cwd. Raises ServiceUnusable.
    """
    start = start and settings is not None
    if not start and not api_token:
        raise ServiceUnusable(
            "The courses service is started by somebody else, and has no token here.",
            remedy="Give both the same api_token: 'openssl rand -hex 32'.",
        )
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
    if start:
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
    if settings is not None:
        _tell_the_hub(c, read_settings(Path(settings)))
    hub.template_vars = {**_mapped(hub, "template_vars"), "courses_service": True}


def _tell_the_hub(c: Any, read: ServiceSettings) -> None:
    """Where the courses of the service are, and how their servers are submitted."""
    spawner = c.SlurmHubSpawner
    spawner.courses_url = read.database
    spawner.courses_policy = read.policy.model_dump(mode="json")
    if read.cluster is not None:
        spawner.courses_own_qos = read.cluster.own_qos
        spawner.courses_shared_qos = read.cluster.shared_qos


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
