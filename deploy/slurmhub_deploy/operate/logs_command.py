"""`slurmhub logs`: what a service of the site logged, from the host that it runs on."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from slurmhub_deploy.operate.log_places import SUBJECTS, log_place
from slurmhub_deploy.operate.reaching import ssh_argv
from slurmhub_deploy.operate.site_file import USUAL, SiteFile, open_site
from slurmhub_deploy.operate.ssh_command import become_ssh


def logs(
    subject: Annotated[str, typer.Argument(help=f"One of {', '.join(SUBJECTS)}.")] = "hub",
    name: Annotated[
        str | None, typer.Argument(help="Which hub, cluster or host, where there are several.")
    ] = None,
    site: SiteFile = USUAL,
    since: Annotated[
        str | None, typer.Option(help="From this time on, as journalctl takes it: '2 hours ago'.")
    ] = None,
    lines: Annotated[int, typer.Option(min=1, help="How many of the last lines.")] = 200,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it is written.")] = False,
) -> None:
    """Show what a service logged. Exit status: that of ssh."""
    opened = open_site(site)
    place = log_place(opened, subject, name)
    command = place.argv(lines=lines, since=since, follow=follow)
    # With a terminal there, ^C ends the program there as well.
    terminal = sys.stdin.isatty() and sys.stdout.isatty() and follow
    argv = ssh_argv(opened.host(place.host), command, terminal=terminal, ask=sys.stdin.isatty())
    become_ssh(argv)
