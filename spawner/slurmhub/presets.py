"""Presets: options that people keep under a name of their own."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from slurmhub.errors import SlurmhubError
from slurmhub.ledger import presets

LONGEST_NAME = 64
"""Characters of a preset's name, at most."""

MOST = 50
"""How many presets one person may have."""


class PresetRefused(SlurmhubError):
    """A preset that is not kept; `note` says why in one word."""

    def __init__(self, note: str, what: str, *, remedy: str) -> None:
        super().__init__(what, remedy=remedy)
        self.note = note


@dataclass(frozen=True)
class Preset:
    """Options under a name."""

    name: str
    options: Mapping[str, str]


class Presets:
    """Everybody's presets, in a table of the ledger; each person reaches their own only."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of(self, username: str) -> tuple[Preset, ...]:
        """A person's presets in the order of their names."""
        query = sa.select(presets.c.name, presets.c.options).where(presets.c.username == username)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        found = (Preset(row.name, _texts(row.options)) for row in rows)
        return tuple(sorted(found, key=lambda preset: (preset.name.casefold(), preset.name)))

    def keep(self, username: str, name: str, options: Mapping[str, str]) -> str:
        """Keep options, in place of a preset of the same name; the name as it is kept.

        Raises PresetRefused.
        """
        kept = preset_name(name)
        mine = presets.c.username == username
        try:
            with self._engine.begin() as connection:
                connection.execute(presets.delete().where(mine, presets.c.name == kept))
                count = sa.select(sa.func.count()).select_from(presets).where(mine)
                if connection.execute(count).scalar_one() >= MOST:
                    raise PresetRefused(
                        "many", f"There are {MOST} presets already.", remedy="Delete one first."
                    )
                connection.execute(
                    presets.insert().values(username=username, name=kept, options=dict(options))
                )
        except sa.exc.SQLAlchemyError as error:
            raise PresetRefused(
                "disk", "The hub could not keep the preset.", remedy="Try again later."
            ) from error
        return kept

    def forget(self, username: str, name: str) -> None:
        """Delete a person's preset, if there is one of this name; raises PresetRefused."""
        mine = presets.c.username == username
        try:
            with self._engine.begin() as connection:
                connection.execute(presets.delete().where(mine, presets.c.name == name))
        except sa.exc.SQLAlchemyError as error:
            raise PresetRefused(
                "disk", "The hub could not delete the preset.", remedy="Try again later."
            ) from error


def preset_name(typed: str) -> str:
    """The name as it is kept: composed, without spaces around; raises PresetRefused."""
    # Somebody's accents look the same however they are encoded, and must name the same preset.
    name = unicodedata.normalize("NFC", typed).strip()
    if not name:
        raise PresetRefused("empty", "The preset has no name.", remedy="Give it one.")
    if len(name) > LONGEST_NAME:
        raise PresetRefused(
            "long",
            "The name is too long.",
            remedy=f"Give at most {LONGEST_NAME} characters.",
        )
    # Control characters and those that turn the direction of a line.
    if not name.isprintable():
        raise PresetRefused(
            "unprintable", "The name has characters that cannot be seen.", remedy="Give others."
        )
    return name


def _texts(options: Any) -> dict[str, str]:
    # A table may hold what an older release or an operator wrote.
    if not isinstance(options, dict):
        return {}
    return {str(name): value for name, value in options.items() if isinstance(value, str)}
