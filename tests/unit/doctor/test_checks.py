"""Each check is silent on a site that is well, and speaks of what is wrong and of nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slurmhub_deploy.doctor.checks import CHECKS
from slurmhub_deploy.doctor.command import DOUBTS, WELL, WRONG, as_data, as_text, status_of
from slurmhub_deploy.doctor.facts import Facts, HostFacts
from slurmhub_deploy.doctor.finding import Finding, findings
from tests.unit.doctor.cases import CASES, Case
from tests.unit.doctor.well import NOW, facts, seen_by_host


def found_in(changed: Facts) -> list[Finding]:
    return findings(CHECKS, changed)


def test_nothing_is_said_of_a_site_that_is_well() -> None:
    assert found_in(facts(seen_by_host())) == []


def test_every_check_has_a_case_or_a_test_of_its_own() -> None:
    own = {"hosts-answer", "looks-succeed"}
    assert {case.check for case in CASES} | own == {check.name for check in CHECKS}
    assert len({check.name for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check}-{case.words}")
def test_what_is_wrong_is_said_and_nothing_else(case: Case) -> None:
    seen = seen_by_host()
    case.change(seen)
    found = found_in(facts(seen, **(case.extra or {})))
    assert [(each.check, each.level, each.where) for each in found] == [
        (case.check, case.level, case.where)
    ]
    assert case.words in found[0].what
    assert found[0].remedy
    assert found[0].matters


def test_a_host_that_does_not_answer_is_a_finding_and_hides_nothing_else() -> None:
    seen = seen_by_host()
    # What others see of it is the same news once more.
    seen["hub"]["ports"]["10.20.0.21:6818"] = "No route to host"
    well = facts(seen)
    gone = HostFacts(unreachable="Connection timed out")
    found = found_in(replace(well, hosts={**well.hosts, "c1": gone}))
    assert [(each.check, each.where) for each in found] == [("hosts-answer", "c1")]
    assert "Connection timed out" in found[0].what


def test_a_clock_is_judged_by_what_the_answer_leaves_open() -> None:
    well = facts(seen_by_host())
    mine = well.hosts["c1"]
    for host_time, wrong in ((NOW - 120, True), (NOW + 61, True), (NOW + 30, False)):
        hosts = {**well.hosts, "c1": replace(mine, host_time=host_time)}
        found = found_in(replace(well, hosts=hosts))
        assert [each.check for each in found] == (["clocks-agree"] if wrong else [])
    # Half an hour on the way leaves everything open.
    slow = replace(mine, asked=NOW - 1800, answered=NOW, host_time=NOW - 900)
    assert found_in(replace(well, hosts={**well.hosts, "c1": slow})) == []


def test_what_could_not_be_looked_at_is_unknown_and_no_error() -> None:
    well = facts(seen_by_host())
    blind = replace(well.hosts["c1"], troubles={"disks": "OSError: stale file handle"})
    found = found_in(replace(well, hosts={**well.hosts, "c1": blind}))
    assert [(each.check, each.level) for each in found] == [("looks-succeed", "unknown")]
    assert "stale file handle" in found[0].what
    assert status_of(found) == DOUBTS


def test_nobody_is_blamed_for_what_was_not_seen() -> None:
    well = facts(seen_by_host())
    silent = {host: replace(each, looks=type(each.looks)()) for host, each in well.hosts.items()}
    assert found_in(replace(well, hosts=silent)) == []


def test_the_exit_status_is_that_of_the_gravest() -> None:
    def one(level: Any) -> Finding:
        return Finding("x", level, "c1", "is wrong", "", "mend it")

    assert status_of([]) == WELL
    assert status_of([one("warning"), one("unknown")]) == DOUBTS
    assert status_of([one("warning"), one("error")]) == WRONG


def test_people_and_programs_are_told_the_same() -> None:
    seen = seen_by_host()
    seen["c1"]["munge"]["works"] = False
    changed = facts(seen)
    found = found_in(changed)
    text = as_text(found, changed)
    assert "error: c1: munge does not work" in text
    assert text.endswith("8 of 8 hosts: 1 errors, 0 warnings, 0 unknown.")
    assert '"check": "munge-is-understood"' in as_data(found, changed)
