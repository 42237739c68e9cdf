"""Installs `slurmhub-as-user`, what a hub under an account of its own needs once.

Three files: the program, its settings, and the one line of sudoers(5) that lets the hub's account
run that program, without arguments, as the members of one group.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import secrets
import stat
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from slurmhub.assets import asset
from slurmhub_deploy.errors import DeployError

PROGRAM = Path("/usr/local/libexec/slurmhub/slurmhub-as-user")
SETTINGS = Path("/etc/slurmhub/as-user.json")
SUDOERS = Path("/etc/sudoers.d/slurmhub")
SLURM_PROGRAMS = ("sbatch", "scancel")
DEFAULT_SETTINGS = {"bin_dir": "/usr/bin", "slurm_conf": None, "min_uid": 1000}
_ALIAS = re.compile(r"[A-Z][A-Z0-9_]*")
_VISUDO = ("/usr/sbin/visudo", "/usr/local/sbin/visudo")


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
    root: Path = Path("/")


class State(Enum):
    """What became of a file."""

    UNCHANGED = "unchanged"
    WRITTEN = "written"
    WOULD_BE_WRITTEN = "would be written"


@dataclass(frozen=True)
class Outcome:
    """One file, what became of it, and its text if that is for people."""

    path: Path
    state: State
    text: str | None = None


@dataclass(frozen=True)
class _File:
    path: Path
    content: bytes
    mode: int
    shown: bool = True


def install(plan: HelperPlan, *, dry_run: bool = False) -> list[Outcome]:
    """Writes what is not yet as it should be; a second call changes nothing.

    Each file is put in place whole or not at all, and none before everything was checked, the
    sudoers line by visudo. Raises DeployError.
    """
    if os.geteuid() != 0 and not dry_run:
        raise DeployError(
            "The helper can only be installed by root.",
            remedy="Run it again with sudo, or with --dry-run to see what it would do.",
        )
    files = _files(plan)
    for file in files:
        _check_parents(_below(plan.root, file.path), plan.root)
    outcomes = [_put(plan.root, file, dry_run=dry_run) for file in files]
    if plan.hub_account is not None and plan.root == Path("/") and not dry_run:
        _check_effect(plan.hub_account)
    return outcomes


def sudoers_text(hub_account: str, users_group: str, program: Path = PROGRAM) -> str:
    """The sudoers file: one program, no arguments, as members of one group, never as root."""
    hub, group, path = (_escaped(word) for word in (hub_account, users_group, str(program)))
    return f"""\
# Written by 'slurmhub helper install', and written again when that runs again.
# The hub submits and cancels Slurm jobs as members of one group, through one program that takes
# no arguments and nothing from the environment. What it reads holds tokens: it is not logged.
Defaults!{path} env_reset, !env_keep, !env_check, !setenv, closefrom=3
Defaults!{path} !requiretty, !noexec, !log_input, !log_output
{hub} ALL=(%{group}, !#0) NOPASSWD: NOSETENV: {path} ""
"""


def _files(plan: HelperPlan) -> list[_File]:
    program = asset("libexec/slurmhub-as-user").read_bytes()
    settings = _settings(plan)
    _check_programs(Path(settings["bin_dir"]))
    files = [
        _File(PROGRAM, program, 0o755, shown=False),
        _File(SETTINGS, json.dumps(settings, indent=2).encode() + b"\n", 0o644),
    ]
    if plan.hub_account is not None and plan.users_group is not None:
        _check_accounts(plan.hub_account, plan.users_group)
        text = sudoers_text(plan.hub_account, plan.users_group)
        _check_sudoers(text)
        files.append(_File(SUDOERS, text.encode(), 0o440))
    elif plan.hub_account is not None or plan.users_group is not None:
        raise DeployError(
            "A sudoers line needs both the hub's account and the group of its users.",
            remedy="Give --hub-account and --users-group; give neither if the hub runs as root.",
        )
    return files


def _settings(plan: HelperPlan) -> dict[str, Any]:
    path = _below(plan.root, SETTINGS)
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


def _escaped(word: str) -> str:
    """A name or path as sudoers(5) reads it."""
    # Words that begin otherwise are ids or netgroups, those in capitals are aliases.
    if not word.isprintable() or not re.match(r"[A-Za-z0-9_/]", word) or _ALIAS.fullmatch(word):
        raise DeployError(
            f"{word!r} cannot be written in a sudoers file.",
            remedy="Use a name that begins with a letter and is not all in capitals.",
        )
    # Groups of a directory service may hold spaces, and sudoers has meanings for much else.
    return re.sub(r"([^A-Za-z0-9_./-])", r"\\\1", word)


def _check_sudoers(text: str) -> None:
    visudo = next((program for program in _VISUDO if os.access(program, os.X_OK)), None)
    if visudo is None:
        raise DeployError(
            "visudo is not installed, so the sudoers line cannot be checked.",
            remedy="Install sudo, and run this again.",
        )
    checked = _run([visudo, "-c", "-s", "-f", "-"], text)
    if checked.returncode != 0:
        raise DeployError(
            f"visudo refuses the sudoers line: {checked.stderr.strip() or checked.stdout.strip()}",
            remedy="Nothing was changed. Choose account and group names that sudo can read.",
        )


def _check_effect(hub_account: str) -> None:
    if str(PROGRAM) not in _run(["/usr/bin/sudo", "-n", "-l", "-U", hub_account]).stdout:
        raise DeployError(
            f"{SUDOERS} is in place, but sudo does not follow it.",
            remedy="Add the line '@includedir /etc/sudoers.d' to /etc/sudoers with visudo.",
        )


def _run(argv: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
    )


def _below(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _check_parents(path: Path, root: Path) -> None:
    """Whoever may write to a folder above a file may replace the file."""
    for folder in path.parents:
        try:
            found = folder.stat()
        except FileNotFoundError:
            continue  # it is made below
        if found.st_uid != 0 or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise DeployError(
                f"{folder} can be changed by others than root.",
                remedy=f"Run 'chown root {folder}' and 'chmod go-w {folder}', then this again.",
            )
        if folder == root:
            return


def _put(root: Path, file: _File, *, dry_run: bool) -> Outcome:
    path = _below(root, file.path)
    text = file.content.decode() if file.shown else None
    if _is_as_it_should_be(path, file):
        return Outcome(path, State.UNCHANGED, text)
    if dry_run:
        return Outcome(path, State.WOULD_BE_WRITTEN, text)
    _make_folders(reversed([folder for folder in path.parents if not folder.exists()]))
    # sudo reads no file with a dot in its name, should this one be left behind.
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "wb") as handle:
            handle.write(file.content)
            handle.flush()
            os.fchown(descriptor, 0, 0)
            os.fchmod(descriptor, file.mode)
            os.fsync(descriptor)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    return Outcome(path, State.WRITTEN, text)


def _make_folders(missing: Iterable[Path]) -> None:
    for folder in missing:
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)  # whatever the umask is


def _is_as_it_should_be(path: Path, file: _File) -> bool:
    try:
        found = path.lstat()
        same = stat.S_ISREG(found.st_mode) and path.read_bytes() == file.content
    except OSError:
        return False
    return same and found.st_uid == 0 and found.st_gid == 0 and found.st_mode & 0o7777 == file.mode
