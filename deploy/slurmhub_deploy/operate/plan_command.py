"""`slurmhub plan`: what `up` would change, and whom that touches."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.console import Console

from slurmhub_deploy.operate.errors import DONE, FAILED, REFUSED
from slurmhub_deploy.operate.planning.foresee import foresee
from slurmhub_deploy.operate.planning.plan import Plan
from slurmhub_deploy.operate.planning.show import as_text
from slurmhub_deploy.operate.running.layers import shipped
from slurmhub_deploy.operate.running.run import Outcome
from slurmhub_deploy.operate.secrets.keeping import Keeping
from slurmhub_deploy.operate.site_file import USUAL, SiteFile, open_site
from slurmhub_deploy.operate.telling import say
from slurmhub_deploy.operate.wanting import Limit, Only, Upgrade, wanted_run


def plan(
    site: SiteFile = USUAL,
    limit: Limit = None,
    only: Only = None,
    upgrade: Upgrade = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say what `up` would change in every layer, and whom that touches; it changes nothing.

    Exit status: 0 when there is a plan, also an empty one; 1 if a host could not be reached; 2 if
    the command or the site file is wrong; 3 if something would be destroyed.
    """
    opened = open_site(site)
    wanted = wanted_run(opened, shipped(), "plan", limit or [], only, slurmhub_upgrade=upgrade)
    # Progress is for the person; what is printed is for whoever reads it.
    console = Console(stderr=True, quiet=not sys.stderr.isatty())
    found, outcome = foresee(opened, wanted, Keeping(opened), console)
    if as_json:
        typer.echo(json.dumps(found.as_data(), indent=2, ensure_ascii=False))
    else:
        say(Console(), as_text(found, wanted.layers))
    raise typer.Exit(status_of(found, outcome))


def status_of(found: Plan, outcome: Outcome) -> int:
    """The exit status of a plan."""
    if found.would_destroy:
        return REFUSED
    return FAILED if any(each.status == "unreachable" for each in outcome.ended) else DONE
