"""Which packages of the distribution the roles install, read from the roles themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from slurmhub.assets import asset

_FOR_ALL = ("vars/main.yml", "defaults/main.yml")


def packages_of_roles(family: str = "Debian", roles: Path | None = None) -> dict[str, list[str]]:
    """By role, every name that its variables for this family call a package, or packages."""
    folder = roles or asset("ansible/roles")
    found = {}
    for role in sorted(each for each in folder.iterdir() if each.is_dir()):
        names = sorted(
            {
                name
                for file in (role / name for name in (f"vars/{family}.yml", *_FOR_ALL))
                for name in _in_file(file)
            }
        )
        if names:
            found[role.name] = names
    return found


def _in_file(file: Path) -> Iterator[str]:
    if not file.is_file():
        return
    variables = yaml.safe_load(file.read_text()) or {}
    for name, value in variables.items():
        if name.endswith(("_packages", "_package")):
            yield from _names(value)


def _names(value: Any) -> Iterator[str]:
    """The names in a list, or in a mapping of lists; what is worked out on the host is left out."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _names(each)
    elif isinstance(value, list):
        for each in value:
            yield from _names(each)
    elif isinstance(value, str) and value and "{" not in value:
        yield value
