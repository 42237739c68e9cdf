"""Installs `slurmhub-course-folders`, on the host that has the disk of courses' folders.

Three files: the program, its settings, and the line of sudoers(5) that lets one account run that
program, for these folders, as root. Where the service of courses is on another host, the line in
authorized_keys that does the same for a key takes the place of the last.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slurmhub.assets import asset
from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.installing import InstalledFile, below, check_sudoers, escaped

PROGRAM = Path("/usr/local/libexec/slurmhub/slurmhub-course-folders")
SETTINGS = Path("/etc/slurmhub/course-folders")
SUDOERS = Path("/etc/sudoers.d")
_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,14}[a-z0-9])?")
_PATH = re.compile(r"/[^\x00-\x1f\x7f]*")
# The program has the same, for what the file does not say.
DEFAULT_SETTINGS: dict[str, Any] = {
    "folder": None,
    "mount": None,
    "min_uid": 1000,
    "max_uid": 2**31 - 1,
    "keep_days": 7,
}


@dataclass(frozen=True)
class CourseFoldersPlan:
    """Where the folders of one hub's courses are; `name` is what they are called on this host.

    `account` is who asks for them: that of the service of courses; None writes no line of sudoers.
    `settings` are more of the program's settings, as its file has them.
    """

    folder: Path
    name: str = "main"
    account: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def course_folders_files(plan: CourseFoldersPlan, root: Path = Path("/")) -> list[InstalledFile]:
    """The files; settings of an earlier installation stay. Raises DeployError."""
    place = SETTINGS / f"{plan.name}.json"
    if not _NAME.fullmatch(plan.name) or not _PATH.fullmatch(str(plan.folder)):
        raise DeployError(
            f"Folders called {plan.name!r} cannot be at {str(plan.folder)!r}.",
            remedy="Give a short name in small letters, and an absolute path.",
        )
    settings = _settings(plan, below(root, place))
    program = asset("libexec/slurmhub-course-folders").read_bytes()
    files = [
        InstalledFile(PROGRAM, program, 0o755, shown=False),
        InstalledFile(place, json.dumps(settings, indent=2).encode() + b"\n", 0o644),
    ]
    if plan.account is not None:
        text = sudoers_text(plan.account, plan.name)
        check_sudoers(text)
        line = SUDOERS / f"slurmhub-course-folders-{plan.name}"
        files.append(InstalledFile(line, text.encode(), 0o440))
    return files


def sudoers_text(account: str, name: str, program: Path = PROGRAM) -> str:
    """The sudoers file: one program, with one argument, as root."""
    who, path = escaped(account), escaped(str(program))
    return f"""\
# Written by 'slurmhub helper course-folders', and written again when that runs again.
# The service of courses has their folders made, through one program that takes nothing from the
# environment and works below the folder of its settings only.
Defaults!{path} env_reset, !env_keep, !env_check, !setenv, closefrom=3
Defaults!{path} !requiretty, !noexec, !log_input, !log_output
{who} ALL=(root:root) NOPASSWD: NOSETENV: {path} {name}
"""


def _settings(plan: CourseFoldersPlan, path: Path) -> dict[str, Any]:
    unknown = set(plan.settings) - set(DEFAULT_SETTINGS)
    if unknown:
        raise DeployError(
            f"slurmhub-course-folders has no setting {', '.join(sorted(unknown))}.",
            remedy=f"There are: {', '.join(DEFAULT_SETTINGS)}.",
        )
    try:
        before = json.loads(path.read_text()) if path.exists() else {}
        found = {**DEFAULT_SETTINGS, **before, **plan.settings, "folder": str(plan.folder)}
    except (OSError, ValueError, TypeError) as problem:
        raise DeployError(
            f"The settings of an earlier installation in {path} cannot be read: {problem}.",
            remedy="Correct that file or remove it, and run this again.",
        ) from problem
    return found
