"""Processes are found again by number and start time, and ended for certain."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from slurmhub_deploy.processes import (
    ProcessId,
    end_all,
    processes_of_account,
    processes_with_environment,
    processes_with_file_in,
)

STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)"


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_a_running_process_is_alive_and_an_ended_one_is_not(
    sleeper: subprocess.Popen[bytes],
) -> None:
    found = ProcessId.of(sleeper.pid)
    assert found.alive()
    sleeper.kill()
    assert found.wait(5)
    assert not found.alive()  # although nobody has collected it yet


def test_another_process_with_the_same_number_is_not_the_same(
    sleeper: subprocess.Popen[bytes],
) -> None:
    earlier = replace(ProcessId.of(sleeper.pid), started=1)
    assert not earlier.alive()
    assert not earlier.send(signal.SIGKILL)
    earlier.end(grace=0.1)
    assert sleeper.poll() is None


def test_a_record_of_before_the_last_boot_is_of_another_process(
    sleeper: subprocess.Popen[bytes],
) -> None:
    earlier = replace(ProcessId.of(sleeper.pid), boot="another")
    assert not earlier.alive()


def test_a_record_is_read_as_it_was_written(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    found = ProcessId.of(sleeper.pid)
    found.save(tmp_path / "record")
    assert ProcessId.load(tmp_path / "record") == found
    assert ProcessId.load(tmp_path / "none") is None
    assert [path.name for path in tmp_path.iterdir()] == ["record"]


def test_no_process_has_the_number_of_an_ended_one() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    with pytest.raises(ProcessLookupError):
        ProcessId.of(process.pid)


def test_what_ignores_termination_is_killed() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", f"{STUBBORN}; time.sleep(60)"], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    with process.stdout:
        process.stdout.readline()
    found = ProcessId.of(process.pid)
    began = time.monotonic()
    found.end(grace=0.2)
    assert not found.alive()
    assert time.monotonic() - began < 5


def test_grace_periods_pass_together() -> None:
    stubborn = [
        subprocess.Popen(
            [sys.executable, "-c", f"{STUBBORN}; time.sleep(60)"], stdout=subprocess.PIPE
        )
        for _ in range(3)
    ]
    for process in stubborn:
        assert process.stdout is not None
        with process.stdout:
            process.stdout.readline()
    found = [ProcessId.of(process.pid) for process in stubborn]
    began = time.monotonic()
    end_all(found, grace=1)
    # One after the other they would get three times the grace.
    assert time.monotonic() - began < 2.8
    assert not any(process.alive() for process in found)


def test_a_process_is_found_by_its_environment() -> None:
    mine = {"PATH": os.defpath, "SLURM_CONF": "/tmp/x", "SLURM_JOB_ID": "7"}
    shell = {"PATH": os.defpath, "SLURM_CONF": "/tmp/x"}
    other = {"PATH": os.defpath, "SLURM_CONF": "/tmp/y", "SLURM_JOB_ID": "7"}
    processes = [subprocess.Popen(["sleep", "60"], env=env) for env in (mine, shell, other)]
    try:
        found = list(processes_with_environment({"SLURM_CONF": "/tmp/x"}, named=["SLURM_JOB_ID"]))
        assert [process.pid for process in found] == [processes[0].pid]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_a_process_is_found_by_an_open_file(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(["sleep", "60"], stdout=log)
    try:
        name = Path("/proc", str(process.pid), "exe").resolve().name
        inside = processes_with_file_in(tmp_path, program=name)
        assert [found.pid for found in inside] == [process.pid]
        assert list(processes_with_file_in(tmp_path, program="slurmstepd")) == []
        assert list(processes_with_file_in(tmp_path / "log2", program=name)) == []
    finally:
        process.kill()
        process.wait()


def test_the_processes_of_an_account_do_not_include_the_caller(
    sleeper: subprocess.Popen[bytes],
) -> None:
    pids = {process.pid for process in processes_of_account(os.geteuid())}
    assert sleeper.pid in pids
    assert os.getpid() not in pids
