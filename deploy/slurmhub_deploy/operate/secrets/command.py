"""`slurmhub secret`: which secrets a site has, where they come from, and giving one."""

from __future__ import annotations

import getpass
import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from slurmhub_deploy.operate.errors import UNUSABLE, OperateError
from slurmhub_deploy.operate.secrets.catalogue import Needed
from slurmhub_deploy.operate.secrets.keeping import Keeping
from slurmhub_deploy.operate.site_file import USUAL, SiteFile, open_site

secret = typer.Typer(
    help="The secrets of a site: list them, give one, show one.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="Its name, as `slurmhub secret list` has it.")]


@secret.command("list")
def list_secrets(
    site: SiteFile = USUAL,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say which secrets the site has, where each comes from, and whether it is there."""
    keeping = Keeping(open_site(site))
    kept = keeping.values()
    rows = [row for each in keeping.needed for row in _rows(each, kept)]
    known = {row["name"] for row in rows} | {row["vault"] for row in rows}
    rows += [
        {"name": name, "vault": name, "comes from": "the vault", "state": "not used", "what": ""}
        for name in sorted(kept)
        if name not in known
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    # A name that is cut short cannot be given to the other verbs.
    table = Table(Column("Secret", no_wrap=True), "Comes from", "State", "What it is")
    for row in rows:
        table.add_row(row["name"], row["comes from"], row["state"], row["what"])
    Console().print(table)


@secret.command("set")
def set_secret(name: Name, site: SiteFile = USUAL) -> None:
    """Keep a secret in the vault: from standard input, or asked for at a terminal."""
    keeping = Keeping(open_site(site))
    names = [row["vault"] for each in keeping.needed for row in _rows(each, {}) if row["vault"]]
    if name not in names:
        raise OperateError(
            f"The site has no secret {name} that is kept in the vault.",
            remedy=f"Name one of: {', '.join(names)}.",
            status=UNUSABLE,
        )
    if sys.stdin.isatty():
        value = getpass.getpass(f"{name}: ")
    else:
        value = sys.stdin.read().removesuffix("\n")
    if not value:
        raise OperateError(
            "There was nothing to keep.", remedy="Give the secret on standard input."
        )
    new = keeping.put(name, value)
    typer.echo(f"{name} is kept." if new else f"{name} is kept in place of another one.")


@secret.command("show")
def show_secret(name: Name, site: SiteFile = USUAL) -> None:
    """Print one secret of the vault, and nothing else."""
    kept = Keeping(open_site(site)).values()
    if name not in kept:
        raise OperateError(
            f"{name} is not in the vault.", remedy="'slurmhub secret list' says what is."
        )
    typer.echo(kept[name])


@secret.command("forget")
def forget_secret(
    name: Name,
    site: SiteFile = USUAL,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a secret out of the vault; the next `up` makes another one, and uses that."""
    keeping = Keeping(open_site(site))
    if not yes and not typer.confirm(f"{name} cannot be brought back. Forget it?"):
        return
    keeping.forget(name)
    typer.echo(f"{name} is forgotten.")


def _rows(needed: Needed, kept: dict[str, str]) -> list[dict[str, str]]:
    rows = []
    for name in needed.names:
        source = needed.source
        if source is not None and source.from_command:
            where, state, vault = f"the command {source.from_command[0]}", "", ""
        elif source is not None:
            vault = str(source.vault)
            where, state = f"you, as {vault}", "kept" if vault in kept else "lacks"
        else:
            vault = name
            where, state = "made here", "kept" if name in kept else "made by up"
        row = {"name": name, "vault": vault, "comes from": where, "state": state}
        rows.append(row | {"what": needed.what})
    return rows
