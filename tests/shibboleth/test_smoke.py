"""`slurmhub smoke` at a real hub: front, identity provider, Slurm, a kernel, a file in a home."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.front.embedded import EmbeddedFront
from slurmhub_deploy.smoke.report import STEPS, Report, Step
from slurmhub_deploy.smoke.run import Plan, run
from slurmhub_deploy.smoke.signing_in import Credentials
from tests.rig import queue
from tests.rig.accounts import account
from tests.rig.hub import HubUnderTest, until
from tests.shibboleth.conftest import PASSWORD


@pytest.fixture
def plan(site: tuple[EmbeddedFront, HubUnderTest]) -> Plan:
    """Alice of the first institution is the test account."""
    front, _ = site
    who = Credentials("alice", PASSWORD, front.providers[0].entity_id)
    return Plan("main", f"{front.url}/", who, trust=front.certificate, start_seconds=90)


def failed_at(report: Report, step: str) -> str:
    """What is said of the step at which it failed."""
    assert report.failed is not None, report.as_text()
    assert report.failed.name == step, report.as_text()
    assert f'slurmhub_probe_failed_step{{hub="main",step="{step}"}} 1' in report.as_metrics()
    assert 'slurmhub_probe_success{hub="main"} 0' in report.as_metrics()
    return f"{report.failed.problem} {report.failed.remedy}"


def no_job_is_left(cluster: EmbeddedCluster) -> None:
    """Slurm shows a job for some seconds after its server is gone."""
    until(lambda: queue.jobs(cluster) == [], what="the end of all jobs")


def test_a_hub_that_works_passes_and_is_left_as_it_was(
    site: tuple[EmbeddedFront, HubUnderTest],
    plan: Plan,
    cluster: EmbeddedCluster,
    accounts: dict[str, str],
) -> None:
    """Every step goes well, twice; afterwards there is neither a job nor a file."""
    for _ in range(2):
        report = asyncio.run(run(plan))
        assert report.worked, f"{report.as_text()}\n{site[1].news}"
        assert [step.name for step in report.steps] == list(STEPS)
        assert 'slurmhub_probe_success{hub="main"} 1' in report.as_metrics()
        no_job_is_left(cluster)
    home = Path("~" + account("alice")).expanduser()
    assert list(home.glob(".slurmhub-smoke-*")) == []


def test_a_wrong_password_is_told_and_tried_once(plan: Plan) -> None:
    wrong = replace(plan, who=replace(plan.who, password="not-the-password"))
    said = failed_at(asyncio.run(run(wrong)), "sign-in")
    assert "asks for the password of alice again" in said
    assert "not-the-password" not in repr(wrong)


def test_a_profile_that_is_not_there_is_told(plan: Plan, cluster: EmbeddedCluster) -> None:
    said = failed_at(asyncio.run(run(replace(plan, profile="nothing"))), "start")
    assert "refuses to start a server" in said
    assert "probe.profile" in said
    no_job_is_left(cluster)


def test_a_home_that_cannot_be_written_is_told_and_the_job_ends(
    plan: Plan, cluster: EmbeddedCluster
) -> None:
    """The kernel's own words, and nothing is left running."""
    home = Path("~" + account("alice")).expanduser()
    mode = home.stat().st_mode & 0o7777

    def close(step: Step) -> None:
        if step.name == "kernel":
            home.chmod(0o500)

    try:
        report = asyncio.run(run(plan, close))
    finally:
        home.chmod(mode)
    assert "PermissionError" in failed_at(report, "file")
    no_job_is_left(cluster)
