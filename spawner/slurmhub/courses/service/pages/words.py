"""Courses in plain words, and what is said once something was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timezone
from zoneinfo import ZoneInfo

from slurmhub.courses.hours import Occurrence
from slurmhub.courses.model import WEEKDAYS, Course, Profile, Weekday
from slurmhub.options.words import counted, gpus_said, listed, memory_plain, time_plain
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit

DONE: Mapping[str, str] = {
    "made": "The course is made and open. Bring in its students next.",
    "asked": "Approval is asked for. You see here what becomes of it.",
    "saved": "The course is saved.",
    "withdrawn": "Approval is not asked for any more.",
    "left": "You have left the course.",
    "joined": "You are in the course now.",
    "brought": "They are in the course.",
    "awaited": "They are in the course as soon as they sign in for the first time.",
    "role": "Their role is changed.",
    "dropped": "They are not in the course any more. Their files stay.",
    "roster": "The roster is changed as you saw it.",
    "nothing": "There was nothing to change.",
    "revoked": "The join code is revoked: nobody comes in with it any more.",
    "frozen": "The course is frozen.",
    "thawed": "The course is open again.",
    "ended": "The course is ended. What it had at the cluster is being taken away.",
    "given": "The course has another owner.",
    "copied": "The course is copied.",
    "approved": "It is approved.",
    "refused": "It is not approved, and its staff see what you wrote.",
    "stopped": "The server is being stopped.",
    "all-stopped": "All servers of the course are being stopped.",
    "extended": "The server has more time.",
    "said": "The message is shown to the class.",
    "unsaid": "The message is not shown any more.",
    "help-asked": "The student is asked. You see here when they let you in.",
    "help-ended": "The help is ended.",
    "all-extended": "All servers that may have more time have it.",
}
"""Sentences, by what stands in the address of the page after it was done."""


def moment_said(seconds: float, zone: str) -> str:
    """2026-01-31 14:05: a moment, given in seconds since the epoch, in a time zone."""
    moment = datetime.fromtimestamp(seconds, timezone.utc).astimezone(ZoneInfo(zone))
    return moment.strftime("%Y-%m-%d %H:%M")


@dataclass(frozen=True)
class Held:
    """One class on the clock of the course; `end` may be of the next day."""

    weekday: Weekday
    day: date
    start: time
    end: time


def held(one: Occurrence, zone: str) -> Held:
    """A class in a time zone."""
    first, last = (moment.astimezone(ZoneInfo(zone)) for moment in (one.start, one.end))
    return Held(WEEKDAYS[first.weekday()], first.date(), first.time(), last.time())


def profile_said(profile: Profile) -> str:
    """2 CPUs, 4 GB of memory and 1 GPU."""
    parts = [
        counted(profile.cpus, "CPU"),
        f"{memory_plain(Memory.parse(profile.memory))} of memory",
    ]
    if profile.gpus:
        parts.append(gpus_said(profile.gpus, profile.gpu_type))
    return listed(parts)


def hours_said(course: Course) -> str:
    """How long a server of the course lasts."""
    return time_plain(TimeLimit.of_minutes(round(course.profile.hours * 60)))


def materials_said(course: Course) -> str:
    """Where what is open at the start comes from, empty where nothing is said."""
    materials = course.materials
    return materials.repository.url if materials.repository else (materials.open or "")
