"""Each person's rights: from the accounting of the whole hub, and their Unix groups."""

from __future__ import annotations

import grp
import logging
import os
import pwd
from dataclasses import replace
from datetime import datetime, timezone

from slurmhub.courses.slurm.desired import is_courses
from slurmhub.errors import SlurmhubError
from slurmhub.job.crossing import AccountUnknown
from slurmhub.rights import PeoplesRights, unix_groups
from slurmhub.slurm.accounting import Accounting, Association, QosRecord
from slurmhub.slurm.accounting_cache import AccountingCache
from slurmhub.slurm.errors import SlurmUnreachable

LOG = logging.getLogger("test")


class Dbd:
    """Stands in for a client; `answer` is what slurmdbd says, or the error."""

    def __init__(self, answer: Accounting | SlurmhubError | None) -> None:
        self.answer = answer

    async def accounting(self) -> Accounting | None:
        if isinstance(self.answer, SlurmhubError):
            raise self.answer
        return self.answer


ACCOUNTING = Accounting(
    taken_at=datetime(2026, 1, 31, tzinfo=timezone.utc),
    enforced=frozenset({"limits"}),
    associations={"alice": (Association(account="physics", qos=("normal",)),)},
    default_accounts={"alice": "physics"},
    qos={"normal": QosRecord(name="normal")},
)
AWAY = SlurmUnreachable("slurmdbd is away.", remedy="Wait.")


def people(dbd: Dbd, **groups: frozenset[str]) -> PeoplesRights:
    def groups_of(name: str) -> frozenset[str]:
        if name not in groups:
            raise AccountUnknown(f"There is no {name}.", remedy="Ask.")
        return groups[name]

    cache = AccountingCache(dbd, log=LOG)  # type: ignore[arg-type]
    return PeoplesRights(cache, log=LOG, groups_of=groups_of)


async def test_what_is_not_known_yet_is_waited_for() -> None:
    rights = people(Dbd(ACCOUNTING), alice=frozenset({"users"}))
    first = rights.of("alice")
    assert (first.known, first.awaited, first.groups) == (False, True, None)
    found = await rights.within("alice", 10)
    assert (found.known, found.awaited) == (True, False)
    assert found.groups == frozenset({"users"})
    assert found.accounts == ("physics",)
    assert (found.default_account, found.stale_seconds) == ("physics", None)


async def test_who_has_no_account_has_no_choice() -> None:
    found = await people(Dbd(ACCOUNTING)).within("mallory", 10)
    assert found.known
    assert (found.associations, found.groups, found.default_account) == ((), None, "")


async def test_a_cluster_without_accounting_is_not_waited_for() -> None:
    found = await people(Dbd(None)).within("alice", 10)
    assert (found.known, found.awaited) == (False, False)


async def test_slurmdbd_that_never_answered_is_waited_for() -> None:
    found = await people(Dbd(AWAY)).within("alice", 10)
    assert (found.known, found.awaited) == (False, True)


async def test_old_rights_say_how_old_they_are() -> None:
    cache = AccountingCache(Dbd(ACCOUNTING), log=LOG)  # type: ignore[arg-type]
    rights = PeoplesRights(cache, log=LOG, groups_of=lambda _: frozenset())
    assert (await rights.within("alice", 10)).stale_seconds is None
    cache.trouble = "slurmdbd is away"
    found = rights.of("alice")
    assert found.accounts == ("physics",)
    assert found.stale_seconds is not None


async def test_accounts_of_courses_are_nobodys_to_choose() -> None:
    own = Association(account="physics", qos=("normal",))
    courses = Association(account="course-phys101", qos=("course-phys101",))
    known = replace(
        ACCOUNTING,
        associations={"alice": (own, courses), "bob": (courses,), "carol": (own,)},
        default_accounts={
            "alice": "course-phys101",
            "bob": "course-phys101",
            "carol": "physics",
        },
    )
    cache = AccountingCache(Dbd(known), log=LOG)  # type: ignore[arg-type]
    rights = PeoplesRights(cache, log=LOG, groups_of=lambda _: frozenset(), not_offered=is_courses)
    alice, bob, carol, mallory = [
        await rights.within(name, 10) for name in ("alice", "bob", "carol", "mallory")
    ]
    assert (alice.accounts, alice.default_account, alice.none_left) == (("physics",), "", False)
    assert (bob.accounts, bob.default_account, bob.none_left) == ((), "", True)
    assert (carol.accounts, carol.default_account, carol.none_left) == (
        ("physics",),
        "physics",
        False,
    )
    assert (mallory.accounts, mallory.none_left) == ((), False)


def test_the_groups_of_this_very_account() -> None:
    me = pwd.getpwuid(os.geteuid())
    assert grp.getgrgid(me.pw_gid).gr_name in unix_groups(me.pw_name)
