"""What of the page is kept or handed on: one's presets, and the link that carries options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from slurmhub.language import decimal, told
from slurmhub.options.form import LABELS
from slurmhub.options.profiles import PROFILE
from slurmhub.options.sections import plain_options
from slurmhub.presets import Preset

SHARE = "share"
NOTE = "note"
PRESET = "preset"

OF_THE_PAGE = frozenset({SHARE, NOTE, PRESET})
"""Names in the address of the page that are no options."""

NOT_ASKED = frozenset({"next", "display_name", "_xsrf"})
"""Names in the address of the page that are JupyterHub's own."""

NOTES = {
    "kept": "Your preset is kept.",
    "deleted": "Your preset is deleted.",
    "nothing": "There is nothing to keep: no option is filled in.",
    "empty": "Give the preset a name.",
    "long": "This name is too long: give at most 64 characters.",
    "unprintable": "This name has characters that cannot be seen. Give another.",
    "many": "You have 50 presets, and no more are kept. Delete one first.",
    "disk": "The hub could not do this just now. Please try again later.",
}
"""What the page says after something was kept, or was not, by the word in its address."""

DONE = frozenset({"kept", "deleted"})


@dataclass(frozen=True)
class ShownPreset:
    """A preset as the page shows it; `query` fills in the form with it."""

    name: str
    said: str
    query: str


@dataclass(frozen=True)
class Asked:
    """What the address of the page says: options, and what is to be shown beside the form.

    `address` is that of the form for everybody, without options.
    """

    options: Mapping[str, list[str]]
    address: str = ""
    share: bool = False
    note: str = ""
    name: str = ""

    @classmethod
    def read(cls, query: Mapping[str, list[str]], address: str) -> Asked:
        """Of the query of an address; options may carry JupyterHub's `opt-`."""
        options = {
            name.removeprefix("opt-"): values
            for name, values in query.items()
            if name not in NOT_ASKED | OF_THE_PAGE
        }
        names = query.get(PRESET, [""])
        return cls(
            options=options,
            address=address,
            share=SHARE in query,
            note=query.get(NOTE, [""])[0],
            name=names[0][:200],
        )


NOTHING_ASKED = Asked({})
"""The address of a page that says nothing."""


@dataclass(frozen=True)
class Keeping:
    """What the page shows beside the form to whoever looks at it.

    `link` carries the options for others, empty where there are none; `options` are the same,
    to be kept under a name. `note` says what came of the last attempt, `done` that it was done.
    """

    presets: tuple[ShownPreset, ...] = ()
    link: str = ""
    options: tuple[tuple[str, str], ...] = ()
    share: bool = False
    note: str = ""
    done: bool = False
    name: str = ""


def keeping(asked: Asked, presets: Iterable[Preset], titles: Mapping[str, str]) -> Keeping:
    """What to show; `titles` are those of the profiles, by their names."""
    options = plain_options(asked.options)
    return Keeping(
        presets=tuple(
            ShownPreset(one.name, options_said(one.options, titles), urlencode(one.options))
            for one in presets
        ),
        link=f"{asked.address}?{urlencode(options)}" if options and asked.address else "",
        options=tuple(options.items()),
        share=asked.share and bool(options),
        note=NOTES.get(asked.note, ""),
        done=asked.note in DONE,
        name=asked.name,
    )


def options_said(options: Mapping[str, str], titles: Mapping[str, str]) -> str:
    """Options as one short line in the reader's language: Course lab; CPUs: 2."""
    parts = []
    if PROFILE in options:
        parts.append(titles.get(options[PROFILE], options[PROFILE]))
    parts += [
        f"{told(LABELS[name])}{told(':')} {decimal(options[name])}"
        for name in LABELS
        if name in options
    ]
    return told("; ").join(parts)
