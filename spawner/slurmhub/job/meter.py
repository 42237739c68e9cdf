"""Measures what a job uses and tells the hub, now and then: CPU time, memory, GPUs.

Carried by the batch script beside launcher.py, which runs it in a thread; needs nothing but
Python 3.8. CPU time is in seconds, memory in bytes. Slurm's cgroup of the job says most where
there is one (cgroups(7)), otherwise the job's processes do (proc(5)).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

FIRST_SECONDS = 15.0  # a server that dies at once is not measured
GPU_SECONDS = 20.0  # a driver that hangs must not stop the rest
GPU_FIELDS = "index,uuid,utilization.gpu,memory.used"
MOST_GPUS = 64
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def report(post: Callable[..., None], order: dict[str, Any]) -> None:
    """Posts the event "usage" after FIRST_SECONDS and then every `usage_interval` s, for ever."""
    interval = float(order["usage_interval"])
    meter = Meter(os.getppid(), {k: v for k, v in os.environ.items() if k != "SLURMHUB_METER"})
    order["last_use"] = meter.last  # the launcher tells it with the end
    time.sleep(min(FIRST_SECONDS, interval))
    while True:
        # What cannot be measured now may be the next time; the server is not disturbed.
        with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
            post("usage", use=meter.read())
        time.sleep(interval)


class Meter:
    """One job: that of the process `shell`, its batch script. `root` is where /proc and /sys are.

    Without a cgroup the CPU time of processes that nobody waited for is lost, so it is held to
    never fall. The peak is the highest value that was measured: what the kernel counts itself has
    the files in its cache, which it gives up when it must. Once it has killed for memory, all of it
    was in use.
    """

    def __init__(self, shell: int, environ: dict[str, str], root: str = "/") -> None:
        self._shell, self._environ, self._root = shell, environ, root
        self._cpu_seconds, self._peak = 0.0, 0

    def read(self) -> dict[str, Any]:
        """The use of this moment. Raises OSError and ValueError where it cannot be measured."""
        return {**self._measured(), "gpus": gpus(self._environ)}

    def last(self) -> dict[str, Any]:
        """The use until the end, as a fact of it; without GPUs, whose driver may take its time."""
        with contextlib.suppress(OSError, ValueError):
            return {"use": {**self._measured(), "gpus": []}}
        return {}

    def _measured(self) -> dict[str, Any]:
        processes = self._processes()
        cpu, memory = self._of_processes(processes)
        unified, folders = self._cgroups()
        peak = kills = 0
        # What one group does not tell, the processes do.
        with contextlib.suppress(OSError, ValueError):
            if unified:
                cpu = dict(pairs(f"{unified}/cpu.stat"))["usage_usec"] / 1e6
            elif "cpuacct" in folders:
                cpu = number(f"{folders['cpuacct']}/cpuacct.usage") / 1e9
        with contextlib.suppress(OSError, ValueError):
            if unified:
                memory, peak, kills = unified_memory(unified)
            elif "memory" in folders:
                memory, peak, kills = legacy_memory(folders["memory"])
        self._cpu_seconds = max(self._cpu_seconds, cpu)
        self._peak = max(self._peak, memory, peak if kills else 0)
        return {
            "cpu_seconds": round(self._cpu_seconds, 3),
            "memory": memory,
            "memory_peak": self._peak,
            "memory_kills": kills,
            "processes": len(processes),
        }

    def _cgroups(self) -> tuple[str, dict[str, str]]:
        """The job's folder in the unified hierarchy or "", and those by controller (version 1)."""
        name = f"job_{self._environ.get('SLURM_JOB_ID', '')}"
        unified, folders = "", {}
        with open(f"{self._root}proc/self/cgroup", encoding="utf-8") as lines:
            for _, controllers, path in (line.rstrip("\n").split(":", 2) for line in lines):
                parts = path.split("/")
                if name not in parts:
                    continue
                inside = "/".join(parts[: parts.index(name) + 1])
                for controller in controllers.split(","):
                    mount = self._mount(controller)
                    if mount and controller:
                        folders[controller] = mount + inside
                    elif mount:
                        unified = mount + inside
        return unified if os.path.exists(f"{unified}/memory.current") else "", folders

    def _mount(self, controller: str) -> str:
        """Where this controller of version 1, or for "" the unified hierarchy, is mounted."""
        with open(f"{self._root}proc/self/mounts", encoding="utf-8") as lines:
            for _, folder, kind, options, *_ in (line.split() for line in lines):
                one = kind == "cgroup" and controller in options.split(",")
                if one or (not controller and kind == "cgroup2"):
                    return self._root.rstrip("/") + folder
        return ""

    def _processes(self) -> list[tuple[int, list[int]]]:
        """The batch script and its descendants: process, and proc(5)'s numbers from ppid on."""
        facts = {}
        for name in filter(str.isdigit, os.listdir(f"{self._root}proc")):
            # Processes end while we look.
            with contextlib.suppress(OSError), open(f"{self._root}proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
                facts[int(name)] = [int(field) for field in fields[1:]]
        family = fresh = {self._shell} & set(facts)
        while fresh:
            fresh = {pid for pid, numbers in facts.items() if numbers[0] in fresh} - family
            family = family | fresh
        return [(pid, facts[pid]) for pid in sorted(family)]

    def _of_processes(self, processes: list[tuple[int, list[int]]]) -> tuple[float, int]:
        """CPU seconds and bytes of these processes; shared memory counts once."""
        ticks, own, shared = 0, 0, [0]
        for pid, numbers in processes:
            ticks += sum(numbers[10:14])  # utime, stime, and those of children waited for
            with contextlib.suppress(OSError), open(f"{self._root}proc/{pid}/statm") as file:
                resident, together = (int(word) for word in file.read().split()[1:3])
                own += resident - together
                shared.append(together)
        return ticks / TICKS, (own + max(shared)) * PAGE


def unified_memory(folder: str) -> tuple[int, int, int]:
    """Bytes, without files that may go, peak bytes, and processes killed for memory: version 2."""
    memory = number(f"{folder}/memory.current")
    memory -= min(memory, dict(pairs(f"{folder}/memory.stat")).get("inactive_file", 0))
    # memory.peak came with Linux 5.19.
    peak = f"{folder}/memory.peak"
    kills = dict(pairs(f"{folder}/memory.events")).get("oom_kill", 0)
    return memory, number(peak) if os.path.exists(peak) else memory, kills


def legacy_memory(folder: str) -> tuple[int, int, int]:
    """The same of a cgroup of version 1, where each group below counts its own kills."""
    memory = number(f"{folder}/memory.usage_in_bytes")
    inactive = dict(pairs(f"{folder}/memory.stat")).get("total_inactive_file", 0)
    kills = sum(
        dict(pairs(f"{group}/memory.oom_control")).get("oom_kill", 0)
        for group, _, files in os.walk(folder)
        if "memory.oom_control" in files
    )
    return memory - min(memory, inactive), number(f"{folder}/memory.max_usage_in_bytes"), kills


def pairs(path: str) -> Iterator[tuple[str, int]]:
    """The names and numbers of a file of a cgroup."""
    with open(path, encoding="ascii") as lines:
        for name, value in (line.split() for line in lines):
            yield name, int(value)


def number(path: str) -> int:
    """The one number in a file."""
    with open(path, encoding="ascii") as file:
        return int(file.read())


def gpus(environ: dict[str, str]) -> list[dict[str, Any]]:
    """The job's GPUs as nvidia-smi has them; none where the job has none, or nothing says.

    `busy` is in percent, or None where the driver does not know (MIG).
    """
    named = environ.get("CUDA_VISIBLE_DEVICES", "")
    if not named or named == "NoDevFiles":
        return []
    query = ["nvidia-smi", f"--query-gpu={GPU_FIELDS}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            query,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=GPU_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [line.split(", ") for line in done.stdout.decode("utf-8", "replace").splitlines()]
    wanted = named.split(",")
    found = []
    for row in (row for row in rows if len(row) == len(GPU_FIELDS.split(","))):
        if row[0] in wanted or any(row[1].startswith(name) for name in wanted if "-" in name):
            busy, memory = row[2].strip(), row[3].strip()
            found.append(
                {
                    "index": int(row[0]),
                    "busy": int(busy) if busy.isdigit() else None,
                    "memory": int(memory) * 2**20 if memory.isdigit() else 0,
                }
            )
    return found[:MOST_GPUS]


if "report_to" in globals():
    # The launcher, which has no module to import, runs this text with the arguments beside it.
    report(*globals()["report_to"])
