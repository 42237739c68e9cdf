"""Dashboards of Grafana as small typed values, and the JSON that Grafana provisions.

Source: Grafana's "Dashboard JSON model", schema version 39 (Grafana 11).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Unit = Literal["s", "short", "bytes", "percentunit", "ops", "h", "dateTimeAsIso"]
Kind = Literal["timeseries", "stat", "bargauge", "table"]

WIDTH = 24
HEIGHT = 8
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Query:
    """One query of Prometheus; `legend` names its series by their labels."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One panel: `words` say what it shows and what is good."""

    title: str
    words: str
    queries: tuple[Query, ...]
    unit: Unit = "short"
    kind: Kind = "timeseries"
    width: int = 12


@dataclass(frozen=True)
class Dashboard:
    """One page of panels; `uid` is its address in Grafana for ever."""

    uid: str
    title: str
    words: str
    panels: tuple[Panel, ...]

    @property
    def queries(self) -> tuple[str, ...]:
        """Every query of every panel."""
        return tuple(query.expr for panel in self.panels for query in panel.queries)

    def json(self) -> dict[str, Any]:
        """What Grafana reads."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.words,
            "tags": ["slurmhub"],
            "schemaVersion": 39,
            "editable": False,
            "graphTooltip": 1,
            "refresh": "1m",
            "time": {"from": "now-6h", "to": "now"},
            "timezone": "browser",
            "templating": {"list": _VARIABLES},
            "panels": list(self._placed()),
        }

    def _placed(self) -> Iterator[dict[str, Any]]:
        x = y = 0
        for number, panel in enumerate(self.panels, start=1):
            if x + panel.width > WIDTH:
                x, y = 0, y + HEIGHT
            place = {"x": x, "y": y, "w": panel.width, "h": HEIGHT}
            yield {"id": number, "gridPos": place, **_panel(panel)}
            x += panel.width


_VARIABLES: list[dict[str, Any]] = [
    {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
    {
        "name": "hub",
        "label": "Hub",
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": 'label_values(up{job="slurmhub"}, instance)', "refId": "hub"},
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    },
]


def _panel(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    shown: dict[str, Any] = {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.words,
        "datasource": _SOURCE,
        "targets": [_target(panel, index) for index in range(len(panel.queries))],
        "fieldConfig": {"defaults": defaults, "overrides": []},
    }
    if panel.kind == "timeseries":
        shown["options"] = {"legend": {"displayMode": "list", "placement": "bottom"}}
    elif panel.kind in ("stat", "bargauge"):
        shown["options"] = {"reduceOptions": {"calcs": ["lastNotNull"]}}
    return shown


def _target(panel: Panel, index: int) -> dict[str, Any]:
    query = panel.queries[index]
    instant = panel.kind != "timeseries"
    return {
        "refId": chr(ord("A") + index),
        "datasource": _SOURCE,
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
        "instant": instant,
        "range": not instant,
        "format": "table" if panel.kind == "table" else "time_series",
    }
