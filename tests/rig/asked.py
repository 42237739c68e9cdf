"""Every query of every rule and dashboard, as a Prometheus is asked it."""

from __future__ import annotations

import re

import yaml

from slurmhub_deploy.monitoring import COURSES_JOB, RULES
from slurmhub_deploy.monitoring.views import ALL

_OF_COURSES = re.compile(rf'slurmhub_courses?_(?!unanswered)|job="{COURSES_JOB}"')


def rules() -> list[dict[str, str]]:
    """Every rule of every file."""
    files = [yaml.safe_load(path.read_text()) for path in sorted(RULES.glob("*.yml"))]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def measured(expr: str) -> list[str]:
    """What an alert compares with its limits: alone it has series also while nothing is wrong."""
    parts = re.split(r"\s+and\s+(?:on \(\w+\)\s+)?", expr.strip())
    return [re.sub(r"\s*(?:>|<|==)\s*[\d.]+$", "", part) for part in parts]


def asked(*, of_courses: bool) -> list[str]:
    """Every query, once: those of the services of courses, or all others."""
    dashboards = [query.replace("$hub", ".*") for one in ALL for query in one.queries]
    alerts = [part for rule in rules() for part in measured(rule["expr"])]
    every = sorted({*dashboards, *alerts})
    return [query for query in every if bool(_OF_COURSES.search(query)) is of_courses]
