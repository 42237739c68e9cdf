"""What the meter reads of cgroups, of /proc and of nvidia-smi, and that it tells the hub."""

from __future__ import annotations

import ast
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from slurmhub.job import meter
from slurmhub.job.script import meter_source
from tests.unit.job.conftest import Launch, Order
from tests.unit.job.fake_hub import FakeHub, Heard, Reply
from tests.unit.job.servers import LISTENS

JOB = {"SLURM_JOB_ID": "4711"}


def write(root: Path, files: dict[str, str]) -> str:
    """These files below `root`; returns `root` as the meter takes it."""
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return f"{root}/"


def process(pid: int, parent: int, ticks: int, pages: int, shared: int) -> dict[str, str]:
    """A process as proc(5) has it, with a name that would mislead a careless reader."""
    numbers = f"S {parent} 1 1 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 1 0"
    return {
        f"proc/{pid}/stat": f"{pid} (x) R 1 (y)) {numbers}\n",
        f"proc/{pid}/statm": f"{pages * 2} {pages} {shared} 1 0 1 0\n",
    }


TREE = {
    **process(10, 1, 100, 1000, 200),
    **process(11, 10, 50, 500, 300),
    **process(12, 1, 9, 9, 0),
}


def test_is_syntax_and_library_of_python_3_8() -> None:
    tree = ast.parse(meter_source(), feature_version=(3, 8))
    names = {
        (alias.name if isinstance(node, ast.Import) else str(node.module)).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    assert names <= set(sys.stdlib_module_names)


def test_the_processes_of_the_job_and_no_others(tmp_path: Path) -> None:
    files = {"proc/self/cgroup": "0::/user.slice\n", "proc/self/mounts": ""}
    root = write(tmp_path, {**TREE, **files})
    use = meter.Meter(10, JOB, root).read()
    page, tick = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
    # Shared pages count once: 800 and 200 of their own, and the larger share of 300.
    assert use == {
        "cpu_seconds": 150 / tick,
        "memory": 1300 * page,
        "memory_peak": 1300 * page,
        "memory_kills": 0,
        "processes": 2,
        "gpus": [],
    }


def test_cpu_time_never_falls_and_the_peak_stays(tmp_path: Path) -> None:
    files = {"proc/self/cgroup": "0::/\n", "proc/self/mounts": ""}
    root = write(tmp_path, {**TREE, **files})
    one = meter.Meter(10, JOB, root)
    before = one.read()
    write(tmp_path, process(11, 10, 0, 10, 0))
    after = one.read()
    assert after["cpu_seconds"] == before["cpu_seconds"]
    assert after["memory"] < before["memory"] == after["memory_peak"]


def test_the_jobs_cgroup_of_version_2(tmp_path: Path) -> None:
    job = "sys/fs/cgroup/system.slice/slurmstepd.scope/job_4711"
    root = write(
        tmp_path,
        {
            **TREE,
            "proc/self/cgroup": "0::/system.slice/slurmstepd.scope/job_4711/step_batch/user/t\n",
            "proc/self/mounts": "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n",
            f"{job}/cpu.stat": "usage_usec 2500000\nuser_usec 1\n",
            f"{job}/memory.current": "1000\n",
            f"{job}/memory.stat": "anon 600\ninactive_file 300\n",
            f"{job}/memory.peak": "4000\n",
            f"{job}/memory.events": "oom 0\noom_kill 0\n",
        },
    )
    use = meter.Meter(10, JOB, root).read()
    # What the kernel counted at its peak has files in it that it would have given up.
    assert (use["cpu_seconds"], use["memory"], use["memory_peak"]) == (2.5, 700, 700)
    assert use["memory_kills"] == 0
    write(tmp_path, {f"{job}/memory.events": "oom 3\noom_kill 2\n"})
    use = meter.Meter(10, JOB, root).read()
    assert (use["memory_peak"], use["memory_kills"]) == (4000, 2)
    (tmp_path / job / "memory.peak").unlink()
    assert meter.Meter(10, JOB, root).read()["memory_peak"] == 700


def test_the_jobs_cgroup_of_version_1(tmp_path: Path) -> None:
    group = "slurm/uid_1000/job_4711"
    root = write(
        tmp_path,
        {
            **TREE,
            "proc/self/cgroup": f"9:memory:/{group}/step_batch\n8:cpu,cpuacct:/{group}/step_batch\n"
            "0::/\n",
            "proc/self/mounts": "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
            "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n",
            f"sys/fs/cgroup/memory/{group}/memory.usage_in_bytes": "1000\n",
            f"sys/fs/cgroup/memory/{group}/memory.max_usage_in_bytes": "5000\n",
            f"sys/fs/cgroup/memory/{group}/memory.stat": "total_inactive_file 100\n",
            f"sys/fs/cgroup/memory/{group}/memory.oom_control": "under_oom 0\noom_kill 0\n",
            f"sys/fs/cgroup/memory/{group}/step_batch/memory.oom_control": "oom_kill 0\n",
            f"sys/fs/cgroup/cpu,cpuacct/{group}/cpuacct.usage": "7000000000\n",
        },
    )
    use = meter.Meter(10, JOB, root).read()
    assert (use["cpu_seconds"], use["memory"], use["memory_peak"]) == (7.0, 900, 900)
    # A group counts those that were killed in it, and not those of the groups below.
    write(tmp_path, {f"sys/fs/cgroup/memory/{group}/step_batch/memory.oom_control": "oom_kill 1\n"})
    use = meter.Meter(10, JOB, root).read()
    assert (use["memory_peak"], use["memory_kills"]) == (5000, 1)


def test_memory_is_the_cgroups_also_where_cpu_time_is_not(tmp_path: Path) -> None:
    # With ConstrainRAMSpace, and jobacct_gather/linux, only memory has a group for the job.
    group = "slurm/uid_1000/job_4711"
    files = {
        "proc/self/cgroup": f"9:memory:/{group}/step_batch\n8:cpuacct:/\n",
        "proc/self/mounts": "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
        "cgroup /sys/fs/cgroup/cpuacct cgroup rw,cpuacct 0 0\n",
        f"sys/fs/cgroup/memory/{group}/memory.usage_in_bytes": "1000\n",
        f"sys/fs/cgroup/memory/{group}/memory.max_usage_in_bytes": "5000\n",
        f"sys/fs/cgroup/memory/{group}/memory.stat": "total_inactive_file 100\n",
    }
    use = meter.Meter(10, JOB, write(tmp_path, {**TREE, **files})).read()
    assert use["memory"] == 900
    assert use["cpu_seconds"] == 150 / os.sysconf("SC_CLK_TCK")


def test_the_last_use_comes_without_gpus_and_never_raises(tmp_path: Path) -> None:
    files = {"proc/self/cgroup": "0::/\n", "proc/self/mounts": ""}
    one = meter.Meter(10, {**JOB, **smi(tmp_path, FOUR)}, write(tmp_path, {**TREE, **files}))
    assert one.last()["use"]["gpus"] == []
    assert one.last()["use"]["processes"] == 2
    (tmp_path / "proc/self/cgroup").unlink()
    assert one.last() == {}


@pytest.mark.parametrize("path", ["/", "/system.slice/job_47110/x", "/job_471/step_batch"])
def test_another_jobs_cgroup_is_not_taken(tmp_path: Path, path: str) -> None:
    root = write(
        tmp_path,
        {
            **TREE,
            "proc/self/cgroup": f"0::{path}\n",
            "proc/self/mounts": "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n",
            "sys/fs/cgroup/memory.current": "99\n",
            "sys/fs/cgroup/cpu.stat": "usage_usec 1\n",
        },
    )
    assert meter.Meter(10, JOB, root).read()["memory"] == 1300 * os.sysconf("SC_PAGE_SIZE")


def smi(folder: Path, script: str) -> dict[str, str]:
    """A PATH with this nvidia-smi, for a job with the second and third GPU."""
    write(folder, {"bin/nvidia-smi": f"#!/bin/sh\n{script}\n"})
    (folder / "bin/nvidia-smi").chmod(0o755)
    return {"PATH": f"{folder}/bin:/usr/bin:/bin", "CUDA_VISIBLE_DEVICES": "1,2"}


FOUR = 'for gpu in 0 1 2 3; do echo "$gpu, GPU-a$gpu, $((gpu * 10)), 512"; done'


def test_only_the_gpus_of_the_job(tmp_path: Path) -> None:
    environ = smi(tmp_path, FOUR)
    found = meter.gpus(environ)
    assert found == [
        {"index": 1, "busy": 10, "memory": 2**29},
        {"index": 2, "busy": 20, "memory": 2**29},
    ]
    assert meter.gpus({**environ, "CUDA_VISIBLE_DEVICES": "GPU-a3"})[0]["index"] == 3
    for none in ("", "NoDevFiles"):
        assert meter.gpus({**environ, "CUDA_VISIBLE_DEVICES": none}) == []


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("exit 9", []),
        ("echo 'No devices were found'", []),
        ("printf '\\377\\376'", []),
        ("echo '1, GPU-a1, [N/A], [N/A]'", [{"index": 1, "busy": None, "memory": 0}]),
    ],
)
def test_a_driver_that_does_not_know(
    tmp_path: Path, script: str, found: list[dict[str, Any]]
) -> None:
    assert meter.gpus(smi(tmp_path, script)) == found
    assert meter.gpus({"PATH": str(tmp_path / "none"), "CUDA_VISIBLE_DEVICES": "0"}) == []


def edited(**constants: float) -> dict[str, str]:
    """The meter as the script carries it, at a pace for tests."""
    source = meter_source()
    for name, value in constants.items():
        line = next(line for line in source.splitlines() if line.startswith(f"{name} = "))
        source = source.replace(line, f"{name} = {value}")
    return {"SLURMHUB_METER": source}


def test_the_launcher_tells_the_hub_now_and_then(launch: Launch) -> None:
    with FakeHub() as hub:
        order = Order(hub.url, job_environment=edited(FIRST_SECONDS=0.1), usage_interval=0.2)
        running = launch(order, LISTENS)
        told = hub.wait_for("usage", count=2)
        assert set(told.body) == {"job", "restarts", "use"}
        assert told.body["use"]["memory"] > 2**20
        assert told.body["use"]["processes"] >= 2
        running.process.terminate()
        running.end()
        ended = hub.wait_for("ended").body
        assert ended["why"] == "terminated"
        assert set(ended["use"]) == set(told.body["use"])


def test_a_hub_that_is_asked_too_often_is_not_asked_again(launch: Launch) -> None:
    def strict(heard: Heard, before: int) -> Reply:
        if heard.event == "usage":
            return Reply(429, {"slurmhub": "too-often"})
        return Reply(200, {"tls": None} if heard.event == "started" else {})

    with FakeHub(strict) as hub:
        order = Order(hub.url, job_environment=edited(FIRST_SECONDS=0.1), usage_interval=5.0)
        running = launch(order, LISTENS)
        hub.wait_for("usage")
        running.process.terminate()
        running.end()
        hub.wait_for("ended")
        assert hub.events().count("usage") == 1


def test_what_waits_for_an_absent_hub_is_the_newest_use_only(launch: Launch) -> None:
    away = time.monotonic() + 2

    def back_later(heard: Heard, before: int) -> Reply:
        if heard.event == "usage" and time.monotonic() < away:
            return Reply(503, {})
        return Reply(200, {"tls": None} if heard.event == "started" else {})

    with FakeHub(back_later) as hub:
        order = Order(hub.url, job_environment=edited(FIRST_SECONDS=0.05), usage_interval=0.05)
        running = launch(order, LISTENS)
        hub.wait_for("usage", count=3)
        running.process.terminate()
        running.end()
        assert hub.wait_for("ended").body["why"] == "terminated"


def test_a_meter_that_fails_disturbs_nobody(launch: Launch) -> None:
    with FakeHub() as hub:
        broken = {"SLURMHUB_METER": "raise ValueError('the meter is broken')"}
        running = launch(Order(hub.url, job_environment=broken), LISTENS)
        hub.wait_for("listening")
        assert running.process.poll() is None
        running.process.terminate()
        running.end()


def test_two_warnings_at_once_are_two(launch: Launch) -> None:
    def slow(heard: Heard, before: int) -> Reply:
        if heard.event == "warning":
            time.sleep(0.3)
        return Reply(200, {"tls": None} if heard.event == "started" else {})

    with FakeHub(slow) as hub:
        running = launch(hub, LISTENS)
        hub.wait_for("listening")
        running.process.send_signal(signal.SIGUSR1)
        hub.wait_for("warning")
        running.process.send_signal(signal.SIGUSR1)
        hub.wait_for("warning", count=2)
        running.process.terminate()
        running.end()
