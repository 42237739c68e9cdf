"""The exporter reads what Slurm 22.05 to 26.05 print, and asks no more often than it may."""

from __future__ import annotations

import re
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import ModuleType

import pytest

from tests.rig import site_metrics

RECORDED = Path(__file__).parent / "recorded_slurm"
RELEASES = ("22.05.8", "24.11.5", "26.05.5")


@pytest.fixture(scope="module")
def exporter() -> ModuleType:
    """The program as a module."""
    return site_metrics.exporter()


def recorded(question: str, release: str) -> str:
    """What a release printed; `|` and `¶` stand for the separators."""
    text = (RECORDED / f"{question}-{release}.txt").read_text()
    return text if question == "sdiag" else text.replace("|", "\x1f").replace("¶", "\x1e")


def told(exporter: ModuleType, samples: list[object]) -> dict[str, float]:
    """The values by series, as Prometheus reads them."""
    lines = exporter.exposition(samples).splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {series: float(value) for series, _, value in pairs}


@pytest.mark.parametrize("release", RELEASES)
def test_nodes_are_read_in_every_release(exporter: ModuleType, release: str) -> None:
    found = told(exporter, exporter.read_nodes(recorded("sinfo", release)))
    assert found['slurmhub_slurm_nodes{partition="cpu",state="drained"}'] == 1
    assert found['slurmhub_slurm_nodes{partition="cpu",state="mixed"}'] == 1
    assert found['slurmhub_slurm_node_unusable{node="n2",state="drained"}'] == 1
    cpus = [found[f'slurmhub_slurm_cpus{{partition="cpu",state="{state}"}}'] for state in
            ("allocated", "idle", "unusable")]  # fmt: skip
    assert cpus == [3, 5, 8]
    gpus = [found[f'slurmhub_slurm_gpus{{partition="gpu",state="{state}"}}'] for state in
            ("allocated", "idle", "unusable")]  # fmt: skip
    assert gpus == [1, 3, 0]
    assert found['slurmhub_slurm_memory_bytes{partition="gpu",state="allocated"}'] == 50 << 20


@pytest.mark.parametrize("release", RELEASES)
def test_jobs_are_read_in_every_release(exporter: ModuleType, release: str) -> None:
    found = told(exporter, exporter.read_jobs(recorded("squeue", release)))
    assert found['slurmhub_slurm_jobs{partition="cpu",state="running"}'] == 3
    assert found['slurmhub_slurm_jobs{partition="cpu",state="pending"}'] == 2
    assert found['slurmhub_slurm_pending_jobs{partition="cpu",reason="JobHeldUser"}'] == 1
    assert found['slurmhub_slurm_pending_jobs{partition="cpu",reason="BeginTime"}'] == 1


@pytest.mark.parametrize("release", RELEASES)
def test_the_controller_is_read_in_every_release(exporter: ModuleType, release: str) -> None:
    text = recorded("sdiag", release)
    found = told(exporter, exporter.read_diagnosis(text))
    assert found["slurmhub_slurm_agent_queue"] == 0
    assert found["slurmhub_slurm_dbd_queue"] == 0
    assert found['slurmhub_slurm_rpcs_total{type="REQUEST_SUBMIT_BATCH_JOB"}'] == 6
    assert 0 < found["slurmhub_slurm_cycle_mean_seconds"] < 1
    # By user there are names of people.
    assert "by user" in text
    assert "root" not in str(found)


def test_every_metric_is_explained_and_well_formed(exporter: ModuleType) -> None:
    samples = [
        exporter.Sample("slurmhub_slurm_up", (), 1),
        *exporter.read_nodes(recorded("sinfo", RELEASES[0])),
        *exporter.read_jobs(recorded("squeue", RELEASES[0])),
        *exporter.read_diagnosis(recorded("sdiag", RELEASES[0])),
    ]
    assert {sample.name for sample in samples} | {"slurmhub_slurm_read_seconds"} == set(
        exporter.METRICS
    )
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=exporter.exposition(samples),
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("idle", "idle"),
        ("mixed+planned", "mixed"),
        ("down*", "down"),
        ("down+not_responding", "down"),
        ("idle*", "not_responding"),
        ("idle+drain", "drained"),
        ("mixed+drain", "draining"),
        ("down+drain", "down"),
        ("idle+powered_down", "powered_down"),
        ("allocated+maintenance", "maintenance"),
        ("something-new", "other"),
    ],
)
def test_states_are_of_a_fixed_set(exporter: ModuleType, text: str, state: str) -> None:
    assert exporter.node_state(text) == state


@pytest.mark.parametrize(
    ("gres", "count"),
    [
        ("(null)", 0),
        ("gpu:h100:4(S:0-1)", 4),
        ("gpu:2,shard:8", 2),
        ("gpu:a100:2(IDX:0,3),gpu:v100:1(IDX:1)", 3),
        ("gpu:(null):0(IDX:N/A)", 0),
        ("craynetwork:4", 0),
    ],
)
def test_gpus_are_counted(exporter: ModuleType, gres: str, count: int) -> None:
    assert exporter.gpus(gres) == count


def test_reasons_that_a_site_makes_up_do_not_become_labels(exporter: ModuleType) -> None:
    rows = "".join(
        f"PENDING\x1fcpu,gpu\x1f{reason}\x1e\n"
        for reason in ("ReqNodeNotAvail, UnavailableNodes:c[1-9]", "ask alice of room 12")
    )
    found = told(exporter, exporter.read_jobs(rows))
    assert found['slurmhub_slurm_pending_jobs{partition="gpu",reason="ReqNodeNotAvail"}'] == 1
    assert found['slurmhub_slurm_pending_jobs{partition="cpu",reason="other"}'] == 1
    assert "alice" not in str(found)


@pytest.mark.parametrize("text", ["n1\x1fidle\x1e\n", "n1\x1fid", "n1|idle|1/2/3\n"])
def test_what_is_not_as_asked_for_is_no_answer(exporter: ModuleType, text: str) -> None:
    with pytest.raises(exporter.NotUnderstood):
        exporter.read_nodes(text)


def commands(folder: Path, release: str) -> Path:
    """Commands that print what a release printed, and count how often they are run."""
    for name in ("sinfo", "squeue", "sdiag"):
        (folder / f"{name}.txt").write_text(recorded(name, release))
        program = folder / name
        program.write_text(f"#!/bin/sh\necho x >> {folder}/{name}.count\ncat {folder}/{name}.txt\n")
        program.chmod(0o755)
    return folder


def test_slurm_is_not_asked_more_often_than_it_may(exporter: ModuleType, tmp_path: Path) -> None:
    cluster = exporter.Cluster(str(commands(tmp_path, RELEASES[2])), 30.0, 5.0)
    threads = [threading.Thread(target=cluster.text) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "slurmhub_slurm_up 1\n" in cluster.text()
    for name in ("sinfo", "squeue", "sdiag"):
        assert (tmp_path / f"{name}.count").read_text() == "x\n"


def test_silence_is_told_and_old_numbers_are_not(exporter: ModuleType, tmp_path: Path) -> None:
    folder = commands(tmp_path, RELEASES[2])
    cluster = exporter.Cluster(str(folder), 0.0, 1.0)
    assert "slurmhub_slurm_nodes{" in cluster.text()
    (folder / "squeue").write_text("#!/bin/sh\nexec sleep 60\n")
    began = time.monotonic()
    text = cluster.text()
    assert time.monotonic() - began < 10
    assert "slurmhub_slurm_up 0\n" in text
    assert "slurmhub_slurm_nodes{" not in text
    (folder / "squeue").unlink()
    assert "slurmhub_slurm_up 0\n" in cluster.text()


def test_it_is_served_and_nothing_else_is(exporter: ModuleType, tmp_path: Path) -> None:
    cluster = exporter.Cluster(str(commands(tmp_path, RELEASES[1])), 30.0, 5.0)
    server = exporter.server("127.0.0.1", 0, cluster)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:  # noqa: S310
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert b"slurmhub_slurm_up 1\n" in answer.read()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{url}/etc/passwd", timeout=10)  # noqa: S310
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_it_runs_on_the_oldest_python_that_is_promised() -> None:
    text = site_metrics.EXPORTER.read_text()
    assert text.startswith("#!/usr/bin/python3 -I\n")
    assert "Python 3.8 on" in text
    # None of what came later and parses only there.
    assert not re.search(r"^\s*match .*:$|strict=", text, re.MULTILINE)


def test_the_table_has_the_labels_that_are_told(exporter: ModuleType) -> None:
    samples = [
        *exporter.read_nodes(recorded("sinfo", RELEASES[0])),
        *exporter.read_jobs(recorded("squeue", RELEASES[0])),
        *exporter.read_diagnosis(recorded("sdiag", RELEASES[0])),
    ]
    labels = {name: tuple(labels) for name, labels, _meaning, _role in site_metrics.site_metrics()}
    for sample in samples:
        assert tuple(label for label, _ in sample.labels) == labels[sample.name], sample.name
