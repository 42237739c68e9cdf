"""`slurmhub hub-backup`: what the timer on a hub's host runs each night."""

from __future__ import annotations

from typing import Annotated

import typer

from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.hub_backup import back_up, places_of
from slurmhub_deploy.site.hubs import account_of


def hub_backup(
    name: Annotated[str, typer.Option(help="The hub's name in the site file.")],
    keep: Annotated[int, typer.Option(min=1, help="How many backups are kept.")] = 14,
) -> None:
    """Back up a hub's databases and its register of accounts, on its own host, as root."""
    if not name.replace("-", "").isalnum():
        raise DeployError(f"{name!r} is not the name of a hub.", remedy="Give that of the site.")
    print(back_up(places_of(name, account_of(name)), keep=keep))
