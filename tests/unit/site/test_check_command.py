"""`slurmhub check`, as people and programs meet it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from slurmhub_deploy.site.problems import Problem
from tests.unit.deploy.test_main import slurmhub as process
from tests.unit.site.command import slurmhub
from tests.unit.site.fixtures import HERE, RIGHT, changed

TYPO = HERE / "wrong" / "unknown-setting.yml"


def test_a_right_file_is_status_0() -> None:
    shown = slurmhub("check", "--site", str(HERE / "right.yml"))
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.endswith("can be used: 1 hub, 1 cluster, 5 hosts.\n")


@pytest.mark.parametrize("run", [slurmhub, process])
def test_errors_are_status_1_and_named_with_their_line(
    run: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    shown = run("check", "--site", str(TYPO))
    assert shown.returncode == 1
    assert shown.stdout.splitlines() == [
        f"{TYPO}:29:5: error: hubs.main.hots: is not a setting",
        "    Did you mean `host`?",
        f"{TYPO}: 1 error, 0 warnings.",
    ]


def test_warnings_alone_are_status_0() -> None:
    shown = slurmhub("check", "--site", str(HERE / "wrong" / "no-quota.yml"))
    assert shown.returncode == 0
    assert "0 errors, 1 warning." in shown.stdout
    assert "can be used" in shown.stdout


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_file_that_cannot_be_read_is_status_2(tmp_path: Path, more: list[str]) -> None:
    for path in (tmp_path / "nothing.yml", tmp_path):
        shown = slurmhub("check", "--site", str(path), *more)
        assert shown.returncode == 2
        assert "cannot be read" in shown.stdout + shown.stderr
        assert "Traceback" not in shown.stderr
        if more:
            assert json.loads(shown.stdout)["remedy"]


def test_json_has_all_of_it() -> None:
    shown = slurmhub("check", "--json", "--site", str(HERE / "wrong" / "several-at-once.yml"))
    said = json.loads(shown.stdout)
    assert shown.returncode == 1
    assert (said["errors"], said["warnings"]) == (5, 0)
    problems = [Problem(**each) for each in said["problems"]]
    assert [each.line for each in problems] == sorted(each.line for each in problems)


def test_the_environment_may_name_the_file() -> None:
    named = {"SLURMHUB_SITE": str(HERE / "right.yml")}
    assert slurmhub("check", environment=named).returncode == 0


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: \xe9\n", b"\x00", b"\xef\xbb\xbfversion: 1"])
def test_bytes_that_are_no_text_are_a_problem_of_the_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "site.yml").write_bytes(content)
    shown = slurmhub("check", "--site", str(tmp_path / "site.yml"))
    assert shown.returncode == 1
    assert "site.yml:1:" in shown.stdout


def test_a_terminal_that_knows_no_accents_is_not_an_error(tmp_path: Path) -> None:
    file = tmp_path / "site.yml"
    file.write_text(changed(("    host: hub\n", "    hôte: hub\n")), encoding="utf-8")
    before = "import sys; sys.stdout.reconfigure(encoding='ascii')"
    shown = process("check", "--site", str(file), before=before)
    assert shown.returncode == 1
    assert r"h\xf4te" in shown.stdout


def test_the_schema_is_printed() -> None:
    shown = slurmhub("schema")
    assert json.loads(shown.stdout)["title"] == "The site file of slurmhub"
    assert RIGHT.startswith("version: 1")
