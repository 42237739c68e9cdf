"""More time for a job: each bound, whose words are told, and what Slurm answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from slurmhub.job.job import Job, alteration
from slurmhub.session.extend import ExtensionPolicy, Extensions, NotExtended, room
from slurmhub.slurm.accounting import Accounting, JobLimits, QosRecord
from slurmhub.slurm.accounting_cache import AccountingCache
from slurmhub.slurm.errors import ChangeRefused, JobUnknown, SlurmDenied, SlurmUnreachable
from slurmhub.slurm.facts import FactsCache
from slurmhub.slurm.records import ClusterFacts, PartitionRecord
from slurmhub.slurm.reservations import ReservationRecord
from slurmhub.slurm.times import UNLIMITED, TimeLimit
from slurmhub.slurm.version import SlurmVersion
from tests.unit.fakes import (
    ALICE,
    LOG,
    FakeClient,
    FakeCrossing,
    intent,
    job_record,
    jobs_on,
    ledger_at,
)

POLICY = ExtensionPolicy(step=60, most=240)
NOW = datetime.now(timezone.utc)


def running(limit: int = 60, **record: Any) -> Job:
    """A listening job that asked for an hour and has this limit, in minutes."""
    asked = intent(job_id=7, started=time.time(), address="127.0.1.11", port=20000)
    job = Job(asked, ALICE)
    job.record = job_record(7, time_limit=TimeLimit.of_minutes(limit), **record)
    return job


def partition(**changes: Any) -> PartitionRecord:
    nothing = dict.fromkeys(PartitionRecord.__dataclass_fields__)
    return PartitionRecord(
        **{**nothing, "name": "cpu", "max_time": UNLIMITED, "qos": "", **changes}
    )


def facts(*reservations: ReservationRecord, **changes: Any) -> ClusterFacts:
    return ClusterFacts(
        taken_at=NOW,
        version=SlurmVersion.parse("slurm 22.05.8"),
        cluster_name="test",
        partitions=(partition(**changes),),
        nodes=(),
        reservations=reservations,
    )


def reserved(minutes: float, **changes: Any) -> ReservationRecord:
    """A reservation of n1 that begins in so many minutes and lasts an hour."""
    begins = NOW + timedelta(minutes=minutes)
    values = {
        "name": "exam",
        "start": begins,
        "end": begins + timedelta(hours=1),
        "nodes": ("n1",),
        **changes,
    }
    return ReservationRecord(**values)


def accounting(minutes: int, *, enforced: bool = True) -> Accounting:
    limits = JobLimits(time=TimeLimit.of_minutes(minutes))
    return Accounting(
        taken_at=NOW,
        enforced=frozenset({"limits"} if enforced else ()),
        associations={},
        default_accounts={},
        qos={"brief": QosRecord(name="brief", limits=limits)},
    )


def test_a_step_at_a_time_up_to_what_the_site_gives() -> None:
    assert (room(running(), POLICY, None).minutes, room(running(), POLICY, None).limit) == (60, 120)
    assert room(running(270), POLICY, None).minutes == 30
    full = room(running(300), POLICY, None)
    assert (full.minutes, full.why) == (
        0,
        "A server can be given 4 hours more in all, and this one was.",
    )
    # A rest that is not worth a click is none.
    assert room(running(297), POLICY, None).minutes == 0
    assert room(running(), ExtensionPolicy(step=2, most=240), None).minutes == 2


def test_no_more_where_there_is_none_to_give() -> None:
    assert not room(running(), ExtensionPolicy(step=60, most=0), None).minutes
    unlimited = running()
    unlimited.record = job_record(7, time_limit=UNLIMITED)
    assert not room(unlimited, POLICY, None).minutes
    waits = running()
    waits.intent.port = None
    assert "that runs" in room(waits, POLICY, None).why


def test_the_sites_longest_time_counts_with_the_extension() -> None:
    policy = ExtensionPolicy(step=600, most=600, max_time=TimeLimit.of_minutes(30))
    assert room(running(), policy, None).limit == 630


@pytest.mark.parametrize(
    ("known", "record", "limit", "words"),
    [
        ({"facts": facts(max_time=TimeLimit.of_minutes(90))}, {}, 90, ""),
        ({"facts": facts(max_time=TimeLimit.of_minutes(60))}, {}, 60, "Partition cpu ends jobs"),
        ({"facts": facts(), "accounting": accounting(70)}, {"qos": "brief"}, 70, ""),
        ({"facts": facts(), "accounting": accounting(60)}, {"qos": "brief"}, 60, "The QOS brief"),
        ({"facts": facts(), "accounting": accounting(60)}, {"qos": "other"}, 120, ""),
        ({"facts": facts(qos="brief"), "accounting": accounting(75)}, {"qos": "x"}, 75, ""),
        (
            {"facts": facts(), "accounting": accounting(60, enforced=False)},
            {"qos": "brief"},
            120,
            "",
        ),
        ({"facts": facts(reserved(62))}, {}, 60, "reserved afterwards (exam)"),
        ({"facts": facts(reserved(62, nodes=("n2",)))}, {}, 120, ""),
        ({"facts": facts(reserved(62, flags=frozenset({"TIME_FLOAT"})))}, {}, 120, ""),
        ({"facts": facts(reserved(-10))}, {}, 120, ""),
        ({"facts": facts(reserved(3))}, {"reservation": "exam"}, 60, "The reservation exam ends"),
        (
            {"facts": facts(reserved(3, flags=frozenset({"FLEX"})))},
            {"reservation": "exam"},
            120,
            "",
        ),
    ],
)
def test_the_cluster_bounds_it(
    known: dict[str, Any], record: dict[str, Any], limit: int, words: str
) -> None:
    found = room(running(**record), POLICY, known["facts"], known.get("accounting"))
    assert found.limit == limit
    assert words in found.why


class Slurm(FakeClient):
    """A cluster on which limits can be changed; `failure` is raised after `done`."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None
        self.done = True
        self.operator = True
        self.gate = asyncio.Event()
        self.gate.set()

    async def is_operator(self) -> bool:
        self._speak("is_operator")
        await asyncio.sleep(0)
        return self.operator

    async def accounting(self) -> None:
        return None

    async def facts(self) -> ClusterFacts:
        return facts()

    async def set_time_limit(self, job_id: int, limit: TimeLimit) -> None:
        self.asked.append(f"set {limit}")
        await self.gate.wait()
        if self.done:
            self.records[job_id] = job_record(job_id, time_limit=limit)
        if self.failure is not None:
            raise self.failure


class Desk:
    """Extensions of a hub with one listening job."""

    def __init__(self, folder: Path) -> None:
        self.client = Slurm()
        client: Any = self.client
        self.jobs = jobs_on(client, FakeCrossing(client), ledger_at(folder))
        cache = FactsCache(client, log=LOG), AccountingCache(client, log=LOG)
        self.extensions = Extensions(self.jobs, client, *cache, log=LOG)

    async def job(self) -> Job:
        job = self.jobs.request(intent(), ALICE, payload="{}", directories=[])
        while job.intent.job_id is None:
            await job.change(1)
        self.client.records[7] = job_record(7)
        await self.jobs.watcher.look()
        job.intent.address, job.intent.port = "127.0.1.11", 20000
        return job


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    made.jobs.start()
    yield made
    await made.jobs.close()


async def test_what_is_granted_is_written_down_and_no_alteration(desk: Desk) -> None:
    job = await desk.job()
    job.seconds_left_told = 200
    assert await desk.extensions.extend(job, POLICY, 60) == 120
    assert (job.intent.time_limit, job.intent.extended) == (120, 60)
    assert job.seconds_left_told is None
    assert desk.extensions.answer(job) == ("The server has 1 hour more.", True)
    (kept,) = desk.jobs.ledger.open_intents()
    assert (kept.time_limit, kept.extended) == (120, 60)
    assert job.record is not None
    assert alteration(kept, job.record) is None
    longer = job_record(7, time_limit=TimeLimit.of_minutes(121))
    assert alteration(kept, longer) == "its time limit was made 02:01:00"


async def test_twice_at_the_same_moment_is_once(desk: Desk) -> None:
    job = await desk.job()
    desk.client.gate.clear()
    asked = [asyncio.ensure_future(desk.extensions.extend(job, POLICY, 60)) for _ in range(3)]
    await asyncio.sleep(0)
    for again in asked[1:]:
        with pytest.raises(NotExtended):
            await again
    desk.client.gate.set()
    assert await asked[0] == 120
    # Also a moment later, by somebody who saw the old limit.
    with pytest.raises(NotExtended, match="a moment ago"):
        await desk.extensions.extend(job, POLICY, 60)
    assert [one for one in desk.client.asked if one.startswith("set")] == ["set 02:00:00"]


@pytest.mark.parametrize(
    ("failure", "words", "status"),
    [
        (SlurmDenied("No.", remedy=""), "This hub may not", 403),
        (JobUnknown("No.", remedy=""), "gone", 409),
        (
            ChangeRefused("No.", remedy="", said="Requested time limit is invalid"),
            "The time asked for is missing, or longer than the partition allows.",
            409,
        ),
        (SlurmUnreachable("Silence.", remedy=""), "Slurm does not answer", 503),
    ],
)
async def test_what_slurm_refused_was_never_granted(
    desk: Desk, failure: Exception, words: str, status: int
) -> None:
    job = await desk.job()
    desk.client.failure, desk.client.done = failure, False
    with pytest.raises(NotExtended, match=words) as raised:
        await desk.extensions.extend(job, POLICY, 60)
    assert raised.value.status == status
    assert (job.intent.time_limit, job.intent.extended) == (None, 0)
    assert desk.extensions.answer(job) == (str(raised.value), False)


async def test_an_answer_that_was_lost_is_looked_up(desk: Desk) -> None:
    job = await desk.job()
    desk.client.failure = SlurmUnreachable("Silence.", remedy="")
    assert await desk.extensions.extend(job, POLICY, 60) == 120
    assert job.intent.extended == 60


async def test_what_may_have_been_done_stays_allowed(desk: Desk) -> None:
    job = await desk.job()
    desk.client.failure = SlurmUnreachable("Silence.", remedy="")

    async def silent(job_id: int, limit: TimeLimit) -> None:
        desk.client.silent = True
        raise SlurmUnreachable("Silence.", remedy="")

    desk.client.set_time_limit = silent  # type: ignore[method-assign]
    with pytest.raises(NotExtended) as raised:
        await desk.extensions.extend(job, POLICY, 60)
    assert raised.value.status == 503
    assert (job.intent.time_limit, job.intent.extended) == (120, 60)
    done = job_record(7, time_limit=TimeLimit.of_minutes(120))
    assert alteration(job.intent, done) is None


async def test_a_hub_without_the_right_asks_for_nothing(desk: Desk) -> None:
    job = await desk.job()
    desk.client.operator = False
    for _ in range(3):
        with pytest.raises(NotExtended, match="may not"):
            await desk.extensions.extend(job, POLICY, 60)
    assert not desk.extensions.offered
    assert desk.client.asked.count("is_operator") == 1
    assert not [one for one in desk.client.asked if one.startswith("set")]


async def test_who_asks_while_the_right_is_learnt_waits_for_the_answer(desk: Desk) -> None:
    first, second = await asyncio.gather(
        desk.extensions.learn_right(), desk.extensions.learn_right()
    )
    assert (first, second) == (True, True)
    assert desk.client.asked.count("is_operator") == 1
