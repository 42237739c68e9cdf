"""`slurmhub up` makes six empty hosts a hub: what a student, and an operator, then find."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.lab.whole.institution import Institution
from tests.lab.whole.operator import Operator
from tests.lab.whole.student import Student, browser
from tests.rig.hub import until

OF_THE_SITE = ("hub", "controller", "compute1", "compute2", "monitor")


Enter = Callable[[str], Student]


@pytest.fixture
def enter(up: Operator, whole: Institution) -> Iterator[Enter]:
    """Have somebody sign in, each with a browser of their own."""
    with ExitStack() as stack:

        def signed_in(name: str) -> Student:
            student = Student(stack.enter_context(browser(whole)), name)
            student.sign_in()
            return student

        yield signed_in


def test_a_second_run_changes_nothing(up: Operator) -> None:
    assert "Nothing was changed." in up.run("up", "--yes")


def test_a_plan_names_a_change_and_makes_none(up: Operator, whole: Institution) -> None:
    site = up.changed_site({"max_time: 12:00:00": "max_time: 6:00:00"})
    plan = up.run("plan", site=site)
    assert "slurmctld" in plan
    running = whole.fleet.run("controller", "scontrol", "show", "partition", "cpu")
    assert "MaxTime=12:00:00" in running
    assert "Nothing would" in up.run("plan")


def test_a_student_signs_in_and_computes_on_another_host(enter: Enter, whole: Institution) -> None:
    alice = enter("alice")
    alice.start("Notebook")
    said = alice.computes(
        "import os, socket; print(6 * 7, socket.gethostname(), os.getuid(), os.getcwd())"
    )
    answer, host, number, folder = said.split()
    assert (answer, host, folder) == ("42", "compute1", "/home/people/alice")
    for each in ("hub", "controller", "compute1", "compute2"):
        assert whole.fleet.run(each, "id", "--user", "alice").strip() == number


def test_a_gpu_is_the_jobs_alone(enter: Enter) -> None:
    bob = enter("bob")
    bob.start("With a GPU")
    said = bob.computes(
        "import os, socket; print(socket.gethostname(), os.environ['CUDA_VISIBLE_DEVICES'])"
    )
    assert said.split() == ["compute2", "0"]


def test_the_smoke_test_passes(up: Operator) -> None:
    (report,) = json.loads(up.run("smoke", "--json"))
    assert report["worked"], report


def test_every_target_is_up_and_an_alert_fires_when_a_node_dies(
    up: Operator, whole: Institution
) -> None:
    def targets() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = _prometheus(whole, "targets")["activeTargets"]
        return found

    until(
        lambda: all(each["health"] == "up" for each in targets()),
        seconds=120,
        what=f"that all is up: {[(each['scrapeUrl'], each['lastError']) for each in targets()]}",
    )
    kinds = {each["labels"]["job"] for each in targets()}
    assert {"slurmhub", "node", "slurm"} <= kinds
    whole.fleet.off("compute2")
    try:
        _alert(whole, "compute2")
    finally:
        whole.fleet.on("compute2")


def _alert(whole: Institution, host: str) -> None:
    end = time.monotonic() + 600
    while time.monotonic() < end:
        alerts = _prometheus(whole, "alerts")["alerts"]
        if any(each["state"] == "firing" and host in str(each["labels"]) for each in alerts):
            return
        time.sleep(5)
    raise AssertionError(f"no alert says that {host} is gone: {alerts}")


def _prometheus(whole: Institution, what: str) -> dict[str, Any]:
    url = f"http://127.0.0.1:9090/api/v1/{what}"
    code = f"import urllib.request as u; print(u.urlopen('{url}').read().decode())"
    answer: dict[str, Any] = json.loads(whole.fleet.run("monitor", "python3", "-c", code))
    found: dict[str, Any] = answer["data"]
    return found
