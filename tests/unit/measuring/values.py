"""What Prometheus would read now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY


def value(name: str, **labels: str) -> float:
    """A sample of the hub's metrics; 0 where there is none."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def told(name: str, **labels: str) -> bool:
    """Whether there is such a sample at all."""
    return REGISTRY.get_sample_value(name, labels) is not None


class Gained:
    """What a counter gained within a block."""

    amount = 0.0


@contextmanager
def gained(name: str, **labels: str) -> Iterator[Gained]:
    """Measure a counter over a block."""
    found, before = Gained(), value(name, **labels)
    yield found
    found.amount = value(name, **labels) - before
