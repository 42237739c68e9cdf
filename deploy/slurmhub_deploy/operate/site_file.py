"""The site that a verb works on: its file, its inventory, and the folder of what is kept beside."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer

from slurmhub_deploy.operate.errors import UNUSABLE, OperateError
from slurmhub_deploy.site.inventory import Inventory, inventory
from slurmhub_deploy.site.load import load_site
from slurmhub_deploy.site.model import Site

SiteFile = Annotated[Path, typer.Option("--site", envvar="SLURMHUB_SITE", help="The site file.")]
USUAL = Path("site.yml")

_STATE = ".slurmhub"


@dataclass(frozen=True)
class OpenSite:
    """A site file that was read and found right."""

    file: Path
    site: Site

    @property
    def folder(self) -> Path:
        """The folder that the site file is in; files beside it are relative to it."""
        return self.file.parent

    @property
    def state(self) -> Path:
        """`.slurmhub` beside the site file: logs, locks, what was made. It holds no secret."""
        return self.folder / _STATE

    @cached_property
    def inventory(self) -> Inventory:
        """Ansible's inventory, with paths beside the site file made absolute."""
        return inventory(self.site, self.folder)

    @property
    def hosts(self) -> dict[str, dict[str, Any]]:
        """The variables of each host by its name."""
        return dict(self.inventory["all"]["hosts"])

    def host(self, name: str) -> dict[str, Any]:
        """The variables of one host; raises OperateError if there is none of this name."""
        if name not in self.hosts:
            raise OperateError(
                f"{self.file} has no host {name}.",
                remedy=f"Name one of: {', '.join(self.hosts)}.",
                status=UNUSABLE,
            )
        return self.hosts[name]

    def make_state(self) -> Path:
        """`state`, made if it is not there, and closed to other accounts."""
        try:
            self.state.mkdir(mode=0o700, exist_ok=True)
            ignore = self.state / ".gitignore"
            if not ignore.exists():
                # Logs and locks are this machine's; the vault and the site file are to be kept.
                ignore.write_text("*\n")
        except OSError as error:
            raise OperateError(
                f"{self.state} cannot be made: {error.strerror}.",
                remedy="Run this as somebody who may write beside the site file.",
            ) from error
        return self.state


def open_site(file: Path) -> OpenSite:
    """The site in this file.

    Warnings are shown. Raises OperateError if the file has errors, which are shown before, and
    SiteError if it cannot be read.
    """
    loaded = load_site(file)
    if loaded.site is None:
        for problem in loaded.problems:
            typer.echo(problem.as_text(), file=sys.stderr)
        number = len(loaded.errors)
        raise OperateError(
            f"{file} has {number} error{'' if number == 1 else 's'}; nothing was done.",
            remedy="Correct what is said above; 'slurmhub check' says it again.",
            status=UNUSABLE,
        )
    return OpenSite(file.absolute(), loaded.site)
