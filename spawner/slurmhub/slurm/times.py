"""Time limits and time stamps as Slurm writes them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import datetime, timezone

from slurmhub.slurm.errors import SlurmTextError

# Slurm holds a duration in a signed 32-bit number of seconds while it reads it.
_MAX_SECONDS = 2**31 - 1
_MAX_LENGTH = 32
_UNLIMITED_WORDS = frozenset({"UNLIMITED", "INFINITE", "-1"})
_NO_TIME_WORDS = frozenset({"", "N/A", "NONE", "UNKNOWN", "(NULL)", "INVALID"})

_LIMIT_REMEDY = (
    "Write minutes (90), minutes:seconds (30:00), hours:minutes:seconds (1:30:00), "
    "days-hours (1-12), days-hours:minutes, days-hours:minutes:seconds, or UNLIMITED."
)
_STAMP_REMEDY = "Write it as 2026-01-31T23:59:59 or as whole seconds since 1970."


@functools.total_ordering
@dataclass(frozen=True)
class TimeLimit:
    """A duration as Slurm's `--time` takes it; `seconds` is None when it is unlimited.

    Unlimited is longer than any other. Source: the manual of sbatch, option `--time`.
    A limit of zero seconds is a duration like any other here, but sbatch reads `--time=0`
    as "no limit": what asks for a job has to refuse it.
    """

    seconds: int | None

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 <= self.seconds <= _MAX_SECONDS:
            raise SlurmTextError(
                f"A time of {self.seconds} seconds is out of range.",
                remedy=f"Use 0 to {_MAX_SECONDS} seconds, or no limit.",
            )

    @classmethod
    def of_seconds(cls, seconds: int) -> TimeLimit:
        """A limit of so many seconds; raises SlurmTextError when out of range."""
        return cls(seconds)

    @classmethod
    def of_minutes(cls, minutes: int) -> TimeLimit:
        """A limit of so many minutes; raises SlurmTextError when out of range."""
        return cls(minutes * 60)

    @classmethod
    def parse(cls, text: str) -> TimeLimit:
        """Read Slurm's grammar; raises SlurmTextError for anything else.

        A single number is minutes, `30:00` is thirty minutes, `1-12` is a day and a half.
        """
        return _parse_limit(text)

    @property
    def unlimited(self) -> bool:
        """Whether there is no limit at all."""
        return self.seconds is None

    @property
    def minutes(self) -> int | None:
        """Whole minutes, rounded up as Slurm does; None when unlimited."""
        return None if self.seconds is None else -(-self.seconds // 60)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, TimeLimit):
            return NotImplemented
        if self.seconds is None:
            return False
        return other.seconds is None or self.seconds < other.seconds

    def __str__(self) -> str:
        """Slurm's own spelling, which `parse` reads back: 30:00, 01:30:00, 1-12:00:00."""
        if self.seconds is None:
            return "UNLIMITED"
        minutes, seconds = divmod(self.seconds, 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        if days:
            return f"{days}-{hours:02}:{minutes:02}:{seconds:02}"
        if hours:
            return f"{hours:02}:{minutes:02}:{seconds:02}"
        return f"{minutes:02}:{seconds:02}"


UNLIMITED = TimeLimit(None)


def parse_timestamp(text: str) -> datetime | None:
    """A moment as Slurm prints it, in UTC; None for its words for "no such time".

    Reads whole seconds since 1970 and, as local time of this machine, 2026-01-31T23:59:59.
    Raises SlurmTextError for anything else.
    """
    word = text.strip(" ")
    try:
        if word.isascii() and word.isdigit():
            # Slurm's own zero means that the time is not set.
            return datetime.fromtimestamp(int(word), timezone.utc) if int(word) else None
        if len(word) == 19 and word.isascii() and word[4] + word[10] == "-T":
            return datetime.strptime(word, "%Y-%m-%dT%H:%M:%S").astimezone(timezone.utc)
    except (ValueError, OverflowError, OSError) as error:
        raise _not_stamp(text) from error
    if word.upper() in _NO_TIME_WORDS:
        return None
    raise _not_stamp(text)


@functools.lru_cache(maxsize=8192)
def _parse_limit(text: str) -> TimeLimit:
    word = text.strip(" ")
    if word.upper() in _UNLIMITED_WORDS:
        return UNLIMITED
    days, dash, clock = word.rpartition("-")
    parts = clock.split(":")
    numbers = [days, *parts] if dash else parts
    if (
        len(word) > _MAX_LENGTH
        or len(parts) > 3
        or not all(number.isascii() and number.isdigit() for number in numbers)
    ):
        raise SlurmTextError(f"{_shown(text)} is not a time.", remedy=_LIMIT_REMEDY)
    hours, minutes, seconds = _clock([int(part) for part in parts], with_days=bool(dash))
    total = ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds
    if total > _MAX_SECONDS:
        raise SlurmTextError(f"{_shown(text)} is too long a time.", remedy=_LIMIT_REMEDY)
    return TimeLimit(total)


def _clock(parts: list[int], *, with_days: bool) -> tuple[int, int, int]:
    """Hours, minutes and seconds: after days the first number is hours, else minutes."""
    if len(parts) == 3:
        return parts[0], parts[1], parts[2]
    if with_days:
        return parts[0], parts[1] if len(parts) == 2 else 0, 0
    return 0, parts[0], parts[1] if len(parts) == 2 else 0


def _not_stamp(text: str) -> SlurmTextError:
    return SlurmTextError(f"{_shown(text)} is not a time stamp.", remedy=_STAMP_REMEDY)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _MAX_LENGTH else text[:_MAX_LENGTH] + "…")
