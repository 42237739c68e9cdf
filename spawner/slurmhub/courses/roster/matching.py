"""Who the students of a file are among the people of the hub: found, awaited, or for staff to say.

People are found by principal name, login, mail address and number, in this order, and never by
what they are called.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from slurmhub.courses.roster.facts import CALLED, Identifiers, Kind, PersonFacts
from slurmhub.courses.roster.grouping import Group, grouped, join, told
from slurmhub.courses.roster.reading import Row
from slurmhub.errors import SlurmhubError

# Digits of a student number; those who lost zeros at their beginning are looked for up to this.
_LONGEST_NUMBER = 12


class Known(Protocol):
    """Somebody of the hub; `left`, if it says anything, that they are not there any more."""

    @property
    def facts(self) -> PersonFacts:
        """What sign-in told of them last."""
        ...

    @property
    def left(self) -> float | bool | None:
        """Since when their account is nobody's any more."""
        ...


class People(Protocol):
    """The people of the hub."""

    def with_any(self, wanted: Mapping[Kind, Collection[str]]) -> Iterable[Known]:
        """Everybody who has one of these, in its compared form; also those who left."""
        ...


class Outcome(Enum):
    """What is known of who a student is."""

    KNOWN = "known"
    PENDING = "pending"
    """Nobody of the hub yet: they join when they sign in for the first time."""
    DOUBTFUL = "doubtful"
    """Staff have to say."""
    LEFT_OUT = "left-out"
    """Staff said that they are not to be taken, or nothing tells them from others."""


class Otherwise(Enum):
    """What staff may choose that is nobody of the hub."""

    WAIT = "wait"
    """They are somebody else, who has not signed in yet."""
    LEAVE_OUT = "leave-out"


Choice = str | Otherwise
"""A username, or none."""


class ChoiceUnknown(SlurmhubError):
    """What was chosen for a student is none of what there was to choose from."""


@dataclass(frozen=True)
class Match:
    """One student of a file. `reason` says why staff have to choose, and `choices` from whom.

    `key` is what a choice is given for; `by` is what they were found by.
    """

    key: str
    lines: tuple[int, ...]
    name: str
    identifiers: Identifiers
    outcome: Outcome
    username: str | None = None
    by: Kind | None = None
    reason: str = ""
    choices: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def match(
    rows: Sequence[Row],
    people: People,
    *,
    chosen: Mapping[str, Choice] | None = None,
    learns: Collection[Kind] = tuple(Kind),
) -> tuple[Match, ...]:
    """Who the rows are. `chosen` is what staff chose for some, by `Match.key`.

    `learns` are the kinds that sign-in tells of people here. Raises ChoiceUnknown.
    """
    groups = grouped(rows)
    known = _Index(people.with_any(_wanted(groups)))
    found = [_found(group, known) for group in groups]
    found = _once_each(found)
    return tuple(_decided(one, chosen or {}, learns) for one in found)


@dataclass
class _Found:
    group: Group
    outcome: Outcome
    known: Known | None = None
    by: Kind | None = None
    reason: str = ""
    choices: tuple[str, ...] = ()

    def doubt(self, reason: str, choices: Iterable[str]) -> None:
        """Staff have to say."""
        self.outcome, self.reason = Outcome.DOUBTFUL, reason
        self.choices = tuple(sorted({*self.choices, *choices}))


class _Index:
    """People by each of their identifiers."""

    def __init__(self, people: Iterable[Known]) -> None:
        self._by: dict[tuple[Kind, str], dict[str, Known]] = {}
        for one in people:
            for each in one.facts.identifiers:
                self._by.setdefault(each, {})[one.facts.username] = one

    def with_any(self, sent: Iterable[tuple[Kind, str]]) -> dict[str, tuple[Known, set[Kind]]]:
        """People by username, with the kinds that they have in common with `sent`."""
        found: dict[str, tuple[Known, set[Kind]]] = {}
        for each in sent:
            for username, one in self._by.get(each, {}).items():
                found.setdefault(username, (one, set()))[1].add(each[0])
        return found


def _wanted(groups: Sequence[Group]) -> dict[Kind, set[str]]:
    wanted: dict[Kind, set[str]] = {kind: set() for kind in Kind}
    for group in groups:
        for kind, value in group.sent:
            wanted[kind].add(value)
            if kind is Kind.NUMBER:
                wanted[kind].update(_with_zeros(value))
    return wanted


def _with_zeros(number: str) -> set[str]:
    """A number as it was before a spreadsheet took its zeros, or as it is after."""
    if not number.isdigit():
        return set()
    bare = number.lstrip("0")
    widths = range(len(bare), _LONGEST_NUMBER + 1)
    return {bare.rjust(width, "0") for width in widths} - {number, ""}


def _found(group: Group, people: _Index) -> _Found:
    candidates = people.with_any(group.sent)
    if not group.sent:
        return _Found(group, Outcome.LEFT_OUT)
    if group.against:
        result = _Found(group, Outcome.DOUBTFUL)
        others = group.against[0]
        shared = sorted(CALLED[kind] for kind, _ in group.sent & others.sent)
        reason = (
            f"Line {others.lines[0]} has the same {shared[0]}, and differs in what only one "
            "person has. One of the lines is wrong."
        )
        result.doubt(reason, candidates)
        return result
    if not candidates:
        return _with_lost_zeros(group, people)
    best = [name for name in candidates if _stands_out(name, candidates, group.identifiers)]
    result = _Found(group, Outcome.KNOWN)
    if len(best) != 1:
        result.doubt(_why_doubtful(candidates, group.identifiers), candidates)
        return result
    result.known, kinds = candidates[best[0]]
    result.by = next(kind for kind in Kind if kind in kinds)
    if result.known.left:
        reason = (
            f"The account with this {CALLED[result.by]} is of somebody who left. It may be the "
            "same person, or somebody who was given it since."
        )
        result.doubt(reason, candidates)
    return result


def _stands_out(
    name: str, candidates: Mapping[str, tuple[Known, set[Kind]]], identifiers: Identifiers
) -> bool:
    """Whether nothing speaks against this one, and for each other no more than for this one."""
    one, kinds = candidates[name]
    if identifiers.against(one.facts.identifiers):
        return False
    return all(
        others <= kinds and (others != kinds or identifiers.against(other.facts.identifiers))
        for username, (other, others) in candidates.items()
        if username != name
    )


def _why_doubtful(
    candidates: Mapping[str, tuple[Known, set[Kind]]], identifiers: Identifiers
) -> str:
    if len(candidates) == 1:
        ((username, (one, kinds)),) = candidates.items()
        same = next(kind for kind in Kind if kind in kinds)
        differs = identifiers.against(one.facts.identifiers)
        other = next(kind for kind in Kind if kind in differs)
        return f"{username} has this {CALLED[same]}, and another {CALLED[other]}."
    shared = set.intersection(*(kinds for _, kinds in candidates.values()))
    if shared:
        same = next(kind for kind in Kind if kind in shared)
        return f"Several people have this {CALLED[same]}."
    of = {
        next(kind for kind in Kind if kind in kinds): username
        for username, (_, kinds) in sorted(candidates.items(), reverse=True)
    }
    first, second = [kind for kind in Kind if kind in of][:2] if len(of) > 1 else (None, None)
    if first is None or second is None:
        return "What the file says is of several people."
    return (
        f"The {CALLED[first]} is that of {of[first]}, and the {CALLED[second]} that of "
        f"{of[second]}."
    )


def _with_lost_zeros(group: Group, people: _Index) -> _Found:
    number = group.identifiers.number
    alike = people.with_any((Kind.NUMBER, each) for each in _with_zeros(number or ""))
    result = _Found(group, Outcome.PENDING)
    if alike:
        reason = (
            f"The student number of {min(alike)} differs from this one only by zeros at its "
            "beginning, which spreadsheets take away."
        )
        result.doubt(reason, alike)
    return result


def _once_each(found: Sequence[_Found]) -> list[_Found]:
    """Rows with nothing in common may still be of one person of the hub."""
    kept: list[_Found] = []
    of: dict[str, _Found] = {}
    for one in found:
        username = one.known.facts.username if one.known else None
        if one.outcome is not Outcome.KNOWN or username is None:
            kept.append(one)
            continue
        other = of.setdefault(username, one)
        if other is one:
            kept.append(one)
        elif other.group.identifiers.against(one.group.identifiers):
            for each, line in ((one, other.group.lines[0]), (other, one.group.lines[0])):
                each.doubt(
                    f"This student and that of line {line} both seem to be {username}.", [username]
                )
            kept.append(one)
        else:
            join(other.group, one.group)
    return kept


def _decided(found: _Found, chosen: Mapping[str, Choice], learns: Collection[Kind]) -> Match:
    group = found.group
    outcome, username = found.outcome, found.known.facts.username if found.known else None
    choice = chosen.get(group.key)
    if outcome is not Outcome.DOUBTFUL:
        # Who is found for sure, or cannot be, is not for choosing.
        choice = choice if choice is Otherwise.LEAVE_OUT else None
    elif choice is None:
        username = None
    if choice is Otherwise.WAIT:
        outcome, username = Outcome.PENDING, None
    elif choice is Otherwise.LEAVE_OUT:
        outcome, username = Outcome.LEFT_OUT, None
    elif choice is not None:
        if choice not in found.choices:
            raise ChoiceUnknown(
                f"The student of line {group.lines[0]} cannot be who was chosen.",
                remedy="Look at the preview again and choose one of those named there.",
            )
        outcome, username = Outcome.KNOWN, choice
    notes = list(told(group))
    if outcome is Outcome.PENDING and not any(kind in learns for kind, _ in group.identifiers):
        notes.append(
            "Sign-in here tells nothing that the file has of this student, so they will not come "
            "in by themselves. Add them by their username when they have signed in."
        )
    return Match(
        group.key,
        group.lines,
        group.name,
        group.identifiers,
        outcome,
        username,
        found.by if outcome is Outcome.KNOWN else None,
        found.reason if outcome is Outcome.DOUBTFUL else "",
        found.choices if outcome is Outcome.DOUBTFUL else (),
        tuple(notes),
    )
