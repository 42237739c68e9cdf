"""`slurmhub status`."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from slurmhub_deploy.doctor.gathering import gather
from slurmhub_deploy.operate.site_file import USUAL, SiteFile, open_site
from slurmhub_deploy.status.summary import (
    LOOKS,
    ClusterStatus,
    HomesStatus,
    HubStatus,
    Status,
    summary,
)

_WIDE = 110


def status(
    site: SiteFile = USUAL,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show how the site is now: hubs, clusters, homes, certificates, alerts. Changes nothing.

    Exit status: 0 if hubs and clusters answer and no alert is for somebody to be woken by; 1 if
    not; 2 if the site file cannot be used.
    """
    found = summary(gather(open_site(site), LOOKS))
    if as_json:
        typer.echo(json.dumps(found.as_data(), indent=2, ensure_ascii=False))
    else:
        show(
            found,
            Console(soft_wrap=True, width=None if Console().is_terminal else _WIDE),
            time.time(),
        )
    raise typer.Exit(0 if found.well else 1)


def show(found: Status, console: Console, now: float) -> None:
    """One screen for people."""
    console.print(_hubs(found.hubs, now))
    for each in found.hubs:
        if each.courses is False:
            console.print(Text(f"{each.domain}: its courses do not answer", style="red"))
    console.print(_clusters(found.clusters))
    console.print(_homes(found.homes))
    for host, why in found.unreachable.items():
        console.print(Text(f"{host} was not reached: {why}", style="red"))
    if found.alerts is None:
        console.print("alerts: unknown; nothing watches this site, or Prometheus did not answer")
    elif not found.alerts:
        console.print("alerts: none")
    for alert in found.alerts or ():
        style = "red" if alert.severity == "page" else "yellow"
        console.print(Text(f"{alert.severity}: {alert.name}: {alert.summary}", style=style))


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _hubs(hubs: tuple[HubStatus, ...], now: float) -> Table:
    table = _table("hub", "", "slurmhub", "people today", "servers", "certificate", "last smoke")
    for each in hubs:
        ago = None if each.smoke_at is None else f"{(now - each.smoke_at) / 60:.0f} min ago"
        never = "?" if each.up is None else "never"
        word = {True: "well", False: "FAILED", None: never}[each.smoke]
        days = None if each.days_left is None else f"{each.days_left:.0f} days"
        table.add_row(
            each.domain,
            _up(each.up, each.said),
            _or(each.version),
            _or(each.people),
            _or(each.servers),
            Text(_or(days), style="red" if (each.days_left or 99) < 14 else ""),
            Text(f"{word}{f', {ago}' if ago else ''}", style="red" if each.smoke is False else ""),
        )
    return table


def _clusters(clusters: tuple[ClusterStatus, ...]) -> Table:
    table = _table("cluster", "", "slurm", "nodes", "jobs", "reservations")
    for each in clusters:
        away = f", not {', '.join(each.unusable)}" if each.unusable else ""
        usable = "?" if each.nodes is None else f"{each.nodes - len(each.unusable)} of {each.nodes}"
        table.add_row(
            each.name,
            _up(each.up, each.said),
            _or(each.version),
            Text(f"{usable}{away}", style="red" if away else ""),
            _jobs(each.jobs),
            _held(each.reservations),
        )
    return table


def _homes(homes: tuple[HomesStatus, ...]) -> Table:
    table = _table("homes", "on", "in use", "left")
    for each in homes:
        if each.size is None or each.available is None:
            table.add_row(each.path, each.server, "?", "?")
            continue
        share = 1 - each.available / each.size
        table.add_row(
            each.path,
            each.server,
            Text(f"{share:.0%}", style="red" if share > 0.9 else ""),
            f"{each.available / 2**30:.1f} GiB",
        )
    return table


def _jobs(jobs: dict[str, int] | None) -> str:
    if jobs is None:
        return "?"
    return ", ".join(f"{count} {state}" for state, count in sorted(jobs.items())) or "none"


def _held(reservations: dict[str, tuple[str, str]] | None) -> str:
    if reservations is None:
        return "?"
    return ", ".join(f"{name} to {end}" for name, (_, end) in reservations.items()) or "none"


def _up(up: bool | None, said: str) -> Text:
    if up is None:
        return Text(f"? {said}", style="yellow")
    return Text("up", style="green") if up else Text(f"DOWN: {said}", style="red")


def _or(value: object) -> str:
    return "?" if value is None else str(value)
