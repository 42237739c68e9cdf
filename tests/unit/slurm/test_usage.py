"""What sacct prints of jobs that ran, run, never ran, stood still."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from slurmhub.slurm.errors import SlurmTextError
from slurmhub.slurm.gres import Gres
from slurmhub.slurm.managing import ManagingClient
from slurmhub.slurm.usage import moment, read_use
from tests.unit.slurm.fake_commands import Fakes

RAN = (
    "7|alice|course-phys101|1790000000|1790007200|00:00:00|billing=2,cpu=2,gres/gpu=1,mem=2G,node=1"
)
TYPED = (
    "8|bob|course-phys101|1790000000|Unknown|1-01:00:30|"
    "cpu=4,gres/gpu:h100=2,gres/gpu=2,mem=2G,node=1"
)


def test_a_job_that_ran_and_one_that_runs() -> None:
    ran, runs = read_use(f"{RAN}\n{TYPED}\n")
    assert (ran.job_id, ran.user, ran.account, ran.cpus) == (7, "alice", "course-phys101", 2)
    assert ran.start == datetime.fromtimestamp(1790000000, timezone.utc)
    assert ran.end == ran.start + timedelta(hours=2)
    assert (ran.suspended, ran.gpus) == (timedelta(), (Gres("gpu", None, 1),))
    assert runs.end is None
    assert runs.suspended == timedelta(days=1, hours=1, seconds=30)
    assert runs.gpus == (Gres("gpu", "h100", 2),), "not once more in a total"


@pytest.mark.parametrize(
    "row",
    [
        "9|alice|course-phys101|Unknown|Unknown|00:00:00|",
        # Cancelled in the queue: with the moment of its end as that of its start.
        "9|alice|course-phys101|1790000000|1790000000|00:00:00|",
        "9|alice|course-phys101|None|1790000000|00:00:00|",
    ],
)
def test_what_never_ran_used_nothing(row: str) -> None:
    assert list(read_use(row)) == []


@pytest.mark.parametrize(
    "row",
    [
        "alice|course-phys101",
        RAN.replace("7|", "7_1|"),
        RAN.replace("1790000000", "yesterday"),
        RAN.replace("00:00:00", "a while"),
        RAN.replace("00:00:00", "²:00:00"),
        RAN.replace("cpu=2", "cpu=many"),
    ],
)
def test_what_is_no_row_is_said(row: str) -> None:
    with pytest.raises(SlurmTextError):
        list(read_use(row))


def test_sacct_is_asked_in_utc() -> None:
    eastern = datetime.fromisoformat("2026-09-01T00:00:00-04:00")
    assert moment(eastern) == "2026-09-01T04:00:00"


async def test_sacct_is_asked_for_one_account(fakes: Fakes) -> None:
    fakes.add("sacct", f"{RAN}\n")
    since = datetime(2026, 9, 1, tzinfo=timezone.utc)
    (one,) = await ManagingClient(fakes.folder, None).usage(
        "course-phys101", since, since + timedelta(days=1)
    )
    assert one.user == "alice"
    ((_, argv, environment),) = fakes.calls()
    assert "--accounts=course-phys101" in argv
    assert "--endtime=2026-09-02T00:00:00" in argv
    assert (environment["TZ"], environment["SLURM_TIME_FORMAT"]) == ("UTC", "%s")
