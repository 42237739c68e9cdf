"""Generic resources (GPUs and others) as Slurm writes them."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from slurmhub.slurm.errors import SlurmTextError

_MAX_COUNT = 2**63 - 1
_MAX_LENGTH = 4096
_MULTIPLES = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "P": 2**50}
_NOTHING = frozenset({"", "(null)", "N/A", "NULL", "none"})
# Before 23.11 and since: how a list of trackable resources marks a generic one.
_MARKS = ("gres:", "gres/")
# What parts the pieces of a GRES, and what could part words or lines of a script.
_FORBIDDEN = frozenset(",:=()[]/\\\"'`$#;&|<>*?!~{}%@^")
_REMEDY = "Write it as gpu:2 or gpu:h100:2: the name, a type if there are types, and how many."


@dataclass(frozen=True, order=True)
class Gres:
    """So many of one generic resource; `type` is None where none was named."""

    name: str
    type: str | None
    count: int

    def __post_init__(self) -> None:
        if (
            not _is_word(self.name)
            or not (self.type is None or _is_word(self.type))
            or not 0 <= self.count <= _MAX_COUNT
        ):
            raise _not_gres(f"{self.name}:{self.type}:{self.count}")

    def directive(self) -> str:
        """The text for `--gres`: gpu:h100:2, or gpu:2 for any type."""
        return ":".join(part for part in (self.name, self.type, str(self.count)) if part)


def parse_gres(text: str) -> tuple[Gres, ...]:
    """Read a list of generic resources in any spelling of sinfo, squeue, gres.conf or a TRES.

    `gpu:4` is four of no named type, `gpu:h100` is one; what stands in brackets (the sockets
    or the indices) is left out. Where some entries say that they are generic resources, as in
    `cpu:2,gres/gpu:1`, the others are not. Raises SlurmTextError for anything else.
    """
    return _parse(text)


def gpus(resources: Iterable[Gres]) -> tuple[Gres, ...]:
    """Those of the resources that are GPUs, MIG slices included."""
    return tuple(one for one in resources if one.name == "gpu")


def gpu_count(resources: Iterable[Gres], type: str | None = None) -> int:  # noqa: A002
    """How many GPUs of a type, or of all types.

    A list from a TRES names typed GPUs twice, with the type and in the total; the total is
    the larger of the two ways of counting.
    """
    found = gpus(resources)
    if type is not None:
        return sum(one.count for one in found if one.type == type)
    typed = sum(one.count for one in found if one.type is not None)
    return max(typed, sum(one.count for one in found if one.type is None))


def without_totals(resources: Iterable[Gres]) -> tuple[Gres, ...]:
    """The resources without the untyped totals that a TRES adds beside the types."""
    found = tuple(resources)
    typed: dict[str, int] = {}
    for one in found:
        if one.type is not None:
            typed[one.name] = typed.get(one.name, 0) + one.count
    return tuple(one for one in found if one.type is not None or typed.get(one.name) != one.count)


@functools.lru_cache(maxsize=8192)
def _parse(text: str) -> tuple[Gres, ...]:
    if len(text) > _MAX_LENGTH:
        raise _not_gres(text)
    if text.strip(" ") in _NOTHING:
        return ()
    entries = [entry.strip(" ") for entry in _entries(text)]
    marked = [entry for entry in entries if entry.startswith(_MARKS)]
    return tuple(_one(entry, text) for entry in marked or entries)


def _entries(text: str) -> list[str]:
    """Parts at the commas that stand outside brackets, each without its closing bracket."""
    entries, depth, entry = [], 0, ""
    for character in text.replace(":(null)", ""):
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
            if depth < 0:
                raise _not_gres(text)
        elif depth == 0 and character == ",":
            entries.append(entry)
            entry = ""
        elif depth == 0:
            entry += character
    if depth:
        raise _not_gres(text)
    return [*entries, entry]


def _one(entry: str, text: str) -> Gres:
    if entry.startswith(_MARKS):
        entry = entry[len("gres/") :]
    parts = entry.replace("=", ":").split(":")
    parts = [part for part in parts if part != "no_consume"]
    count = _count(parts[-1]) if len(parts) > 1 else None
    if count is None:
        count = 1
    else:
        parts = parts[:-1]
    if not 1 <= len(parts) <= 2 or not all(_is_word(part) for part in parts):
        raise _not_gres(text)
    return Gres(parts[0], parts[1] if len(parts) == 2 else None, count)


def _count(text: str) -> int | None:
    """The number a text means, with Slurm's multiples of 1024, or None if it is a name."""
    digits, unit = text, 1
    if text and text[-1].upper() in _MULTIPLES:
        digits, unit = text[:-1], _MULTIPLES[text[-1].upper()]
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
        return None
    number = int(digits) * unit
    return number if number <= _MAX_COUNT else None


def _is_word(text: str) -> bool:
    return (
        0 < len(text) <= 255
        and text.isascii()
        and text.isprintable()
        and " " not in text
        and text[0].isalnum()
        and not any(character in _FORBIDDEN for character in text)
    )


def _not_gres(text: str) -> SlurmTextError:
    shown = text if len(text) <= 80 else text[:80] + "…"
    return SlurmTextError(f"{shown!r} is not a list of generic resources.", remedy=_REMEDY)
