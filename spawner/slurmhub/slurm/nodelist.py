"""Lists of node names in Slurm's short form: n[1-3,07-09],login.

Source: "hostlist expressions" in the manual of scontrol, `show hostnames`.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable

from slurmhub.slurm.errors import SlurmTextError

# More than any cluster has; keeps a mistyped range from filling the memory.
_MAX_NODES = 200_000
_NOTHING = frozenset({"", "(null)", "None assigned", "None", "n/a", "N/A"})
_REMEDY = "Write it as n1,n2 or n[1-3,07-09]."
_SPLIT_NUMBER = re.compile(r"(.*?)([0-9]{1,18})", re.ASCII | re.DOTALL)


def expand(text: str) -> list[str]:
    """All names of a list, in its order, with the zeros that stand before numbers.

    Raises SlurmTextError when it is not such a list, or names more than 200 000 nodes.
    """
    return list(_expand(text.strip(" ")))


def compress(names: Iterable[str]) -> str:
    """The short form of a set of names: sorted, each name once."""
    groups: dict[tuple[str, int], list[int]] = {}
    plain: list[str] = []
    for name in sorted(set(names)):
        match = _SPLIT_NUMBER.fullmatch(name)
        if match is None:
            plain.append(name)
            continue
        digits = match[2]
        width = len(digits) if digits[0] == "0" and len(digits) > 1 else 0
        groups.setdefault((match[1], width), []).append(int(digits))
    parts = [*plain]
    for (prefix, width), numbers in sorted(groups.items()):
        parts.append(prefix + _bracket(sorted(numbers), width))
    return ",".join(parts)


@functools.lru_cache(maxsize=8192)
def _expand(text: str) -> tuple[str, ...]:
    if text in _NOTHING:
        return ()
    names: list[str] = []
    for entry in _entries(text):
        names += _names_of(entry, _MAX_NODES - len(names), text)
    return tuple(names)


def _entries(text: str) -> list[str]:
    """Parts at the commas outside brackets."""
    entries, inside, begin = [], False, 0
    for place, character in enumerate(text):
        if character == "[" and not inside:
            inside = True
        elif character == "]" and inside:
            inside = False
        elif character in "[]":
            raise _not_nodes(text)
        elif character == "," and not inside:
            entries.append(text[begin:place])
            begin = place + 1
    if inside:
        raise _not_nodes(text)
    return [*entries, text[begin:]]


def _names_of(entry: str, room: int, text: str) -> list[str]:
    pieces = re.split(r"\[([^\]]*)\]", entry)
    if not entry or any(not piece.isprintable() or " " in piece for piece in pieces[::2]):
        raise _not_nodes(text)
    choices: list[list[str]] = []
    total = 1
    for place, piece in enumerate(pieces):
        choices.append(_numbers(piece, room, text) if place % 2 else [piece])
        total *= len(choices[-1])
        if total > room:
            raise _not_nodes(text)
    return ["".join(chosen) for chosen in itertools.product(*choices)]


def _numbers(bracket: str, room: int, text: str) -> list[str]:
    """What stands in one pair of brackets: numbers and ranges of numbers."""
    numbers: list[str] = []
    for part in bracket.split(","):
        low, dash, high = part.partition("-")
        high = high if dash else low
        if not all(one.isascii() and one.isdigit() and len(one) <= 18 for one in (low, high)):
            raise _not_nodes(text)
        first, last = int(low), int(high)
        if last < first or last - first >= room - len(numbers):
            raise _not_nodes(text)
        numbers += [f"{number:0{len(low)}}" for number in range(first, last + 1)]
    return numbers


def _bracket(numbers: list[int], width: int) -> str:
    if len(numbers) == 1:
        return f"{numbers[0]:0{width}}" if width else str(numbers[0])
    ranges: list[str] = []
    # Neighbours have the same distance from their place in the list.
    for _, group in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        low, high = (f"{number:0{width}}" if width else str(number) for number in (run[0], run[-1]))
        ranges.append(low if len(run) == 1 else f"{low}-{high}")
    return "[" + ",".join(ranges) + "]"


def _not_nodes(text: str) -> SlurmTextError:
    shown = text if len(text) <= 80 else text[:80] + "…"
    return SlurmTextError(f"{shown!r} is not a list of nodes.", remedy=_REMEDY)
