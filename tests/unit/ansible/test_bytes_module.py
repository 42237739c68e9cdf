"""slurmhub_bytes, run as Ansible runs it: a program that reads its arguments."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.rig.role_docs import ROLES

MODULE = ROLES.parent / "library/slurmhub_bytes.py"
KEY = bytes(range(256))


def run(path: Path, content: str, *, check: bool = False, **more: Any) -> dict[str, Any]:
    given = {"path": str(path), "content": content, **more}
    arguments = {"ANSIBLE_MODULE_ARGS": {**given, "_ansible_check_mode": check}}
    done = subprocess.run(
        [sys.executable, str(MODULE)],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ANSIBLE_DEBUG_MODULE_PROFILE": "legacy"},
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture
def text() -> str:
    return base64.b64encode(KEY).decode("ascii")


def test_any_bytes_once(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    assert run(path, text, check=True)["changed"]
    assert not path.exists()
    result = run(path, text, mode="0400")
    assert result["changed"]
    assert path.read_bytes() == KEY
    assert path.stat().st_mode & 0o777 == 0o400
    assert not run(path, text, mode="0400")["changed"]


def test_it_is_not_shown(tmp_path: Path, text: str) -> None:
    result = run(tmp_path / "key", text)
    assert text not in json.dumps(result)
    assert result["diff"]["after"].startswith("(other bytes")


def test_a_new_file_is_its_owners_alone(tmp_path: Path, text: str) -> None:
    run(tmp_path / "key", text)
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


def test_what_is_no_base64(tmp_path: Path) -> None:
    result = run(tmp_path / "key", "not base64!")
    assert result["failed"]
    assert "is not base64" in result["msg"]
    assert not (tmp_path / "key").exists()
