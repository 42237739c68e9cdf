"""Who is in a course: people the hub knows, and those who are expected and never signed in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from slurmhub.courses.model import Role
from slurmhub.courses.roster.facts import Identifiers, PersonFacts

_ROLES = tuple(Role)
NOTHING_KNOWN = Identifiers()


class Source(Enum):
    """How somebody came into a course."""

    ROSTER = "roster"
    """The registrar's list."""
    CODE = "code"
    GROUP = "group"
    """A group of the hub, such as one that sign-in makes of an attribute."""
    NAME = "name"
    """Staff wrote them in."""


@dataclass(frozen=True)
class Member:
    """Somebody in a course; `username` is None until somebody who is this signs in first.

    `name` is as the registrar or staff write it. `since` and `dropped` are in seconds since the
    epoch; who was dropped is no member any more, and what they did stays known. `dropped_by` says
    who did it: themselves, staff, or the hub when they left the group by which they came.
    """

    course: str
    role: Role
    source: Source
    since: float
    username: str | None = None
    identifiers: Identifiers = NOTHING_KNOWN
    name: str = ""
    dropped: float | None = None
    dropped_by: str | None = None
    number: int = 0
    """Of its row; 0 for one that has none yet."""

    @property
    def active(self) -> bool:
        """Whether they are in the course now."""
        return self.dropped is None

    @property
    def pending(self) -> bool:
        """Whether they are waited for."""
        return self.active and self.username is None

    @property
    def called(self) -> str:
        """How staff recognise them: username, else name, else what identifies them."""
        return self.username or self.name or next((each for _, each in self.identifiers), "")


def is_the_same(expected: Identifiers, known: Identifiers) -> bool:
    """Whether these are one person: something agrees, and nothing says that they are two."""
    return bool(expected.shared(known)) and not expected.against(known)


@dataclass(frozen=True)
class Recognised:
    """Which of those a course waits for is the person who signed in.

    `doubtful` are rows of which each may be theirs, and which are not one person's: staff decide.
    """

    rows: tuple[Member, ...] = ()
    doubtful: tuple[Member, ...] = ()


def recognised(waiting: Iterable[Member], facts: PersonFacts) -> Recognised:
    """Those among the pending rows of one course that are this person."""
    found = tuple(
        one for one in waiting if one.pending and is_the_same(one.identifiers, facts.identifiers)
    )
    # An address may be that of two people. Where a row agrees in more than that, one that agrees
    # in the address alone is theirs too only if it says nothing else.
    sure = any(_surely(one, facts) for one in found)
    candidates = tuple(
        one for one in found if not sure or _surely(one, facts) or _wholly(one, facts)
    )
    apart = any(
        first.identifiers.against(second.identifiers)
        for place, first in enumerate(candidates)
        for second in candidates[place + 1 :]
    )
    return Recognised(doubtful=candidates) if apart else Recognised(rows=candidates)


def joined(own: Member | None, rows: Sequence[Member], username: str) -> Member:
    """One member of the row that somebody has and those that were found to be theirs.

    The first row stays; the highest role holds; what a registrar wrote comes before the rest.
    """
    active = [one for one in ((own,) if own else ()) if one.active] + [*rows]
    first = own or rows[0]
    role = min((one.role for one in active), key=_ROLES.index)
    listed = next((one for one in active if one.source is Source.ROSTER), active[0])
    identifiers = first.identifiers
    for one in active:
        identifiers = identifiers.filled(one.identifiers)
    return replace(
        first,
        username=username,
        role=role,
        source=listed.source,
        identifiers=identifiers,
        name=listed.name or next((one.name for one in active if one.name), ""),
        dropped=None,
        dropped_by=None,
    )


def _wholly(one: Member, facts: PersonFacts) -> bool:
    return one.identifiers.shared(facts.identifiers) == {kind for kind, _ in one.identifiers}


def _surely(one: Member, facts: PersonFacts) -> bool:
    return any(kind.one_person for kind in one.identifiers.shared(facts.identifiers))
