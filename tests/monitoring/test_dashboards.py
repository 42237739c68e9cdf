"""Dashboards are as their code has them, and Grafana can show them."""

from __future__ import annotations

import json
import re

import pytest

from slurmhub_deploy.monitoring import DASHBOARDS
from slurmhub_deploy.monitoring.__main__ import files
from slurmhub_deploy.monitoring.panels import HEIGHT, WIDTH, Dashboard
from slurmhub_deploy.monitoring.views import ALL
from tests.rig.docs import metrics_of_code, metrics_of_courses
from tests.rig.site_metrics import site_metrics


def test_the_files_are_as_the_code_has_them() -> None:
    assert {path: path.read_text() for path in DASHBOARDS.glob("*.json")} == files(), (
        "Run script/docs and look at what it changed."
    )


@pytest.mark.parametrize("dashboard", ALL, ids=lambda one: str(one.uid))
def test_panels_lie_beside_each_other_and_say_what_they_show(dashboard: Dashboard) -> None:
    shown = json.loads(json.dumps(dashboard.json()))
    taken: set[tuple[int, int]] = set()
    for panel in shown["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= WIDTH
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + HEIGHT)
        }
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["description"].endswith(".")
        assert panel["targets"]
    assert len({panel["id"] for panel in shown["panels"]}) == len(shown["panels"])
    assert len({panel["title"] for panel in shown["panels"]}) == len(shown["panels"])


@pytest.mark.parametrize("dashboard", ALL, ids=lambda one: str(one.uid))
def test_legends_and_queries_agree(dashboard: Dashboard) -> None:
    told = (*metrics_of_code(), *metrics_of_courses(), *site_metrics())
    exported = {str(name) for name, *_ in told}
    for panel in dashboard.panels:
        for query in panel.queries:
            for name in re.findall(r"\bslurmhub_\w+", query.expr):
                assert re.sub(r"_(bucket|sum|count)$", "", name) in exported, name
            grouped = re.search(r"sum by \(([^)]*)\)", query.expr)
            if grouped:
                kept = {part.strip() for part in grouped[1].split(",")}
                assert set(re.findall(r"\{\{(\w+)\}\}", query.legend)) <= kept, panel.title
