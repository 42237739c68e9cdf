"""`slurmhub down`: end the services of a site, or of one hub, and keep what people have."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from slurmhub_deploy.operate.errors import DONE, FAILED, UNUSABLE, OperateError
from slurmhub_deploy.operate.planning.foresee import foresee
from slurmhub_deploy.operate.planning.show import as_text
from slurmhub_deploy.operate.running.layers import Playbooks, shipped
from slurmhub_deploy.operate.running.run import Wanted, run_site
from slurmhub_deploy.operate.secrets.keeping import Keeping
from slurmhub_deploy.operate.site_file import USUAL, OpenSite, SiteFile, open_site
from slurmhub_deploy.operate.telling import say, told

Lose = Annotated[
    list[str] | None,
    typer.Option("--lose", help="What is to be lost for ever, such as hub.NAME; said again."),
]


def down(
    site: SiteFile = USUAL,
    hub: Annotated[str | None, typer.Option("--hub", help="Only this hub.")] = None,
    lose: Lose = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not show and ask first.")] = False,
) -> None:
    """End the services of the site in order, and remove their settings; data stays.

    Homes, accounts, keys, databases and the vault stay, unless --lose names them; then `up` brings
    back what was. Exit status: 0 when all is ended; 1 if something failed; 2 if the command or the
    site file is wrong; 130 if it was interrupted.
    """
    opened = open_site(site)
    wanted = wanted_down(opened, shipped(), hub, lose or [])
    console = Console()
    keeping = Keeping(opened)
    if not yes and not _agreed(opened, wanted, keeping, console):
        return
    # Nothing is made for what ends.
    status = told(run_site(opened, wanted, keeping.foreseen(), console), wanted, console)
    if status == DONE:
        say(console, what_stays(opened, hub, lose or []))
    raise typer.Exit(status)


def wanted_down(opened: OpenSite, books: Playbooks, hub: str | None, lose: list[str]) -> Wanted:
    """The run that ends the site, or one hub. Raises OperateError for a name that there is not."""
    site = opened.site
    if hub is not None and hub not in site.hubs:
        raise OperateError(
            f"There is no hub {hub}.",
            remedy=f"Name one of: {', '.join(site.hubs)}.",
            status=UNUSABLE,
        )
    can = losable(opened, hub)
    for name in lose:
        if name not in can:
            raise OperateError(
                f"{name} is not lost with this. Homes, accounts and what Slurm counted are never"
                " removed by slurmhub.",
                remedy=f"Name one of: {', '.join(can)}.",
                status=UNUSABLE,
            )
    return Wanted(
        verb="down",
        playbook=books.down,
        layers=[],
        # Of one hub nothing is done on other hosts.
        limit=[site.hubs[hub].host] if hub is not None else [],
        variables={"slurmhub_lose": lose, "slurmhub_down_hub": hub or ""},
    )


def losable(opened: OpenSite, hub: str | None) -> list[str]:
    """What `--lose` may name: a hub's own data, and what Prometheus measured."""
    names = [f"hub.{name}" for name in opened.site.hubs if hub in (None, name)]
    if hub is None and opened.site.monitoring is not None:
        names.append("measurements")
    return names


def what_stays(opened: OpenSite, hub: str | None, lose: list[str]) -> str:
    """What was not touched, for people."""
    kept = [name for name in losable(opened, hub) if name not in lose]
    lines = ["What stays: homes and their snapshots, accounts, the vault, and backups."]
    lines += [f"  {name}: {_WHAT[name.partition('.')[0]]}" for name in kept]
    lines.append("'slurmhub up' brings the services back with it.")
    return "\n".join(lines)


_WHAT = {
    "hub": "its users, servers and ledger, below /var/lib/slurmhub on its host",
    "measurements": "what Prometheus measured",
}


def _agreed(opened: OpenSite, wanted: Wanted, keeping: Keeping, console: Console) -> bool:
    if not sys.stdin.isatty():
        raise OperateError(
            "There is no terminal to ask whether this is to be done.",
            remedy="Run 'slurmhub down --yes' if you are sure.",
            status=UNUSABLE,
        )
    say(console, "Looking at what would end; nothing is changed yet.")
    plan, outcome = foresee(opened, wanted, keeping, console)
    say(console, as_text(plan, wanted.layers))
    if any(each.status == "unreachable" for each in outcome.ended):
        raise typer.Exit(FAILED)
    lost = wanted.variables["slurmhub_lose"]
    if lost:
        say(console, f"LOST FOR EVER: {', '.join(lost)}.")
    return typer.confirm("End this?")
