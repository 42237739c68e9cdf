"""Writes what was tried on whole hosts, from the run's own report (pytest --junitxml).

    python -m tests.rig.lab_page docs/lab.md REPORT.xml

What the report is not about stays on the page, with the day on which it ran.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from tests.rig.checkout import PROJECT
from tests.rig.matrix import in_plain_words, subject

_TEXT = """\
# What was tried on a whole site

Six Debian hosts start empty: `hub`, `controller`, `compute1`, `compute2` with GPUs, `monitor`, and
`idp`, the institution's sign-in. `slurmhub up` makes the others what
[a site file](../tests/lab/site/site.yml) says, and then each line of these tables is tried on them,
or on hosts of its own: a pair with a kernel that holds jobs, a machine without internet.
`script/test --lab` writes this page from the report of its last run, never by hand. Times are those
of a test alone, without the hosts that it needs.
"""
_FILE = re.compile(r"\[(test_whole_\w+)\.py\]")


def sections(report: Path) -> dict[str, str]:
    """What the report says of each file of tests. Raises ValueError if it is of something else."""
    # The report is pytest's own, made a moment ago.
    suite = ElementTree.parse(report).getroot().find("testsuite")  # noqa: S314
    cases = [] if suite is None else list(suite.iter("testcase"))
    # The name of a module; what could not even be collected has none.
    modules = sorted({each.get("classname", "") for each in cases} - {""})
    if suite is None or not modules or not all("test_whole_" in module for module in modules):
        raise ValueError(f"{report} is no report of tests of a whole site.")
    said = {each.get("name"): each.get("value", "") for each in suite.iter("property")}
    day = suite.get("timestamp", "")[:10]
    found = {}
    for module in modules:
        name = module.rpartition(".")[2]
        lines = [
            f"## {subject(module)}",
            "",
            f"[{name}.py](../tests/lab/{name}.py), run on {day}, on"
            f" {len(os.sched_getaffinity(0))} processors.",
            "",
            "| | | |",
            "| --- | --- | ---: |",
        ]
        if name == "test_whole_site" and "up" in said:
            lines.append(f"| `slurmhub up` on empty hosts | | {_minutes(float(said['up']))} |")
        found[name] = "\n".join([*lines, *_rows(cases, module)])
    return found


def before(page: Path) -> dict[str, str]:
    """What the page says of files that are still there."""
    text = page.read_text() if page.exists() else ""
    found = {}
    for section in re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]:
        name = _FILE.search(section)
        if name and (PROJECT / "tests" / "lab" / f"{name[1]}.py").exists():
            found[name[1]] = section.strip()
    return found


def whole(parts: Mapping[str, str]) -> str:
    """The page of these sections."""
    return "\n".join([_TEXT, *(f"{parts[name]}\n" for name in sorted(parts))])


def _rows(cases: Sequence[ElementTree.Element], module: str) -> Iterator[str]:
    outcomes: dict[str, tuple[str, float]] = {}
    for each in cases:
        if each.get("classname") == module:
            name, seconds = each.get("name", ""), float(each.get("time", "0"))
            # A test that passed and then failed to tidy up is in the report twice.
            so_far = outcomes.get(name, ("passed", 0.0))
            bad = so_far[0] == "failed" or _is_bad(each)
            outcomes[name] = ("failed" if bad else "passed", so_far[1] + seconds)
    for name, (outcome, seconds) in outcomes.items():
        yield f"| {in_plain_words(name)} | {outcome} | {_minutes(seconds)} |"


def _is_bad(case: ElementTree.Element) -> bool:
    # What was skipped was not tried.
    return any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))


def _minutes(seconds: float) -> str:
    rounded = round(seconds)
    return f"{rounded // 60} min {rounded % 60} s" if rounded >= 60 else f"{rounded} s"


def main(arguments: Sequence[str]) -> int:
    """Write the page; a mistake in the arguments or the report is said, with exit status 1."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m tests.rig.lab_page PAGE REPORT\n")
        return 1
    target, report = map(Path, arguments)
    try:
        target.write_text(whole(before(target) | sections(report)))
    except (OSError, ValueError, KeyError, ElementTree.ParseError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
