"""Asking `slurmhub-home`, on the host that has the disks, over ssh as root."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from slurmhub_deploy.operate.errors import UNUSABLE, OperateError
from slurmhub_deploy.operate.reaching import NOT_REACHED, Run, run_there, ssh_argv
from slurmhub_deploy.operate.site_file import OpenSite
from slurmhub_deploy.site.homes import NfsHomes

PROGRAM = "/usr/local/libexec/slurmhub/slurmhub-home"


@dataclass(frozen=True)
class HomeQuota:
    """A home's quota and what is used of it, in bytes; None for no quota, or for not known."""

    homes: str
    name: str
    quota: int | None
    own: bool
    used: int | None


def homes_of(opened: OpenSite, hub: str | None, homes: str | None = None) -> str:
    """The homes that are meant: those of a hub, or the only ones there are.

    Raises OperateError if that is not one, or if they are a file server's of its own.
    """
    site = opened.site
    if hub is not None and hub not in site.hubs:
        raise OperateError(
            f"{opened.file} has no hub {hub}.",
            remedy=f"Name one of: {', '.join(site.hubs)}.",
            status=UNUSABLE,
        )
    found = sorted({homes or each.homes for name, each in site.hubs.items() if hub in (None, name)})
    if len(found) != 1:
        raise OperateError(
            f"This site has several homes: {', '.join(found)}.",
            remedy="Say of which hub: --hub.",
            status=UNUSABLE,
        )
    if isinstance(site.homes[found[0]], NfsHomes):
        raise OperateError(
            f"The homes {found[0]} are on {site.homes[found[0]].server}, a file server of its own.",
            remedy="Ask whoever runs it: its quotas are not slurmhub's.",
            status=UNUSABLE,
        )
    return found[0]


def quota_of(opened: OpenSite, homes: str, name: str, *, run: Run | None = None) -> HomeQuota:
    """What somebody may have and has. Raises OperateError."""
    return _read(homes, name, ask_homes(opened, homes, {"verb": "get", "name": name}, run=run))


def set_quota(
    opened: OpenSite, homes: str, name: str, quota: int | str | None, *, run: Run | None = None
) -> HomeQuota:
    """Give somebody another quota, in bytes; None for none, `default` for that of the site file."""
    request = {"verb": "set", "name": name, "quota": quota}
    return _read(homes, name, ask_homes(opened, homes, request, run=run))


def ask_homes(
    opened: OpenSite, homes: str, request: dict[str, Any], *, run: Run | None = None
) -> dict[str, Any]:
    """Have one request answered. Raises OperateError for anything but success."""
    host = opened.site.homes[homes].server
    argv = ssh_argv(opened.host(host), [PROGRAM], terminal=False)
    done = (run or run_there)(argv, json.dumps({**request, "homes": homes}))
    try:
        answer = json.loads(done.stdout)
        accepted = answer["ok"] is True
    except (ValueError, TypeError, KeyError) as error:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        reached = done.returncode != NOT_REACHED
        what = "could not ask slurmhub-home" if reached else "could not be reached"
        raise OperateError(
            f"{host}, which has the homes {homes}, {what}: {lines[-1].rstrip('.')}.",
            remedy=f"slurmhub ssh {host}, and slurmhub up if the homes are not there yet.",
        ) from error
    if not accepted:
        remedy = {
            "unknown": "Homes are made at the first sign-in; see how the name is written.",
            "away": f"slurmhub ssh {host} -- systemctl --failed",
        }.get(str(answer.get("kind")), f"slurmhub logs node {host}")
        raise OperateError(f"{host} refuses: {answer.get('message')}.", remedy=remedy)
    return dict(answer)


def _read(homes: str, name: str, answer: dict[str, Any]) -> HomeQuota:
    return HomeQuota(homes, name, answer["quota"], bool(answer["own"]), answer["used"])
