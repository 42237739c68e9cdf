"""slurmhub_tested_files by Ansible itself: what a program refuses is taken back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.rig.role_docs import ROLES

_LIBRARY = ROLES.parent / "library"


class Host:
    """This machine as Ansible's target, with a program that refuses a file with `bad` in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "etc/program.conf"
        self.stamp = folder / "stamp"
        self.tries = folder / "tries"
        program = folder / "program"
        program.write_text(
            f'#!/bin/sh\necho tried >>"{self.tries}"\necho "WARN: $(cat "{self.file}")"\n'
            f'! grep bad "{self.file}"\n'
        )
        program.chmod(0o755)
        self._program = str(program)

    def write(self, text: str, *, check: bool = False) -> dict[str, Any]:
        """Run the module once; its result."""
        arguments = {
            "files": {str(self.file): text},
            "tests": [[self._program]],
            "warnings": "^WARN",
            "stamp": str(self.stamp),
            "remedy": "Write good.",
            "_ansible_check_mode": check,
            "_ansible_diff": True,
            "_ansible_remote_tmp": str(self.folder),
        }
        done = subprocess.run(
            [sys.executable, str(_LIBRARY / "slurmhub_tested_files.py")],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ},
        )
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    def loaded(self, result: dict[str, Any]) -> None:
        """The program has read what is there, as a handler writes down."""
        self.stamp.write_text(f"{result['digest']}\n")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_it_writes_tries_and_then_changes_nothing(host: Host) -> None:
    first = host.write("good\n")
    assert first["changed"]
    assert first["said"] == ["WARN: good"]
    host.loaded(first)
    second = host.write("good\n")
    assert not second["changed"]
    assert host.tries.read_text() == "tried\n"


def test_what_is_refused_is_taken_back(host: Host) -> None:
    host.loaded(host.write("good\n"))
    refused = host.write("bad\n")
    assert refused["failed"]
    assert "Write good." in refused["msg"]
    assert host.file.read_text() == "good\n"


def test_a_first_file_that_is_refused_is_not_there(host: Host) -> None:
    assert host.write("bad\n")["failed"]
    assert not host.file.exists()


def test_a_run_cut_off_before_the_reload_is_made_good(host: Host) -> None:
    """The file is as it should be, but the program never read it: that is still a change."""
    host.write("good\n")
    again = host.write("good\n")
    assert again["changed"]
    assert again["diff"] == []


def test_check_mode_shows_and_writes_nothing(host: Host) -> None:
    found = host.write("good\n", check=True)
    assert found["changed"]
    assert found["diff"][0]["after"] == "good\n"
    assert not host.file.exists()
    assert not host.tries.exists()
