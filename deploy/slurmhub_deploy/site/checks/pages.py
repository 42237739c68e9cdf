"""Checks of when idle servers end, and of settings that go to JupyterHub as they are."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from slurmhub.from_file import SettingsUnusable, check_names
from slurmhub_deploy.site.checks.finding import Around, Said
from slurmhub_deploy.site.hub_config import own_settings
from slurmhub_deploy.site.limits import Limits
from slurmhub_deploy.site.model import Path
from slurmhub_deploy.site.pages import Idle


def idle_times_agree(around: Around) -> Iterator[Said]:
    """GPUs, which others wait for, go first, and a warning comes before the end."""
    for name, hub in around.site.hubs.items():
        path: Path = ("hubs", name)
        yield from _idle((*path, "idle"), hub.idle)
        for number, profile in enumerate(hub.profiles):
            if profile.idle is not None:
                yield from _idle((*path, "profiles", number, "idle"), profile.idle)


def settings_are_known(around: Around) -> Iterator[Said]:
    """What a hub's `settings` name is there, and does not follow from the rest of the file."""
    for name, hub in around.site.hubs.items():
        if not hub.settings or hub.cluster not in around.site.clusters:
            continue
        try:
            own = set(own_settings(around.site, name))
        except ValidationError:
            # The check of the front says what is wrong there.
            own = set()
        for setting in hub.settings:
            path: Path = ("hubs", name, "settings", setting)
            if setting in own or setting in _OWN:
                yield Said(
                    path,
                    "follows from the rest of this file",
                    "Take it out; docs/operators/hub.md says from what it follows.",
                )
                continue
            try:
                check_names({setting: None}, "the site file")
            except SettingsUnusable as error:
                yield Said(path, "is no setting of JupyterHub or of slurmhub", error.remedy)


def modules_are_there(around: Around) -> Iterator[Said]:
    """A hub whose servers load modules needs nodes that know `module`."""
    for name, hub in around.site.hubs.items():
        cluster = around.made_cluster(hub)
        if cluster is None or cluster.modules or not hub.settings.get(_MODULES):
            continue
        yield Said(
            ("hubs", name, "settings", _MODULES),
            f"is to be loaded on nodes of the cluster {hub.cluster}, which has no modules",
            f"Say where they are: `clusters.{hub.cluster}.modules: [/opt/modulefiles]`; or take"
            " this out. If the nodes know `module` in another way, leave it.",
            (("clusters", hub.cluster), ("hubs", name, "cluster")),
            level="warning",
        )


_MODULES = "SlurmHubSpawner.modules"
_OWN = frozenset(
    {
        *("JupyterHub.spawner_class", "JupyterHub.extra_handlers", "JupyterHub.template_paths"),
        *("JupyterHub.services", "JupyterHub.load_roles"),
        *("ShibbolethAuthenticator.terms_of_use", "ShibbolethAuthenticator.lowest_uid"),
        *("ShibbolethAuthenticator.discovery_feed", "ShibbolethAuthenticator.ledger_url"),
        *("SlurmHubSpawner.slurm_conf", "SlurmHubSpawner.slurm_account"),
        *("SlurmHubSpawner.queue_timeout", "SlurmHubSpawner.helper"),
        *(f"SlurmHubSpawner.{name}" for name in Limits.model_fields),
    }
)
"""Settings that follow from this file whether they are in the hub's configuration or not."""


def _idle(path: Path, idle: Idle) -> Iterator[Said]:
    server, gpu, warning = idle.server_minutes, idle.gpu_minutes, idle.warning_minutes
    if server is not None and gpu is not None and gpu > server:
        yield Said(
            (*path, "gpu_minutes"),
            f"{gpu} is more than server_minutes, {server}",
            "Make it smaller: GPUs are what others wait for.",
            ((*path, "server_minutes"),),
        )
    first = min((each for each in (server, gpu) if each is not None), default=None)
    if warning is not None and first is not None and warning >= first:
        yield Said(
            (*path, "warning_minutes"),
            f"{warning} is as long as the {first} minutes that end a server, or longer",
            "Make it smaller; servers in JupyterLab look every five minutes.",
        )
