"""Where the logs of a site's services are: on which host, in which unit's journal or which files.

A pure function of the site.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from slurmhub_deploy.operate.errors import UNUSABLE, OperateError
from slurmhub_deploy.operate.site_file import OpenSite
from slurmhub_deploy.site.clusters import MadeCluster

SUBJECTS = (
    "hub",
    "proxy",
    "front",
    "shibboleth",
    "slurmctld",
    "slurmdbd",
    "slurmd",
    "node",
)
"""What one can ask the log of."""
_SLURM = PurePosixPath("/var/log/slurm")
_SHIBBOLETH = "/var/log/shibboleth"


@dataclass(frozen=True)
class LogPlace:
    """A host, and the unit (`*` for all) or the files there."""

    host: str
    unit: str = ""
    files: tuple[str, ...] = ()

    def argv(self, *, lines: int, since: str | None, follow: bool) -> list[str]:
        """The command that prints it there; raises OperateError for what files cannot tell."""
        if self.files:
            if since is not None:
                raise OperateError(
                    f"This log is a file on {self.host}, which is not asked by time.",
                    remedy="Take --lines instead of --since.",
                    status=UNUSABLE,
                )
            return ["tail", f"--lines={lines}", *(["--follow=name"] if follow else []), *self.files]
        argv = ["journalctl", "--no-pager", "--output=short-iso", "--quiet"]
        if self.unit != "*":
            argv.append(f"--unit={self.unit}")
        # From a time on all is wanted; without one, the end.
        argv.append(f"--since={since}" if since is not None else f"--lines={lines}")
        return [*argv, "--follow"] if follow else argv


def log_place(opened: OpenSite, subject: str, name: str | None) -> LogPlace:
    """The log of a service; `name` is that of the hub, cluster or node where there are several.

    Raises OperateError for a name that there is not, or that lacks.
    """
    site = opened.site
    if subject in ("hub", "proxy", "front", "shibboleth"):
        return _of_hub(opened, subject, _chosen(subject, "hub", name, list(site.hubs)))
    made = {key: each for key, each in site.clusters.items() if isinstance(each, MadeCluster)}
    nodes = [node for cluster in made.values() for node, _ in cluster.nodes_by_name()]
    if subject == "slurmd":
        node = _chosen(subject, "node", name, nodes)
        return LogPlace(node, files=(str(_SLURM / "slurmd.log"),))
    if subject == "node":
        return LogPlace(_chosen(subject, "host", name, list(opened.hosts)), unit="*")
    if subject in ("slurmctld", "slurmdbd"):
        cluster = made[_chosen(subject, "cluster", name, list(made))]
        host = cluster.controller
        if subject == "slurmdbd":
            host = cluster.database or cluster.controller
        return LogPlace(host, files=(str(_SLURM / f"{subject}.log"),))
    raise OperateError(
        f"There is no log of {subject}.",
        remedy=f"Name one of: {', '.join(SUBJECTS)}.",
        status=UNUSABLE,
    )


def _of_hub(opened: OpenSite, subject: str, name: str) -> LogPlace:
    host = opened.site.hubs[name].host
    if subject == "hub":
        return LogPlace(host, unit=f"slurmhub-{name}.service")
    if subject == "proxy":
        return LogPlace(host, unit=f"slurmhub-{name}-proxy.service")
    front: Mapping[str, Any] = opened.inventory["all"]["vars"]["slurmhub_hubs"][name]["front"]
    if subject == "front":
        folder = PurePosixPath(front["apache_log_folder"])
        files = ("slurmhub-error.log", "slurmhub-refused.log")
        return LogPlace(host, files=tuple(str(folder / file) for file in files))
    folder = PurePosixPath(front["shibboleth_log_folder"] or _SHIBBOLETH)
    return LogPlace(host, files=(str(folder / "shibd.log"),))


def _chosen(subject: str, what: str, name: str | None, names: list[str]) -> str:
    """The one that was named, or the only one."""
    if name is None and len(names) == 1:
        return names[0]
    if name in names:
        return str(name)
    if not names:
        raise OperateError(
            f"The site makes no {what}, so it has no log of {subject}.",
            remedy="Ask the operators of the cluster.",
            status=UNUSABLE,
        )
    missing = f"is no {what} {name}" if name else f"are several {what}s"
    raise OperateError(
        f"There {missing}.",
        remedy=f"slurmhub logs {subject} NAME, with one of: {', '.join(names)}.",
        status=UNUSABLE,
    )
