"""Where the bars of a plot stand, for a page that draws them without a script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 240
"""Of the whole plot, in the units of its SVG."""

_LEFT, _TOP, _BOTTOM = 56, 12, 28
_GAP = 0.25
_MOST_LABELS = 12
_LINES = 4


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar with its label below, which is empty where there is no room for every one's."""

    x: float
    y: float
    width: float
    height: float
    name: str
    value: float
    label: str


@dataclass(frozen=True, kw_only=True)
class Bars:
    """A plot: its bars, and the lines behind them, each with its height and what it stands for."""

    bars: tuple[Bar, ...]
    lines: tuple[tuple[float, float], ...]
    left: int = _LEFT
    width: int = WIDTH
    height: int = HEIGHT
    base: int = HEIGHT - _BOTTOM


def bars_of(values: Sequence[tuple[str, float]]) -> Bars:
    """A bar for each value, which has a name and is not below 0."""
    most = _round_up(max((value for _, value in values), default=0.0))
    base, room = HEIGHT - _BOTTOM, HEIGHT - _BOTTOM - _TOP
    step = (WIDTH - _LEFT) / max(1, len(values))
    every = math.ceil(len(values) / _MOST_LABELS) or 1
    bars = []
    for place, (name, value) in enumerate(values):
        height = room * value / most
        bars.append(
            Bar(
                x=round(_LEFT + step * (place + _GAP / 2), 2),
                y=round(base - height, 2),
                width=round(step * (1 - _GAP), 2),
                height=round(height, 2),
                name=name,
                value=value,
                label="" if place % every else name,
            )
        )
    lines = tuple(
        (round(base - room * part / _LINES, 2), most * part / _LINES) for part in range(_LINES + 1)
    )
    return Bars(bars=tuple(bars), lines=lines)


def _round_up(value: float) -> float:
    """To 1, 2, 4 or 8 times a power of ten, whose quarters are read at a glance; at least 1."""
    if value <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in (1, 2, 4, 8, 10) if value <= power * step * (1 + 1e-9))
