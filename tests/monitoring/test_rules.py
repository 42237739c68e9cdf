"""Alert rules fire on what they are for, and each has a page that says what to do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from slurmhub_deploy.monitoring import RULES
from slurmhub_deploy.monitoring.textfiles import TEXTFILES, Told
from tests.rig.docs import PROJECT, Page, metrics_of_code, metrics_of_courses
from tests.rig.site_metrics import site_metrics

CASES = Path(__file__).parent / "alerts.yml"
RUNBOOKS = PROJECT / "docs/operators/runbooks"
PARTS = ["What it means", "What people notice", "What to look at", "What to do"]


def groups() -> list[dict[str, Any]]:
    """All groups of rules."""
    return [
        group
        for path in sorted(RULES.glob("*.yml"))
        for group in yaml.safe_load(path.read_text())["groups"]
    ]


ALERTS = [rule for group in groups() for rule in group["rules"] if "alert" in rule]


def promtool(*arguments: str) -> None:
    """Run it; fails with its words."""
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_accepts_the_rules() -> None:
    promtool("check", "rules", *map(str, sorted(RULES.glob("*.yml"))))


def test_every_alert_fires_and_stays_silent(tmp_path: Path) -> None:
    text = CASES.read_text()
    for rule in ALERTS:
        assert f'alertname="{rule["alert"]}"' in text, f"no case for {rule['alert']}"
    cases = tmp_path / "alerts.yml"
    cases.write_text(text.replace("RULES/", f"{RULES}/"))
    promtool("test", "rules", str(cases))


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_every_alert_says_what_is_wrong_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "warn")
    assert rule["annotations"]["summary"].endswith(".") or "(" in rule["annotations"]["summary"]
    path = PROJECT / rule["annotations"]["runbook_url"]
    assert path.parent == RUNBOOKS
    text = path.read_text()
    assert rule["alert"] in text.splitlines()[0]
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS
    assert Page(path, text).blocks("text"), "no command to look with"


def test_every_runbook_is_of_an_alert() -> None:
    named = {PROJECT / rule["annotations"]["runbook_url"] for rule in ALERTS}
    assert set(RUNBOOKS.glob("*.md")) == named


def test_every_alert_is_on_the_page_of_operators() -> None:
    page = (PROJECT / "docs/operators/monitoring.md").read_text()
    assert {name for name in re.findall(r"`(\w+)`", page) if name[:1].isupper()} >= {
        rule["alert"] for rule in ALERTS
    }


def test_rules_use_metrics_that_there_are() -> None:
    told = (*metrics_of_code(), *metrics_of_courses(), *site_metrics())
    exported = {str(name) for name, *_ in told}
    for group in groups():
        for rule in group["rules"]:
            for name in re.findall(r"\bslurmhub_\w+", rule["expr"]):
                assert re.sub(r"_(bucket|sum|count)$", "", name) in exported, name


@pytest.mark.parametrize("told", TEXTFILES, ids=lambda told: str(told.name))
def test_every_figure_of_a_timer_is_written_by_the_role_that_is_named(told: Told) -> None:
    for role in told.role.split(", "):
        assert (PROJECT / "ansible/roles" / role).is_dir(), role
    # Some programs put a name together from its beginning and its end.
    words = {told.name, told.name.removeprefix("slurmhub_homes_")}
    places = ("ansible/roles", "libexec", "deploy/slurmhub_deploy")
    texts = (
        path.read_text()
        for place in places
        for path in (PROJECT / place).rglob("*")
        if path.is_file() and "monitoring" not in path.parts and path.suffix != ".pyc"
    )
    assert any(word in text for text in texts for word in words), told.name
