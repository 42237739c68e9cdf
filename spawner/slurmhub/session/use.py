"""What a job says that it uses, checked number by number; and that in plain words."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slurmhub.ledger import Intent
from slurmhub.options.words import memory_plain
from slurmhub.slurm.memory import Memory

# More often than this, in seconds, no job is heard.
LEAST_PAUSE = 10.0
MOST_GPUS = 64
_MOST_CPU_SECONDS = 1e12
_MOST_BYTES = 2**53
_MOST_PROCESSES = 10**7
_MOST_INDEX = 1024
# What is older than this many intervals says nothing of now.
STALE_INTERVALS = 3


def checked(said: object) -> dict[str, Any]:
    """The use that a job tells of, exactly as `job/meter.py` makes it. Raises ValueError.

    Jobs that began before the hub was upgraded do not tell `memory_kills`.
    """
    wanted = {"cpu_seconds", "memory", "memory_peak", "memory_kills", "processes", "gpus"}
    if not isinstance(said, dict) or {"memory_kills", *said} != wanted:
        raise ValueError(f"use must hold {', '.join(sorted(wanted))} only")
    gpus = said["gpus"]
    if type(gpus) is not list or len(gpus) > MOST_GPUS:
        raise ValueError(f"gpus must be a list of at most {MOST_GPUS}")
    found = [_gpu(gpu) for gpu in gpus]
    if len({gpu["index"] for gpu in found}) != len(found):
        raise ValueError("a GPU is named twice")
    return {
        "cpu_seconds": _seconds(said["cpu_seconds"]),
        "memory": _whole(said["memory"], _MOST_BYTES),
        "memory_peak": _whole(said["memory_peak"], _MOST_BYTES),
        "memory_kills": _whole(said.get("memory_kills", 0), _MOST_PROCESSES),
        "processes": _whole(said["processes"], _MOST_PROCESSES),
        "gpus": found,
    }


def _gpu(said: object) -> dict[str, Any]:
    if not isinstance(said, dict) or set(said) != {"index", "busy", "memory"}:
        raise ValueError("a GPU must hold index, busy and memory only")
    return {
        "index": _whole(said["index"], _MOST_INDEX),
        "busy": None if said["busy"] is None else _whole(said["busy"], 100),
        "memory": _whole(said["memory"], _MOST_BYTES),
    }


def _whole(value: object, most: int) -> int:
    # A bool is an int to Python, and no number to people.
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"a number must be whole and from 0 to {most}")
    return value


def _seconds(value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):  # type: ignore[arg-type]
        raise ValueError("cpu_seconds must be a number")
    seconds = float(value)  # type: ignore[arg-type]
    if not 0 <= seconds <= _MOST_CPU_SECONDS:
        raise ValueError("cpu_seconds is out of range")
    return seconds


def keep(intent: Intent, said: Mapping[str, Any], now: float) -> None:
    """Take over what a job says that it uses at `now`, in seconds since the epoch.

    `cpu_busy` is added: the CPUs that were busy since it last said something, or since its
    start. Nothing is written to the ledger: the next news of the job takes it along.
    """
    before = intent.usage or {}
    at, seconds = before.get("at", intent.started or now), before.get("cpu_seconds", 0.0)
    if said["cpu_seconds"] < seconds:
        # Another incarnation of the job, which counts anew.
        at, seconds = intent.started or now, 0.0
    past = now - at
    busy = (said["cpu_seconds"] - seconds) / past if past >= 1 else None
    intent.usage = {**said, "at": now, "cpu_busy": busy}


@dataclass(frozen=True)
class Meter:
    """One kind of use on a page; `percent` is None where a share cannot be said."""

    name: str
    percent: int | None
    words: str


def meters(intent: Intent, interval: float) -> tuple[Meter, ...]:
    """The use of a job as it last said it; none when that is too long ago to say anything."""
    use = intent.usage
    if not use or time.time() - use["at"] > STALE_INTERVALS * interval + LEAST_PAUSE:
        return ()
    asked = intent.request
    found = []
    cpus = int(asked.get("cpus") or 1)
    if use.get("cpu_busy") is not None:
        percent = _percent(use["cpu_busy"], cpus)
        words = f"CPU {percent} %" if cpus == 1 else f"{percent} % of {cpus} CPUs"
        found.append(Meter("cpu", percent, words))
    whole = Memory.parse(str(asked.get("memory") or "1M"))
    now = Memory(use["memory"] >> 20)
    found.append(
        Meter(
            "memory",
            _percent(now.mebibytes, whole.mebibytes),
            f"Memory {memory_plain(now)} of {memory_plain(whole)}",
        )
    )
    if kills := use.get("memory_kills"):
        found.append(Meter("memory-kills", None, killed_words(kills)))
    return (*found, *(_gpu_meter(gpu) for gpu in use["gpus"]))


def killed_words(kills: int) -> str:
    """What the want of memory has cost so far."""
    if kills == 1:
        return "Memory ran out: a program of this server was ended, a notebook's kernel perhaps."
    return f"Memory ran out {kills} times: each time a program of this server was ended."


def _gpu_meter(gpu: Mapping[str, Any]) -> Meter:
    memory = memory_plain(Memory(gpu["memory"] >> 20))
    if gpu["busy"] is None:
        return Meter(f"gpu{gpu['index']}", None, f"GPU {gpu['index']}: {memory} of memory")
    words = f"GPU {gpu['index']}: {gpu['busy']} %, {memory} of memory"
    return Meter(f"gpu{gpu['index']}", gpu["busy"], words)


def _percent(part: float, whole: float) -> int:
    return max(0, min(100, round(100 * part / max(whole, 1))))
