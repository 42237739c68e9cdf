"""What a course used and what that cost: by day, by person and in all, from what Slurm remembers.

Pure: `usage` are runs of jobs as `slurm.usage` reads them. An hour of a CPU that a server had
counts whether it computed or not, since nobody else could have it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from slurmhub.courses.model import Course
from slurmhub.courses.policy import Rates
from slurmhub.slurm.gres import gpu_count
from slurmhub.slurm.usage import JobUse

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Used:
    """Hours of servers, of their CPUs and GPUs, and the cost of these in the institution's unit."""

    server_hours: float = 0.0
    cpu_hours: float = 0.0
    gpu_hours: float = 0.0
    cost: float = 0.0

    def __add__(self, other: Used) -> Used:
        return Used(
            server_hours=self.server_hours + other.server_hours,
            cpu_hours=self.cpu_hours + other.cpu_hours,
            gpu_hours=self.gpu_hours + other.gpu_hours,
            cost=self.cost + other.cost,
        )


@dataclass(frozen=True, kw_only=True)
class Use:
    """What was used in some days: each of them has its row, also those on which nothing was.

    `people` has only those who used something, `servers` is how many were started.
    """

    unit: str
    days: tuple[tuple[date, Used], ...]
    people: tuple[tuple[str, Used], ...]
    total: Used
    servers: int


def use_of(
    usage: Iterable[JobUse],
    course: Course,
    rates: Rates,
    *,
    until: datetime,
    first: date | None = None,
) -> Use:
    """From the first day of the term, or `first`, to the day of `until`, in the course's zone.

    What still runs counts until `until`. Most by cost comes first among the people, then by hours.
    """
    zone = ZoneInfo(course.timezone)
    begin = course.term.first if first is None else first
    last = max(begin, until.astimezone(zone).date())
    since = datetime.combine(begin, time(), zone)
    days = {begin + timedelta(days=n): Used() for n in range((last - begin).days + 1)}
    people: dict[str, Used] = defaultdict(Used)
    total, servers = Used(), 0
    for run in usage:
        used = Used()
        for day, hours in _hours(run, since, until, zone):
            part = _used(run, hours, rates)
            days[day] += part
            used += part
        if used.server_hours:
            servers += 1
            people[run.user] += used
            total += used
    ranked = sorted(people.items(), key=lambda one: (-one[1].cost, -one[1].server_hours, one[0]))
    return Use(
        unit=rates.unit,
        days=tuple(days.items()),
        people=tuple(ranked),
        total=total,
        servers=servers,
    )


def by_week(use: Use) -> tuple[tuple[date, Used], ...]:
    """The same by weeks, each by its Monday."""
    weeks: dict[date, Used] = {}
    for day, used in use.days:
        monday = day - timedelta(days=day.weekday())
        weeks[monday] = weeks.get(monday, Used()) + used
    return tuple(weeks.items())


def _hours(
    run: JobUse, since: datetime, until: datetime, zone: ZoneInfo
) -> Iterator[tuple[date, float]]:
    """The hours of a run on each day, midnights being those of the zone, without its standstills.

    Where it stood still is not remembered, only for how long: it is taken from each day alike.
    """
    end = until if run.end is None else run.end
    ran = (end - run.start) / _HOUR
    if ran <= 0:
        return
    share = max(0.0, 1 - run.suspended / _HOUR / ran)
    at, end = max(run.start, since), min(end, until)
    while at < end:
        day = at.astimezone(zone).date()
        midnight = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(timezone.utc)
        stop = min(midnight, end)
        yield day, (stop - at) / _HOUR * share
        at = stop


def _used(run: JobUse, hours: float, rates: Rates) -> Used:
    cost = run.cpus * rates.cpu_hour
    for gpu in run.gpus:
        cost += gpu.count * rates.gpu_hour.get(gpu.type or "", rates.other_gpu_hour)
    return Used(
        server_hours=hours,
        cpu_hours=run.cpus * hours,
        gpu_hours=gpu_count(run.gpus) * hours,
        cost=cost * hours,
    )
