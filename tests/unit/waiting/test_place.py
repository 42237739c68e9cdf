"""The place in the queue: who comes before whom, and nothing said that may be false."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from slurmhub.job.job import Job
from slurmhub.slurm.answers import Table
from slurmhub.slurm.errors import SlurmUnreachable
from slurmhub.slurm.pending import PENDING_FIELDS, PendingJobs, read_pending
from slurmhub.slurm.states import JobState, Phase
from slurmhub.waiting import place
from slurmhub.waiting.place import QueueView
from tests.unit.fakes import ALICE, LOG, intent, job_record


def queue(*rows: Sequence[str]) -> PendingJobs:
    return read_pending(rows)


def test_a_higher_priority_comes_first_then_a_lower_id() -> None:
    found = queue(
        ("7", "cpu", "100", "Priority"),
        ("8", "cpu", "200", "Resources"),
        ("9", "cpu", "100", "Priority"),
        ("4", "cpu", "50", "Priority"),
    )
    assert [found.before(job, "cpu") for job in (8, 7, 9, 4)] == [0, 1, 2, 3]


def test_only_the_same_partition_counts() -> None:
    found = queue(
        ("5", "gpu", "900", "Priority"),
        ("6", "gpu,cpu", "800", "Priority"),
        ("7", "cpu", "100", "Priority"),
    )
    assert found.before(7, "cpu") == 1
    assert found.before(7, "gpu") is None
    assert found.before(6, "gpu") == 1


@pytest.mark.parametrize(
    ("priority", "reason"),
    [
        ("0", "JobHeldUser"),
        ("900", "Dependency"),
        ("900", "BeginTime"),
        ("900", "JobHeldAdmin"),
        ("900", "AssocGrpCpuLimit"),
        ("900", "QOSMaxJobsPerUserLimit"),
        ("900", "BadConstraints"),
        ("0", "Priority"),
    ],
)
def test_who_waits_for_something_else_is_not_in_line(priority: str, reason: str) -> None:
    found = queue(("5", "cpu", priority, reason), ("7", "cpu", "100", "Priority"))
    assert found.before(7, "cpu") == 0
    assert found.before(5, "cpu") is None


@pytest.mark.parametrize(
    "reason",
    ["ReqNodeNotAvail, Reserved for maintenance", "None", "", "Nodes required for job are DOWN"],
)
def test_who_waits_for_nodes_is_in_line(reason: str) -> None:
    found = queue(("5", "cpu", "900", reason), ("7", "cpu", "100", "Priority"))
    assert found.before(7, "cpu") == 1


def test_what_is_no_number_is_left_out() -> None:
    found = queue(("x", "cpu", "9", "None"), ("7", "cpu", "n/a", "None"), ("8", "cpu", "1", "None"))
    assert found.before(8, "cpu") == 0
    assert found.before(7, "cpu") is None


class Queue:
    """A client that knows a queue; `sees` says whether it is shown all of it."""

    def __init__(self) -> None:
        self.sees, self.silent, self.looks = True, False, 0
        self.found = queue(("5", "cpu", "900", "Priority"), ("7", "cpu", "100", "Priority"))

    async def sees_all_jobs(self) -> bool:
        return self.sees

    async def pending(self) -> PendingJobs:
        self.looks += 1
        if self.silent:
            raise SlurmUnreachable("Slurm does not answer.", remedy="Wait.")
        return self.found


def waits(job_id: int = 7) -> Job:
    record = job_record(job_id, JobState.PENDING)
    return Job(intent(job_id=job_id), ALICE, record=record, phase=Phase.PENDING)


async def look(view: QueueView) -> None:
    task = view.refresh()
    assert task is not None
    await task


def view_of(client: Queue) -> QueueView:
    return QueueView(client, log=LOG)  # type: ignore[arg-type]


async def test_many_who_look_ask_once() -> None:
    client = Queue()
    view = view_of(client)
    assert view.before(waits()) is None
    await look(view)
    assert [view.before(waits()) for _ in range(100)] == [1] * 100
    assert client.looks == 1


async def test_nobody_who_looks_no_question() -> None:
    client = Queue()
    view_of(client)
    await asyncio.sleep(0)
    assert client.looks == 0


async def test_an_account_that_sees_a_part_says_nothing() -> None:
    client = Queue()
    client.sees = False
    view = view_of(client)
    await look(view)
    assert view.before(waits()) is None
    assert client.looks == 0


async def test_a_job_that_is_not_in_the_picture_has_no_place() -> None:
    view = view_of(Queue())
    await look(view)
    assert view.before(waits(8)) is None


async def test_an_old_picture_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Queue()
    view = view_of(client)
    await look(view)
    monkeypatch.setattr(place, "STALE", 0.0)
    assert view.before(waits()) is None


async def test_silence_is_not_asked_again_at_once() -> None:
    client = Queue()
    client.silent = True
    view = view_of(client)
    await look(view)
    assert view.before(waits()) is None
    assert client.looks == 1


async def test_fifty_thousand_jobs_do_not_hold_the_loop() -> None:
    table = Table(PENDING_FIELDS)
    column, end = f"\x1f{table.word}", f"\x1e{table.word}\n"
    output = "".join(
        column.join((str(number), f"p{number % 40}", str(number * 7919 % 10**6 + 1), "Priority"))
        + end
        for number in range(1, 50_001)
    )
    longest = 0.0
    done = asyncio.Event()

    async def beat() -> None:
        nonlocal longest
        while not done.is_set():
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - began)

    beating = asyncio.create_task(beat())
    # Another program may hold the processor as well: one reading of ten without a pause will do.
    pauses: list[float] = []
    while not pauses or (min(pauses) >= 0.05 and len(pauses) < 10):
        longest = 0.0
        found = await asyncio.to_thread(lambda: read_pending(table.rows(output)))
        pauses.append(longest)
    done.set()
    await beating
    assert len(found.of_job) == 50_000
    assert min(pauses) < 0.05, pauses
    began = time.process_time()
    for number in range(1, 1001):
        assert found.before(number, f"p{number % 40}") is not None
    assert time.process_time() - began < 0.05
