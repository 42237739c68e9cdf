"""A run of a site's playbooks, from its site file to what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from slurmhub_deploy.operate.running.ansible import Run, run_playbook
from slurmhub_deploy.operate.running.events import Event, RunEnded, TaskEnded
from slurmhub_deploy.operate.running.failures import Failure, failure
from slurmhub_deploy.operate.running.folder import run_folder
from slurmhub_deploy.operate.running.lock import only_one
from slurmhub_deploy.operate.running.log import new_log
from slurmhub_deploy.operate.running.progress import Progress
from slurmhub_deploy.operate.running.redaction import Redaction
from slurmhub_deploy.operate.site_file import OpenSite


@dataclass(frozen=True)
class Wanted:
    """What to run, on which hosts; `check` foresees changes and makes none."""

    verb: str
    playbook: Path
    layers: Sequence[str]
    limit: Sequence[str] = ()
    check: bool = False
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    events: tuple[Event, ...]
    status: int
    interrupted: bool
    log: Path

    @property
    def ended(self) -> list[TaskEnded]:
        """Every task on every host, in order."""
        return [each for each in self.events if isinstance(each, TaskEnded)]

    @property
    def failures(self) -> list[Failure]:
        """What failed."""
        return [failure(each) for each in self.ended if each.bad]

    @property
    def came_to_its_end(self) -> bool:
        """Whether Ansible came to the end of the playbook, with or without failures."""
        return any(isinstance(each, RunEnded) for each in self.events)

    @property
    def would_destroy(self) -> list[str]:
        """Names of what tasks could only have done by destroying."""
        return list(dict.fromkeys(name for each in self.ended for name in each.would_destroy))


def run_site(
    opened: OpenSite, wanted: Wanted, secrets: Mapping[str, str], console: Console
) -> Outcome:
    """Run it, and show it on `console`. Raises OperateError if another run is at work."""
    state = opened.make_state()
    events: list[Event] = []
    variables = site_variables(opened) | dict(wanted.variables) | {"slurmhub_secrets": {**secrets}}
    progress = Progress(console, list(wanted.layers), conditional=wanted.check)
    with (
        only_one(state, f"slurmhub {wanted.verb}") as lock,
        new_log(state, wanted.verb) as (path, log),
        run_folder(opened.inventory, variables) as folder,
        progress,
    ):

        def told(event: Event) -> None:
            events.append(event)
            progress.show(event)

        run = Run(
            playbook=wanted.playbook,
            folder=folder,
            limit=wanted.limit,
            check=wanted.check,
            keep_open=(lock, folder.descriptor),
        )
        ended = run_playbook(run, Redaction(secrets.values()), log, told)
    return Outcome(tuple(events), ended.status, ended.interrupted, path)


def site_variables(opened: OpenSite) -> dict[str, Any]:
    """What plays know besides the inventory; paths are those of the control machine."""
    bundle = getattr(opened.site, "bundle", None)
    return {
        "slurmhub_site_file": str(opened.file),
        "slurmhub_site_folder": str(opened.folder),
        "slurmhub_state_folder": str(opened.state),
        "slurmhub_bundle": str(opened.folder / bundle) if bundle else "",
        "slurmhub_lose": [],
        "slurmhub_upgrade": False,
    }
