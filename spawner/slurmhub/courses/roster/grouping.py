"""Students of one file told apart: one who stands there twice, two who share an address."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from slurmhub.courses.roster.facts import CALLED, Identifiers, Kind
from slurmhub.courses.roster.reading import Row

# What stands for more different students than this is what a system writes for "unknown".
_MOST_STUDENTS = 8


@dataclass(eq=False)
class Group:
    """The rows of one student.

    `sent` is everything that they may be found by, of which somebody may have two addresses;
    `against` are other students of the file who have one of their identifiers.
    """

    rows: list[Row]
    identifiers: Identifiers
    sent: set[tuple[Kind, str]]
    against: list[Group] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The first that is written."""
        return next((row.name for row in self.rows if row.name), "")

    @property
    def lines(self) -> tuple[int, ...]:
        """Where they stand."""
        return tuple(sorted(row.line for row in self.rows))

    @property
    def key(self) -> str:
        """What they are called in choices: the same for the same file."""
        written = {(kind.value, value) for row in self.rows for kind, value in row.identifiers}
        # Rows that tell nobody are not merged, and may be written alike.
        text = json.dumps([sorted(written), [] if self.sent else self.lines])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def grouped(rows: Sequence[Row]) -> list[Group]:
    """The students of a file, each once, in the order of their first lines.

    Rows with an identifier in common are one student unless another says that they are two. A mail
    address of two students is taken from both, for it tells neither, and so is anything that many
    have; a login or a number of two makes both doubtful.
    """
    groups = _merged(_singles(rows))
    owners: dict[tuple[Kind, str], list[Group]] = {}
    for group in groups:
        for sent in sorted(group.sent, key=str):
            for other in owners.setdefault(sent, []):
                if other not in group.against:
                    group.against.append(other)
                    other.against.append(group)
            owners[sent].append(group)
    _note_names(groups)
    return groups


def _singles(rows: Sequence[Row]) -> Iterator[Group]:
    """Each row, without what tells nobody from others."""
    shared = _shared(rows)
    for row in rows:
        useless = [each for each in row.identifiers if each in shared]
        kept = replace(row.identifiers, **{kind.value: None for kind, _ in useless})
        group = Group([row], kept, set(kept))
        for kind, value in useless:
            lines = [line for line in shared[kind, value] if line != row.line]
            group.notes.append(
                f"Another student, in line {lines[0]}, has the same {CALLED[kind]}; it tells "
                "neither of them, and is not used."
            )
        yield group


def _shared(rows: Sequence[Row]) -> dict[tuple[Kind, str], list[int]]:
    """What is of several students, with some of their lines."""
    students: dict[tuple[Kind, str], dict[Identifiers, int]] = {}
    for row in rows:
        for each in row.identifiers:
            students.setdefault(each, {}).setdefault(row.identifiers, row.line)
    return {
        (kind, value): list(different.values())
        for (kind, value), different in students.items()
        if len(different) > _MOST_STUDENTS
        or (kind is Kind.MAIL and any(a.against(b) for a, b in combinations(different, 2)))
    }


def _merged(singles: Iterable[Group]) -> list[Group]:
    found: dict[tuple[Kind, str], list[Group]] = {}
    groups: dict[int, Group] = {}
    for single in singles:
        into = single
        for sent in sorted(single.sent, key=str):
            for other in list(found.get(sent, ())):
                if other is not into and not other.identifiers.against(into.identifiers):
                    _forget(found, into)
                    groups.pop(id(into), None)
                    join(other, into)
                    into = other
        groups[id(into)] = into
        for sent in into.sent:
            if into not in found.setdefault(sent, []):
                found[sent].append(into)
    return list(groups.values())


def _forget(found: dict[tuple[Kind, str], list[Group]], group: Group) -> None:
    for sent in group.sent:
        if group in found.get(sent, ()):
            found[sent].remove(group)


def join(one: Group, other: Group) -> None:
    """Takes the rows of `other` into `one`: they are the same student."""
    one.rows += other.rows
    one.identifiers = one.identifiers.filled(other.identifiers)
    one.sent |= other.sent
    one.notes = [*dict.fromkeys([*one.notes, *other.notes])]


def told(group: Group) -> tuple[str, ...]:
    """What is to be said of a student."""
    if len(group.rows) == 1:
        return tuple(group.notes)
    lines = ", ".join(map(str, group.lines))
    twice = f"This student stands in the file more than once and is taken once: lines {lines}."
    return (twice, *group.notes)


def _note_names(groups: Sequence[Group]) -> None:
    """Two people of one name are two people, which is worth saying."""
    by_name: dict[str, list[Group]] = {}
    for group in groups:
        if group.name:
            by_name.setdefault(" ".join(sorted(group.name.casefold().split())), []).append(group)
    for same in by_name.values():
        for group in same if len(same) > 1 else ():
            other = next(one for one in same if one is not group)
            message = f"Line {other.lines[0]} has the same name; they are two students."
            group.notes.append(message)
