"""The kinds of values in courses: keys, amounts, hours, places, each checked as it is typed."""

from __future__ import annotations

import re
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints

from slurmhub.options.request import PARTITION_NAME
from slurmhub.slurm.errors import SlurmTextError
from slurmhub.slurm.memory import Memory

KEY = r"^[a-z][a-z0-9-]{1,28}[a-z0-9]$"
"""A course's own name: that of its server, and part of its Slurm account, QOS and folders."""

USERNAME = r"^[^\s/\x00-\x1f\x7f]{1,255}$"
"""A person's name at the hub."""

# One line that people read: no control characters, none that turn the reading direction.
_LINE = r"^[^\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]+$"
# git-check-ref-format(1), narrowed to what needs no quoting anywhere.
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_NAME = re.compile(r"[^/\\]{1,255}")

_USERNAME = re.compile(USERNAME)
_KEY = re.compile(KEY)
_HALVES = re.compile(r"[\ud800-\udfff]")


def is_key(text: str) -> bool:
    """Whether a course may be called this: what may not is in no database."""
    return _KEY.fullmatch(text) is not None


def is_username(text: str) -> bool:
    """Whether somebody may be called this at a hub: what may not is in no database."""
    # Halves of letters have no bytes.
    return _USERNAME.fullmatch(text) is not None and not _HALVES.search(text)


def _memory(value: str) -> str:
    try:
        amount = Memory.parse(value)
    except SlurmTextError as error:
        raise ValueError("must be an amount such as 4G or 512M") from error
    if amount.mebibytes < 1:
        raise ValueError("must be more than nothing, such as 4G")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("is no time zone; give a name such as America/Vancouver") from error
    return value


def _branch(value: str) -> str:
    if not _BRANCH.fullmatch(value) or ".." in value or value.endswith(("/", ".", ".lock")):
        raise ValueError("is no name of a branch; give one such as main")
    return value


def _inside(value: str) -> str:
    """A path below a folder: no way leads out of it."""
    parts = value.split("/")
    # Neither control characters nor marks that turn the reading direction.
    if len(value) > 1000 or not value.isprintable() or not all(map(_NAME.fullmatch, parts)):
        raise ValueError("must be a path such as week-1/exercise.ipynb")
    if any(part in (".", "..") for part in parts) or parts[0].startswith("~"):
        raise ValueError("must stay inside the folder: no '.', '..' or '~'")
    return value


def _in_home(value: str) -> str:
    """A folder of its own in a home.

    Programs read their settings from hidden folders (.ssh, .ipython): whoever fills one runs
    programs as the person whose home it is.
    """
    parts = value.split("/")
    if any(part.startswith((".", "-")) for part in parts) or parts[0] == "courses":
        raise ValueError("must be a folder of its own, such as phys101: not hidden, not courses")
    return value


Key = Annotated[str, StringConstraints(pattern=KEY)]
Username = Annotated[str, StringConstraints(pattern=USERNAME)]
Line = Annotated[str, StringConstraints(pattern=_LINE, strip_whitespace=True, max_length=200)]
PartitionName = Annotated[str, StringConstraints(pattern=PARTITION_NAME)]
GpuType = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Amount = Annotated[str, StringConstraints(max_length=16), AfterValidator(_memory)]
"""An amount of memory or of room, as Slurm writes it: 4G."""
TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_zone)]
Branch = Annotated[str, AfterValidator(_branch)]
InnerPath = Annotated[str, AfterValidator(_inside)]
HomeFolder = Annotated[InnerPath, AfterValidator(_in_home)]
Count = Annotated[int, Field(ge=0, le=100_000)]
Hours = Annotated[float, Field(gt=0, le=24 * 31, allow_inf_nan=False)]
