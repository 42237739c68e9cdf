"""Accounts and homes: one number everywhere, and one home."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from slurmhub_deploy.doctor.facts import Facts
from slurmhub_deploy.doctor.finding import Said


def one_number_everywhere(facts: Facts) -> Iterator[Said]:
    """Accounts whose numbers differ between hosts."""
    numbers: dict[str, dict[int, list[str]]] = {}
    for host, accounts in facts.seen("accounts"):
        for name, user in accounts.users.items():
            if user is not None:
                numbers.setdefault(name, {}).setdefault(user.uid, []).append(host)
    for name, by_uid in sorted(numbers.items()):
        if len(by_uid) > 1 and name != "munge":
            told = ", ".join(
                f"{uid} on {', '.join(hosts)}" for uid, hosts in sorted(by_uid.items())
            )
            yield Said(
                name,
                f"the account has more than one number: {told}",
                "Take the account out of /etc/passwd where it is not the directory's.",
            )


def groups_are_known(facts: Facts) -> Iterator[Said]:
    """Hosts that do not know the people of a hub."""
    for hub in facts.hubs.values():
        group = hub["accounts"]["group"]
        for host, accounts in facts.seen("accounts", "hub", "compute", "login", "storage"):
            if group in accounts.groups and accounts.groups[group] is None:
                yield Said(
                    host,
                    f"does not know the group {group}, in which the people of {hub['domain']} are",
                    "Does sssd run, and does it reach the directory? `slurmhub up --only"
                    " directory`",
                )


def homes_are_mounted(facts: Facts) -> Iterator[Said]:
    """Homes that are not there, or only a folder of the host's own disk."""
    for host, homes in facts.seen("homes"):
        for name, seen in homes.items():
            if not seen.there or not seen.mounted:
                what = "is not there" if not seen.there else "is not mounted"
                yield Said(
                    host,
                    f"{seen.path}, the homes {name}, {what}",
                    f"`slurmhub ssh {host} -- systemctl --failed`, then `slurmhub up --only"
                    " homes`.",
                )


def homes_are_the_same(facts: Facts) -> Iterator[Said]:
    """Hosts where a home is another one than elsewhere."""
    for name in facts.site["slurmhub_homes"]:
        entries = {
            host: homes[name].entries
            for host, homes in facts.seen("homes")
            if name in homes and homes[name].mounted
        }
        server = facts.site["slurmhub_homes"][name].get("server")
        right: Mapping[str, int] = entries.get(str(server)) or next(iter(entries.values()), {})
        for host, mine in entries.items():
            both = set(mine) & set(right)
            other = [each for each in both if mine[each] != right[each]]
            if other or (right and mine != right and not both):
                yield Said(
                    host,
                    f"the homes {name} are not those of the other hosts",
                    f"Look what is mounted: `slurmhub ssh {host} -- findmnt`.",
                )


_HOMES = "slurmhub_homes_"


def quotas_hold(facts: Facts) -> Iterator[Said]:
    """People who are near their quota, by count; storage hosts that tell nothing."""
    for name, homes in facts.site["slurmhub_homes"].items():
        server = homes.get("server")
        if homes["backend"] == "nfs" or server not in facts.hosts:
            continue
        figures = facts.of(server).textfiles
        if figures is None:
            continue
        mine = {key: value for key, value in figures.items() if key.startswith(_HOMES)}
        if not mine:
            yield Said(
                server,
                f"nothing tells how full the homes {name} are",
                "Run `slurmhub up --only homes`; its timer writes the figures.",
                "unknown",
            )
