"""Writes what was tried on whole hosts, from the run's own report (pytest --junitxml).

python -m tests.rig.lab_page docs/lab.md REPORT.xml
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from tests.rig.matrix import in_plain_words, subject

_TEXT = """\
# What was tried on a whole site

Six Debian hosts start empty: `hub`, `controller`, `compute1`, `compute2` with GPUs, `monitor`, and
`idp`, the institution's sign-in. `slurmhub up` makes the others what
[a site file](../tests/lab/site/site.yml) says, and then each line of this table is tried on them.
`script/test --lab` writes this page from the report of its last run, never by hand. Times are those
of a test alone, without the hosts that it needs.
"""


def page(report: Path) -> str:
    """The page for this report. Raises ValueError if it is none of a whole site."""
    # The report is pytest's own, made a moment ago.
    suite = ElementTree.parse(report).getroot().find("testsuite")  # noqa: S314
    if suite is None:
        raise ValueError(f"{report} is no report of pytest.")
    cases = list(suite.iter("testcase"))
    said = {each.get("name"): each.get("value", "") for each in suite.iter("property")}
    if "up" not in said:
        raise ValueError(f"{report} does not say how long `slurmhub up` took.")
    day = suite.get("timestamp", "")[:10]
    whole = float(suite.get("time", "0"))
    lines = [
        _TEXT,
        f"Run on {day}, on {said['processors']} processors, in {_minutes(whole)} altogether; the",
        f"first `slurmhub up`, on empty hosts, took {_minutes(float(said['up']))}.",
        "",
        "| | | |",
        "| --- | --- | ---: |",
    ]
    return "\n".join([*lines, *_rows(cases)]) + "\n"


def _rows(cases: Sequence[ElementTree.Element]) -> Iterator[str]:
    for module in sorted({each.get("classname", "") for each in cases}):
        yield f"| **{subject(module)}** | | |"
        outcomes: dict[str, tuple[str, float]] = {}
        for each in cases:
            if each.get("classname") == module:
                name, seconds = each.get("name", ""), float(each.get("time", "0"))
                # A test that passed and then failed to tidy up is in the report twice.
                before = outcomes.get(name, ("passed", 0.0))
                bad = before[0] == "failed" or _is_bad(each)
                outcomes[name] = ("failed" if bad else "passed", before[1] + seconds)
        for name, (outcome, seconds) in outcomes.items():
            yield f"| {in_plain_words(name)} | {outcome} | {_minutes(seconds)} |"


def _is_bad(case: ElementTree.Element) -> bool:
    # What was skipped was not tried.
    return any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def main(arguments: Sequence[str]) -> int:
    """Write the page; a mistake in the arguments or the report is said, with exit status 1."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m tests.rig.lab_page PAGE REPORT\n")
        return 1
    target, report = map(Path, arguments)
    try:
        target.write_text(page(report))
    except (OSError, ValueError, KeyError, ElementTree.ParseError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
