"""Checks of accounts, numbers and the directory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from slurmhub_deploy.site.checks.finding import Around, Said
from slurmhub_deploy.site.hubs import Hub, people_of
from slurmhub_deploy.site.model import Path

_FEW = 100
# systemd's "Users, Groups, UIDs and GIDs": homed, nspawn, dynamic users, nobody, and 16 bits of -1.
_RESERVED = ((60001, 60705, "systemd's"), (61184, 65535, "systemd's, and nobody's"))
_CONTAINERS = (524288, 1879048191)


def uids_are_free(around: Around) -> Iterator[Said]:
    """Numbers that are given are in order, enough, and nobody else's."""
    for name, hub in around.site.hubs.items():
        accounts = hub.accounts
        path: Path = ("hubs", name, "accounts")
        low, high = accounts.lowest_uid, accounts.highest_uid
        both = ((*path, "lowest_uid"), (*path, "highest_uid"))
        if low > high:
            yield Said(
                both[1],
                f"{high} is less than lowest_uid, {low}",
                "Give the larger number here.",
                both,
            )
            continue
        if accounts.source != "made":
            continue
        for first, last, whose in _RESERVED:
            if low <= last and high >= first:
                yield Said(
                    both[1] if low < first else both[0],
                    f"{low} to {high} takes in {first} to {last}, which are {whose}",
                    "Choose other numbers, such as 20000 to 59999.",
                    both,
                )
        if high - low + 1 < _FEW:
            yield Said(
                both[1],
                f"there is room for {high - low + 1} people; a number is never given twice",
                "Choose a wider range.",
                both,
                level="warning",
            )
        if low <= _CONTAINERS[1] and high >= _CONTAINERS[0]:
            yield Said(
                both[1],
                "reaches into the numbers that containers are given (524288 and above)",
                "Choose smaller ones if people run containers on the nodes.",
                both,
                level="warning",
            )


def hubs_that_share(around: Around) -> Iterator[Said]:
    """Hubs with one directory give numbers from one range, or from ranges apart."""
    for (first, one), (second, other) in combinations(around.site.hubs.items(), 2):
        if one.accounts.source == other.accounts.source == "made" and _overlap(one, other):
            yield Said(
                ("hubs", second, "accounts", "lowest_uid"),
                f"the numbers overlap with those of the hub {first}, and are not the same",
                "Give both the same range, which they then share, or two that are apart.",
                (("hubs", first, "accounts"), ("hubs", second, "accounts")),
            )
        if one.homes == other.homes and one.accounts.source != other.accounts.source:
            yield Said(
                ("hubs", second, "accounts", "source"),
                f"accounts are {other.accounts.source}, those of the hub {first} are"
                f" {one.accounts.source}, and the two share the homes `{one.homes}`: one person"
                " could meet a home that is another's",
                "Take accounts from one source, or give each hub homes of its own.",
                (("hubs", first, "accounts"), ("hubs", first, "homes"), ("hubs", second, "homes")),
            )
        if people_of(first, one) == people_of(second, other):
            yield Said(
                ("hubs", second, "accounts", "group"),
                f"is the group of the hub {first} as well: each could start jobs for the people of"
                " the other",
                "Give each hub its own group, or leave it out.",
                (("hubs", first, "accounts", "group"),),
                level="warning",
            )


def directory_serves_all(around: Around) -> Iterator[Said]:
    """Accounts of one machine are no use to others, and a password needs a name."""
    directory = around.site.directory
    if directory.kind == "files" and len(around.site.machines) > 1:
        yield Said(
            ("directory", "kind"),
            f"accounts would be on one machine only, and there are {len(around.site.machines)}",
            "Write `kind: made` or `kind: joined`: everybody needs one number on all hosts.",
            (("hosts",),),
        )
    if directory.kind == "joined":
        if (directory.bind_dn is None) != (directory.bind_password is None):
            missing = "bind_dn" if directory.bind_dn is None else "bind_password"
            yield Said(
                ("directory", missing),
                "is missing, and the other half is there",
                "Give `bind_dn` and `bind_password`, or neither.",
                (("directory", "bind_dn"), ("directory", "bind_password")),
            )
        for number, uri in enumerate(directory.uris):
            if uri.startswith("ldap://") and directory.bind_dn is not None:
                yield Said(
                    ("directory", "uris", number),
                    "begins with ldap://: SSSD starts TLS on it, and a server that cannot is not"
                    " used",
                    "Write ldaps:// if the server has it.",
                    (("directory", "bind_dn"),),
                    level="warning",
                )


def accounts_come_from_somewhere(around: Around) -> Iterator[Said]:
    """Accounts are made where that is possible, and found where there is a rule."""
    joined = around.site.directory.kind == "joined"
    for name, hub in around.site.hubs.items():
        path: Path = ("hubs", name, "accounts")
        if hub.accounts.source == "made" and joined:
            yield Said(
                (*path, "source"),
                "accounts are to be made, but the directory is only joined and never written to",
                "Write `source: existing` with `rules`, or make a directory (`directory.kind`).",
                (("directory",),),
            )
        if hub.accounts.source == "existing" and not hub.accounts.rules:
            yield Said(
                (*path, "rules"),
                "accounts exist, and no rule says which is whose",
                "Add one, such as `{attribute: eppn, scopes: [example.ca]}`.",
                ((*path, "source"),),
            )
        for number, rule in enumerate(hub.accounts.rules):
            if bool(rule.scopes) == (rule.table is not None):
                yield Said(
                    (*path, "rules", number),
                    "must have one of `scopes` and `table`",
                    "List the scopes whose local parts are account names here: alice of another"
                    " institution is another person.",
                )


def _overlap(one: Hub, other: Hub) -> bool:
    mine = (one.accounts.lowest_uid, one.accounts.highest_uid)
    theirs = (other.accounts.lowest_uid, other.accounts.highest_uid)
    return mine != theirs and mine[0] <= theirs[1] and theirs[0] <= mine[1]
