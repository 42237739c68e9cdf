"""The secrets of a site in use: given ones fetched, those that lack made and kept first."""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path

from slurmhub_deploy.operate.errors import OperateError
from slurmhub_deploy.operate.secrets.catalogue import Needed, needed_by
from slurmhub_deploy.operate.secrets.password import vault_password
from slurmhub_deploy.operate.secrets.sources import from_command
from slurmhub_deploy.operate.secrets.vault import Vault
from slurmhub_deploy.operate.site_file import OpenSite

_RECORD = "secrets.json"


class Keeping:
    """The secrets of one site: its vault, and what was ever made for it."""

    def __init__(self, opened: OpenSite) -> None:
        self._opened = opened
        self._password: str | None = None
        self.path = opened.folder / opened.site.vault.file
        self.needed = needed_by(opened.site)

    def values(self) -> dict[str, str]:
        """What is in the vault; asks for its password only if there is one. Raises OperateError."""
        return self._vault().read() if self.path.exists() else {}

    def missing(self, values: Mapping[str, str]) -> list[Needed]:
        """What would be made now."""
        return [
            each for each in self.needed if each.maker and not any(n in values for n in each.names)
        ]

    def in_use(self) -> dict[str, str]:
        """Every secret of the site by its name; what lacks is made, and kept before it is used.

        Raises OperateError if one that is given is not there, or one that was made is lost.
        """
        if self.missing({}):
            with self._locked():
                kept = self._with_made_ones()
        else:
            kept = self.values()
        return self._chosen(kept)

    def foreseen(self) -> dict[str, str]:
        """As `in_use`, but nothing is kept: those that lack have values of this moment only."""
        kept = self.values()
        self._nothing_lost(kept)
        return self._chosen(kept | _newly_made(self.missing(kept)))

    def given(self, name: str) -> str:
        """One secret that is given, without asking for any other. Raises OperateError."""
        (needed,) = (each for each in self.needed if name in each.names)
        in_vault = needed.source is not None and needed.source.vault is not None
        return self._given(needed, self.values() if in_vault else {})

    def put(self, name: str, value: str) -> bool:
        """Keep a secret that was given; False if it was there with another value before."""
        with self._locked():
            kept = self._vault().read()
            new = kept.get(name, value) == value
            self._vault().write(kept | {name: value})
            self._record([name])
        return new

    def forget(self, name: str) -> None:
        """Take a secret out of the vault, and out of what was made."""
        with self._locked():
            kept = self._vault().read()
            kept.pop(name, None)
            self._vault().write(kept)
            known = self._recorded()
            known.pop(name, None)
            self._write_record(known)

    def _with_made_ones(self) -> dict[str, str]:
        kept = self._vault().read()
        self._nothing_lost(kept)
        made = _newly_made(self.missing(kept))
        if made:
            self._vault().write(kept | made)
            self._record(list(made))
        return kept | made

    def _chosen(self, kept: Mapping[str, str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for each in self.needed:
            if each.source is not None:
                found[each.names[0]] = self._given(each, kept)
                continue
            for name in each.names:
                if name not in kept:
                    raise OperateError(
                        f"Of what belongs together, {name} is not in the vault {self.path}.",
                        remedy="Bring the vault back from a backup.",
                    )
                found[name] = kept[name]
        return found

    def _given(self, needed: Needed, kept: Mapping[str, str]) -> str:
        source = needed.source
        assert source is not None  # noqa: S101 - only those with one come here
        if source.vault is None:
            value = from_command(source, f"The secret {needed.names[0]}", self._opened.folder)
        elif source.vault in kept:
            value = kept[source.vault]
        else:
            raise OperateError(
                f"{source.vault} ({needed.what}) is not in the vault {self.path}.",
                remedy=f"Put it there: slurmhub secret set {source.vault}",
            )
        if needed.base64:
            _check_base64(value, needed.names[0])
        return value

    def _vault(self) -> Vault:
        if self._password is None:
            source = self._opened.site.vault.password
            self._password = vault_password(source, self.path, self._opened.folder)
        return Vault(self.path, self._password)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Two runs that make a secret at once would each use their own."""
        lock = self._opened.make_state() / "vault.lock"
        descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _nothing_lost(self, kept: Mapping[str, str]) -> None:
        """New keys in place of lost ones lock out jobs, people and the federation."""
        used = {name for each in self.needed for name in each.names}
        lost = [name for name in self._recorded() if name in used and name not in kept]
        if lost:
            raise OperateError(
                f"{self.path} lacks {', '.join(lost)}, which {_were(lost)} kept in it before.",
                remedy="Bring the vault back from a backup. If a secret is to be made anew:"
                f" slurmhub secret forget {lost[0]}",
            )

    def _recorded(self) -> dict[str, str]:
        try:
            found = json.loads((self._opened.state / _RECORD).read_text())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise OperateError(
                f"{self._opened.state / _RECORD} cannot be read: it is no JSON.",
                remedy="It only names the secrets that were made. Remove it once you have seen"
                " that the vault is the right one.",
            ) from error
        return dict(found)

    def _record(self, names: list[str]) -> None:
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self._write_record(dict.fromkeys(names, now) | self._recorded())

    def _write_record(self, known: Mapping[str, str]) -> None:
        path = self._opened.make_state() / _RECORD
        partial: Path = path.with_suffix(".partial")
        partial.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
        partial.replace(path)


def _were(names: list[str]) -> str:
    return "was" if len(names) == 1 else "were"


def _newly_made(missing: list[Needed]) -> dict[str, str]:
    made: dict[str, str] = {}
    for each in missing:
        if each.maker is not None:
            made |= dict(zip(each.names, each.maker(), strict=True))
    return made


def _check_base64(value: str, name: str) -> None:
    try:
        base64.b64decode("".join(value.split()), validate=True)
    except binascii.Error as error:
        raise OperateError(
            f"The secret {name} is not base64.",
            remedy="Give it as base64: base64 /etc/munge/munge.key",
        ) from error
