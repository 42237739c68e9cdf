"""What sign-in told of each person, so that a roster finds who has signed in already."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from slurmhub.courses.rights import SYSTEM
from slurmhub.courses.roster.facts import Kind, PersonFacts
from slurmhub.courses.tables import persons
from slurmhub.courses.writing import Transactions, Writing

# Identifiers in one query; databases bound how many values that may have.
_AT_ONCE = 200
_DAY = 86400.0


@dataclass(frozen=True)
class Seen:
    """Somebody who signed in, last at `at`; `left` when their account is nobody's any more."""

    facts: PersonFacts
    at: float
    left: float | None = None


class KnownPeople:
    """Everybody who ever signed in; see `Transactions` for what everything here raises."""

    def __init__(self, transactions: Transactions) -> None:
        self._all = transactions

    def get(self, username: str) -> Seen | None:
        """What is known of somebody."""
        found = self._read([persons.c.username == username])
        return found[0] if found else None

    def with_any(self, wanted: Mapping[Kind, Collection[str]]) -> tuple[Seen, ...]:
        """Everybody who has one of these, in their compared form, also those who left."""
        queries = []
        for kind, values in wanted.items():
            given = sorted(values)
            for start in range(0, len(given), _AT_ONCE):
                part = given[start : start + _AT_ONCE]
                queries.append(persons.c[kind.value].in_(part))
        found = {one.facts.username: one for one in self._read(queries)}
        return tuple(found[name] for name in sorted(found))

    def left(self, username: str) -> None:
        """Their account is nobody's any more; what they had is told to who uploads a roster."""

        def write(writing: Writing) -> None:
            this = (persons.c.username == username) & persons.c.left.is_(None)
            writing.connection.execute(persons.update().where(this).values(left=writing.now))

        self._all.write(SYSTEM, write)

    def forget(self, username: str) -> None:
        """Know nothing of them any more; their rows in courses stay."""

        def write(writing: Writing) -> None:
            this = persons.c.username == username
            writing.connection.execute(persons.delete().where(this))

        self._all.write(SYSTEM, write)

    def _read(self, conditions: Sequence[sa.ColumnElement[bool]]) -> list[Seen]:
        def ask(connection: sa.Connection) -> list[Seen]:
            found: list[sa.RowMapping] = []
            for where in conditions:
                found += connection.execute(sa.select(persons).where(where)).mappings().all()
            return [_seen(row) for row in found]

        return self._all.read(ask)


def is_news(writing: Writing, facts: PersonFacts) -> bool:
    """Whether this is not what is written down of them, or was long ago."""
    query = sa.select(persons).where(persons.c.username == facts.username)
    row = writing.connection.execute(query).mappings().first()
    if row is None:
        return True
    seen = _seen(row)
    same = seen.facts.identifiers == facts.identifiers and seen.facts.groups == facts.groups
    return not same or seen.left is not None or seen.at < writing.now - _DAY


def learn(writing: Writing, facts: PersonFacts) -> None:
    """Write down what sign-in tells of somebody."""
    this = persons.c.username == facts.username
    writing.connection.execute(persons.delete().where(this))
    values = {
        "username": facts.username,
        **{kind.value: facts.identifiers.of(kind) for kind in Kind},
        "groups": sorted(facts.groups),
        "seen": writing.now,
    }
    writing.connection.execute(persons.insert().values(values))


def _seen(row: sa.RowMapping) -> Seen:
    facts = PersonFacts(
        row["username"],
        **{kind.value: row[kind.value] for kind in Kind},
        groups=frozenset(row["groups"]),
    )
    return Seen(facts, row["seen"], row["left"])
