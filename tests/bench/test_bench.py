"""The benchmark runs, compares what it says it compares, and finds slurmhub the faster one."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path

import pytest

from slurmhub_deploy.demo.environment import plain_workshop
from tests.bench.command import run
from tests.bench.environments import environments
from tests.bench.measure import Times
from tests.bench.report import page, ratios, table, verdict


def times_with(result: Times, ours: float) -> Times:
    """The same series, in which our arm took this many times as long."""
    first, *others = result.seconds
    return Times(result.series, (tuple(ours * value for value in first), *others), result.floor)


@pytest.mark.skipif(os.geteuid() != 0, reason="It makes accounts and daemons of its own.")
def test_a_quick_run_measures_every_arm_and_slurmhub_is_faster() -> None:
    rounds = (3, 2)
    (stub, lab), where = run(rounds, say=print)
    assert [len(seconds) for seconds in stub.seconds] == [3, 3]
    assert [len(seconds) for seconds in lab.seconds] == [2, 2, 2]
    assert all(value > 0 for times in (stub, lab) for each in times.seconds for value in each)
    assert len(stub.floor) == 3
    assert len(lab.floor) == 2
    for times in (stub, lab):
        title, ratio = ratios(times)[0]
        assert title.startswith("batchspawner as shipped")
        assert ratio.median < 1, table([stub, lab])

    text = page([stub, lab], where)
    for times in (stub, lab):
        assert all(
            f"| {arm.title} | {len(times.seconds[0])} |" in text for arm in times.series.arms
        )
    assert dict(where.facts)["batchspawner"] == "1.3.0"
    assert where.day.isoformat() in text

    assert verdict([times_with(lab, 0.01)], smoke=False) == []
    assert "JupyterLab" in verdict([times_with(lab, 100.0)], smoke=True)[0]


def test_the_environments_differ_in_what_pip_installs_by_default(tmp_path: Path) -> None:
    made = environments(plain_workshop(), tmp_path)

    def packages(folder: Path) -> set[str]:
        return {found.name for found in folder.glob("lib/python3*/site-packages/*.dist-info")}

    ours, plain = packages(made.ours.folder), packages(made.plain)
    assert {name for name in ours if not name.startswith("slurmhub_lab-")} < plain
    names = {name.removesuffix(".dist-info") for name in plain - ours}
    assert {name.partition("-")[0] for name in names} == {"batchspawner", "lark", "rfc3987_syntax"}
    assert f"batchspawner-{version('batchspawner')}" in names
