"""`slurmhub doctor`: what is wrong with a site, and what to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import typer

from slurmhub_deploy.doctor.checks import CHECKS
from slurmhub_deploy.doctor.facts import Facts
from slurmhub_deploy.doctor.finding import Finding, findings
from slurmhub_deploy.doctor.gathering import gather
from slurmhub_deploy.operate.site_file import USUAL, SiteFile, open_site

WELL, WRONG, DOUBTS = 0, 1, 3
"""Exit statuses; 2 is for a wrong command or a site file that cannot be used."""


def doctor(
    site: SiteFile = USUAL,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say what is wrong, from a student's sign-in to a kernel's answer, and what to do.

    Looks at every host over ssh and changes nothing.

    Exit status: 0 if nothing is wrong; 1 with errors; 2 if the site file cannot be used; 3 with
    warnings only, or if something could not be looked at.
    """
    facts = gather(open_site(site))
    found = findings(CHECKS, facts)
    typer.echo(as_data(found, facts) if as_json else as_text(found, facts))
    raise typer.Exit(status_of(found))


def status_of(found: Sequence[Finding]) -> int:
    """The exit status."""
    if any(each.level == "error" for each in found):
        return WRONG
    return DOUBTS if found else WELL


def as_text(found: Sequence[Finding], facts: Facts) -> str:
    """For people: what was found by check, and how much of it."""
    lines: list[str] = []
    last = ""
    for each in found:
        if each.check != last:
            lines += ["", f"{each.check}: {each.matters}"]
            last = each.check
        lines += [f"  {each.level}: {each.where}: {each.what}", f"      {each.remedy}"]
    if found:
        lines.append("")
    counts = {level: sum(each.level == level for each in found) for level in ("error", "warning")}
    unknown = len(found) - sum(counts.values())
    looked = sum(not host.unreachable for host in facts.hosts.values())
    lines.append(
        f"{len(CHECKS)} checks, {looked} of {len(facts.hosts)} hosts:"
        f" {counts['error']} errors, {counts['warning']} warnings, {unknown} unknown."
    )
    return "\n".join(lines).lstrip("\n")


def as_data(found: Sequence[Finding], facts: Facts) -> str:
    """For programs."""
    said = {
        "status": status_of(found),
        "hosts": {name: each.unreachable or None for name, each in facts.hosts.items()},
        "findings": [each.as_data() for each in found],
    }
    return json.dumps(said, indent=2, ensure_ascii=False)
