"""A hub's configuration from a file of data, for a hub that is set up from a site file.

The whole jupyterhub_config.py of such a hub is

    from slurmhub.from_file import configure_from

    configure_from(c, "/etc/slurmhub/main/hub.json")

The file is JSON: `settings` has values by `Class.trait`; `services` has for each service of
JupyterHub, by its name, the `token_file` of its API token and the `scopes` that it has; `courses`,
where instructors make courses, the `url` and the `token_file` of that service, whose scopes are its
own affair. Secrets are in files of their own, which only the hub's account may read.
"""

from __future__ import annotations

import difflib
import json
import os
import stat
from pathlib import Path
from typing import Any

from slurmhub.errors import SlurmhubError

_PARTS = {"version", "settings", "services"}
_COURSES = "courses"
_VERSION = 1
_SHORTEST_TOKEN = 32


class SettingsUnusable(SlurmhubError):
    """A hub's file of settings, or one that it names, cannot be used."""


def configure_from(c: Any, path: str | Path) -> None:
    """Set up a hub: what `configure` does, and then everything that the file says.

    Raises SettingsUnusable, which names the setting that is wrong.
    """
    # Not at the top: a check of a site file needs no hub.
    from slurmhub.hub.configure import configure

    file = Path(path)
    data = _read(file)
    check_names(data["settings"], file)
    configure(c)
    for name, value in data["settings"].items():
        owner, trait = name.split(".")
        setattr(c[owner], trait, value)
    _add_services(c, data["services"])
    if _COURSES in data:
        _add_courses(c, **data[_COURSES])


def check_names(settings: dict[str, Any], source: Path | str) -> None:
    """Whether each `Class.trait` is there to be set. Raises SettingsUnusable.

    `source` is where they are from, for the words of the error.
    """
    known = _known()
    for name in settings:
        if name in known:
            continue
        alike = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {alike[0]}?" if alike else "See the settings in JupyterHub's manual."
        raise SettingsUnusable(f"{source} sets {name}, which is no setting.", remedy=hint)


def _known() -> list[str]:
    """The settings of every class that such a hub has."""
    # Not at the top: a check of a site file that sets none needs no JupyterHub.
    from jupyterhub.app import JupyterHub
    from jupyterhub.auth import Authenticator
    from jupyterhub.proxy import ConfigurableHTTPProxy
    from jupyterhub.spawner import Spawner

    from slurmhub.auth.authenticator import ShibbolethAuthenticator
    from slurmhub.spawner import SlurmHubSpawner

    classes = (
        *(JupyterHub, ConfigurableHTTPProxy, Authenticator, Spawner),
        *(ShibbolethAuthenticator, SlurmHubSpawner),
    )
    return sorted(
        f"{each.__name__}.{trait}" for each in classes for trait in each.class_traits(config=True)
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        data = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise SettingsUnusable(
            f"The hub's settings in {file} cannot be read: {error}.",
            remedy="It is written from the site file: run 'slurmhub up' again.",
        ) from error
    if (
        not isinstance(data, dict)
        or set(data) - {_COURSES} != _PARTS
        or data["version"] != _VERSION
    ):
        raise SettingsUnusable(
            f"{file} is not a file of settings of this version.",
            remedy="It is written from the site file: run 'slurmhub up' again.",
        )
    return data


def _add_services(c: Any, services: dict[str, Any]) -> None:
    if not services:
        return
    c.JupyterHub.services = [
        {"name": name, "api_token": _token(Path(service["token_file"]))}
        for name, service in services.items()
    ]
    c.JupyterHub.load_roles = [
        {"name": f"service-{name}", "services": [name], "scopes": service["scopes"]}
        for name, service in services.items()
    ]


def _add_courses(c: Any, url: str, token_file: str) -> None:
    # Not at the top: a hub without courses needs nothing of them.
    from slurmhub.courses.service.registration import with_courses

    with_courses(c, url=url, api_token=_token(Path(token_file)))


def _token(file: Path) -> str:
    """The token in a file that others cannot read."""
    try:
        with file.open() as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            token = opened.read().strip()
    except OSError as error:
        raise SettingsUnusable(
            f"The token in {file} cannot be read ({error.strerror}).",
            remedy="It is written from the vault: run 'slurmhub up' again.",
        ) from error
    if mode & 0o007:
        raise SettingsUnusable(
            f"The token in {file} can be read by every account.",
            remedy=f"Run 'chmod o= {file}', and make a new token.",
        )
    if len(token) < _SHORTEST_TOKEN:
        raise SettingsUnusable(
            f"The token in {file} is shorter than {_SHORTEST_TOKEN} characters.",
            remedy="Make a new one: 'openssl rand -hex 32'.",
        )
    return token
