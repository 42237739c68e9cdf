"""CPU, memory and GPU seconds: each second once, and never more used than given."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from slurmhub.job.job import Job
from slurmhub.measuring import use
from slurmhub.measuring.labels import Bounds
from slurmhub.measuring.measures import Measures
from slurmhub.slurm.gres import Gres
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.states import JobState
from tests.unit.fakes import ALICE, LOG, intent, job_record, ledger_at
from tests.unit.measuring.values import gained, told

KNOWN = Bounds(lambda: {"cpu"}, lambda: {"stats"}, lambda: {"physics"})
BEGAN = 1_700_000_000.0


def moment(seconds: float) -> datetime:
    """So long after the job's start."""
    return datetime.fromtimestamp(BEGAN + seconds, timezone.utc)


class Counted:
    """A job of two CPUs, a gibibyte and one GPU, counted for a partition of its own."""

    def __init__(self, folder: Path, course: str = "stats") -> None:
        self.folder = folder
        self.measures = Measures(ledger_at(folder).engine, log=LOG)
        request = {**intent().request, "profile": course}
        self.job = Job(intent(request=request), ALICE)
        self.says(JobState.RUNNING)

    def says(self, state: JobState, **changes: Any) -> None:
        values = {"started": moment(0), "cpus": 2, "memory": Memory(1024), "account": "physics"}
        gpu = (Gres("gpu", "h100", 1),)
        self.job.record = job_record(7, state, gres=gpu, **{**values, **changes})

    def uses(self, cpu: float, memory: int = 0, busy: int | None = None) -> None:
        gpus = [{"index": 0, "busy": busy, "memory": 0}]
        self.job.intent.usage = {"cpu_seconds": cpu, "memory": memory, "gpus": gpus}

    def count(self, seconds: float, bounds: Bounds = KNOWN) -> dict[str, float]:
        """Count at this moment; what was gained, by metric."""
        names = [
            f"slurmhub_{what}_{how}_{unit}_total"
            for what, unit in (("cpu", "seconds"), ("memory", "byte_seconds"), ("gpu", "seconds"))
            for how in ("allocated", "used")
        ]
        labels = {"partition": "cpu", "account": "physics", "course": "stats"}
        blocks = {name: gained(name, **labels) for name in names}
        found = {name: block.__enter__() for name, block in blocks.items()}
        use.count(self.job, BEGAN + seconds, self.measures, bounds)
        for block in blocks.values():
            block.__exit__(None, None, None)
        return {name.removeprefix("slurmhub_"): one.amount for name, one in found.items()}

    def restart(self) -> None:
        """Another hub takes the job up."""
        self.measures.flush()
        self.measures = Measures(ledger_at(self.folder).engine, log=LOG)
        self.measures.begin({self.job.intent.nonce})


@pytest.fixture
def counted(tmp_path: Path) -> Counted:
    return Counted(tmp_path)


def test_what_slurm_gave_is_counted_second_by_second(counted: Counted) -> None:
    first = counted.count(100)
    assert first["cpu_allocated_seconds_total"] == 200
    assert first["memory_allocated_byte_seconds_total"] == 100 * 2**30
    assert first["gpu_allocated_seconds_total"] == 100
    assert first["cpu_used_seconds_total"] == 0
    assert counted.count(160)["cpu_allocated_seconds_total"] == 120


def test_between_two_steps_nothing_is_written(counted: Counted) -> None:
    counted.count(100)
    assert counted.count(100 + use.STEP - 1)["cpu_allocated_seconds_total"] == 0
    assert counted.count(100 + use.STEP)["cpu_allocated_seconds_total"] == 2 * use.STEP


def test_the_end_is_slurms_own_to_the_second(counted: Counted) -> None:
    counted.count(100)
    counted.says(JobState.COMPLETED, ends=moment(107))
    assert counted.count(150)["cpu_allocated_seconds_total"] == 14
    assert counted.count(200)["cpu_allocated_seconds_total"] == 0


def test_a_restarted_hub_counts_from_where_the_last_one_ended(counted: Counted) -> None:
    counted.uses(30.0)
    assert counted.count(100)["cpu_used_seconds_total"] == 30
    counted.restart()
    counted.uses(45.0)
    again = counted.count(160)
    assert again["cpu_allocated_seconds_total"] == 120
    assert again["cpu_used_seconds_total"] == 15


def test_a_job_that_ended_while_no_hub_was_there_is_counted_to_its_end(counted: Counted) -> None:
    counted.count(100)
    counted.restart()
    counted.says(JobState.TIMEOUT, ends=moment(3600))
    assert counted.count(9000)["cpu_allocated_seconds_total"] == 2 * 3500


def test_use_is_believed_up_to_what_was_given(counted: Counted) -> None:
    counted.uses(1e9, memory=2**50, busy=100)
    found = counted.count(100)
    assert found["cpu_used_seconds_total"] == 200
    assert found["memory_used_byte_seconds_total"] == 100 * 2**30
    assert found["gpu_used_seconds_total"] == 100
    counted.uses(2.0, memory=2**20, busy=50)
    found = counted.count(200)
    assert found["cpu_used_seconds_total"] == 0
    assert found["memory_used_byte_seconds_total"] == 100 * 2**20
    assert found["gpu_used_seconds_total"] == 50


def test_a_requeued_job_counts_anew_and_its_wait_is_not_counted(counted: Counted) -> None:
    counted.uses(50.0)
    counted.count(100)
    counted.says(JobState.PENDING, started=None, restarts=1)
    assert counted.count(200)["cpu_allocated_seconds_total"] == 0
    counted.says(JobState.RUNNING, started=moment(300), restarts=1)
    counted.uses(10.0)
    found = counted.count(360)
    assert found["cpu_allocated_seconds_total"] == 120
    assert found["cpu_used_seconds_total"] == 10


def test_a_paused_job_has_nothing(counted: Counted) -> None:
    counted.count(100)
    counted.says(JobState.SUSPENDED)
    assert counted.count(200)["cpu_allocated_seconds_total"] == 0
    counted.says(JobState.RUNNING)
    assert counted.count(260)["cpu_allocated_seconds_total"] == 120


def test_nothing_is_counted_before_names_are_known_except_the_end(counted: Counted) -> None:
    assert counted.count(100, Bounds())["cpu_allocated_seconds_total"] == 0
    assert counted.count(100)["cpu_allocated_seconds_total"] == 200
    counted.says(JobState.COMPLETED, ends=moment(110))
    labels = {"partition": "cpu", "account": "other", "course": "stats"}
    with gained("slurmhub_cpu_allocated_seconds_total", **labels) as ended:
        counted.count(120, Bounds())
    assert ended.amount == 20


def test_a_waiting_job_is_told_as_zero(tmp_path: Path) -> None:
    counted = Counted(tmp_path)
    counted.says(JobState.PENDING, started=None, account="")
    bounds = Bounds(lambda: {"cpu"}, lambda: {"stats"}, lambda: ())
    use.count(counted.job, time.time(), counted.measures, bounds)
    labels = {"partition": "cpu", "account": "", "course": "stats"}
    assert told("slurmhub_gpu_used_seconds_total", **labels)


def test_a_made_up_account_is_other(counted: Counted) -> None:
    counted.says(JobState.RUNNING, account="i-made-this-up")
    labels = {"partition": "cpu", "account": "other", "course": "stats"}
    with gained("slurmhub_cpu_allocated_seconds_total", **labels) as other:
        counted.count(100)
    assert other.amount == 200
    assert not told(
        "slurmhub_cpu_allocated_seconds_total", **{**labels, "account": "i-made-this-up"}
    )
