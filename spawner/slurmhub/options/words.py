"""Amounts in plain words, and as people type them on the form."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit

SHARD = "shard"
"""Stands, among the types of GPU, for parts of a GPU that jobs share (Slurm's gres/shard)."""


def memory_plain(memory: Memory) -> str:
    """15.9 GB, 512 MB: rounded down, so that what is said to be there can be asked for."""
    if memory.mebibytes < 1024:
        return f"{memory.mebibytes} MB"
    tenths = memory.mebibytes * 10 // 1024
    return f"{_tenths(tenths)} GB"


def memory_typed(memory: Memory) -> str:
    """GB as a number where that is exact to a tenth, else Slurm's own text (4000M)."""
    tenths, rest = divmod(memory.mebibytes * 10, 1024)
    return str(memory) if rest else _tenths(tenths)


def time_plain(time: TimeLimit) -> str:
    """8 hours, 1.5 hours, 7 days, 1 hour 40 minutes: in whole minutes, rounded down."""
    if time.seconds is None:
        return "no time limit"
    minutes = time.seconds // 60
    if minutes >= 48 * 60 and minutes % (24 * 60) == 0:
        return counted(minutes // (24 * 60), "day")
    if minutes % 30 == 0 and minutes >= 60:
        half = minutes // 30
        return counted(half // 2, "hour") if half % 2 == 0 else f"{half // 2}.5 hours"
    whole, rest = divmod(minutes, 60)
    parts = [counted(whole, "hour")] if whole else []
    return " ".join([*parts, *([counted(rest, "minute")] if rest or not whole else [])])


def hours_typed(time: TimeLimit) -> str:
    """Hours as a number where that is exact to a hundredth, else Slurm's own text (01:40:00).

    The time must be finite and in whole minutes, as in a request.
    """
    minutes = time.minutes or 0
    if minutes * 100 % 60:
        return str(time)
    whole, hundredths = divmod(minutes * 100 // 60, 100)
    return f"{whole}.{hundredths:02}".rstrip("0").rstrip(".")


def age_plain(seconds: float) -> str:
    """How long ago something was: 40 seconds, 5 minutes, 3 hours."""
    # Neither a negative age (clocks differ) nor an endless one has words.
    whole = int(min(max(seconds, 0.0), 1e9))
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if whole >= 2 * size or (unit == "minute" and whole >= size):
            return counted(whole // size, unit)
    return counted(whole, "second")


def moment_plain(moment: datetime) -> str:
    """2026-11-21 18:00: a moment in the time of the hub's host, to the minute."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def gpus_said(count: int, gpu_type: str | None) -> str:
    """2 h100 GPUs, 1 GPU, 3 GPU shards."""
    if gpu_type == SHARD:
        return counted(count, "GPU shard")
    return counted(count, f"{gpu_type} GPU" if gpu_type else "GPU")


def span_plain(seconds: float) -> str:
    """How long something took: 40 seconds, 50 minutes, 1 hour, 1 hour 50 minutes."""
    return age_plain(seconds) if seconds < 60 else time_plain(TimeLimit.of_seconds(int(seconds)))


def counted(number: int, noun: str) -> str:
    """1 hour, 2 hours."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(items: Sequence[str]) -> str:
    """a, b and c."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def _tenths(tenths: int) -> str:
    whole, tenth = divmod(tenths, 10)
    return f"{whole}.{tenth}" if tenth else str(whole)
