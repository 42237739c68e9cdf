"""Servers that do nothing: warned first, then ended, and never on what is not known."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from slurmhub.idle.policy import IdlePolicy
from slurmhub.idle.watch import IdleWatch
from slurmhub.job.job import Job
from slurmhub.jobs import Jobs
from slurmhub.ledger import Ledger
from slurmhub.slurm.states import JobState
from tests.unit.fakes import (
    ALICE,
    ASKED,
    LOG,
    FakeClient,
    FakeCrossing,
    intent,
    job_record,
    jobs_on,
    ledger_at,
)

HOUR = 3600.0
POLICY = IdlePolicy(server=7200, gpu=1800, warning=600)


class Scene:
    """One running server of alice, watched by the policy; time passes by moving its past."""

    def __init__(self, ledger: Ledger, jobs: Jobs) -> None:
        self.ledger, self.jobs = ledger, jobs
        self.used: dict[tuple[str, str], float] = {}
        asked = {**ASKED, "gpus": 1}
        began = time.time() - 10 * HOUR
        found = intent(request=asked, job_id=7, started=began, port=20001, address="127.0.1.11")
        self.job = Job(found, ALICE)
        self.cancelled: list[str] = []
        ledger.begin(found)
        self.watch = self.watching()

    def watching(self, policies: dict[str, IdlePolicy] | None = None) -> IdleWatch:
        return IdleWatch(
            self.jobs,
            {"": POLICY} if policies is None else policies,
            last_used=lambda: self.used,
            usage_interval=300,
            log=LOG,
        )

    def used_ago(self, seconds: float) -> None:
        self.used["alice", ""] = time.time() - seconds

    def gpus(self, *busy: int | None, ago: float = 0) -> None:
        gpus = [{"index": n, "busy": percent, "memory": 0} for n, percent in enumerate(busy)]
        self.job.intent.usage = {"at": time.time() - ago, "gpus": gpus}

    def gpus_idle_for(self, seconds: float) -> None:
        """An idle report so long ago, then another now."""
        self.gpus(0, ago=0)
        self.watch.look()
        self.watch._gpus_since[self.job.intent.nonce] = time.time() - seconds

    def over(self) -> None:
        """The time of the warning has passed."""
        assert self.job.idle is not None
        object.__setattr__(self.job.idle, "due", 0.0)


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    client = FakeClient()
    ledger = ledger_at(tmp_path)
    made = Scene(ledger, jobs_on(client, FakeCrossing(client), ledger))
    monkeypatch.setattr(made.jobs, "open", lambda: [made.job])
    monkeypatch.setattr(
        made.jobs, "cancel", lambda job, outcome: made.cancelled.append(outcome.kind)
    )
    yield made
    ledger.close()


async def test_a_server_in_use_is_left_alone(scene: Scene) -> None:
    scene.used_ago(6000)
    scene.watch.look()
    assert scene.job.idle is None
    assert not scene.cancelled


async def test_an_idle_server_is_warned_and_then_ended(scene: Scene) -> None:
    scene.used_ago(6700)
    scene.watch.look()
    assert scene.job.idle is not None
    assert scene.job.idle.kind == "server"
    assert scene.job.idle.why == "Nobody has used this server for 1 hour 51 minutes."
    assert scene.job.intent.idle_warned is not None
    scene.watch.look()
    assert not scene.cancelled
    scene.over()
    scene.watch.look()
    assert scene.cancelled == ["idle"]


async def test_any_use_takes_the_warning_back(scene: Scene) -> None:
    scene.used_ago(7100)
    scene.watch.look()
    scene.over()
    scene.used_ago(1)
    scene.watch.look()
    assert scene.job.idle is None
    assert scene.job.intent.idle_warned is None
    assert not scene.cancelled


async def test_who_still_needs_it_has_it_for_the_whole_time_again(scene: Scene) -> None:
    scene.used_ago(7100)
    scene.watch.look()
    scene.over()
    scene.watch.keep(scene.job)
    assert scene.job.idle is None
    scene.watch.look()
    assert scene.job.idle is None


async def test_a_hub_that_was_away_warns_before_it_ends_anything(scene: Scene) -> None:
    scene.used_ago(5 * HOUR)
    scene.job.intent.idle_warned = time.time() - 4 * HOUR
    scene.watching().look()
    assert scene.job.idle is not None
    assert scene.job.idle.ends_at >= time.time() + POLICY.warning - 1
    assert not scene.cancelled


async def test_gpus_that_do_nothing_count_sooner_than_the_server(scene: Scene) -> None:
    scene.used_ago(60)
    scene.gpus_idle_for(1300)
    scene.watch.look()
    assert scene.job.idle is not None
    assert scene.job.idle.kind == "gpu"
    scene.over()
    scene.watch.look()
    assert scene.cancelled == ["idle-gpu"]


@pytest.mark.parametrize("busy", [(40,), (0, 40), (None,), (0, None), ()])
async def test_a_gpu_that_works_or_says_nothing_ends_nothing(
    scene: Scene, busy: tuple[int | None, ...]
) -> None:
    scene.used_ago(60)
    scene.gpus_idle_for(5000)
    scene.gpus(*busy)
    scene.watch.look()
    assert scene.job.idle is None


async def test_reports_that_stay_away_are_no_idle_gpu(scene: Scene) -> None:
    scene.used_ago(60)
    scene.gpus_idle_for(5000)
    scene.gpus(0, ago=1000)
    scene.watch.look()
    assert scene.job.idle is None


async def test_a_profile_without_a_policy_of_its_own_has_that_of_all_others(scene: Scene) -> None:
    scene.used_ago(7100)
    scene.job.intent.request["profile"] = "course"
    lenient = {"course": IdlePolicy(server=86400, gpu=None, warning=600)}
    scene.watching({"": POLICY, **lenient}).look()
    assert scene.job.idle is None
    scene.watching({"": POLICY}).look()
    assert scene.job.idle is not None


async def test_a_server_that_does_not_listen_yet_is_not_idle(scene: Scene) -> None:
    scene.job.intent.port = None
    scene.used_ago(5 * HOUR)
    scene.watch.look()
    assert scene.job.idle is None


async def test_a_job_that_the_cluster_paused_is_not_idle(scene: Scene) -> None:
    scene.job.record = job_record(state=JobState.SUSPENDED)
    scene.used_ago(5 * HOUR)
    scene.watch.look()
    assert scene.job.idle is None


async def test_a_thousand_servers_cost_one_question_and_little_time(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    jobs = [
        Job(intent(nonce=f"{n:032x}", server=f"s{n}", started=time.time(), port=1), ALICE)
        for n in range(1000)
    ]
    monkeypatch.setattr(scene.jobs, "open", lambda: jobs)
    watch = scene.watching()

    def used() -> dict[tuple[str, str], float]:
        asked.append(1)
        return {}

    monkeypatch.setattr(watch, "_last_used", used)
    began = time.process_time()
    watch.look()
    assert time.process_time() - began < 0.2
    assert asked == [1]


async def test_a_job_that_computes_is_in_use_whoever_looks(scene: Scene) -> None:
    scene.used_ago(9 * HOUR)
    scene.job.intent.usage = {"at": time.time() - 60, "cpu_busy": 0.98, "gpus": []}
    scene.watch.look()
    assert scene.job.idle is None
    scene.job.intent.usage["cpu_busy"] = 0.02
    scene.watch.look()
    assert scene.job.idle is not None
    assert scene.job.idle.kind == "server"
