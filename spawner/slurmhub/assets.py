"""Where the files that are not Python lie: inside the installed package, or in a checkout."""

from __future__ import annotations

from pathlib import Path

from slurmhub.errors import SlurmhubError

PACKAGE = Path(__file__).parent


class AssetMissing(SlurmhubError):
    """This installation lacks a file that it should carry."""


def asset(relative: str) -> Path:
    """The file or folder `relative` (such as `libexec/slurmhub-as-user`).

    A wheel carries it in `slurmhub/_assets`, a checkout at its top. Raises
    `AssetMissing` where neither has it.
    """
    places = (PACKAGE / "_assets" / relative, PACKAGE.parents[1] / relative)
    for place in places:
        if place.exists():
            return place
    raise AssetMissing(
        f"This installation of slurmhub lacks {relative}.",
        remedy="Install it again, from its wheel or a checkout.",
    )
