"""What Slurm's accounting has of a cluster's hubs: accounts with their bounds, and Operators."""

from __future__ import annotations

from typing import Any

from slurmhub.slurm.entities import DENY_ON_LIMIT
from slurmhub.slurm.memory import Memory
from slurmhub_deploy.site.hubs import (
    Hub,
    account_of,
    courses_account_of,
    courses_number_of,
    number_of,
)
from slurmhub_deploy.site.limits import Limits
from slurmhub_deploy.site.model import Site


def slurm_account_of(name: str, hub: Hub) -> str:
    """The Slurm account of a hub's people."""
    return hub.accounts.slurm_account or name


def slurm_accounts(site: Site, cluster: str) -> list[dict[str, Any]]:
    """The accounts of a cluster that is made, each once, in the order of the hubs.

    `max_per_user` is what the running jobs of one person may have together: what all the servers
    may have that the hub lets them have. Hubs that share an account share the wider bounds.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, hub in site.hubs.items():
        if hub.cluster != cluster:
            continue
        account, bounds = slurm_account_of(name, hub), _bounds(hub.limits)
        known = found.get(account)
        if known is None:
            found[account] = {
                "name": account,
                "description": hub.domain,
                "max_per_user": bounds,
            }
        else:
            before = known["max_per_user"]
            known["max_per_user"] = {
                resource: max(before[resource], bounds[resource])
                for resource in before
                if resource in bounds
            }
    return list(found.values())


def slurm_operators(site: Site, cluster: str) -> list[dict[str, Any]]:
    """The system accounts of a cluster's hubs, with their numbers and Slurm accounts."""
    found = []
    for name, hub in site.hubs.items():
        if hub.cluster != cluster:
            continue
        account = slurm_account_of(name, hub)
        found.append({"name": account_of(name), "uid": number_of(name, hub), "account": account})
        if hub.courses is not None:
            found.append(
                {
                    "name": courses_account_of(name),
                    "uid": courses_number_of(name, hub.courses),
                    "account": account,
                }
            )
    return found


def course_accounts(site: Site, cluster: str) -> list[dict[str, Any]]:
    """The accounts of a cluster above those of courses, each with a QOS of its own name."""
    parents = {
        hub.courses.slurm_parent: hub.domain
        for hub in reversed(site.hubs.values())
        if hub.cluster == cluster and hub.courses is not None
    }
    return [
        {
            "name": name,
            "description": f"Courses of {domain}",
            "flags": [DENY_ON_LIMIT],
        }
        for name, domain in sorted(parents.items())
    ]


def _bounds(limits: Limits) -> dict[str, int]:
    servers = 1 + limits.servers
    bounds = {}
    if limits.max_cpus is not None:
        bounds["cpu"] = servers * limits.max_cpus
    if limits.max_memory is not None:
        bounds["mem"] = servers * Memory.parse(limits.max_memory).mebibytes
    if limits.max_gpus is not None:
        bounds["gres/gpu"] = servers * limits.max_gpus
    return bounds
