"""What folders the courses of a hub should have, and who may do what in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slurmhub.courses.model import State
from slurmhub.courses.policy import Policy
from slurmhub.courses.stored import Snapshot, Stored
from slurmhub.slurm.memory import Memory

MEBIBYTE = 1024 * 1024

# As the program takes them: the name of an account is that of a folder as well.
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Folders:
    """What one course should have. `staff` and `students` are Unix accounts with their numbers.

    `quota` is in bytes, of all folders together. `unserved` says in words why somebody is in
    neither; who has no account yet gets one at their first sign-in, and is not named.
    """

    key: str
    frozen: bool
    folders: tuple[str, ...]
    staff: Mapping[str, int]
    students: Mapping[str, int]
    quota: int
    unserved: tuple[str, ...] = ()

    def request(self) -> dict[str, Any]:
        """The request to the program."""
        return {
            "verb": "ensure",
            "course": self.key,
            "frozen": self.frozen,
            "folders": list(self.folders),
            "staff": dict(sorted(self.staff.items())),
            "students": dict(sorted(self.students.items())),
            "quota": self.quota,
        }


@dataclass(frozen=True, kw_only=True)
class DesiredFolders:
    """What should be there; `unwanted` are the keys of courses whose folders are to go."""

    courses: tuple[Folders, ...]
    unwanted: frozenset[str] = field(default_factory=frozenset)


def names(snapshot: Snapshot) -> frozenset[str]:
    """Everybody at the hub whose account has to be known."""
    served = {one.key for one in snapshot.courses if one.state.served}
    found = set()
    for key in served:
        for member in snapshot.members.get(key, ()):
            if member.active and member.username is not None:
                found.add(member.username)
    return frozenset(found)


def desired(
    snapshot: Snapshot, policy: Policy, accounts: Mapping[str, tuple[str, int]]
) -> DesiredFolders:
    """What folders there should be.

    `accounts` are the Unix account and number of people by their name at the hub; who is not in it
    has none. A course that waits for approval has nothing, one that has ended is to have nothing.
    """
    served = tuple(
        _folders(one, snapshot, policy, accounts) for one in snapshot.courses if one.state.served
    )
    ended = frozenset(one.key for one in snapshot.courses if one.state is State.ENDED)
    return DesiredFolders(courses=served, unwanted=ended)


def _folders(
    stored: Stored,
    snapshot: Snapshot,
    policy: Policy,
    accounts: Mapping[str, tuple[str, int]],
) -> Folders:
    staff: dict[str, int] = {}
    students: dict[str, int] = {}
    unserved: list[str] = []
    taken: dict[int, str] = {}
    # Staff first: who is both by two accounts of one number is staff.
    people = [one for one in snapshot.members.get(stored.key, ()) if one.active]
    for member in sorted(people, key=lambda one: (not one.role.staff, one.username or "")):
        found = accounts.get(member.username) if member.username is not None else None
        if found is None:
            continue
        account, uid = found
        if not _ACCOUNT.fullmatch(account):
            unserved.append(f"{account} is no name for a folder.")
        elif taken.setdefault(uid, account) != account:
            unserved.append(f"{account} has the same number as {taken[uid]}.")
        else:
            (staff if member.role.staff else students)[account] = uid
    return Folders(
        key=stored.key,
        frozen=stored.state is State.FROZEN,
        folders=stored.course.storage.folders,
        staff=staff,
        students=students,
        quota=Memory.parse(stored.course.storage.quota or policy.room).mebibytes * MEBIBYTE,
        unserved=tuple(unserved),
    )
