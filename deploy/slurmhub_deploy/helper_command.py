"""`slurmhub helper`: what a hub that is not root needs to act for its users."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from slurmhub_deploy.helper import SUDOERS, HelperPlan, Outcome, State, install

helper = typer.Typer(
    help="The small program with which a hub that is not root submits jobs as its users.",
    no_args_is_help=True,
)


@helper.callback()
def _helper() -> None:
    """Keeps `install` a verb of its own while it is the only one."""


@helper.command("install")
def install_helper(
    hub_account: Annotated[
        str | None, typer.Option(help="Account that JupyterHub runs as; none if that is root.")
    ] = None,
    users_group: Annotated[
        str | None, typer.Option(help="Group of all who may have a server, and of nobody else.")
    ] = None,
    slurm_conf: Annotated[
        Path | None, typer.Option(help="slurm.conf, if Slurm's commands do not find it.")
    ] = None,
    bin_dir: Annotated[
        Path | None, typer.Option(help="Folder of sbatch and scancel; /usr/bin at first.")
    ] = None,
    root: Annotated[
        Path, typer.Option(help="Write below this folder, as for an image.", hidden=True)
    ] = Path("/"),
    dry_run: Annotated[bool, typer.Option(help="Only show what would be written.")] = False,
) -> None:
    """Install slurmhub-as-user, its settings, and the sudoers line for the hub's account.

    Run as root on the hub's host, once, and again after an upgrade. A second run changes nothing.
    """
    plan = HelperPlan(
        hub_account=hub_account,
        users_group=users_group,
        bin_dir=bin_dir,
        slurm_conf=slurm_conf,
        root=root,
    )
    outcomes = install(plan, dry_run=dry_run)
    console = Console(highlight=False, soft_wrap=True)
    for line in report(plan, outcomes, show_texts=dry_run):
        console.print(line, markup=False)


def report(plan: HelperPlan, outcomes: list[Outcome], *, show_texts: bool) -> list[str]:
    """What was done, for people; with the text of each file that is not a program."""
    lines = []
    for outcome in outcomes:
        lines.append(f"{outcome.path}: {outcome.state.value}")
        if show_texts and outcome.text is not None and outcome.state is not State.UNCHANGED:
            lines.extend(f"    {line}" for line in outcome.text.splitlines())
    if all(outcome.state is State.UNCHANGED for outcome in outcomes):
        lines.append("Everything was as it should be; nothing was changed.")
    if plan.hub_account is None:
        lines.append(
            f"{SUDOERS}: not touched. A hub that runs as an account of its own needs"
            " --hub-account and --users-group as well."
        )
    return lines
