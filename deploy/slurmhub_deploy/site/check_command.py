"""`slurmhub check`: everything that is wrong with a site file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from slurmhub_deploy.site.errors import SiteError
from slurmhub_deploy.site.load import Loaded, load_site

SiteFile = Annotated[Path, typer.Option("--site", envvar="SLURMHUB_SITE", help="The site file.")]


def check(
    site: SiteFile = Path("site.yml"),
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say everything that is wrong with a site file, at once; it changes nothing.

    Exit status: 0 without errors, though there may be warnings; 1 with errors; 2 if the file
    cannot be read.
    """
    try:
        loaded = load_site(site)
    except SiteError as error:
        if as_json:
            _out(json.dumps({"file": str(site), "error": error.what, "remedy": error.remedy}))
        else:
            sys.stderr.write(f"slurmhub: {error.what}\nWhat to do: {error.remedy}\n")
        raise typer.Exit(2) from error
    _out(as_data(loaded, site) if as_json else as_text(loaded, site))
    raise typer.Exit(1 if loaded.errors else 0)


def as_text(loaded: Loaded, site: Path) -> str:
    """For people: each problem, and how many there are."""
    lines = [each.as_text() for each in loaded.problems]
    errors = len(loaded.errors)
    warnings = len(loaded.problems) - errors
    if errors or warnings:
        lines.append(f"{site}: {_count(errors, 'error')}, {_count(warnings, 'warning')}.")
    if loaded.site is not None:
        found = loaded.site
        lines.append(
            f"{site} can be used: {_count(len(found.hubs), 'hub')},"
            f" {_count(len(found.clusters), 'cluster')}, {_count(len(found.machines), 'host')}."
        )
    return "\n".join(lines)


def as_data(loaded: Loaded, site: Path) -> str:
    """For programs."""
    problems = [each.as_data() for each in loaded.problems]
    errors = len(loaded.errors)
    said = {
        "file": str(site),
        "errors": errors,
        "warnings": len(problems) - errors,
        "problems": problems,
    }
    return json.dumps(said, indent=2, ensure_ascii=False)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _out(text: str) -> None:
    # What a file has in it may be no text that this terminal can show.
    safe = text.encode(sys.stdout.encoding or "utf-8", "backslashreplace")
    typer.echo(safe.decode(sys.stdout.encoding or "utf-8"))
