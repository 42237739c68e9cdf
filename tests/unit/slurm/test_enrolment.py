"""People are put into the hub's Slurm account once; what goes wrong keeps nobody from trying."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timezone

import pytest

from slurmhub.enrolment import Enrolment
from slurmhub.slurm.accounting import Accounting, Association
from slurmhub.slurm.accounting_cache import AccountingCache
from slurmhub.slurm.client import SlurmClient
from slurmhub.slurm.errors import SlurmUnreachable
from tests.unit.fakes import LOG, FakeClient
from tests.unit.slurm.fake_commands import Fakes

CONFIG = "AccountingStorageType   = accounting_storage/slurmdbd\nClusterName             = main\n"


class Asked(FakeClient):
    """A client that notes whom it was to enrol."""

    def __init__(self) -> None:
        super().__init__()
        self.enrolled: list[tuple[str, str]] = []
        self.trouble: SlurmUnreachable | None = None

    async def enrol(self, name: str, account: str) -> bool:
        self.enrolled.append((name, account))
        await asyncio.sleep(0.01)
        if self.trouble:
            raise self.trouble
        return True


def enrolment(client: Asked, account: str = "main", **associations: str) -> Enrolment:
    cache = AccountingCache(client, log=LOG)  # type: ignore[arg-type]
    cache.accounting = Accounting(
        taken_at=datetime.now(timezone.utc),
        enforced=frozenset({"associations"}),
        associations={name: (Association(account=to),) for name, to in associations.items()},
        default_accounts={},
        qos={},
    )
    return Enrolment(client, cache, account, log=LOG)  # type: ignore[arg-type]


async def test_once_for_each_person_also_at_the_same_time() -> None:
    client = Asked()
    people = enrolment(client, "Main")
    await asyncio.gather(*(people.ensure("alice") for _ in range(5)))
    await people.ensure("alice")
    await people.ensure("bob")
    assert client.enrolled == [("alice", "main"), ("bob", "main")]


async def test_who_is_in_it_is_not_asked_for() -> None:
    client = Asked()
    people = enrolment(client, alice="main", bob="other")
    await people.ensure("alice")
    await people.ensure("bob")
    assert client.enrolled == [("bob", "main")]


async def test_nobody_where_the_site_does_not_want_it() -> None:
    client = Asked()
    await enrolment(client, "").ensure("alice")
    assert client.enrolled == []


async def test_trouble_is_logged_and_the_next_job_tries_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = Asked()
    client.trouble = SlurmUnreachable("slurmdbd is away.", remedy="Start it.")
    people = enrolment(client)
    with caplog.at_level(logging.ERROR):
        await people.ensure("alice")
    assert "alice could not be put into the Slurm account main. slurmdbd is away." in caplog.text
    client.trouble = None
    await people.ensure("alice")
    assert len(client.enrolled) == 2


async def test_who_goes_away_takes_nobody_with_them() -> None:
    client = Asked()
    people = enrolment(client)
    first = asyncio.create_task(people.ensure("alice"))
    second = asyncio.create_task(people.ensure("alice"))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert client.enrolled == [("alice", "main")]


def asks(fakes: Fakes, *, there: str = "", refused: str = "") -> SlurmClient:
    fakes.add("scontrol", CONFIG, when="config")
    fakes.add("sacctmgr", there, when="assoc")
    fakes.add("sacctmgr", stderr=refused, status=1 if refused else 0, when="add")
    return fakes.client()


async def test_what_sacctmgr_is_asked(fakes: Fakes) -> None:
    assert await asks(fakes).enrol("alice", "main")
    *_, (name, arguments, _) = fakes.calls()
    assert name == "sacctmgr"
    assert arguments == [
        *("--immediate", "--quiet", "add", "user", "alice", "account=main", "cluster=main")
    ]


async def test_nothing_is_added_twice(fakes: Fakes) -> None:
    assert not await asks(fakes, there="alice\n").enrol("alice", "main")
    assert not [arguments for _, arguments, _ in fakes.calls() if "add" in arguments]


async def test_nothing_where_there_is_no_accounting(fakes: Fakes) -> None:
    fakes.add("scontrol", "AccountingStorageType   = accounting_storage/none\n", when="config")
    assert not await fakes.client().enrol("alice", "main")


async def test_a_refusal_is_an_error(fakes: Fakes) -> None:
    with pytest.raises(SlurmUnreachable, match="privilege"):
        await asks(fakes, refused="error: you lack the privilege").enrol("alice", "main")
