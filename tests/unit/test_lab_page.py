"""The page on whole hosts says what the reports say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rig.lab_page import main

SITE, NODES = "tests.lab.test_whole_site", "tests.lab.test_whole_nodes"


def report(folder: Path, cases: str, *, day: str = "2030-02-01", up: int = 431) -> str:
    file = folder / "lab.xml"
    file.write_text(
        f'<testsuites><testsuite timestamp="{day}T10:00:00" time="3725.4"><properties>'
        f'<property name="up" value="{up}" /></properties>{cases}'
        "</testsuite></testsuites>"
    )
    return str(file)


def test_each_test_has_its_outcome_and_its_time(tmp_path: Path) -> None:
    page = tmp_path / "lab.md"
    cases = (
        f'<testcase classname="{SITE}" name="test_a_second_run_changes_nothing" time="71.2" />'
        f'<testcase classname="{NODES}" name="test_a_node[x]" time="3"><failure /></testcase>'
        f'<testcase classname="{SITE}" name="test_b" time="1" />'
        f'<testcase classname="{SITE}" name="test_b" time="2"><error /></testcase>'
    )
    assert main([str(page), report(tmp_path, cases)]) == 0
    said = page.read_text()
    assert "(../tests/lab/test_whole_site.py), run on 2030-02-01, on" in said
    assert "| `slurmhub up` on empty hosts | | 7 min 11 s |" in said
    assert "| A second run changes nothing | passed | 1 min 11 s |\n| B | failed | 3 s |" in said
    assert "| A node: x | failed | 3 s |" in said
    assert said.index("A node") < said.index("A second run")


def test_what_did_not_run_stays_with_its_day(tmp_path: Path) -> None:
    page = tmp_path / "lab.md"
    for module in (SITE, NODES):
        cases = f'<testcase classname="{module}" name="test_b" time="1" />'
        assert main([str(page), report(tmp_path, cases)]) == 0
    once = page.read_text()
    assert main([str(page), report(tmp_path, cases, day="2030-03-01")]) == 0
    assert page.read_text() == once.replace(
        "test_whole_nodes.py), run on 2030-02-01", "test_whole_nodes.py), run on 2030-03-01"
    )


def test_a_file_that_is_gone_is_gone_from_the_page(tmp_path: Path) -> None:
    page = tmp_path / "lab.md"
    page.write_text("# Before\n\n## Gone\n\n[test_whole_gone.py](x), run on 2030-01-01.\n")
    cases = f'<testcase classname="{SITE}" name="test_b" time="1" />'
    assert main([str(page), report(tmp_path, cases)]) == 0
    assert "Gone" not in page.read_text()


@pytest.mark.parametrize(
    "cases", ["", '<testcase classname="tests.unit.test_jobs" name="test_b" time="1" />']
)
def test_a_report_of_something_else_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cases: str
) -> None:
    page = tmp_path / "lab.md"
    page.write_text("as it was")
    assert main([str(page), report(tmp_path, cases)]) == 1
    assert "is no report of tests of a whole site" in capsys.readouterr().err
    assert page.read_text() == "as it was"
