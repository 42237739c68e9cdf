"""`slurmhub up` makes six empty hosts a hub: what a student, and an operator, then find."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.lab.whole.institution import Institution
from tests.lab.whole.operator import Operator
from tests.lab.whole.student import Enter
from tests.rig.hub import until


def test_a_plan_names_a_change_and_makes_none(up: Operator, whole: Institution) -> None:
    site = up.changed_site({"max_time: 12:00:00": "max_time: 6:00:00"})
    plan = up.run("plan", site=site)
    assert "-PartitionName=cpu Nodes=compute1" in plan
    assert "MaxTime=6:00:00" in plan
    running = whole.fleet.run("controller", "scontrol", "show", "partition", "cpu")
    assert "MaxTime=12:00:00" in running


def test_a_second_run_changes_nothing(up: Operator) -> None:
    """Nor did the plan: a change would be taken back by it."""
    assert "Nothing was changed." in up.run("up", "--yes", "--no-smoke")


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


def test_every_target_is_up(up: Operator, whole: Institution) -> None:
    def down() -> list[tuple[str, str]]:
        found = [each for each in _targets(whole) if each["health"] != "up"]
        return [(each["scrapeUrl"], each["lastError"]) for each in found]

    until(lambda: not down(), seconds=120, what=f"targets that are up; before: {down()}")
    kinds = {each["labels"]["job"] for each in _targets(whole)}
    assert {"slurmhub", "node", "slurm"} <= kinds


def test_when_a_node_dies_others_go_on_and_an_alert_fires(up: Operator, whole: Institution) -> None:
    whole.fleet.off("compute2")
    try:
        (report,) = json.loads(up.run("smoke", "--json"))
        assert report["worked"], report
        _wait_for_alert(whole, "compute2")
    finally:
        whole.fleet.on("compute2")


def _targets(whole: Institution) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _prometheus(whole, "targets")["activeTargets"]
    return found


def _wait_for_alert(whole: Institution, host: str) -> None:
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
