"""Labels hold what the cluster and the site have, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from slurmhub.measuring import labels
from slurmhub.measuring.labels import AccountNames, Bounds, bounds_of
from slurmhub.slurm.accounting import Accounting, Association
from tests.unit.fakes import intent


@pytest.fixture(autouse=True)
def _unbound() -> Iterator[None]:
    yield
    labels.use(Bounds())


def cache(age: float | None, accounting: Any) -> Any:
    """A cache of accounting that was or was not asked; it counts how often it is to ask."""
    made = SimpleNamespace(age=age, accounting=accounting, refreshed=0)
    made.refresh = lambda: setattr(made, "refreshed", made.refreshed + 1)
    return made


def accounting(*names: str) -> Accounting:
    mine = tuple(Association(account=name) for name in names)
    return Accounting(
        taken_at=None,  # type: ignore[arg-type]
        associations={"alice": mine},
        default_accounts={},
        qos={},
        enforced=frozenset(),
    )


def test_what_is_not_there_is_other() -> None:
    known = Bounds(lambda: {"cpu"}, lambda: {"stats"}, lambda: {"physics"})
    assert known.complete
    assert [known.partition(name) for name in ("cpu", "gone")] == ["cpu", "other"]
    assert [known.profile(name) for name in ("stats", "gone", "")] == ["stats", "other", ""]
    assert [known.account(name) for name in ("physics", "mine", "")] == ["physics", "other", ""]


def test_before_the_cluster_is_known_a_name_of_the_ledger_is_told_but_no_account() -> None:
    unknown = Bounds()
    assert not unknown.complete
    assert unknown.partition("cpu") == "cpu"
    assert unknown.account("made-up") == "other"


def test_a_server_of_a_removed_profile_and_partition() -> None:
    labels.use(Bounds(lambda: {"cpu"}, lambda: {"stats"}, lambda: ()))
    asked = intent().request
    assert labels.of_server(intent(request={**asked, "profile": "stats"})) == ("cpu", "stats")
    old = intent(request={**asked, "partition": "old", "profile": "old"})
    assert labels.of_server(old) == ("other", "other")
    assert labels.of_server(intent(request={})) == ("", "")


def test_accounts_are_those_of_the_accounting_and_asked_for_once() -> None:
    asked = cache(None, None)
    assert AccountNames(asked)() is None
    assert asked.refreshed == 1
    answered = cache(3.0, accounting("physics", "chem"))
    names = AccountNames(answered)
    assert names() == frozenset({"physics", "chem"})
    answered.accounting = accounting("biology")
    assert names() == frozenset({"biology"})
    assert AccountNames(cache(3.0, None))() == frozenset()


def test_partitions_are_those_of_the_newest_facts() -> None:
    facts: Any = SimpleNamespace(facts=None)
    bounds = bounds_of(facts, ["stats"], cache(1.0, None))
    assert bounds.partitions() is None
    facts.facts = SimpleNamespace(partitions=[SimpleNamespace(name="cpu")])
    assert bounds.partitions() == {"cpu"}
    assert bounds.complete


def test_a_server_of_a_course_is_named_by_the_account_that_slurm_has() -> None:
    known = Bounds(lambda: {"cpu"}, lambda: {"stats"}, lambda: {"physics", "course-phys101"})
    labels.use(known)
    asked = {**intent().request, "partition": "cpu"}
    for account, profile in (("course-phys101", "course-phys101"), ("course-made-up", "other")):
        assert labels.of_server(intent(request={**asked, "account": account})) == ("cpu", profile)
    assert known.course("course-phys101", "") == "phys101"
    assert known.course("course-made-up", "") == ""
    assert known.course("physics", "stats") == "stats"
