"""What each person may use: their part of Slurm's accounting, and their Unix groups.

Both are cached for the whole hub; nothing here waits unless it is awaited, and then not for long.
"""

from __future__ import annotations

import asyncio
import grp
import logging
import time
from collections.abc import Callable

from slurmhub.errors import SlurmhubError
from slurmhub.job.crossing import person
from slurmhub.options.terms import Rights
from slurmhub.slurm.accounting_cache import AccountingCache

# Groups younger than this, in seconds, are not looked up again.
_FRESH = 300.0
# So many people's groups are kept.
_MANY = 10_000


class PeoplesRights:
    """The rights of everybody, by the name of their Unix account.

    `groups_of` looks the names of an account's groups up, which may take as long as a directory
    service takes: it runs in a thread. Accounts that are `not_offered` are for nobody to choose.
    """

    def __init__(
        self,
        accounting: AccountingCache,
        *,
        log: logging.Logger,
        groups_of: Callable[[str], frozenset[str]] | None = None,
        not_offered: Callable[[str], bool] = lambda account: False,
    ) -> None:
        self._accounting = accounting
        self._log = log
        self._groups_of = groups_of or unix_groups
        self._not_offered = not_offered
        self._groups: dict[str, tuple[float, frozenset[str]]] = {}
        self._lookups: dict[str, asyncio.Task[None]] = {}

    def of(self, name: str) -> Rights:
        """What is known now; what is old is asked for again in the background."""
        self._accounting.refresh()
        self._look_up(name)
        cache, groups = self._accounting, self._groups.get(name)
        accounting = cache.accounting
        if accounting is None:
            return Rights(
                name=name,
                groups=groups[1] if groups else None,
                awaited=cache.age is None,
            )
        usual = accounting.default_accounts.get(name, "")
        every = accounting.associations.get(name, ())
        mine = tuple(one for one in every if not self._not_offered(one.account))
        return Rights(
            name=name,
            groups=groups[1] if groups else None,
            known=True,
            stale_seconds=cache.age if cache.trouble else None,
            associations=mine,
            # Where Slurm's own choice is not offered, the job must name another.
            default_account="" if self._not_offered(usual) else usual,
            none_left=bool(every) and not mine,
            qos=accounting.qos,
            enforced=accounting.enforced,
        )

    async def within(self, name: str, seconds: float) -> Rights:
        """What is known; what was never known before is waited for, at most `seconds`."""
        waiting: list[asyncio.Task[None]] = []
        if self._accounting.age is None:
            waiting.append(self._accounting.refresh())
        lookup = self._look_up(name)
        if lookup is not None and name not in self._groups:
            waiting.append(lookup)
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        return self.of(name)

    def _look_up(self, name: str) -> asyncio.Task[None] | None:
        known = self._groups.get(name)
        if known is not None and time.monotonic() - known[0] < _FRESH:
            return None
        if name not in self._lookups:
            task = asyncio.get_running_loop().create_task(self._learn(name))
            self._lookups[name] = task
            task.add_done_callback(lambda _: self._lookups.pop(name, None))
        return self._lookups.get(name)

    async def _learn(self, name: str) -> None:
        try:
            groups = await asyncio.to_thread(self._groups_of, name)
        except (SlurmhubError, OSError) as error:
            # Slurm itself checks groups; without them nothing is held back here.
            self._log.debug("The groups of %s could not be looked up. %s", name, error)
            return
        if len(self._groups) >= _MANY:
            self._groups.clear()
        self._groups[name] = (time.monotonic(), groups)


def unix_groups(name: str) -> frozenset[str]:
    """The names of an account's groups on this host; raises AccountUnknown."""
    names = set()
    for number in person(name).account.groups:
        try:
            names.add(grp.getgrgid(number).gr_name)
        except KeyError:
            # A number without a name is in nobody's list of names.
            continue
    return frozenset(names)
