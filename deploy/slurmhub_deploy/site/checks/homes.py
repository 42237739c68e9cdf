"""Checks of the homes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from slurmhub.slurm.memory import Memory
from slurmhub_deploy.site.checks.finding import Around, Said
from slurmhub_deploy.site.course_folders import homes_of_courses, homes_of_hub
from slurmhub_deploy.site.homes import BtrfsHomes, NfsHomes, ZfsHomes
from slurmhub_deploy.site.model import Path

_LITTLE = Memory.parse("500M")
_MUCH = Memory.parse("10T")


def paths_differ(around: Around) -> Iterator[Said]:
    """Two homes cannot be in one place of the same hosts."""
    of_cluster: dict[str, set[str]] = {}
    for hub in around.site.hubs.values():
        of_cluster.setdefault(hub.cluster, set()).update(homes_of_hub(around.site.homes, hub))
    for cluster, used in of_cluster.items():
        there = [name for name in around.site.homes if name in used]
        for first, second in combinations(there, 2):
            mine, other = around.site.homes[second].path, around.site.homes[first].path
            if mine == other or mine in other.parents or other in mine.parents:
                yield Said(
                    ("homes", second, "path"),
                    f"{mine} is in the way of {other}, where the homes `{first}` are on the same"
                    f" hosts: hubs of the cluster {cluster} use both",
                    "Give each its own path, such as /home and /srv/other-homes.",
                    (("homes", first, "path"), ("hubs",)),
                )


def quotas_are_sane(around: Around) -> Iterator[Said]:
    """A quota lets people work, and is one."""
    people = {hub.homes for hub in around.site.hubs.values()}
    for name, homes in around.site.homes.items():
        path: Path = ("homes", name, "quota")
        if homes.quota is None:
            # What only courses have their folders beside holds no homes.
            if not isinstance(homes, NfsHomes) and (
                name in people or not _of_courses(around, name)
            ):
                yield Said(
                    path,
                    "there is none: one person can fill the disk for all",
                    "Give an amount, such as 20G.",
                    level="warning",
                )
            continue
        quota = Memory.parse(homes.quota)
        if quota < _LITTLE:
            yield Said(
                path,
                f"{homes.quota} is not enough for JupyterLab's own files and a kernel's",
                "Give at least 500M, better some gigabytes.",
            )
        elif quota > _MUCH:
            yield Said(
                path,
                f"{homes.quota} for each person holds nobody back",
                "Check the unit: G is gigabytes, T terabytes.",
                level="warning",
            )


def _of_courses(around: Around, name: str) -> bool:
    homes, hubs = around.site.homes, around.site.hubs.values()
    return any(homes_of_courses(homes, hub) == name for hub in hubs)


def devices_once(around: Around) -> Iterator[Said]:
    """A device is one volume's, and a mirror has two."""
    seen: dict[tuple[str, str], str] = {}
    volumes: dict[tuple[str, str], str] = {}
    for name, homes in around.site.homes.items():
        if isinstance(homes, NfsHomes):
            continue
        path: Path = ("homes", name)
        for number, device in enumerate(homes.devices):
            first = seen.setdefault((homes.server, str(device)), name)
            if first != name or str(device) in map(str, homes.devices[:number]):
                yield Said(
                    (*path, "devices", number),
                    f"{device} of {homes.server} is named already, in `{first}`",
                    "Name each device once.",
                    (("homes", first, "devices"), ("homes", first, "server"), (*path, "server")),
                )
        volume = homes.pool + "/" + homes.dataset if isinstance(homes, ZfsHomes) else homes.volume
        taken = volumes.setdefault((homes.server, volume), name)
        if taken != name:
            setting = "dataset" if isinstance(homes, ZfsHomes) else "volume"
            yield Said(
                (*path, setting),
                f"{volume} of {homes.server} holds the homes `{taken}` already",
                "Let the hubs name the same homes, or give each its own.",
                (("homes", taken), (*path, "server")),
            )
        if isinstance(homes, ZfsHomes):
            yield from _layout(path, homes)


def _layout(path: Path, homes: ZfsHomes) -> Iterator[Said]:
    least = {"stripe": 1, "mirror": 2, "raidz": 3, "raidz2": 4, "raidz3": 5}[homes.layout]
    count = len(homes.devices)
    # One device is a stripe, unless something else was asked for in so many words.
    if 0 < count < least and not (count == 1 and "layout" not in homes.model_fields_set):
        yield Said(
            (*path, "layout"),
            f"{homes.layout} needs at least {least} devices, and there are {count}",
            "Name more in `devices`, or take another layout.",
            ((*path, "devices"),),
        )


def snapshots_are_kept(around: Around) -> Iterator[Said]:
    """Who deletes a notebook by mistake wants it back."""
    for name, homes in around.site.homes.items():
        if isinstance(homes, (ZfsHomes, BtrfsHomes)) and homes.snapshots.none:
            yield Said(
                ("homes", name, "snapshots"),
                "none are kept: what somebody deletes is gone",
                "Keep some, such as `daily: 14`.",
                level="warning",
            )


def homes_are_used(around: Around) -> Iterator[Said]:
    """Homes of no hub are nobody's."""
    known = around.site.homes
    used = {name for hub in around.site.hubs.values() for name in homes_of_hub(known, hub)}
    # One that is not there may well be this one.
    if not used <= set(around.site.homes):
        return
    for name in around.site.homes:
        if name not in used:
            yield Said(
                ("homes", name),
                "no hub has these homes",
                "Name them in a hub, or take them out.",
                (("hubs",),),
                level="warning",
            )
