"""`slurmhub quota get` and `quota set`: what somebody may have in their home."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from slurmhub.slurm.memory import Memory
from slurmhub_deploy.operate.asking_homes import HomeQuota, homes_of, quota_of, set_quota
from slurmhub_deploy.operate.errors import UNUSABLE, OperateError
from slurmhub_deploy.operate.site_file import USUAL, SiteFile, open_site
from slurmhub_deploy.site.texts import Amount

quota = typer.Typer(help="What people may have in their homes.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The account.")]
OfHub = Annotated[str | None, typer.Option("--hub", help="Of which hub, if homes differ.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
_MIB = 1024 * 1024
_UNITS = ("B", "K", "M", "G", "T", "P")


@quota.command()
def get(name: Name, hub: OfHub = None, as_json: Json = False, site: SiteFile = USUAL) -> None:
    """Show somebody's quota and how much of it is used."""
    opened = open_site(site)
    _show(quota_of(opened, homes_of(opened, hub), name), as_json=as_json)


@quota.command(name="set")
def set_(
    name: Name,
    amount: Annotated[
        str, typer.Argument(help="Such as 40G; `none` for no quota; `default` for the site file's.")
    ],
    hub: OfHub = None,
    as_json: Json = False,
    site: SiteFile = USUAL,
) -> None:
    """Give somebody another quota, at once. Nothing is lost by a smaller one."""
    said = in_bytes(amount)
    opened = open_site(site)
    _show(set_quota(opened, homes_of(opened, hub), name, said), as_json=as_json)


def in_bytes(amount: str) -> int | str | None:
    """The bytes of an amount such as 40G; None for `none`. Raises OperateError."""
    if amount in ("none", "default"):
        return None if amount == "none" else amount
    from pydantic import TypeAdapter, ValidationError

    try:
        TypeAdapter(Amount).validate_python(amount)
    except ValidationError as error:
        raise OperateError(
            f"{amount!r} is not an amount.",
            remedy="Write it with its unit, such as 40G; or `none`, or `default`.",
            status=UNUSABLE,
        ) from error
    return int(Memory.parse(amount).mebibytes) * _MIB


def in_words(count: int | None) -> str:
    """Bytes for people, such as 1.5G."""
    if count is None:
        return "none"
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f}".removesuffix(".0") + _UNITS[unit]


def as_text(found: HomeQuota) -> str:
    """One line for people."""
    used = "an unknown amount" if found.used is None else in_words(found.used)
    if found.quota is None:
        return f"{found.name} has no quota in the homes {found.homes}, and uses {used}."
    whose = "their own" if found.own else "the default"
    share = "" if found.used is None else f" ({100 * found.used // found.quota} %)"
    return f"{found.name} uses {used} of {in_words(found.quota)}{share}, {whose}."


def _show(found: HomeQuota, *, as_json: bool) -> None:
    typer.echo(json.dumps(asdict(found)) if as_json else as_text(found))
