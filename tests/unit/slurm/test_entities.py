"""Accounts, limits and QOS in sacctmgr's words; the rows are those of a real 22.05.8."""

from __future__ import annotations

import pytest

from slurmhub.slurm.entities import (
    DENY_ON_LIMIT,
    Limits,
    account_words,
    qos_words,
    read_accounts,
    read_associations,
    read_qos,
    tracked,
    tracked_words,
)
from slurmhub.slurm.errors import SlurmTextError
from slurmhub.slurm.times import TimeLimit

LIMITS = Limits(
    jobs=30,
    jobs_each=1,
    total=(("cpu", 60), ("gres/gpu", 30), ("mem", 61440)),
    each=(("cpu", 2), ("gres/gpu", 1), ("mem", 2048)),
    wall=TimeLimit.of_minutes(240),
)


def test_reading_accounts() -> None:
    text = "course-phys101|slurmhub main\nodd|a|b\nroot|root\nbroken\n"
    assert read_accounts(text) == {
        "course-phys101": "slurmhub main",
        "odd": "a|b",
        "root": "root",
    }


def test_reading_associations() -> None:
    text = (
        "course-b||courses|teaching|teaching|3|cpu=6,mem=6G,gres/gpu=3|1"
        "|cpu=2,mem=2G,gres/gpu=1|01:00:00\n"
        "course-b|s04||||||0||\n"
    )
    account, person = read_associations(text)
    assert (account.parent, account.qos, account.default_qos) == (
        "courses",
        ("teaching",),
        "teaching",
    )
    assert account.limits.jobs == 3
    assert dict(account.limits.total) == {"cpu": 6, "gres/gpu": 3, "mem": 6144}
    assert account.limits.wall == TimeLimit.of_minutes(60)
    assert not account.barred
    assert (person.user, person.barred) == ("s04", True)


def test_reading_qos() -> None:
    text = (
        "normal|||||||Normal QOS default\n"
        "course-phys101|DenyOnLimit|40|cpu=60,gres/gpu=30,mem=60G|1|cpu=2,gres/gpu=1,mem=2G"
        "|04:00:00|slurmhub main | x\n"
    )
    found = read_qos(text)
    assert found["normal"].limits == Limits()
    own = found["course-phys101"]
    assert own.flags == {DENY_ON_LIMIT}
    assert own.description == "slurmhub main | x"
    assert own.limits == Limits(
        jobs=40, jobs_each=1, total=LIMITS.total, each=LIMITS.each, wall=LIMITS.wall
    )


def test_the_words_for_limits() -> None:
    assert account_words(LIMITS) == [
        "GrpSubmitJobs=30",
        "MaxSubmitJobs=1",
        "GrpTRES=cpu=60,gres/gpu=30,mem=61440",
        "MaxTRESPerJob=cpu=2,gres/gpu=1,mem=2048",
        "MaxWall=04:00:00",
    ]
    assert qos_words(LIMITS)[1::2] == [
        "MaxSubmitJobsPerUser=1",
        "MaxTRESPerUser=cpu=2,gres/gpu=1,mem=2048",
    ]


def test_what_is_as_it_should_be_needs_no_words() -> None:
    assert account_words(LIMITS, LIMITS) == []
    assert qos_words(LIMITS, LIMITS) == []


def test_what_is_there_and_not_wanted_is_cleared() -> None:
    assert account_words(Limits(), LIMITS) == [
        "GrpSubmitJobs=-1",
        "MaxSubmitJobs=-1",
        "GrpTRES=cpu=-1,gres/gpu=-1,mem=-1",
        "MaxTRESPerJob=cpu=-1,gres/gpu=-1,mem=-1",
        "MaxWall=-1",
    ]
    assert tracked_words((("cpu", 2),), (("cpu", 9), ("node", 3))) == "cpu=2,node=-1"


@pytest.mark.parametrize("text", ["cpu", "cpu=many", "gres/gpu=-1", "mem=much"])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(SlurmTextError):
        tracked(text)
