"""The right site file that the wrong ones are made from, and changes of it."""

from __future__ import annotations

from pathlib import Path

from slurmhub_deploy.site.load import Loaded, read_site
from slurmhub_deploy.site.model import Site

HERE = Path(__file__).parent
RIGHT = (HERE / "right.yml").read_text()

_TWO_HOSTS = RIGHT.replace("hub: {address: 192.0.2.10}", "hub[1-2]: {address: 192.0.2.51}")
_HUB = _TWO_HOSTS[_TWO_HOSTS.index("  main:\n    domain") :]
TWO_HUBS = _TWO_HOSTS.replace("host: hub\n", "host: hub1\n") + (
    _HUB.replace("hub.example.ca", "other.example.ca")
    .replace("host: hub\n", "host: hub2\n")
    .replace("  main:\n", "  other:\n", 1)
)
"""The right file with a second hub, on a host of its own."""


def read(text: str, folder: Path = HERE) -> Loaded:
    """A site file of this text."""
    return read_site(text, "site.yml", folder=folder)


def changed(*changes: tuple[str, str]) -> str:
    """The right file with these texts replaced; each must be there."""
    text = RIGHT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def site(*changes: tuple[str, str]) -> Site:
    """The right site, changed in a right way."""
    loaded = read(changed(*changes))
    assert loaded.site is not None, loaded.problems
    return loaded.site
