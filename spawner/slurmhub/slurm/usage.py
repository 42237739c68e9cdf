"""What jobs of an account had, and for how long, as Slurm's accounting remembers it.

Source: the manual of sacct.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from slurmhub.slurm.errors import SlurmTextError
from slurmhub.slurm.gres import Gres, without_totals
from slurmhub.slurm.times import parse_timestamp
from slurmhub.slurm.tres import parse_tres

USE_FIELDS = ("JobIDRaw", "User", "Account", "Start", "End", "Suspended", "AllocTRES")
"""For sacct, none of which a job's owner chooses the text of."""

_REMEDY = "Run `sacct --allocations --parsable2` by hand and see what it prints."


@dataclass(frozen=True, kw_only=True)
class JobUse:
    """One run of a job, a requeued one has several: who had what, from when until when, in UTC.

    `suspended` is how long of it the job stood still. `end` is None while it runs.
    """

    job_id: int
    user: str
    account: str
    start: datetime
    end: datetime | None
    suspended: timedelta
    cpus: int
    gpus: tuple[Gres, ...]


def read_use(output: str) -> Iterator[JobUse]:
    """What sacct printed with `--parsable2` for the fields above. Raises SlurmTextError.

    Jobs that never started are left out.
    """
    for line in output.splitlines():
        row = line.split("|")
        if len(row) != len(USE_FIELDS):
            raise SlurmTextError(
                f"A row of sacct has {len(row)} columns instead of {len(USE_FIELDS)}.",
                remedy=_REMEDY,
            )
        number, user, account, started, ended, suspended, tres = row
        start = parse_timestamp(started)
        had = parse_tres(tres)
        # Nothing was allocated to what was cancelled in the queue, which may have a start as well.
        if start is None or not had.cpus:
            continue
        yield JobUse(
            job_id=_number(number),
            user=user,
            account=account,
            start=start,
            end=parse_timestamp(ended),
            suspended=_elapsed(suspended),
            cpus=had.cpus,
            gpus=tuple(one for one in without_totals(had.gres) if one.name == "gpu"),
        )


def moment(when: datetime) -> str:
    """A moment as sacct takes it in the zone UTC."""
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise SlurmTextError(f"{text!r} is no number of a job.", remedy=_REMEDY)
    return int(text)


def _elapsed(text: str) -> timedelta:
    """[days-]hours:minutes:seconds."""
    days, _, clock = text.rpartition("-")
    parts = clock.split(":")
    if len(parts) != 3 or not all(one.isascii() and one.isdigit() for one in [*parts, days or "0"]):
        raise SlurmTextError(f"{text!r} is no time that passed.", remedy=_REMEDY)
    hours, minutes, seconds = map(int, parts)
    return timedelta(days=int(days or 0), hours=hours, minutes=minutes, seconds=seconds)
