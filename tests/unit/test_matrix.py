"""The page of what passed on which Slurm."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rig.matrix import Run, in_plain_words, main, page

MODULE = "tests.slurm.test_ways"


def report(folder: Path, version: str, cases: str) -> Path:
    """A report as pytest writes it."""
    path = folder / f"{version}.xml"
    path.write_text(
        '<?xml version="1.0"?><testsuites><testsuite name="pytest" timestamp="2026-01-02T03:04:05">'
        f'<properties><property name="slurm" value="{version}"/></properties>{cases}'
        "</testsuite></testsuites>"
    )
    return path


def case(name: str, inside: str = "") -> str:
    return f'<testcase classname="{MODULE}" name="{name}">{inside}</testcase>'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    source = tmp_path / "tests" / "slurm" / "test_ways.py"
    source.parent.mkdir(parents=True)
    source.write_text('"""Ways to end.\n\nMore words.\n"""\n')
    return tmp_path


def test_each_release_has_a_column_and_what_did_not_run_is_empty(project: Path) -> None:
    run = Run.read(
        report(
            project,
            "24.11.5",
            case("test_it_works")
            + case("test_it_fails", '<failure message="no"/>')
            + case("test_it_is_left_out", '<skipped message="why"/>')
            + case("test_it_leaves_a_mess")
            + case("test_it_leaves_a_mess", '<error message="mess"/>'),
        )
    )
    lines = page([run], project=project).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert table == [
        "|  | 22.05 | 24.11.5 | 26.05 |",
        "| --- | --- | --- | --- |",
        "| *run on* |  | 2026-01-02 |  |",
        "| **Ways to end** |  |  |  |",
        "| It works |  | passed |  |",
        "| It fails |  | failed |  |",
        "| It leaves a mess |  | failed |  |",
    ]


def test_runs_of_several_releases_share_their_rows(project: Path) -> None:
    runs = [
        Run.read(report(project, "26.05.5", case("test_new") + case("test_both"))),
        Run.read(report(project, "22.05.8", case("test_both", "<error/>"))),
        Run.read(report(project, "27.11.0", case("test_both"))),
    ]
    lines = page(runs, project=project).splitlines()
    assert "|  | 22.05.8 | 24.11 | 26.05.5 | 27.11.0 |" in lines
    assert "| New |  |  | passed |  |" in lines
    assert "| Both | failed |  | passed | passed |" in lines


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("test_a_server_runs", "A server runs"),
        ("test_states[a|b]", "States: a\\|b"),
        ("test_states[x[0]]", "States: x[0]"),
    ],
)
def test_names_become_sentences(name: str, words: str) -> None:
    assert in_plain_words(name) == words


def test_a_report_that_names_no_slurm_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nameless = tmp_path / "report.xml"
    nameless.write_text("<testsuites><testsuite><testcase/></testsuite></testsuites>")
    assert main([str(tmp_path / "page.md"), str(nameless)]) == 1
    assert "does not say which Slurm" in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists()
