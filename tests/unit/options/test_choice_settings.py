"""What the site puts into every job is what nobody is asked for."""

from __future__ import annotations

import pytest

from slurmhub.options.choice_traits import ChoiceTraits
from slurmhub.traits import LimitTraits, ScriptTraits


class Settings(ScriptTraits, LimitTraits, ChoiceTraits):
    """The settings of a spawner that concern the form."""


def test_nothing_is_fixed_unless_it_is_set() -> None:
    limits = Settings().site_limits()
    assert (limits.account, limits.qos, limits.reservation) == (None, None, None)
    assert (limits.features, limits.choose_features) == ((), None)


def test_what_is_set_for_every_job_is_fixed() -> None:
    limits = Settings(slurm_account="hub", qos="short", reservation="class").site_limits()
    assert (limits.account, limits.qos, limits.reservation) == ("hub", "short", "class")


@pytest.mark.parametrize(
    ("constraint", "chosen", "features", "choose"),
    [
        ("ib&ssd", None, ("ib", "ssd"), None),
        ("ib", ["avx512"], ("ib",), ("avx512",)),
        ("", [], (), ()),
        # What else could be needed with one of two cannot be written down.
        ("rack1|rack2", ["avx512"], (), ()),
    ],
)
def test_features(
    constraint: str,
    chosen: list[str] | None,
    features: tuple[str, ...],
    choose: tuple[str, ...] | None,
) -> None:
    limits = Settings(constraint=constraint, node_features=chosen).site_limits()
    assert (limits.features, limits.choose_features) == (features, choose)
