"""Installs `slurmhub-as-user`, what a hub under an account of its own needs once.

Three files: the program, its settings, and the one line of sudoers(5) that lets the hub's account
run that program, without arguments, as the members of one group. Where the hub makes accounts,
slurmhub_deploy.account_install adds three more.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slurmhub.assets import asset
from slurmhub_deploy import account_install
from slurmhub_deploy.account_install import AccountsPlan, account_files
from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.installing import (
    InstalledFile,
    Outcome,
    State,
    below,
    check_effect,
    check_sudoers,
    escaped,
    install_files,
)

__all__ = ["HelperPlan", "Outcome", "State", "install", "sudoers_text"]

PROGRAM = Path("/usr/local/libexec/slurmhub/slurmhub-as-user")
SETTINGS = Path("/etc/slurmhub/as-user.json")
SUDOERS = Path("/etc/sudoers.d/slurmhub")
SLURM_PROGRAMS = ("sbatch", "scancel")
DEFAULT_SETTINGS = {"bin_dir": "/usr/bin", "slurm_conf": None, "min_uid": 1000}


@dataclass(frozen=True)
class HelperPlan:
    """What is to be installed, and where.

    Without `hub_account` and `users_group` no sudoers line is written. None for `bin_dir` and
    `slurm_conf` keeps what an earlier installation says. `root` is put before every path that is
    written; accounts and programs are those of this host.
    """

    hub_account: str | None = None
    users_group: str | None = None
    bin_dir: Path | None = None
    slurm_conf: Path | None = None
    accounts: AccountsPlan | None = None
    root: Path = Path("/")


def install(plan: HelperPlan, *, dry_run: bool = False) -> list[Outcome]:
    """Writes what is not yet as it should be; a second call changes nothing.

    Each file is put in place whole or not at all, and none before everything was checked, the
    sudoers lines by visudo. Raises DeployError.
    """
    files = _files(plan)
    if plan.accounts is not None:
        files += account_files(plan.accounts, plan.hub_account, plan.users_group, plan.root)
    outcomes = install_files(plan.root, files, dry_run=dry_run)
    if plan.hub_account is not None and plan.root == Path("/") and not dry_run:
        check_effect(plan.hub_account, PROGRAM, SUDOERS)
        if plan.accounts is not None:
            check_effect(plan.hub_account, account_install.PROGRAM, account_install.SUDOERS)
    return outcomes


def sudoers_text(hub_account: str, users_group: str, program: Path = PROGRAM) -> str:
    """The sudoers file: one program, no arguments, as members of one group, never as root."""
    hub, group, path = (escaped(word) for word in (hub_account, users_group, str(program)))
    return f"""\
# Written by 'slurmhub helper install', and written again when that runs again.
# The hub submits and cancels Slurm jobs as members of one group, through one program that takes
# no arguments and nothing from the environment. What it reads holds tokens: it is not logged.
Defaults!{path} env_reset, !env_keep, !env_check, !setenv, closefrom=3
Defaults!{path} !requiretty, !noexec, !log_input, !log_output
{hub} ALL=(%{group}, !#0) NOPASSWD: NOSETENV: {path} ""
"""


def _files(plan: HelperPlan) -> list[InstalledFile]:
    program = asset("libexec/slurmhub-as-user").read_bytes()
    settings = _settings(plan)
    _check_programs(Path(settings["bin_dir"]))
    files = [
        InstalledFile(PROGRAM, program, 0o755, shown=False),
        InstalledFile(SETTINGS, json.dumps(settings, indent=2).encode() + b"\n", 0o644),
    ]
    if plan.hub_account is not None and plan.users_group is not None:
        _check_accounts(plan.hub_account, plan.users_group)
        text = sudoers_text(plan.hub_account, plan.users_group)
        check_sudoers(text)
        files.append(InstalledFile(SUDOERS, text.encode(), 0o440))
    elif plan.hub_account is not None or plan.users_group is not None:
        raise DeployError(
            "A sudoers line needs both the hub's account and the group of its users.",
            remedy="Give --hub-account and --users-group; give neither if the hub runs as root.",
        )
    return files


def _settings(plan: HelperPlan) -> dict[str, Any]:
    path = below(plan.root, SETTINGS)
    try:
        before = json.loads(path.read_text()) if path.exists() else {}
        settings: dict[str, Any] = {**DEFAULT_SETTINGS, **before}
    except (OSError, ValueError, TypeError) as problem:
        raise DeployError(
            f"The settings of an earlier installation in {path} cannot be read: {problem}.",
            remedy="Correct that file or remove it, and run this again.",
        ) from problem
    for name in ("bin_dir", "slurm_conf"):
        value = getattr(plan, name)
        if value is not None:
            settings[name] = str(value)
    conf = settings["slurm_conf"]
    if conf is not None and not (Path(conf).is_absolute() and Path(conf).is_file()):
        raise DeployError(
            f"There is no Slurm configuration at {conf}.",
            remedy="Give the full path of slurm.conf with --slurm-conf.",
        )
    return settings


def _check_programs(bin_dir: Path) -> None:
    for name in SLURM_PROGRAMS:
        program = bin_dir / name
        if not (program.is_absolute() and program.is_file() and os.access(program, os.X_OK)):
            raise DeployError(
                f"Slurm's {name} is not in {bin_dir}.",
                remedy="Install Slurm's client commands, or say with --bin-dir where they are.",
            )


def _check_accounts(hub_account: str, users_group: str) -> None:
    try:
        hub = pwd.getpwnam(hub_account)
    except (KeyError, ValueError) as problem:
        raise DeployError(
            f"There is no account {hub_account!r} on this host.",
            remedy="Make it first (useradd --system), or name the one that JupyterHub runs as.",
        ) from problem
    if hub.pw_uid == 0:
        raise DeployError(
            f"The account {hub_account!r} is root, which needs no sudoers line.",
            remedy="Leave out --hub-account and --users-group, or let the hub run as another.",
        )
    try:
        group = grp.getgrnam(users_group)
    except (KeyError, ValueError) as problem:
        raise DeployError(
            f"There is no group {users_group!r} on this host.",
            remedy="Name a group that holds everybody who may have a server, and nobody else.",
        ) from problem
    if group.gr_gid == 0:
        raise DeployError(
            f"The group {users_group!r} is root's.",
            remedy="Name a group that holds everybody who may have a server, and nobody else.",
        )
