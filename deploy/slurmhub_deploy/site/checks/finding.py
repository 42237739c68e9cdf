"""What a check is given, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath

from slurmhub_deploy.site.clusters import MadeCluster
from slurmhub_deploy.site.hubs import Hub
from slurmhub_deploy.site.model import Path, Site
from slurmhub_deploy.site.problems import Level
from slurmhub_deploy.site.shape import nearest


@dataclass(frozen=True)
class Around:
    """The site, and the folder of its file."""

    site: Site
    folder: FilePath

    def made_cluster(self, hub: Hub) -> MadeCluster | None:
        """The cluster of a hub, if it is one to be made, whose nodes are known."""
        cluster = self.site.clusters.get(hub.cluster)
        return cluster if isinstance(cluster, MadeCluster) else None


@dataclass(frozen=True)
class Finding:
    """What a check found; `because` are other places that it rests on."""

    rule: str
    level: Level
    path: Path
    reason: str
    remedy: str
    because: tuple[Path, ...]


@dataclass(frozen=True)
class Said:
    """A finding before it has the name of its check."""

    path: Path
    reason: str
    remedy: str
    because: tuple[Path, ...] = ()
    level: Level = "error"

    def by(self, rule: str) -> Finding:
        """As found by this check."""
        return Finding(rule, self.level, self.path, self.reason, self.remedy, self.because)


def one_of(name: str, known: list[str], what: str) -> str:
    """What to write in place of a name that is not there."""
    near = nearest(name, known)
    if near is not None:
        return f"Did you mean `{near}`?"
    if not known:
        return f"There is no {what} yet."
    shown = ", ".join(known[:12]) + (" …" if len(known) > 12 else "")
    return f"Name one of: {shown}."
