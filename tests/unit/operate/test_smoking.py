"""After `up`: every hub with a test account is tried, and of the others it is said."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from slurmhub_deploy import smoke as smoke_package
from slurmhub_deploy.operate.site_file import OpenSite
from slurmhub_deploy.operate.smoking import smoke_hubs
from slurmhub_deploy.smoke.report import STEPS, Report, Step
from tests.unit.site.fixtures import RIGHT, read

WITH_PROBE = RIGHT.rstrip("\n") + (
    "\n    probe: {username: hub-probe, password: {vault: probe-password}}\n"
)


def tried(text: str, report: Report, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, list[Any]]:
    asked: list[Any] = []

    def smoke(site: object, hub: str, secrets: object, *, folder: Path) -> Report:
        asked.append((hub, secrets, folder))
        return report

    monkeypatch.setattr(smoke_package, "smoke", smoke)
    loaded = read(text)
    assert loaded.site is not None, loaded.problems
    out = io.StringIO()
    opened = OpenSite(Path("/x/site.yml"), loaded.site)
    status = smoke_hubs(opened, {"probe_password.main": "a password"}, Console(file=out))
    return status, out.getvalue(), asked


def report(problem: str | None) -> Report:
    steps = tuple(Step(name, 1.0) for name in STEPS[:-1])
    last = Step(STEPS[-1], 1.0, problem, "Do it." if problem else "")
    return Report("main", "https://hub.example.ca/", (*steps, last))


def test_a_hub_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    status, said, asked = tried(WITH_PROBE, report(None), monkeypatch)
    assert status == 0
    assert "All of it works" in said
    assert asked == [("main", {"probe_password.main": "a password"}, Path("/x"))]


def test_a_hub_that_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    status, said, _ = tried(WITH_PROBE, report("It did not end."), monkeypatch)
    assert status == 4
    assert "It did not end." in said
    assert "What to do: Do it." in said


def test_a_hub_without_a_test_account(monkeypatch: pytest.MonkeyPatch) -> None:
    status, said, asked = tried(RIGHT, report(None), monkeypatch)
    assert status == 0
    assert "Hub main: not tried, since it has no test account" in said
    assert asked == []
