"""`slurmhub drain` and `undrain`: compute nodes out of use and into it, without ending a job."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from slurmhub_deploy.operate.site_file import USUAL, SiteFile, open_site
from slurmhub_deploy.operate.verbs import nodes as slurm
from slurmhub_deploy.operate.verbs.nodes import Ask, Choice, JobThere

_LOOK_AGAIN = 15.0

Nodes = Annotated[
    list[str] | None, typer.Argument(metavar="[NODE]...", help="Nodes, such as c1 or c[01-04].")
]
OfHub = Annotated[str | None, typer.Option("--hub", help="All nodes that this hub's people use.")]
OfCluster = Annotated[
    str | None, typer.Option("--cluster", help="The nodes' cluster, where it is one that exists.")
]


def drain(
    nodes: Nodes = None,
    site: SiteFile = USUAL,
    hub: OfHub = None,
    cluster: OfCluster = None,
    reason: Annotated[str, typer.Option(help="Why, for whoever looks at sinfo.")] = "maintenance",
    until: Annotated[
        str | None, typer.Option(help="Until when, in your own words; part of the reason.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the last job ended.")] = False,
) -> None:
    """Let no new jobs start on nodes; jobs that run go on.

    Says who is on them and until when. Exit status: 0, also while there are jobs; 1 if Slurm
    does not answer; 2 if the command or the site file is wrong.
    """
    opened = open_site(site)
    choice = slurm.chosen(opened.site, nodes or [], hub=hub, cluster=cluster)
    ask = slurm.over_ssh(opened, choice.host)
    slurm.drain(ask, choice.nodes, f"{reason} (until {until})" if until else reason)
    typer.echo(f"No new jobs on {', '.join(choice.nodes)}.")
    left = slurm.jobs_on(ask, choice.nodes)
    typer.echo(as_text(left))
    if wait:
        _wait(ask, choice, left)
    typer.echo(f"Into use again: slurmhub undrain {' '.join(choice.nodes)}")


def undrain(
    nodes: Nodes = None,
    site: SiteFile = USUAL,
    hub: OfHub = None,
    cluster: OfCluster = None,
) -> None:
    """Let jobs start on nodes again. Exit status: as that of drain."""
    opened = open_site(site)
    choice = slurm.chosen(opened.site, nodes or [], hub=hub, cluster=cluster)
    ask = slurm.over_ssh(opened, choice.host)
    slurm.undrain(ask, choice.nodes)
    for name, state in slurm.states_of(ask, choice.nodes).items():
        typer.echo(f"{name}: {state}")


def as_text(jobs: list[JobThere]) -> str:
    """The jobs for people, a line each."""
    if not jobs:
        return "No jobs are on them."
    lines = [f"  {one.number}  {one.owner}  on {one.nodes}, until {one.until}" for one in jobs]
    return "\n".join([f"{len(jobs)} job{'s' * (len(jobs) > 1)} on them:", *lines])


def _wait(ask: Ask, choice: Choice, left: list[JobThere]) -> None:
    number = len(left)
    while left:
        time.sleep(_LOOK_AGAIN)
        left = slurm.jobs_on(ask, choice.nodes)
        if len(left) != number:
            number = len(left)
            typer.echo(as_text(left))
