"""Trackable resources as Slurm prints them for a job: cpu=4,mem=8G,node=1,gres/gpu=4."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from slurmhub.slurm.errors import SlurmTextError
from slurmhub.slurm.gres import Gres, parse_gres
from slurmhub.slurm.memory import Memory

_NOTHING = frozenset({"", "(null)", "N/A"})
_MAX_LENGTH = 4096
_REMEDY = "It should look like cpu=4,mem=8G,node=1,gres/gpu:h100=2."


@dataclass(frozen=True)
class Tres:
    """What a job has or asks for in all; None where it is not named.

    `gres` is as Slurm prints it: typed GPUs are named with their type and again in an untyped
    total, so count them with `gres.gpu_count`. Billing, energy and the like are left out.
    """

    cpus: int | None = None
    memory: Memory | None = None
    nodes: int | None = None
    gres: tuple[Gres, ...] = ()


def parse_tres(text: str) -> Tres:
    """Read a list of trackable resources; raises SlurmTextError for anything else."""
    return _parse(text)


@functools.lru_cache(maxsize=8192)
def _parse(text: str) -> Tres:
    if text.strip(" ") in _NOTHING:
        return Tres()
    if len(text) > _MAX_LENGTH:
        raise _not_tres(text)
    words: dict[str, str] = {}
    gres: list[str] = []
    for entry in text.split(","):
        name, equals, value = entry.strip(" ").partition("=")
        if not name or not equals or not value:
            raise _not_tres(text)
        if name.startswith("gres/"):
            gres.append(entry.strip(" "))
        else:
            words[name] = value
    return Tres(
        cpus=_number(words.get("cpu"), text),
        memory=Memory.parse(words["mem"]) if "mem" in words else None,
        nodes=_number(words.get("node"), text),
        gres=parse_gres(",".join(gres)),
    )


def _number(word: str | None, text: str) -> int | None:
    if word is None:
        return None
    if not (word.isascii() and word.isdigit() and len(word) <= 18):
        raise _not_tres(text)
    return int(word)


def _not_tres(text: str) -> SlurmTextError:
    shown = text if len(text) <= 80 else text[:80] + "…"
    return SlurmTextError(f"{shown!r} is not a list of trackable resources.", remedy=_REMEDY)
