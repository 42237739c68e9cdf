"""Where the service and its hub are, as JupyterHub tells each of its services.

Source: JupyterHub's manual, "Services", on the environment of a service. A hub starts a service
with it; whoever starts it otherwise sets the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from slurmhub.courses.errors import CourseError

NAME = "courses"
"""The service's name at the hub: it is at /services/courses/."""

SHORTEST_TOKEN = 16


class ServiceUnusable(CourseError):
    """The service cannot run with what it was given."""


@dataclass(frozen=True)
class Place:
    """Addresses; every path begins and ends with a slash.

    `base_url` is that of hub and proxy together, `prefix` the service's own; `listen` is where the
    proxy finds it. `hub_host` is the hub's own origin where services have others. The files are
    those of JupyterHub's internal_ssl; empty without.
    """

    listen: str
    prefix: str
    base_url: str
    api_url: str
    token: str = field(repr=False)
    hub_host: str = ""
    client_id: str = f"service-{NAME}"
    callback: str = ""
    access: frozenset[str] = frozenset({f"access:services!service={NAME}", "access:services"})
    keyfile: str = ""
    certfile: str = ""
    client_ca: str = ""
    cookie_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def hub_url(self) -> str:
        """The path of the hub's pages."""
        return f"{self.base_url}hub/"

    @property
    def address(self) -> tuple[str, int]:
        """The address and port to listen at."""
        parts = urlsplit(self.listen)
        return parts.hostname or "127.0.0.1", parts.port or 80


def find_place(environ: Mapping[str, str], token_file: Path | None = None) -> Place:
    """Where the service is, from its environment; a token in a file comes first.

    Raises ServiceUnusable.
    """
    listen = environ.get("JUPYTERHUB_SERVICE_URL", "")
    if not listen:
        raise ServiceUnusable(
            "JUPYTERHUB_SERVICE_URL is not set.",
            remedy="Let the hub start the service, or set what it sets, see its manual.",
        )
    base_url = _path(environ.get("JUPYTERHUB_BASE_URL", "/"))
    prefix = _path(environ.get("JUPYTERHUB_SERVICE_PREFIX", f"{base_url}services/{NAME}/"))
    token = environ.get("JUPYTERHUB_API_TOKEN", "") if token_file is None else _read(token_file)
    if len(token) < SHORTEST_TOKEN:
        raise ServiceUnusable(
            f"The service's token is shorter than {SHORTEST_TOKEN} characters.",
            remedy="Make a new one: 'openssl rand -hex 32', and give the same one to the hub.",
        )
    access = environ.get("JUPYTERHUB_OAUTH_ACCESS_SCOPES", "")
    return Place(
        listen=listen,
        prefix=prefix,
        base_url=base_url,
        api_url=environ.get("JUPYTERHUB_API_URL", "http://127.0.0.1:8081/hub/api"),
        token=token,
        hub_host=environ.get("JUPYTERHUB_HOST", ""),
        client_id=environ.get("JUPYTERHUB_CLIENT_ID", f"service-{NAME}"),
        callback=environ.get("JUPYTERHUB_OAUTH_CALLBACK_URL", f"{prefix}oauth_callback"),
        access=frozenset(json.loads(access)) if access else Place.access,
        keyfile=environ.get("JUPYTERHUB_SSL_KEYFILE", ""),
        certfile=environ.get("JUPYTERHUB_SSL_CERTFILE", ""),
        client_ca=environ.get("JUPYTERHUB_SSL_CLIENT_CA", ""),
        cookie_options=json.loads(environ.get("JUPYTERHUB_COOKIE_OPTIONS") or "{}"),
    )


def _path(text: str) -> str:
    inner = text.strip("/")
    return f"/{inner}/" if inner else "/"


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ServiceUnusable(
            f"The token in {file} cannot be read: {getattr(error, 'strerror', 'no text')}.",
            remedy="It must hold the token of the service at the hub, and be readable by it.",
        ) from error
