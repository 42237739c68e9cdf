"""Where the folders of a hub's courses lie: at the top of homes, which every host has already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slurmhub_deploy.site.homes import Homes, NfsHomes, ZfsHomes
from slurmhub_deploy.site.hubs import Hub
from slurmhub_deploy.site.model import Site

# No person is called so.
_FOLDER = ".courses"
_SERVED = "/srv/slurmhub/homes"
# As slurmhub-course-folders has them at first.
_EXISTING = (1000, 2**31 - 1)


def homes_of_courses(homes: Mapping[str, Homes], hub: Hub) -> str | None:
    """The homes beside which they are; None if its courses have no folders.

    Those that the hub names may be none of the site's.
    """
    if hub.courses is None or hub.courses.folders is False:
        return None
    if hub.courses.folders is not None:
        return hub.courses.folders
    return None if isinstance(homes.get(hub.homes), NfsHomes) else hub.homes


def homes_of_hub(homes: Mapping[str, Homes], hub: Hub) -> frozenset[str]:
    """All homes that hosts have for a hub: its people's, and those with its courses' folders."""
    courses = homes_of_courses(homes, hub)
    return frozenset({hub.homes} if courses is None else {hub.homes, courses})


def seen_at(site: Site, name: str) -> str | None:
    """The folder of all courses' folders of a hub as the nodes see it; None without them."""
    homes = homes_of_courses(site.homes, site.hubs[name])
    return None if homes is None else f"{site.homes[homes].path}/{_FOLDER}/{name}"


def asking(name: str) -> tuple[str, ...]:
    """The words by which the service of a hub's courses has the program run that keeps them."""
    return ("/usr/bin/ssh", "-F", f"/etc/slurmhub/{name}/courses-ssh/config", "storage")


def kept(site: Site, name: str) -> dict[str, Any] | None:
    """What the role `course_folders` takes, of a hub of a site that was checked."""
    hub = site.hubs[name]
    at = homes_of_courses(site.homes, hub)
    homes = None if at is None else site.homes[at]
    if homes is None or isinstance(homes, NfsHomes):
        return None
    made = hub.accounts.source == "made"
    lowest, highest = (hub.accounts.lowest_uid, hub.accounts.highest_uid) if made else _EXISTING
    top = f"{_SERVED}/{at}"
    return {
        "homes": at,
        "server": homes.server,
        "top": top,
        "folder": f"{top}/{_FOLDER}/{name}",
        # A dataset of its own: only so it is sure to keep lists, whoever made that of the homes.
        "dataset": f"{homes.pool}/{homes.dataset}-courses" if isinstance(homes, ZfsHomes) else "",
        "min_uid": lowest,
        "max_uid": highest,
    }
