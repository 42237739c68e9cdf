"""Amounts of memory as Slurm writes them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from slurmhub.slurm.errors import SlurmTextError

# Slurm's own upper bound is 63 bits of mebibytes; no machine is near this one.
_MAX_MEBIBYTES = 2**44
_MAX_LENGTH = 32
_KIBIBYTES = {"K": 1, "M": 2**10, "G": 2**20, "T": 2**30, "P": 2**40}
_REMEDY = "Write a number and K, M, G or T, for example 4G, 4.5G or 4096M."


@dataclass(frozen=True, order=True)
class Memory:
    """An amount of memory in mebibytes (what Slurm calls MB)."""

    mebibytes: int

    def __post_init__(self) -> None:
        if not 0 <= self.mebibytes <= _MAX_MEBIBYTES:
            raise SlurmTextError(f"{self.mebibytes} MB of memory is out of range.", remedy=_REMEDY)

    @classmethod
    def of_gibibytes(cls, gibibytes: int) -> Memory:
        """So many gibibytes; raises SlurmTextError when out of range."""
        return cls(gibibytes * 1024)

    @classmethod
    def parse(cls, text: str) -> Memory:
        """Read a size as sbatch takes and squeue prints it, rounded up to a mebibyte.

        A bare number is mebibytes. Slurm's marks for "per CPU" and "per node", a trailing c
        or n, are dropped. Raises SlurmTextError for anything else.
        """
        return _parse(text)

    def plain(self) -> str:
        """The amount for people: 512 MB, 4 GB, 4.5 GB."""
        for unit, size in (("TB", 2**20), ("GB", 2**10)):
            if self.mebibytes >= size:
                return f"{self.mebibytes / size:.1f}".removesuffix(".0") + f" {unit}"
        return f"{self.mebibytes} MB"

    def __str__(self) -> str:
        """Slurm's spelling, exact: 4096M."""
        return f"{self.mebibytes}M"


@functools.lru_cache(maxsize=8192)
def _parse(text: str) -> Memory:
    word = text.strip(" ").upper()
    if not word.isascii() or len(word) > _MAX_LENGTH:
        raise _not_memory(text)
    if word.endswith(("C", "N")):
        word = word[:-1]
    if len(word) > 2 and word[-1] == "B" and word[-2] in _KIBIBYTES:
        word = word[:-1]
    unit = _KIBIBYTES["M"]
    if word and word[-1] in _KIBIBYTES:
        unit = _KIBIBYTES[word[-1]]
        word = word[:-1]
    whole, point, fraction = word.partition(".")
    if not whole.isdigit() or (point and not fraction.isdigit()):
        raise _not_memory(text)
    scale = 10 ** len(fraction)
    kibibytes = -(-int(whole + fraction) * unit // scale)
    mebibytes = -(-kibibytes // 1024)
    if mebibytes > _MAX_MEBIBYTES:
        raise _not_memory(text)
    return Memory(mebibytes)


def _not_memory(text: str) -> SlurmTextError:
    shown = text if len(text) <= _MAX_LENGTH else text[:_MAX_LENGTH] + "…"
    return SlurmTextError(f"{shown!r} is not an amount of memory.", remedy=_REMEDY)
