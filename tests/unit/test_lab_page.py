"""The page on whole hosts says what the report says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rig.lab_page import main, page

SITE, NODES = "tests.lab.test_whole_site", "tests.lab.test_whole_nodes"


def report(folder: Path, cases: str, *, up: str = '<property name="up" value="431" />') -> Path:
    file = folder / "lab.xml"
    file.write_text(
        '<testsuites><testsuite timestamp="2030-02-01T10:00:00" time="3725.4"><properties>'
        f'{up}<property name="processors" value="2" /></properties>{cases}'
        "</testsuite></testsuites>"
    )
    return file


def test_each_test_has_its_outcome_and_its_time(tmp_path: Path) -> None:
    said = page(
        report(
            tmp_path,
            f'<testcase classname="{SITE}" name="test_a_second_run_changes_nothing" time="71.2" />'
            f'<testcase classname="{NODES}" name="test_a_node[x]" time="3"><failure /></testcase>'
            f'<testcase classname="{SITE}" name="test_b" time="1" />'
            f'<testcase classname="{SITE}" name="test_b" time="2"><error /></testcase>',
        )
    )
    assert "Run on 2030-02-01, on 2 processors, in 62 min 5 s altogether" in said
    assert "took 7 min 11 s." in said
    assert "| A second run changes nothing | passed | 1 min 11 s |\n| B | failed | 3 s |" in said
    assert "| A node: x | failed | 3 s |" in said
    assert said.index("A node") < said.index("A second run")


def test_a_report_of_something_else_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page_file = tmp_path / "lab.md"
    page_file.write_text("as it was")
    assert main([str(page_file), str(report(tmp_path, "", up=""))]) == 1
    assert "does not say how long" in capsys.readouterr().err
    assert page_file.read_text() == "as it was"
