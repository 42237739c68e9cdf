"""The private folder of one run: inventory and variables, in memory where there is a place for it.

Secrets are in one of its files, which nobody else can read; all of it is gone after the run.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it, closed to others
_PREFIX = "slurmhub-run-"
_NEW = 60.0
"""Seconds; a run holds its folder at once after it made it."""
_TEMPLATE = ("{{", "{%", "{#")


@dataclass(frozen=True)
class RunFolder:
    """The folder and what is in it."""

    path: Path
    descriptor: int
    """Open while the run may need the folder, and locked: a run holds it until it has ended."""

    @property
    def inventory(self) -> Path:
        """Ansible's inventory."""
        return self.path / "inventory.yml"

    @property
    def variables(self) -> Path:
        """Extra variables, secrets among them."""
        return self.path / "variables.yml"

    @property
    def home(self) -> Path:
        """Ansible's own folder: its temporary files and the sockets of ssh connections."""
        return self.path / "a"


@contextlib.contextmanager
def run_folder(inventory: Mapping[str, Any], variables: Mapping[str, Any]) -> Iterator[RunFolder]:
    """A folder for one run with these two written into it; it is removed at the end.

    Those that runs left behind that were killed are removed as well.
    """
    place = _place()
    _sweep(place)
    path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
    folder = RunFolder(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY))
    try:
        fcntl.flock(folder.descriptor, fcntl.LOCK_EX)
        folder.home.mkdir(mode=0o700)
        _write(folder.inventory, _as_yaml(inventory))
        _write(folder.variables, _as_yaml(variables))
        yield folder
    finally:
        shutil.rmtree(folder.path, ignore_errors=True)
        os.close(folder.descriptor)


def _sweep(place: Path) -> None:
    """Remove our folders that no run holds; a new one is left the time to be held."""
    for path in place.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                found = os.fstat(descriptor)
                if found.st_uid == os.geteuid() and time.time() - found.st_mtime > _NEW:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(descriptor)


def _place() -> Path:
    """A folder in memory, so that no secret reaches a disk; else the usual place."""
    places = [Path(named)] if (named := os.environ.get("XDG_RUNTIME_DIR")) else []
    for place in [*places, _SHARED_MEMORY]:
        if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
            return place
    return Path(tempfile.gettempdir())


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


class _Dumper(yaml.SafeDumper):  # type: ignore[misc] # PyYAML has no types
    """Texts that look like a template are marked, so that Ansible takes them as they are."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    if any(mark in value for mark in _TEMPLATE):
        return dumper.represent_scalar("!unsafe", value, style='"')
    return dumper.represent_str(value)


_Dumper.add_representer(str, _represent_text)


def _as_yaml(data: Mapping[str, Any]) -> str:
    return str(yaml.dump(dict(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True))
