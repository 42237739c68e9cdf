"""The values of labels, each from a set that the cluster or the site keeps small.

A label's value is for ever a time series of its own: what is named by people, or is no longer
there, is told as "other".
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from slurmhub.courses.slurm.desired import PREFIX, is_courses
from slurmhub.ledger import Intent
from slurmhub.options.profiles import PROFILE
from slurmhub.slurm.accounting import Accounting
from slurmhub.slurm.accounting_cache import AccountingCache
from slurmhub.slurm.facts import FactsCache

OTHER = "other"

Names = Callable[[], Collection[str] | None]
"""The names that there are now; None while they are not known yet."""


@dataclass(frozen=True)
class Bounds:
    """Which partitions, profiles and accounts there are.

    Where that is not known yet, a name that the hub holds is told as it is: it passed the form.
    An account is told only once it is known, for without accounting people make them up.
    """

    partitions: Names = lambda: None
    profiles: Names = lambda: None
    accounts: Names = lambda: None

    @property
    def complete(self) -> bool:
        """Whether all names are known, so that what is counted for ever goes where it belongs."""
        return None not in (self.partitions(), self.profiles(), self.accounts())

    def partition(self, name: str) -> str:
        """A partition of the cluster."""
        return _bounded(name, self.partitions())

    def profile(self, name: str) -> str:
        """A profile of the site; empty for a server that was started without one."""
        return _bounded(name, self.profiles())

    def account(self, name: str) -> str:
        """An account in Slurm's accounting; empty where a job has none."""
        return _bounded(name, self.accounts() or ())

    def course(self, account: str, profile: str) -> str:
        """A course that instructors made, by its account; of any other server, its profile."""
        known = self.account(account)
        return known.removeprefix(PREFIX) if is_courses(known) else self.profile(profile)


def _bounded(name: str, known: Collection[str] | None) -> str:
    return name if not name or known is None or name in known else OTHER


class AccountNames:
    """The names of all accounts in Slurm's accounting: no names where there is none."""

    def __init__(self, cache: AccountingCache) -> None:
        self._cache = cache
        self._of: Accounting | None = None
        self._names: frozenset[str] = frozenset()

    def __call__(self) -> frozenset[str] | None:
        """The names; None until the accounting was asked once, which this begins."""
        if self._cache.age is None:
            self._cache.refresh()
            return None
        accounting = self._cache.accounting
        if accounting is not self._of:
            everybody = accounting.associations.values() if accounting else ()
            self._names = frozenset(each.account for mine in everybody for each in mine)
            self._of = accounting
        return self._names


def bounds_of(facts: FactsCache, profiles: Collection[str], cache: AccountingCache) -> Bounds:
    """The bounds of a hub on its cluster."""

    def partitions() -> frozenset[str] | None:
        known = facts.facts
        return None if known is None else frozenset(one.name for one in known.partitions)

    return Bounds(partitions, lambda: profiles, AccountNames(cache))


_bounds = Bounds()


def use(bounds: Bounds) -> None:
    """Keep labels within these bounds from now on; the hub has one cluster."""
    global _bounds
    _bounds = bounds


def bounds() -> Bounds:
    """The bounds of this hub's labels."""
    return _bounds


def of_server(intent: Intent) -> tuple[str, str]:
    """Partition and profile of a server, as labels; of a course's server, its account."""
    asked = intent.request
    account = str(asked.get("account") or "")
    profile = _bounds.profile(str(asked.get(PROFILE) or ""))
    return (
        _bounds.partition(str(asked.get("partition") or "")),
        _bounds.account(account) if is_courses(account) else profile,
    )
