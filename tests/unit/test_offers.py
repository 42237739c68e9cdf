"""Offers are made once for those who ask again and again, and anew when there is news."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from slurmhub import offers
from slurmhub.offers import Offers
from slurmhub.options.limits import SiteLimits
from slurmhub.options.terms import Rights
from slurmhub.slurm.records import ClusterFacts
from tests.unit.options.conftest import make_facts


class People:
    """Everybody's rights, as a test sets them."""

    def __init__(self) -> None:
        self.awaited = False

    def of(self, name: str) -> Rights:
        return Rights(name=name, awaited=self.awaited)


def place(facts: ClusterFacts | None) -> tuple[SimpleNamespace, People, Offers]:
    cache, people = SimpleNamespace(facts=facts), People()
    return cache, people, Offers(cache, people, SiteLimits())  # type: ignore[arg-type]


def test_nothing_is_offered_while_nothing_is_known() -> None:
    assert place(None)[2].of("alice") is None


def test_who_asks_again_gets_the_same() -> None:
    cache, _, made = place(make_facts())
    first = made.of("alice")
    assert first is not None
    assert first.rights is not None
    assert made.of("alice") is first
    assert made.of("bob") is not first
    nobody = made.of(None)
    assert nobody is not None
    assert nobody.rights is None
    cache.facts = make_facts()
    assert made.of("alice") is not first


def test_an_offer_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, made = place(make_facts())
    first = made.of("alice")
    monkeypatch.setattr(offers, "_FRESH", -1.0)
    assert made.of("alice") is not first


def test_rights_that_are_awaited_are_looked_for_again() -> None:
    _, people, made = place(make_facts())
    people.awaited = True
    first = made.of("alice")
    people.awaited = False
    second = made.of("alice")
    assert second is not first
    assert second is not None
    assert not second.awaits_accounting
