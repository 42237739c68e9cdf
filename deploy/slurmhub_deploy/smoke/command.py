"""`slurmhub smoke`: whether a person can sign in and work, seen from outside."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.smoke.asking import smoke as try_hub
from slurmhub_deploy.smoke.report import Report
from slurmhub_deploy.smoke.run import Plan, run
from slurmhub_deploy.smoke.signing_in import Credentials

FAILED = 1
UNUSABLE = 2

SiteFile = Annotated[Path, typer.Option("--site", envvar="SLURMHUB_SITE", help="The site file.")]
Hub = Annotated[str | None, typer.Option("--hub", help="One hub alone; else all of the site.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Resolve = Annotated[
    list[str] | None,
    typer.Option("--resolve", help="NAME=ADDRESS: where a name leads instead of the DNS."),
]
Settings = Annotated[
    Path | None,
    typer.Option("--settings", help="A file of the role probe's, instead of a site file."),
]


def smoke(
    site: SiteFile = Path("site.yml"),
    hub: Hub = None,
    as_json: Json = False,
    resolve: Resolve = None,
    settings: Settings = None,
) -> None:
    """Sign in with the test account, start a server, compute, write a file, read it, stop.

    Exit status: 0 if all of it works; 1 if a step failed, which is said with what to do; 2 if it
    could not be tried: the site file, the test account or its password is missing.
    """
    try:
        addresses = _addresses(resolve or [])
        if settings is not None:
            reports = [_by_settings(settings)]
        else:
            reports = _by_site(site, hub, addresses)
    except DeployError as error:
        error.status = UNUSABLE  # type: ignore[attr-defined]
        raise
    if as_json:
        typer.echo(json.dumps([report.as_data() for report in reports], indent=2))
    else:
        typer.echo("\n".join(report.as_text() for report in reports))
    raise typer.Exit(0 if all(report.worked for report in reports) else FAILED)


def _by_site(file: Path, hub: str | None, addresses: dict[str, str]) -> list[Report]:
    # The vault needs Ansible, which the hub's own host does not have.
    from slurmhub_deploy.operate.secrets.keeping import Keeping
    from slurmhub_deploy.operate.site_file import open_site

    opened = open_site(file)
    known = list(opened.site.hubs)
    if hub is not None and hub not in known:
        raise DeployError(f"{file} has no hub {hub}.", remedy=f"Name one of: {', '.join(known)}.")
    tried = [hub] if hub is not None else [n for n in known if opened.site.hubs[n].probe]
    if not tried:
        raise DeployError(
            f"No hub of {file} has a test account.",
            remedy="Ask the institution for one, and name it in `hubs.NAME.probe`.",
        )
    keeping = Keeping(opened)
    secrets = {
        f"probe_password.{name}": keeping.given(f"probe_password.{name}")
        for name in tried
        if opened.site.hubs[name].probe is not None
    }
    return [
        try_hub(opened.site, name, secrets, folder=opened.folder, addresses=addresses)
        for name in tried
    ]


def _by_settings(file: Path) -> Report:
    """As the timer does on the hub's host: the metrics are written whatever comes."""
    try:
        said = json.loads(file.read_text())
        plan = Plan(
            str(said["hub"]),
            str(said["url"]),
            Credentials(str(said["username"]), str(said["password"]), said.get("provider")),
            said.get("profile"),
            Path(said["trust"]) if said.get("trust") else None,
            dict(said.get("addresses") or {}),
            float(said["start_seconds"]),
        )
        metrics = Path(said["metrics"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DeployError(
            f"{file} does not say what to try: {type(error).__name__}.",
            remedy="Run slurmhub up again, which writes it.",
        ) from error
    report = asyncio.run(run(plan))
    partial = metrics.with_suffix(".partial")
    partial.write_text(report.as_metrics())
    partial.chmod(0o644)
    partial.replace(metrics)
    return report


def _addresses(pairs: Iterable[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, mark, address = pair.partition("=")
        if not (name and mark and address):
            raise DeployError(
                f"{pair!r} is no NAME=ADDRESS.", remedy="Write --resolve hub.example.ca=192.0.2.10"
            )
        found[name] = address
    return found
