"""Checks of what is said of courses."""

from __future__ import annotations

from collections.abc import Iterator

from slurmhub.courses.policy import Bounds
from slurmhub.slurm.memory import Memory
from slurmhub_deploy.site.checks.finding import Around, Said, one_of
from slurmhub_deploy.site.checks.hubs import gpu_types, gpus_there_are, partitions_of
from slurmhub_deploy.site.courses import Courses
from slurmhub_deploy.site.homes import NfsHomes
from slurmhub_deploy.site.hubs import Hub
from slurmhub_deploy.site.model import Path
from slurmhub_deploy.site.slurm_entities import slurm_account_of

_GROUPS = ("makers", "approvers", "join_groups")


def courses_are_made_by_somebody(around: Around) -> Iterator[Said]:
    """Groups that may do something with courses are groups that somebody is in."""
    for name, hub, courses in _each(around):
        path: Path = ("hubs", name, "courses")
        known = list(dict.fromkeys(rule.group for rule in hub.sign_in.groups))
        for setting in _GROUPS:
            for number, group in enumerate(getattr(courses, setting)):
                if group in known or "*" in group:
                    continue
                yield Said(
                    (*path, setting, number),
                    f"no rule of `sign_in.groups` puts anybody into {group}",
                    f"{one_of(group, known, 'group')} If an administrator puts people into it in"
                    " the hub, leave it.",
                    (("hubs", name, "sign_in", "groups"),),
                    level="warning",
                )
        if courses.free is not None and not courses.approvers and not hub.admins:
            yield Said(
                (*path, "free"),
                "what is above it waits for approval, and nobody can approve",
                "Name groups in `approvers`, or administrators in `admins`.",
                ((*path, "approvers"), ("hubs", name, "admins")),
            )


def courses_reach_their_staff(around: Around) -> Iterator[Said]:
    """Reminders go to addresses that somebody tells."""
    for name, hub, courses in _each(around):
        asked = (*hub.sign_in.required, *hub.sign_in.wanted)
        if courses.mail is None or "mail" in asked:
            continue
        yield Said(
            ("hubs", name, "courses", "mail"),
            "sign-in does not ask for the attribute mail, so nobody's address is known",
            "Add mail to `sign_in.wanted`, or leave `courses.mail` out.",
            (("hubs", name, "sign_in", "wanted"),),
            level="warning",
        )


def courses_bounds_agree(around: Around) -> Iterator[Said]:
    """What is free is no more than what is possible at all."""
    for name, _hub, courses in _each(around):
        if courses.free is None:
            continue
        path: Path = ("hubs", name, "courses")
        for setting in Bounds.model_fields:
            free, most = (_amount(bounds, setting) for bounds in (courses.free, courses.bounds))
            if free is not None and most is not None and free > most:
                yield Said(
                    (*path, "free", setting),
                    f"{getattr(courses.free, setting)} is more than `bounds.{setting}`,"
                    f" {getattr(courses.bounds, setting)}, which is refused",
                    "Make it smaller, or the bound larger.",
                    ((*path, "bounds", setting),),
                )


def courses_fit_the_cluster(around: Around) -> Iterator[Said]:
    """Partitions, GPUs and modules of courses are on the hub's cluster."""
    for name, hub, courses in _each(around):
        path: Path = ("hubs", name, "courses")
        because: tuple[Path, ...] = (("clusters", hub.cluster), ("hubs", name, "cluster"))
        known = partitions_of(around, hub)
        for number, partition in enumerate(courses.partitions):
            if known and partition not in known:
                yield Said(
                    (*path, "partitions", number),
                    f"the cluster {hub.cluster} has no partition {partition}",
                    one_of(partition, known, "partition"),
                    because,
                )
        cluster = around.made_cluster(hub)
        if cluster is None:
            continue
        types = gpu_types(cluster)
        for kind in courses.rates.gpu_hour:
            if kind not in types:
                yield Said(
                    (*path, "rates", "gpu_hour", kind),
                    f"no node of the cluster {hub.cluster} has GPUs of the type {kind}",
                    gpus_there_are(types),
                    because,
                    level="warning",
                )
        if courses.slurm_qos is not None:
            yield Said(
                (*path, "slurm_qos"),
                f"the cluster {hub.cluster} is made here, with a QOS for courses",
                "Take it out.",
                because,
            )
        for environment, one in courses.environments.items():
            if one.modules and not cluster.modules:
                yield Said(
                    (*path, "environments", environment, "modules"),
                    f"are to be loaded on nodes of the cluster {hub.cluster}, which has no modules",
                    f"Say where they are: `clusters.{hub.cluster}.modules: [/opt/modulefiles]`."
                    " If the nodes know `module` in another way, leave it.",
                    because,
                    level="warning",
                )


def courses_have_an_account_of_their_own(around: Around) -> Iterator[Said]:
    """The Slurm account above courses is no hub's: each course has limits of its own."""
    for name, hub, courses in _each(around):
        for other, another in around.site.hubs.items():
            if another.cluster != hub.cluster:
                continue
            if slurm_account_of(other, another) == courses.slurm_parent:
                yield Said(
                    ("hubs", name, "courses", "slurm_parent"),
                    f"{courses.slurm_parent} is the Slurm account of the people of the hub {other}",
                    "Give courses another one.",
                    (("hubs", other, "accounts", "slurm_account"), ("hubs", other)),
                )


def courses_folders_have_a_disk(around: Around) -> Iterator[Said]:
    """Folders of courses are on a disk of this site, and those whom they are of can be there."""
    homes = around.site.homes
    for name, _hub, courses in _each(around):
        if not courses.folders:
            continue
        path: Path = ("hubs", name, "courses", "folders")
        at = homes.get(courses.folders)
        if at is None:
            yield Said(
                path,
                f"there is no {courses.folders} in `homes`",
                one_of(courses.folders, list(homes), "homes"),
                (("homes", courses.folders),),
            )
        elif isinstance(at, NfsHomes):
            yield Said(
                path,
                f"the homes {courses.folders} are on {at.server}, a file server that is not of this"
                " site: nobody here is root there",
                "Name homes with a disk of this site, which may hold nothing else, or say `false`.",
                (("homes", courses.folders, "backend"),),
            )


def _each(around: Around) -> Iterator[tuple[str, Hub, Courses]]:
    for name, hub in around.site.hubs.items():
        if hub.courses is not None:
            yield name, hub, hub.courses


def _amount(bounds: Bounds, setting: str) -> float | None:
    value = getattr(bounds, setting)
    return Memory.parse(value).mebibytes if isinstance(value, str) else value
