"""`slurmhub ssh`: a shell or a command on a host of the site, reached as `up` reaches it."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from slurmhub_deploy.operate.errors import OperateError
from slurmhub_deploy.operate.reaching import ssh_argv
from slurmhub_deploy.operate.site_file import USUAL, SiteFile, open_site


def ssh(
    host: Annotated[str, typer.Argument(help="A host of the site.")],
    command: Annotated[
        list[str] | None, typer.Argument(help="A command there, as root; after `--`.")
    ] = None,
    site: SiteFile = USUAL,
) -> None:
    """Open a shell on a host, or run a command there as root.

    Exit status: that of ssh, which is the command's own, or 255 if the host is not reached.
    """
    opened = open_site(site)
    terminal = sys.stdin.isatty()
    argv = ssh_argv(
        opened.host(host),
        command or [],
        # A command's output may be read by a program: a terminal there would spoil it.
        terminal=terminal and sys.stdout.isatty() if command else None,
        ask=terminal,
    )
    become_ssh(argv)


def become_ssh(argv: list[str]) -> None:
    """Put ssh in place of this program; raises OperateError if there is none."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - there is no shell, and there is to be none
    except FileNotFoundError as error:
        raise OperateError(
            "There is no ssh on this machine.", remedy="Install the package openssh-client."
        ) from error
