"""The whole queue in one question, and whether this account is shown all of it."""

from __future__ import annotations

import os
import pwd

import pytest

from slurmhub.slurm.errors import SlurmUnreachable
from tests.unit.slurm.fake_commands import Fakes

ME = pwd.getpwuid(os.geteuid()).pw_name


async def test_one_squeue_tells_the_whole_queue(fakes: Fakes) -> None:
    fakes.add("squeue", "7|cpu|100|Priority¶\n9|cpu,gpu|200|Resources¶\n8|gpu|0|JobHeldUser¶\n")
    found = await fakes.client().pending()
    assert (found.before(9, "cpu"), found.before(7, "cpu"), found.before(8, "gpu")) == (0, 1, None)
    ((name, arguments, environment),) = fakes.calls()
    assert name == "squeue"
    assert arguments == ["--noheader", "--all", "--local", "--states=PENDING", "--noconvert"]
    assert environment["SQUEUE_FORMAT2"].startswith("JobID:")


async def test_a_queue_that_is_cut_is_no_queue(fakes: Fakes) -> None:
    fakes.add("squeue", "7|cpu|100|Priority¶\n9|cpu,gpu")
    with pytest.raises(SlurmUnreachable):
        await fakes.client().pending()


@pytest.mark.parametrize(
    ("config", "level", "sees"),
    [
        ("PrivateData = none", "", True),
        ("PrivateData = accounts,usage", "", True),
        ("PrivateData = jobs", "None", False),
        ("PrivateData = accounts,jobs", "", False),
        ("PrivateData = jobs", "Operator", True),
        ("PrivateData = jobs", "Administrator", True),
        (f"PrivateData = jobs\nSlurmUser = {ME}({os.geteuid()})", "None", True),
        ("PrivateData = jobs\nSlurmUser = other(1)", "None", False),
    ],
)
async def test_an_account_that_is_shown_a_part_knows_it(
    fakes: Fakes, monkeypatch: pytest.MonkeyPatch, config: str, level: str, sees: bool
) -> None:
    if os.geteuid() == 0:
        # As for a hub that is not root.
        entry = pwd.getpwnam("nobody")
        config = config.replace(f"{ME}(0)", f"nobody({entry.pw_uid})")
        monkeypatch.setattr(os, "geteuid", lambda: entry.pw_uid)
    fakes.add("scontrol", config + "\n", when="config")
    fakes.add("sacctmgr", level + "\n")
    assert await fakes.client().sees_all_jobs() is sees


async def test_rights_that_cannot_be_asked_for_are_an_error(
    fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: pwd.getpwnam("nobody").pw_uid)
    fakes.add("scontrol", "PrivateData = jobs\n", when="config")
    fakes.add("sacctmgr", stderr="You are not running a supported accounting_storage", status=1)
    with pytest.raises(SlurmUnreachable):
        await fakes.client().sees_all_jobs()
