"""What the verbs that run playbooks can be asked for."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from slurmhub_deploy.operate.running.layers import Playbooks, checked_limit
from slurmhub_deploy.operate.running.run import Wanted
from slurmhub_deploy.operate.site_file import OpenSite

Limit = Annotated[
    list[str] | None,
    typer.Option("--limit", help="Only these hosts or groups, with commas between."),
]
Only = Annotated[str | None, typer.Option("--only", help="Only this layer, such as slurm.")]

Upgrade = Annotated[
    bool, typer.Option("--upgrade", help="Also newer versions of packages that are installed.")
]


def wanted_run(
    opened: OpenSite,
    books: Playbooks,
    verb: str,
    limit: list[str],
    only: str | None,
    **variables: Any,
) -> Wanted:
    """The run that was asked for. Raises OperateError for a name that there is not."""
    groups = list(opened.inventory["all"]["children"])
    return Wanted(
        verb=verb,
        playbook=books.of_layer(only) if only else books.whole,
        layers=[only] if only else books.layers,
        limit=checked_limit(limit, list(opened.hosts), groups),
        variables=variables,
    )
