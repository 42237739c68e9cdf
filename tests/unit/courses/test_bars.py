"""Bars stand on their base, in their order, none higher than the plot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.courses.bars import HEIGHT, WIDTH, bars_of


@given(st.lists(st.floats(0, 1e9), max_size=400))
def test_all_are_within_the_plot_and_as_high_as_their_values(values: list[float]) -> None:
    plot = bars_of([(str(place), value) for place, value in enumerate(values)])
    assert [one.value for one in plot.bars] == values
    for bar in plot.bars:
        assert plot.left <= bar.x <= bar.x + bar.width <= WIDTH + 0.1
        assert 0 <= bar.y <= plot.base
        assert bar.y + bar.height == pytest.approx(plot.base, abs=0.02)
    highest = max(values, default=0.0)
    top_y, top = plot.lines[-1]
    assert top >= highest
    assert 0 < top_y < HEIGHT / 4
    assert sum(bool(one.label) for one in plot.bars) <= 12


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (0.4, 1), (3, 4), (4.5, 8), (81, 100), (100, 100)]
)
def test_the_scale_is_read_at_a_glance(most: float, top: float) -> None:
    assert bars_of([("a", most)]).lines[-1][1] == pytest.approx(top)


def test_nothing_is_an_empty_plot() -> None:
    assert bars_of([]).bars == ()
