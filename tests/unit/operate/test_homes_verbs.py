"""`slurmhub quota`, `user show`: what is asked of the hosts, and how the answers are told."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from slurmhub_deploy.operate.asking_homes import HomeQuota, homes_of, quota_of, set_quota
from slurmhub_deploy.operate.errors import UNUSABLE, OperateError
from slurmhub_deploy.operate.site_file import OpenSite
from slurmhub_deploy.operate.verbs.quota import as_text, in_bytes, in_words
from slurmhub_deploy.operate.verbs.user import AccountThere, Job, Shown, as_lines
from tests.unit.site.fixtures import RIGHT, read

GIB = 1024**3


@pytest.fixture
def opened() -> OpenSite:
    site = read(RIGHT).site
    assert site is not None
    return OpenSite(Path("/somewhere/site.yml"), site)


class Host:
    """Stands for ssh: keeps what it was given, and answers."""

    def __init__(self, answer: object, status: int = 0, words: str = "") -> None:
        self._answer, self._status, self._words = answer, status, words
        self.argv: list[str] = []
        self.request: dict[str, object] = {}

    def __call__(self, argv: list[str], text: str) -> subprocess.CompletedProcess[str]:
        self.argv, self.request = argv, json.loads(text)
        out = self._answer if isinstance(self._answer, str) else json.dumps(self._answer)
        return subprocess.CompletedProcess(argv, self._status, out, self._words)


def test_the_storage_host_is_asked(opened: OpenSite) -> None:
    host = Host({"ok": True, "quota": GIB, "own": False, "used": None})
    found = quota_of(opened, homes_of(opened, None), "alice", run=host)
    assert found == HomeQuota("main", "alice", GIB, False, None)
    assert host.request == {"verb": "get", "name": "alice", "homes": "main"}
    assert host.argv[-1].endswith("/usr/local/libexec/slurmhub/slurmhub-home")
    assert "alice" not in " ".join(host.argv)
    set_quota(opened, "main", "alice", "default", run=host)
    assert (host.request["verb"], host.request["quota"]) == ("set", "default")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        (Host({"ok": False, "kind": "unknown", "message": "no home"}, 1), "refuses: no home"),
        (Host("", 255, "ssh: No route to host"), "could not be reached: ssh: No route"),
        (Host("", 127, "sudo: a password is required"), "could not ask slurmhub-home"),
        (Host("[]"), "could not ask"),
    ],
)
def test_what_goes_wrong(opened: OpenSite, host: Host, words: str) -> None:
    with pytest.raises(OperateError) as error:
        quota_of(opened, "main", "alice", run=host)
    assert words in error.value.what
    assert error.value.remedy


def test_a_hub_that_is_not_there(opened: OpenSite) -> None:
    with pytest.raises(OperateError) as error:
        homes_of(opened, "other")
    assert error.value.status == UNUSABLE


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("40G", 40 * GIB), ("1.5T", 1536 * GIB), ("none", None), ("default", "default")],
)
def test_amounts(amount: str, expected: object) -> None:
    assert in_bytes(amount) == expected


@pytest.mark.parametrize("amount", ["40", "40GB", "-1G", "", "0G"])
def test_amounts_that_are_none(amount: str) -> None:
    with pytest.raises(OperateError) as error:
        in_bytes(amount)
    assert error.value.status == UNUSABLE


def test_what_people_read() -> None:
    assert [in_words(each) for each in (None, 512, 1536, 40 * GIB)] == [
        "none",
        "512B",
        "1.5K",
        "40G",
    ]
    half = HomeQuota("main", "alice", 2 * GIB, True, GIB)
    assert as_text(half) == "alice uses 1G of 2G (50 %), their own."
    without = HomeQuota("main", "alice", None, False, GIB)
    assert as_text(without) == "alice has no quota in the homes main, and uses 1G."


def test_hosts_that_differ_are_told() -> None:
    one = AccountThere(20001, 20001, "/home/alice", ("alice", "people"))
    other = AccountThere(20002, 20002, "/home/alice", ("alice",))
    found = Shown("alice", {"hub": one, "c1": one, "c2": other, "c3": None})
    found.jobs = {"main": [Job("7", "cpu", "RUNNING", "c1")]}
    found.associations = {"main": []}
    found.unknown = {"the home": "ctl could not be reached"}
    text = "\n".join(as_lines(found))
    for words in (
        "uid 20001, gid 20001 on hub, c1", "uid 20002, gid 20002 on c2", "no account on    c3",
        "The hosts differ", "7 RUNNING on c1", "jobs may be refused", "ctl could not be reached",
    ):  # fmt: skip
        assert words in text
