"""`slurmhub up`: make the hosts what the site file says."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from slurmhub_deploy.operate.errors import FAILED, REFUSED, UNUSABLE, OperateError
from slurmhub_deploy.operate.planning.foresee import foresee
from slurmhub_deploy.operate.planning.show import as_text
from slurmhub_deploy.operate.running.layers import shipped
from slurmhub_deploy.operate.running.lock import refuse_if_busy
from slurmhub_deploy.operate.running.run import Wanted, run_site
from slurmhub_deploy.operate.secrets.keeping import Keeping
from slurmhub_deploy.operate.site_file import USUAL, OpenSite, SiteFile, open_site
from slurmhub_deploy.operate.smoking import smoke_hubs
from slurmhub_deploy.operate.telling import say, told
from slurmhub_deploy.operate.wanting import Limit, Only, Upgrade, wanted_run

Yes = Annotated[bool, typer.Option("--yes", help="Do not show the plan and ask first.")]
Smoke = Annotated[bool, typer.Option(help="Try a sign-in with the test account at the end.")]

_WITH_PEOPLE = (None, "jupyter", "hub", "front")
"""The layers after which a sign-in tells something."""


def up(
    site: SiteFile = USUAL,
    limit: Limit = None,
    only: Only = None,
    yes: Yes = False,
    upgrade: Upgrade = False,
    smoke: Smoke = True,
) -> None:
    """Make the hosts what the site file says; it can be cut off and run again.

    Exit status: 0 when all is done; 1 if something failed; 2 if the command or the site file is
    wrong; 3 if something would be destroyed; 4 if all is done, but a sign-in with the test
    account did not work; 130 if it was interrupted.
    """
    opened = open_site(site)
    wanted = wanted_run(opened, shipped(), "up", limit or [], only, slurmhub_upgrade=upgrade)
    console = Console()
    refuse_if_busy(opened.make_state())
    keeping = Keeping(opened)
    if not yes and not _agreed(opened, wanted, keeping, console):
        return
    secrets = keeping.in_use()
    status = told(run_site(opened, wanted, secrets, console), wanted, console)
    if status == 0 and smoke and not wanted.limit and only in _WITH_PEOPLE:
        status = smoke_hubs(opened, secrets, console)
    raise typer.Exit(status)


def _agreed(opened: OpenSite, wanted: Wanted, keeping: Keeping, console: Console) -> bool:
    """Show the plan, and ask; False if there is nothing to do, or not to be done."""
    if not sys.stdin.isatty():
        raise OperateError(
            "There is no terminal to ask whether this is to be done.",
            remedy="Look at 'slurmhub plan', and then run 'slurmhub up --yes'.",
            status=UNUSABLE,
        )
    say(console, "Looking at what would change; nothing is changed yet.")
    plan, outcome = foresee(opened, wanted, keeping, console)
    say(console, as_text(plan, wanted.layers))
    if plan.would_destroy:
        raise typer.Exit(REFUSED)
    if any(each.status == "unreachable" for each in outcome.ended):
        raise typer.Exit(FAILED)
    if plan.nothing:
        return False
    return typer.confirm("Do this?")
