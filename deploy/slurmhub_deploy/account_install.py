"""Installs `slurmhub-account`, for a hub that makes its people's accounts.

Three files again: the program, its settings, and the line of sudoers(5) that lets the hub's account
run that program, without arguments, as root.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slurmhub.assets import asset
from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.installing import InstalledFile, below, check_sudoers, escaped

PROGRAM = Path("/usr/local/libexec/slurmhub/slurmhub-account")
SETTINGS = Path("/etc/slurmhub/account.json")
SUDOERS = Path("/etc/sudoers.d/slurmhub-account")
# The program has the same, for what the file does not say.
DEFAULT_SETTINGS: dict[str, Any] = {
    "directory": "files",
    "min_uid": 20000,
    "max_uid": 59999,
    "home_base": "/home",
    "make_homes": True,
    "home_command": None,
    "skeleton": "/etc/skel",
    "shell": "/bin/bash",
    "group": None,
    "register": "/var/lib/slurmhub/accounts",
    "ldap": None,
}
_PROGRAMS = {
    "files": ("/usr/sbin/useradd", "/usr/sbin/groupadd", "/usr/sbin/usermod"),
    "ldap": ("/usr/bin/ldapsearch", "/usr/bin/ldapadd", "/usr/bin/ldapmodify"),
    "existing": (),
}
_PACKAGES = {"files": "passwd", "ldap": "ldap-utils"}


@dataclass(frozen=True)
class AccountsPlan:
    """Where accounts are made: `directory` is files or ldap; or existing, which makes homes only.

    None for the others keeps what an earlier installation says. The DNs are those of the folders of
    people and of groups. `settings` are more of the program's settings, as its file has them; those
    of `ldap` are put beside the ones that are there.
    """

    directory: str
    uri: str | None = None
    people: str | None = None
    groups: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def account_files(
    plan: AccountsPlan, hub_account: str | None, users_group: str | None, root: Path
) -> list[InstalledFile]:
    """The three files, or two for a hub that is root. Raises DeployError."""
    settings = _settings(plan, users_group, below(root, SETTINGS))
    _check_programs(plan.directory)
    files = [
        InstalledFile(PROGRAM, asset("libexec/slurmhub-account").read_bytes(), 0o755, shown=False),
        InstalledFile(SETTINGS, json.dumps(settings, indent=2).encode() + b"\n", 0o644),
    ]
    if hub_account is not None:
        text = account_sudoers_text(hub_account)
        check_sudoers(text)
        files.append(InstalledFile(SUDOERS, text.encode(), 0o440))
    return files


def account_sudoers_text(hub_account: str, program: Path = PROGRAM) -> str:
    """The sudoers file: one program, no arguments, as root."""
    hub, path = escaped(hub_account), escaped(str(program))
    return f"""\
# Written by 'slurmhub helper install', and written again when that runs again.
# The hub has accounts of its people made, through one program that takes no arguments and nothing
# from the environment, and makes accounts of its own settings' range only.
Defaults!{path} env_reset, !env_keep, !env_check, !setenv, closefrom=3
Defaults!{path} !requiretty, !noexec, !log_input, !log_output
{hub} ALL=(root:root) NOPASSWD: NOSETENV: {path} ""
"""


def _settings(plan: AccountsPlan, users_group: str | None, path: Path) -> dict[str, Any]:
    try:
        before = json.loads(path.read_text()) if path.exists() else {}
        settings = {**DEFAULT_SETTINGS, **before, "directory": plan.directory}
    except (OSError, ValueError, TypeError) as problem:
        raise DeployError(
            f"The settings of an earlier installation in {path} cannot be read: {problem}.",
            remedy="Correct that file or remove it, and run this again.",
        ) from problem
    unknown = set(plan.settings) - set(DEFAULT_SETTINGS)
    if unknown:
        raise DeployError(
            f"slurmhub-account has no setting {', '.join(sorted(unknown))}.",
            remedy=f"There are: {', '.join(DEFAULT_SETTINGS)}.",
        )
    more = {name: value for name, value in plan.settings.items() if name != "ldap"}
    settings = {**settings, **more}
    if users_group is not None:
        settings["group"] = users_group
    if plan.directory == "ldap":
        said = {"uri": plan.uri, "people": plan.people, "groups": plan.groups}
        ldap = {**(settings["ldap"] or {"uri": "ldapi:///"}), **(plan.settings.get("ldap") or {})}
        ldap.update({name: value for name, value in said.items() if value is not None})
        if not ldap.get("people") or not ldap.get("groups"):
            raise DeployError(
                "Where accounts lie in the LDAP directory was not said.",
                remedy="Give --ldap-people and --ldap-groups, such as "
                "ou=people,dc=example,dc=org and ou=groups,dc=example,dc=org.",
            )
        settings["ldap"] = ldap
    return settings


def _check_programs(directory: str) -> None:
    if directory not in _PROGRAMS:
        raise DeployError(
            f"Accounts cannot be made in {directory!r}.",
            remedy="Give files or ldap; or existing, to make homes only.",
        )
    for program in _PROGRAMS[directory]:
        if not os.access(program, os.X_OK):
            raise DeployError(
                f"{program} is not there.",
                remedy=f"Install the package {_PACKAGES[directory]}, and run this again.",
            )
