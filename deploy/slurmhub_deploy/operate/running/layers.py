"""The layers that a site is made of: the playbooks that playbooks/site.yml imports, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from slurmhub.assets import asset
from slurmhub_deploy.operate.errors import UNUSABLE, OperateError
from slurmhub_deploy.site.texts import names_in


@dataclass(frozen=True)
class Playbooks:
    """The playbooks in this folder."""

    folder: Path

    @property
    def whole(self) -> Path:
        """All layers, one after another."""
        return self.folder / "site.yml"

    @property
    def down(self) -> Path:
        """What ends a site, or one of its hubs."""
        return self.folder / "down.yml"

    @property
    def layers(self) -> list[str]:
        """The names of the layers, in their order."""
        found = yaml.safe_load(self.whole.read_text())
        imports = [play.get("ansible.builtin.import_playbook") for play in found]
        return [Path(name).stem for name in imports if name]

    def of_layer(self, name: str) -> Path:
        """The playbook of one layer; raises OperateError if there is none of this name."""
        if name not in self.layers:
            raise OperateError(
                f"There is no layer {name}.",
                remedy=f"Name one of: {', '.join(self.layers)}.",
                status=UNUSABLE,
            )
        return self.folder / f"{name}.yml"


def shipped() -> Playbooks:
    """The playbooks that come with slurmhub."""
    return Playbooks(asset("ansible/playbooks"))


def checked_limit(wanted: Sequence[str], hosts: Sequence[str], groups: Sequence[str]) -> list[str]:
    """The hosts and groups that a run is kept to; each may be several, as in `c1,c2` or `c[01-40]`.

    Raises OperateError for a name that the site does not have.
    """
    names = [name for each in wanted for name in _names(each)]
    for name in names:
        if name not in hosts and name not in groups:
            raise OperateError(
                f"There is no host and no group {name}.",
                remedy=f"Name hosts ({', '.join(hosts)}) or groups ({', '.join(groups)}).",
                status=UNUSABLE,
            )
    return names


def _names(text: str) -> list[str]:
    if "[" not in text:
        return [name for name in text.split(",") if name]
    try:
        return names_in(text)
    except ValueError as error:
        raise OperateError(
            f"{text} does not name hosts: {error}.",
            remedy="Write hosts as in c1,c2 or c[01-40].",
            status=UNUSABLE,
        ) from error
