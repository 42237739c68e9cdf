"""What each person may ask for, kept for some seconds: pages that wait ask again and again."""

from __future__ import annotations

import time
from dataclasses import dataclass

from slurmhub.options.limits import SiteLimits
from slurmhub.options.offer import Offer
from slurmhub.rights import PeoplesRights
from slurmhub.slurm.facts import FactsCache
from slurmhub.slurm.records import ClusterFacts

# Seconds for which an offer is used again, while the facts are the same.
_FRESH = 10.0
_MANY = 500


@dataclass(frozen=True)
class _Kept:
    facts: ClusterFacts
    made: float
    offer: Offer


class Offers:
    """The offers of this moment, by Unix account; None stands for nobody in particular."""

    def __init__(self, facts: FactsCache, people: PeoplesRights, limits: SiteLimits) -> None:
        self._facts = facts
        self._people = people
        self._limits = limits
        self._kept: dict[str | None, _Kept] = {}

    def of(self, account: str | None) -> Offer | None:
        """What may be asked for now; None while nothing is known of the cluster."""
        facts = self._facts.facts
        if facts is None:
            return None
        kept = self._kept.get(account)
        now = time.monotonic()
        if kept is not None and kept.facts is facts and now - kept.made < _FRESH:
            return kept.offer
        rights = None if account is None else self._people.of(account)
        offer = Offer.from_facts(facts, self._limits, rights)
        if len(self._kept) >= _MANY:
            self._kept.clear()
        # What is still to come is looked for again at once.
        if rights is None or not rights.awaited:
            self._kept[account] = _Kept(facts, now, offer)
        return offer
