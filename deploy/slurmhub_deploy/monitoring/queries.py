"""The few shapes that queries have, so that each dashboard only says of what."""

from __future__ import annotations

from slurmhub_deploy.monitoring.panels import Query

# Which hubs a dashboard shows: Grafana puts in what is chosen at its top.
OF_HUB = 'instance=~"$hub"'
# Starts are rare beside requests: over an hour there are enough to speak of quantiles.
STARTS = "1h"


def total(metric: str, by: str, *, within: str = STARTS, where: str = "") -> Query:
    """How often something happened within a span, by a label."""
    chosen = ",".join(part for part in (OF_HUB, where) if part)
    return Query(f"sum by ({by}) (increase({metric}{{{chosen}}}[{within}]))", f"{{{{{by}}}}}")


def now(metric: str, by: str, *, where: str = "") -> Query:
    """What a gauge says, added up by a label."""
    chosen = ",".join(part for part in (OF_HUB, where) if part)
    return Query(f"sum by ({by}) ({metric}{{{chosen}}})", f"{{{{{by}}}}}")


def quantiles(metric: str, by: str, *shares: float, within: str = STARTS) -> tuple[Query, ...]:
    """How long so many of a histogram's events took at most, by a label ("" for all together)."""
    grouped = f"le, {by}" if by else "le"
    rate = f"sum by ({grouped}) (rate({metric}_bucket{{{OF_HUB}}}[{within}]))"
    name = f"{{{{{by}}}}} " if by else ""
    return tuple(
        Query(f"histogram_quantile({share}, {rate})", f"{name}{share:.0%}") for share in shares
    )


def hours(metric: str, by: str, *, within: str = "1d") -> Query:
    """Seconds that a counter gained within a span, in hours, by a label."""
    counted = f"sum by ({by}) (increase({metric}{{{OF_HUB}}}[{within}]))"
    return Query(f"{counted} / 3600", f"{{{{{by}}}}}")


def share(used: str, given: str, by: str, *, within: str = "1d") -> Query:
    """Which part of what was given was used, by a label."""
    parts = (f"sum by ({by}) (increase({name}{{{OF_HUB}}}[{within}]))" for name in (used, given))
    return Query(" / ".join(parts), f"{{{{{by}}}}}")
