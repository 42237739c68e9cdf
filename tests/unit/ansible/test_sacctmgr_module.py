"""slurmhub_sacctmgr: what it changes, for what sacctmgr of Slurm 22.05 says there is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.ansible.modules import load

module = load("slurmhub_sacctmgr")

NOTHING: dict[str, Any] = dict.fromkeys(
    ("cluster", "account", "description", "organization", "admin_level", "qos", "default_qos")
) | {"parent": "root", "max_tres_per_user": None, "flags": None}


class Recorded:
    """Answers with given lines, by what is asked about, and notes changes."""

    def __init__(self, **lines: str) -> None:
        self.lines = lines
        self.changes: list[str] = []

    def rows(self, fields: tuple[str, ...], *what: str) -> list[dict[str, str]]:
        return [module.read_row(fields, line) for line in self.lines.get(what[0], "").splitlines()]

    def change(self, *what: str) -> None:
        self.changes.append(" ".join(what))


def changes(entity: str, there: dict[str, str], /, **params: Any) -> list[str]:
    ask = Recorded(**there)
    module.ENTITIES[entity](ask, NOTHING | params)
    return ask.changes


def test_a_cluster() -> None:
    assert changes("cluster", {}, name="Main") == ["add cluster main"]
    assert changes("cluster", {"cluster": "main"}, name="Main") == []


LIMITS = {"cpu": 48, "mem": 196608, "gres/gpu": 3}


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        (
            "",
            ["add qos main Description=hub.example.ca MaxTRESPerUser=cpu=48,gres/gpu=3,mem=196608"],
        ),
        ("main|hub.example.ca|cpu=48,gres/gpu=3,mem=192G", []),
        ("main|hub.example.ca|mem=192G,cpu=48,gres/gpu=3", []),
        (
            "main|hub.example.ca|cpu=48,mem=128G",
            ["modify qos where name=main set MaxTRESPerUser=cpu=48,gres/gpu=3,mem=196608"],
        ),
        (
            "main|hub.example.ca|cpu=48,gres/gpu=3,mem=192G,node=1",
            ["modify qos where name=main set MaxTRESPerUser=cpu=48,gres/gpu=3,mem=196608,node=-1"],
        ),
        (
            "main|something|cpu=48,gres/gpu=3,mem=192G",
            ["modify qos where name=main set Description=hub.example.ca"],
        ),
    ],
)
def test_a_qos(there: str, wanted: list[str]) -> None:
    found = changes(
        "qos",
        {"qos": there},
        name="main",
        description="hub.example.ca",
        max_tres_per_user=LIMITS,
    )
    assert found == wanted


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        ("", ["add qos courses Flags=DenyOnLimit"]),
        ("courses|||DenyOnLimit,NoDecay", []),
        ("courses|||NoDecay", ["modify qos where name=courses set Flags+=DenyOnLimit"]),
        ("courses|||", ["modify qos where name=courses set Flags+=DenyOnLimit"]),
    ],
)
def test_flags_of_a_qos(there: str, wanted: list[str]) -> None:
    assert changes("qos", {"qos": there}, name="courses", flags=["DenyOnLimit"]) == wanted


def test_a_qos_without_bounds_any_more() -> None:
    there = {"qos": "main||cpu=4"}
    assert changes("qos", there, name="main", max_tres_per_user={}) == [
        "modify qos where name=main set MaxTRESPerUser=cpu=-1"
    ]
    assert changes("qos", {"qos": "main||"}, name="main", max_tres_per_user={}) == []
    assert changes("qos", there, name="main") == []


ACCOUNT: dict[str, Any] = {
    "name": "main",
    "cluster": "main",
    "description": "hub.example.ca",
    "organization": "Example University",
    "qos": ["main"],
    "default_qos": "main",
}


def test_an_account() -> None:
    assert changes("account", {}, **ACCOUNT) == [
        "add account main cluster=main parent=root Description=hub.example.ca"
        " Organization=Example University QOS=main DefaultQOS=main"
    ]
    known = {
        # sacctmgr shows these words in small letters.
        "account": "main|hub.example.ca|example university",
        "assoc": "main||root|main|main",
    }
    assert changes("account", known, **ACCOUNT) == []
    assert changes("account", known | {"assoc": "main||root|normal,main|"}, **ACCOUNT) == [
        "modify account where name=main cluster=main set QOS=main DefaultQOS=main"
    ]


def test_an_account_of_another_cluster_is_added_to_this_one() -> None:
    known = {"account": "main|hub.example.ca|example university"}
    assert changes("account", known, **ACCOUNT) == [
        "add account main cluster=main parent=root QOS=main DefaultQOS=main"
    ]


def test_a_user() -> None:
    wanted: dict[str, Any] = {"name": "slurmhub-main", "cluster": "main", "account": "main"}
    operator = wanted | {"admin_level": "Operator"}
    assert changes("user", {}, **operator) == [
        "add user slurmhub-main cluster=main account=main adminlevel=Operator"
    ]
    there = {"assoc": "main|slurmhub-main||main|main", "user": "slurmhub-main|Operator"}
    assert changes("user", there, **operator) == []
    assert changes("user", there | {"user": "slurmhub-main|None"}, **operator) == [
        "modify user where name=slurmhub-main set adminlevel=Operator"
    ]
    assert changes("user", {"user": "slurmhub-main|Operator"}, **operator) == [
        "add user slurmhub-main cluster=main account=main"
    ]
    assert changes("user", there | {"user": "slurmhub-main|None"}, **wanted) == []
