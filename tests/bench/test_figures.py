"""Medians, quartiles and ratios with their spread."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.figures import paired_ratio, quartiles

seconds = st.floats(min_value=0.01, max_value=100)


@given(st.lists(st.tuples(seconds, seconds), min_size=1, max_size=12))
def test_a_ratio_lies_within_its_interval_and_its_rounds(rounds: list[tuple[float, float]]) -> None:
    ours, theirs = [a for a, _ in rounds], [b for _, b in rounds]
    ratio = paired_ratio(ours, theirs)
    of_rounds = [a / b for a, b in rounds]
    assert ratio.median == statistics.median(of_rounds)
    assert min(of_rounds) <= ratio.low <= ratio.median <= ratio.high <= max(of_rounds)


def test_a_load_that_both_arms_share_does_not_change_the_ratio() -> None:
    ratio = paired_ratio([1, 3, 2], [2, 6, 4])
    assert (ratio.low, ratio.median, ratio.high) == (0.5, 0.5, 0.5)


def test_the_interval_is_wider_where_rounds_differ() -> None:
    steady = paired_ratio([1.0, 1.1, 0.9, 1.0, 1.1, 0.9], [2.0] * 6)
    restless = paired_ratio([1.0, 2.0, 0.1, 1.0, 2.0, 0.1], [2.0] * 6)
    assert restless.high - restless.low > steady.high - steady.low > 0


def test_the_same_figures_give_the_same_interval() -> None:
    figures = [0.5, 0.7, 0.6, 0.9], [1.1, 1.5, 1.2, 1.0]
    assert paired_ratio(*figures) == paired_ratio(*figures)


def test_rounds_that_one_arm_did_not_finish_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        paired_ratio([1.0, 2.0], [1.0])


def test_quartiles_of_few_values() -> None:
    assert quartiles([4.0]) == quartiles([4.0, 4.0])
    found = quartiles([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (found.low, found.median, found.high) == (2.0, 3.0, 4.0)
