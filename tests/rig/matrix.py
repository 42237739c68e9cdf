"""Writes which tests passed on which Slurm, from the runs' own reports (pytest --junitxml).

    python -m tests.rig.matrix docs/matrix.md REPORT.xml...

Each report says itself which Slurm it ran on. What did not run has an empty cell.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tests.rig.slurm_release import SUITES

PROJECT = Path(__file__).parents[2]
_TEXT = """\
# What was tried on which Slurm

Every line is a test, run with real daemons of that release. This page is written by
`script/matrix` from the reports of the runs, never by hand. An empty cell did not run.
"""


@dataclass(frozen=True)
class Run:
    """The outcome of each test on one Slurm: "passed" or "failed", by module and name."""

    version: str
    day: str
    outcomes: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def read(cls, report: Path) -> Run:
        """Read a report; raises ValueError when it does not say which Slurm it is about."""
        # The report is pytest's own, made a moment ago.
        suite = ElementTree.parse(report).getroot().find("testsuite")  # noqa: S314
        said = suite.find("properties/property[@name='slurm']") if suite is not None else None
        if suite is None or said is None:
            raise ValueError(f"{report} does not say which Slurm it is about.")
        run = cls(said.get("value", ""), suite.get("timestamp", "")[:10])
        for case in suite.iter("testcase"):
            run._add(case)
        return run

    def _add(self, case: ElementTree.Element) -> None:
        key = case.get("classname", ""), case.get("name", "")
        bad = case.find("failure") is not None or case.find("error") is not None
        # A test that passed and then failed to tidy up is in the report twice.
        if bad:
            self.outcomes[key] = "failed"
        elif case.find("skipped") is None:
            self.outcomes.setdefault(key, "passed")


def merged(runs: Iterable[Run]) -> list[Run]:
    """One run for each Slurm; what was run again counts as it came out the last time."""
    by_version: dict[str, Run] = {}
    for run in runs:
        known = by_version.setdefault(run.version, Run(run.version, run.day))
        known.outcomes.update(run.outcomes)
    return list(by_version.values())


def page(runs: Sequence[Run], *, project: Path = PROJECT) -> str:
    """The page for these runs; known releases without one have an empty column."""
    columns = _columns(runs)
    days = [run.day if run else "" for _, run in columns]
    parts = [_TEXT, _row("", [title for title, _ in columns]), _row("---", ["---"] * len(columns))]
    parts.append(_row("*run on*", days))
    tests = list(dict.fromkeys(key for run in runs for key in run.outcomes))
    for module in dict.fromkeys(sorted(module for module, _ in tests)):
        parts.append(_row(f"**{subject(module, project)}**", [""] * len(columns)))
        for key in tests:
            if key[0] == module:
                cells = [run.outcomes.get(key, "") if run else "" for _, run in columns]
                parts.append(_row(in_plain_words(key[1]), cells))
    return "\n".join(parts) + "\n"


def in_plain_words(test: str) -> str:
    """A test's name as a sentence: `test_a_b[x]` is "A b: x"."""
    name, _, parameters = test.removeprefix("test_").partition("[")
    words = name.replace("_", " ")
    ending = f": {parameters.removesuffix(']')}" if parameters else ""
    return (words[:1].upper() + words[1:] + ending).replace("|", "\\|")


def _columns(runs: Iterable[Run]) -> list[tuple[str, Run | None]]:
    """Every known release in its order, with its run if there was one, and other runs after."""
    left = {run.version: run for run in runs}
    columns: list[tuple[str, Run | None]] = []
    for release in SUITES:
        version = next((v for v in left if v.startswith(f"{release}.")), None)
        columns.append((version or release, left.pop(version) if version else None))
    return columns + list(left.items())


def _row(title: str, cells: Sequence[str]) -> str:
    return "| " + " | ".join([title, *cells]) + " |"


def subject(module: str, project: Path = PROJECT) -> str:
    """What a test module is about: the first line of its own words."""
    source = project.joinpath(*module.split(".")).with_suffix(".py")
    text = ast.get_docstring(ast.parse(source.read_text())) or module
    return text.splitlines()[0].rstrip(".")


def main(arguments: Sequence[str]) -> int:
    """Write the page; a mistake in the arguments or reports is said, with exit status 1."""
    if len(arguments) < 2:
        sys.stderr.write("usage: python -m tests.rig.matrix PAGE REPORT...\n")
        return 1
    target, *reports = map(Path, arguments)
    try:
        target.write_text(page(merged(Run.read(report) for report in reports)))
    except (OSError, ValueError, ElementTree.ParseError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
