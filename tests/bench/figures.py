"""What a list of measured times comes to: medians, quartiles, and ratios with their spread."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_RESAMPLES = 5000


@dataclass(frozen=True)
class Spread:
    """A median, and the limits of what it may well be."""

    median: float
    low: float
    high: float


def quartiles(values: Sequence[float]) -> Spread:
    """The median of these values with the first and the third quartile."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(middle, low, high)


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """The median of ours/theirs over the rounds, with its 95% interval.

    Both arms of a round ran one after the other on the same machine under the same load, so the
    ratio is taken in each round. The interval is a percentile bootstrap over rounds; it is the
    same for the same figures. Raises ValueError when the rounds do not match.
    """
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    chance = random.Random(0)  # noqa: S311 - not for secrets
    medians = sorted(
        statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(_RESAMPLES)
    )
    cut = _RESAMPLES // 40
    return Spread(statistics.median(ratios), medians[cut], medians[-1 - cut])
