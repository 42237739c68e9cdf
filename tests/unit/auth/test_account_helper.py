"""How the hub asks slurmhub-account, and what it makes of answers that are none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from slurmhub.auth.account_helper import AccountHelper, HelperRefused, HelperUnusable
from slurmhub_deploy import account_install

TOKEN = "a" * 32
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="others ask sudo for the program")


def program(folder: Path, text: str) -> AccountHelper:
    """A program that behaves as the script says."""
    path = folder / "slurmhub-account"
    path.write_text(f"#!/bin/sh\ncat >{folder}/request\n{text}\n")
    path.chmod(0o755)
    return AccountHelper(path)


@needs_root
async def test_a_request_and_its_answer(tmp_path: Path) -> None:
    answer = json.dumps({"ok": True, "uid": 7, "gid": 8, "home": "/h", "made": True})
    helper = program(tmp_path, f"echo '{answer}'")
    made = await helper.ensure("alice", token=TOKEN, uid=7, full_name="Al\u00efce")
    assert (made.uid, made.gid, made.home, made.made) == (7, 8, "/h", True)
    request = json.loads((tmp_path / "request").read_text())
    expected = {"verb": "ensure", "name": "alice", "token": TOKEN, "uid": 7, "gecos": "Al\u00efce"}
    assert request == expected


@needs_root
async def test_a_refusal_keeps_its_kind(tmp_path: Path) -> None:
    helper = program(tmp_path, """echo '{"ok": false, "kind": "full", "message": "no space"}'""")
    with pytest.raises(HelperRefused) as refused:
        await helper.ensure("alice", token=TOKEN)
    assert (refused.value.kind, refused.value.message) == ("full", "no space")


@needs_root
@pytest.mark.parametrize(
    "text",
    [
        "",
        "echo nonsense",
        "echo '[]'",
        "echo '{}'",
        """echo '{"ok": true}'""",
        """echo '{"ok": true, "uid": "0", "gid": 0, "home": "/"}'""",
        """echo '{"ok": true, "uid": 1, "gid": 1}'""",
        "echo 'sudo: a password is required' >&2; exit 1",
        "kill -9 $$",
        "head -c 200000 /dev/zero",
    ],
)
async def test_answers_that_are_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(HelperUnusable) as unusable:
        await program(tmp_path, text).ensure("alice", token=TOKEN)
    assert "helper install" in unusable.value.remedy


async def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HelperUnusable) as unusable:
        await AccountHelper(tmp_path / "nowhere").ensure("alice", token=TOKEN)
    assert "helper install --accounts" in unusable.value.remedy


def test_it_is_looked_for_where_it_is_installed() -> None:
    assert AccountHelper().installed == account_install.PROGRAM
