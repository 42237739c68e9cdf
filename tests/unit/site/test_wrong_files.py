"""Each wrong site file is told of in the words of the table beside it: neither less nor more."""

from __future__ import annotations

from pathlib import Path

import pytest

from slurmhub_deploy.site.checks import CHECKS
from slurmhub_deploy.site.load import load_site
from slurmhub_deploy.site.problems import Problem
from tests.unit.site.fixtures import HERE, RIGHT, read

WRONG = HERE / "wrong"
FILES = sorted(WRONG.glob("*.yml"))


def expected() -> dict[str, list[list[str]]]:
    """The table: by file, its lines."""
    found: dict[str, list[list[str]]] = {}
    for line in (WRONG / "README.md").read_text().splitlines():
        if line.startswith("| ") and not line.startswith(("| File", "| ---")):
            file, *cells = (each.strip() for each in line.strip("|").split(" | "))
            found.setdefault(file, []).append(cells)
    return found


def as_row(problem: Problem) -> list[str]:
    place = f"{problem.line}:{problem.column}"
    rule = f"{problem.level} {problem.rule}"
    return [place, rule, problem.path, problem.reason, problem.remedy]


def test_the_right_file_is_right() -> None:
    loaded = read(RIGHT)
    assert loaded.problems == ()
    assert loaded.site is not None


def test_there_are_many_and_each_is_in_the_table() -> None:
    assert len(FILES) >= 30
    assert {file.stem for file in FILES} == set(expected())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_said_of_it(file: Path) -> None:
    loaded = load_site(file)
    assert [as_row(problem) for problem in loaded.problems] == expected()[file.stem]
    assert (loaded.site is None) == bool(loaded.errors)
    assert {problem.file for problem in loaded.problems} == {str(file)}


@pytest.mark.parametrize("check", [check.__name__.replace("_", "-") for check in CHECKS])
def test_every_check_is_seen_to_find_something(check: str) -> None:
    rules = {row[1].split()[1] for rows in expected().values() for row in rows}
    assert check in rules


def test_every_line_tells_what_to_do() -> None:
    for file, rows in expected().items():
        for row in rows:
            assert row[3], file
            assert row[4].endswith((".", "?")), (file, row[4])
