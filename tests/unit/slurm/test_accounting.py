"""Associations and QOS, and the cache that keeps them while slurmdbd is away."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from pathlib import Path

import pytest

from slurmhub.slurm import accounting_cache
from slurmhub.slurm.accounting import Accounting, JobLimits, read_accounting
from slurmhub.slurm.accounting_cache import AccountingCache
from slurmhub.slurm.errors import SlurmTextError, SlurmUnreachable
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit
from tests.unit.slurm.fake_commands import Fakes

LOG = logging.getLogger("test")
NOW = datetime(2026, 1, 31, tzinfo=timezone.utc)
# As 22.05, 24.11 and 26.05 print them; somebody without an account is there as well.
USERS = """\
daemon|chem|chem|cpu|normal||02:00:00|
nobody|physics|physics||normal|||
nobody|physics|chem||long,normal|long|02:00:00|cpu=3
stranger|||||||
"""
QOS = """\
normal|||||
long|DenyOnLimit,OverPartQOS|04:00:00|cpu=4,gres/gpu:h100=1,gres/gpu=2,mem=8G,node=1|cpu=6|mem=4G
"""
CONFIG = "ClusterName = c\nAccountingStorageType = {kind}\nAccountingStorageEnforce = {enforce}\n"


def read(users: str = USERS, qos: str = QOS) -> Accounting:
    return read_accounting(users, qos, taken_at=NOW, enforced=frozenset({"limits"}))


def test_accounts_of_people() -> None:
    found = read()
    physics, chem = found.associations["nobody"]
    assert found.default_accounts == {
        "daemon": "chem",
        "nobody": "physics",
        "stranger": "",
    }
    assert (physics.account, physics.qos, physics.default_qos) == ("physics", ("normal",), "")
    assert (chem.qos, chem.default_qos) == (("long", "normal"), "long")
    assert chem.limits == JobLimits(time=TimeLimit.parse("2:00:00"), cpus=3)
    assert found.associations["daemon"][0].partition == "cpu"
    assert "stranger" not in found.associations


def test_the_least_of_what_bounds_a_job() -> None:
    long = read().qos["long"]
    assert long.flags == {"DenyOnLimit", "OverPartQOS"}
    assert long.limits == JobLimits(
        time=TimeLimit.parse("4:00:00"),
        cpus=4,
        memory=Memory.of_gibibytes(4),
        gpus=((None, 2), ("h100", 1)),
    )
    assert read().qos["normal"].limits == JobLimits()


def test_limits_over_limits() -> None:
    first = JobLimits(cpus=4, gpus=((None, 1),))
    second = JobLimits(cpus=2, memory=Memory(100), gpus=((None, 8), ("h100", 2)))
    assert first.over(second) == JobLimits(
        cpus=4, memory=Memory(100), gpus=((None, 1), ("h100", 2))
    )


@pytest.mark.parametrize("line", ["nobody|physics", "a|b|c|d|e|f|g|h|i", "x|a|a||q||soon|"])
def test_what_is_not_an_answer(line: str) -> None:
    with pytest.raises(SlurmTextError):
        read(users=f"{USERS}{line}\n")


@pytest.fixture
def fakes(tmp_path: Path) -> Fakes:
    made = Fakes(tmp_path / "bin")
    made.add("sacctmgr", USERS, when="user")
    made.add("sacctmgr", QOS, when="qos")
    return made


def keep(fakes: Fakes, kind: str, enforce: str = "associations,limits,qos") -> None:
    fakes.add("scontrol", CONFIG.format(kind=kind, enforce=enforce))


async def test_one_question_for_everybody(fakes: Fakes) -> None:
    keep(fakes, "accounting_storage/slurmdbd")
    client = fakes.client()
    found = await client.accounting()
    assert found is not None
    assert found.enforced == {"associations", "limits", "qos"}
    assert set(found.associations) == {"daemon", "nobody"}
    calls = [(name, arguments) for name, arguments, _ in fakes.calls()]
    assert [name for name, _ in calls] == ["scontrol", "sacctmgr", "sacctmgr"]
    assert "--readonly" in calls[1][1]
    assert "cluster=c" in calls[1][1]
    await client.accounting()
    assert [name for name, _, _ in fakes.calls()].count("scontrol") == 1, "slurmdbd alone"


@pytest.mark.parametrize("kind", ["accounting_storage/none", "(null)", ""])
async def test_without_accounting_nothing_is_asked(fakes: Fakes, kind: str) -> None:
    keep(fakes, kind)
    cache = AccountingCache(fakes.client(), log=LOG)
    assert await cache.within(10) is None
    assert cache.age is not None
    assert cache.trouble is None
    assert [name for name, _, _ in fakes.calls()] == ["scontrol"]


async def test_an_answer_that_is_cut_is_no_answer(fakes: Fakes) -> None:
    keep(fakes, "accounting_storage/slurmdbd")
    fakes.add("sacctmgr", "nobody|phys\n", when="user")
    with pytest.raises(SlurmUnreachable, match="not understood"):
        await fakes.client().accounting()


async def test_what_was_known_is_kept_while_slurmdbd_is_away(
    fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(fakes, "accounting_storage/slurmdbd")
    cache = AccountingCache(fakes.client(), log=LOG)
    known = await cache.within(10)
    assert known is not None
    calls = len(fakes.calls())
    await cache.refresh()
    assert len(fakes.calls()) == calls, "what is fresh is not asked for again"
    monkeypatch.setattr(accounting_cache, "FRESH", -1.0)
    fakes.add(
        "sacctmgr", stderr="sacctmgr: error: slurmdbd: Connection refused", status=1, when="user"
    )
    await cache.refresh()
    assert cache.accounting is known
    assert "Connection refused" in str(cache.trouble)
    calls = len(fakes.calls())
    await cache.refresh()
    assert len(fakes.calls()) == calls, "who is away is not asked at once again"


async def test_without_sacctmgr_there_is_nothing_to_wait_for(tmp_path: Path) -> None:
    fakes = Fakes(tmp_path / "bin")
    keep(fakes, "accounting_storage/slurmdbd")
    cache = AccountingCache(fakes.client(), log=LOG)
    assert await cache.within(10) is None
    assert cache.age is not None
