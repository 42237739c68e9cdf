"""`slurmhub helper`: what a hub that is not root needs to act for its users."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from slurmhub_deploy.account_install import AccountsPlan
from slurmhub_deploy.course_folders_install import CourseFoldersPlan, course_folders_files
from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.helper import SUDOERS, HelperPlan, Outcome, State, install
from slurmhub_deploy.installing import install_files

helper = typer.Typer(
    help="The small programs with which a hub that is not root acts for its users.",
    no_args_is_help=True,
)


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
    accounts: Annotated[
        str | None,
        typer.Option(
            help="Also make people's accounts, in 'files' or in 'ldap'; or only the homes of"
            " accounts that are 'existing'."
        ),
    ] = None,
    ldap_uri: Annotated[
        str | None, typer.Option(help="The LDAP directory; ldapi:/// at first.")
    ] = None,
    ldap_people: Annotated[
        str | None, typer.Option(help="DN of the folder of people in that directory.")
    ] = None,
    ldap_groups: Annotated[
        str | None, typer.Option(help="DN of the folder of groups in that directory.")
    ] = None,
    account_settings: Annotated[
        str | None,
        typer.Option(help="More settings of slurmhub-account, as JSON; no secret is among them."),
    ] = None,
    root: Annotated[
        Path, typer.Option(help="Write below this folder, as for an image.", hidden=True)
    ] = Path("/"),
    dry_run: Annotated[bool, typer.Option(help="Only show what would be written.")] = False,
) -> None:
    """Install slurmhub-as-user, its settings, and the sudoers line for the hub's account.

    With --accounts also slurmhub-account, for a hub that makes its people's accounts.
    Run as root on the hub's host, once, and again after an upgrade. A second run changes nothing.
    """
    plan = HelperPlan(
        hub_account=hub_account,
        users_group=users_group,
        bin_dir=bin_dir,
        slurm_conf=slurm_conf,
        accounts=None
        if accounts is None
        else AccountsPlan(
            accounts,
            uri=ldap_uri,
            people=ldap_people,
            groups=ldap_groups,
            settings=_mapping(account_settings),
        ),
        root=root,
    )
    outcomes = install(plan, dry_run=dry_run)
    console = Console(highlight=False, soft_wrap=True)
    for line in report(plan, outcomes, show_texts=dry_run):
        console.print(line, markup=False)


@helper.command("course-folders")
def install_course_folders(
    folder: Annotated[
        Path, typer.Option(help="Where the folders of courses lie; root's, and nobody else's.")
    ],
    account: Annotated[
        str | None,
        typer.Option(help="Account of the service of courses; none where that is another host's."),
    ] = None,
    name: Annotated[
        str, typer.Option(help="What these folders are called, where there are several.")
    ] = "main",
    settings: Annotated[
        str | None, typer.Option(help="More settings of slurmhub-course-folders, as JSON.")
    ] = None,
    root: Annotated[
        Path, typer.Option(help="Write below this folder, as for an image.", hidden=True)
    ] = Path("/"),
    dry_run: Annotated[bool, typer.Option(help="Only show what would be written.")] = False,
) -> None:
    """Install slurmhub-course-folders, its settings, and the sudoers line for the account.

    Run as root on the host that has the disk of courses' folders, once, and again after an upgrade.
    A second run changes nothing.
    """
    plan = CourseFoldersPlan(folder, name, account, _mapping(settings, "--settings"))
    outcomes = install_files(root, course_folders_files(plan, root), dry_run=dry_run)
    console = Console(highlight=False, soft_wrap=True)
    for line in _lines(outcomes, show_texts=dry_run):
        console.print(line, markup=False)


def _mapping(text: str | None, option: str = "--account-settings") -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except ValueError as error:
        raise DeployError(
            f"{option} is not JSON: {error}.", remedy='Give such as {"min_uid": 30000}.'
        ) from error
    if not isinstance(found, dict):
        raise DeployError(f"{option} is not a mapping.", remedy='Give such as {"min_uid": 30000}.')
    return found


def report(plan: HelperPlan, outcomes: list[Outcome], *, show_texts: bool) -> list[str]:
    """What was done, for people; with the text of each file that is not a program."""
    lines = _lines(outcomes, show_texts=show_texts)
    if plan.hub_account is None:
        lines.append(
            f"{SUDOERS}: not touched. A hub that runs as an account of its own needs"
            " --hub-account and --users-group as well."
        )
    return lines


def _lines(outcomes: list[Outcome], *, show_texts: bool) -> list[str]:
    lines = []
    for outcome in outcomes:
        lines.append(f"{outcome.path}: {outcome.state.value}")
        if show_texts and outcome.text is not None and outcome.state is not State.UNCHANGED:
            lines.extend(f"    {line}" for line in outcome.text.splitlines())
    if all(outcome.state is State.UNCHANGED for outcome in outcomes):
        lines.append("Everything was as it should be; nothing was changed.")
    return lines
