"""What an Operator's commands are asked, and what their refusals mean."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from slurmhub.slurm.entities import Limits
from slurmhub.slurm.errors import ChangeRefused, SlurmDenied, SlurmUnreachable
from slurmhub.slurm.managing import ManagingClient, NewReservation, StillInUse
from tests.unit.slurm.fake_commands import Fakes

CONFIG = "AccountingStorageType   = accounting_storage/slurmdbd\nClusterName             = main\n"
START = datetime(2026, 11, 1, 9, 30, tzinfo=timezone(timedelta(hours=-7)))


@pytest.fixture
def client(fakes: Fakes) -> ManagingClient:
    fakes.add("scontrol", CONFIG, when="config")
    fakes.add("scontrol")
    fakes.add("sacctmgr")
    fakes.add("squeue")
    return ManagingClient(fakes.folder, None)


def last(fakes: Fakes) -> str:
    name, arguments, _ = fakes.calls()[-1]
    return " ".join([name, *arguments])


async def test_an_account_is_made_with_all_that_it_has(
    fakes: Fakes, client: ManagingClient
) -> None:
    await client.make_account(
        "course-a", parent="courses", organization="slurmhub main", limits=Limits(jobs=3), qos="q"
    )
    assert last(fakes) == (
        "sacctmgr --immediate --quiet add account course-a cluster=main parent=courses"
        " organization=slurmhub main qos=q defaultqos=q GrpSubmitJobs=3"
    )


async def test_a_qos_refuses_at_once(fakes: Fakes, client: ManagingClient) -> None:
    await client.make_qos("course-a", description="slurmhub main", limits=Limits(jobs=3))
    assert last(fakes).endswith("description=slurmhub main flags=DenyOnLimit GrpSubmitJobs=3")


async def test_a_class_of_three_hundred_comes_in_three_commands(
    fakes: Fakes, client: ManagingClient
) -> None:
    await client.put([f"s{n}" for n in range(300)], "course-a")
    asked = [arguments for name, arguments, _ in fakes.calls() if name == "sacctmgr"]
    assert [len(arguments[4].split(",")) for arguments in asked] == [100, 100, 100]


async def test_who_leaves_keeps_a_default_account(fakes: Fakes, client: ManagingClient) -> None:
    fakes.add(
        "sacctmgr", "s1|course-a|course-a\ns1|course-a|research\ns2|x|course-a\n", when="withassoc"
    )
    await client.leave(["s1", "s2"], "course-a")
    changes = [" ".join(a) for n, a, _ in fakes.calls() if n == "sacctmgr" and "show" not in a]
    assert [line.removeprefix("--immediate --quiet ") for line in changes] == [
        "modify user where name=s1 cluster=main set defaultaccount=research",
        "remove user where name=s1,s2 account=course-a cluster=main",
    ]


async def test_what_waits_is_ended_and_nothing_else(fakes: Fakes, client: ManagingClient) -> None:
    fakes.add("scancel")
    await client.end_waiting(["s1", "s2"], "course-a")
    assert [" ".join(a) for n, a, _ in fakes.calls() if n == "scancel"] == [
        "--quiet --state=PENDING --account=course-a --user=s1",
        "--quiet --state=PENDING --account=course-a --user=s2",
    ]


async def test_an_account_that_other_clusters_have_too_stays_there(
    fakes: Fakes, client: ManagingClient
) -> None:
    fakes.add("sacctmgr", "main\nother\n", when="format=Cluster")
    await client.remove_account("course-a")
    assert last(fakes).endswith("remove account where name=course-a cluster=main")
    fakes.add("sacctmgr", "other\n", when="format=Cluster")
    await client.remove_account("course-a")
    assert last(fakes).endswith("format=Cluster"), "nothing of this cluster"
    fakes.add("sacctmgr", "", when="format=Cluster")
    await client.remove_account("course-a")
    assert last(fakes).endswith("remove account where name=course-a")


async def test_a_reservation_says_its_moments_in_utc(fakes: Fakes, client: ManagingClient) -> None:
    new = NewReservation(
        name="course-a-20261101-1630",
        account="course-a",
        partition="gpu",
        start=START,
        end=START + timedelta(hours=1),
        nodes=("g1", "g2"),
        ignore_jobs=True,
    )
    await client.make_reservation(new)
    assert last(fakes) == (
        "scontrol create reservation ReservationName=course-a-20261101-1630 Accounts=course-a"
        " PartitionName=gpu Nodes=g1,g2 Flags=FLEX,MAGNETIC,IGNORE_JOBS"
        " StartTime=2026-11-01T16:30:00 EndTime=2026-11-01T17:30:00"
    )
    assert fakes.calls()[-1][2]["TZ"] == "UTC"


async def test_a_reservation_that_jobs_use_is_ended(fakes: Fakes, client: ManagingClient) -> None:
    in_use = "delete_reservation ReservationName=r: Requested reservation is in use\n"
    fakes.add("scontrol", stderr=in_use, status=1, when="delete")
    await client.end_reservation("r")
    assert last(fakes).startswith("scontrol update ReservationName=r EndTime=")


async def test_one_that_is_gone_already_is_ended(fakes: Fakes, client: ManagingClient) -> None:
    gone = "delete_reservation ReservationName=r: Requested reservation is invalid\n"
    fakes.add("scontrol", stderr=gone, status=1, when="delete")
    await client.end_reservation("r")


async def test_before_it_begins_its_jobs_are_taken_out_first(
    fakes: Fakes, client: ManagingClient
) -> None:
    in_use = "delete_reservation ReservationName=r: Requested reservation is in use\n"
    fakes.add("scontrol", stderr=in_use, status=1, when="delete")
    early = "Error updating the reservation: Invalid time specified\n"
    fakes.add("scontrol", stderr=early, status=1, when="EndTime")
    fakes.add("squeue", "7\n8\n")
    with pytest.raises(StillInUse):
        await client.end_reservation("r")
    freed = [
        arguments[1] for name, arguments, _ in fakes.calls() if "ReservationName=" in arguments
    ]
    assert freed == ["JobId=7", "JobId=8"]
    assert last(fakes) == "scontrol delete ReservationName=r", "tried again"


@pytest.mark.parametrize(
    ("stdout", "stderr", "kind"),
    [
        (
            "",
            "sacctmgr: error: Your user doesn't have privilege to perform this action",
            SlurmDenied,
        ),
        (" Problem adding QOS: Access/permission denied", "", SlurmDenied),
        (" Error with request: Job(s) active, cancel job(s) before remove", "", StillInUse),
        (" Nothing deleted", "", ChangeRefused),
        ("", "sacctmgr: error: no TRES known by type gres/gpu", ChangeRefused),
        ("", "sacctmgr: error: Sending PersistInit msg: Connection refused", SlurmUnreachable),
    ],
)
async def test_what_a_refusal_means(
    fakes: Fakes, client: ManagingClient, stdout: str, stderr: str, kind: type[Exception]
) -> None:
    fakes.add("sacctmgr", stdout, stderr=stderr, status=1)
    with pytest.raises(kind) as caught:
        await client.remove_qos("course-a")
    assert type(caught.value) is kind
