"""The rows of people, identities and identifiers in the ledger, within one transaction."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

import sqlalchemy as sa

from slurmhub import database
from slurmhub.auth.account_refusals import LedgerAway
from slurmhub.auth.deciding import Subject
from slurmhub.auth.identifiers import Identifier, Kind
from slurmhub.errors import SlurmhubError
from slurmhub.ledger import identifiers, identities, people

T = TypeVar("T")


class Source(Enum):
    """Where a person's account comes from."""

    EXISTING = "existing"
    MADE = "made"


class State(Enum):
    """What a person's account may be used for."""

    RESERVED = "reserved"
    """The name is the person's; the account is still to be made."""
    READY = "ready"
    LOCKED = "locked"
    """An administrator locked it."""
    ERASED = "erased"
    """Nothing of the person is left but the name and the number, which nobody gets again."""
    FORMER = "former"
    """A name that a person does not have any more, or that was found to be somebody else's."""


@dataclass(frozen=True)
class Identity:
    """One subject of one identity provider; `linked` says that an administrator put it here."""

    number: int
    idp: str
    linked: bool
    created: float
    identifiers: tuple[Identifier, ...]


@dataclass(frozen=True)
class Person:
    """One POSIX account and who it belongs to; times are in seconds since the epoch."""

    number: int
    account: str
    uid: int | None
    source: Source
    state: State
    token: str | None
    created: float | None
    seen: float | None
    identities: tuple[Identity, ...]


class NameTaken(SlurmhubError):
    """This account name, or its number, is or was another person's."""


def in_transaction(engine: sa.Engine, write: Callable[[sa.Connection], T]) -> T:
    """All that `write` does, or nothing of it; again when another transaction was faster.

    Raises LedgerAway, and whatever `write` raises.
    """
    return database.in_transaction(engine, write, away=ledger_away)


def known(
    connection: sa.Connection, sent: Iterable[Identifier], *, lock: bool = False
) -> Mapping[Identifier, Subject]:
    """Those of the identifiers that the ledger has, each with its whole subject."""
    sent = tuple(sent)
    column = identifiers.c.identity
    query = sa.select(column).where(identifiers.c.digest.in_([each.digest for each in sent]))
    numbers = set(connection.scalars(query))
    if lock and numbers:
        # On databases with several writers; SQLite has one at a time.
        rows = sa.select(identities.c.id).where(identities.c.id.in_(numbers))
        connection.execute(rows.order_by(identities.c.id).with_for_update())
    subjects = [_subject(connection, number) for number in sorted(numbers)]
    return {each: one for one in subjects for each in sent if each in one.identifiers}


def _subject(connection: sa.Connection, number: int) -> Subject:
    query = sa.select(identities.c.person).where(identities.c.id == number)
    person = connection.execute(query).scalar_one()
    return Subject(number, person, frozenset(_identifiers(connection, number)))


def read_person(connection: sa.Connection, number: int) -> Person:
    """A person by number, with all identities."""
    row = connection.execute(sa.select(people).where(people.c.id == number)).one()
    query = sa.select(identities).where(identities.c.person == number).order_by(identities.c.id)
    return Person(
        number=row.id,
        account=row.account,
        uid=row.uid,
        source=Source(row.source),
        state=State(row.state),
        token=row.token,
        created=row.created,
        seen=row.seen,
        identities=tuple(
            Identity(
                each.id, each.idp, each.linked, each.created, _identifiers(connection, each.id)
            )
            for each in connection.execute(query).all()
        ),
    )


def _identifiers(connection: sa.Connection, identity: int) -> tuple[Identifier, ...]:
    query = (
        sa.select(identities.c.idp, identifiers.c.kind, identifiers.c.value)
        .join(identities, identities.c.id == identifiers.c.identity)
        .where(identifiers.c.identity == identity)
        .order_by(identifiers.c.since, identifiers.c.digest)
    )
    rows = connection.execute(query).all()
    return tuple(Identifier(row.idp, Kind(row.kind), row.value) for row in rows)


def insert_person(
    connection: sa.Connection, account: str, uid: int | None, source: Source, state: State
) -> int:
    """A new row; returns its number."""
    done = connection.execute(
        people.insert().values(
            account=account,
            uid=uid,
            source=source.value,
            state=state.value,
            token=secrets.token_hex(16),
            created=time.time(),
        )
    )
    return _number(done)


def insert_identity(connection: sa.Connection, person: int, idp: str, *, linked: bool) -> int:
    """A new row; returns its number."""
    values = {"person": person, "idp": idp, "linked": linked, "created": time.time()}
    return _number(connection.execute(identities.insert().values(values)))


def insert_identifier(connection: sa.Connection, identity: int, each: Identifier) -> None:
    """A new row; the database refuses what another identity has."""
    connection.execute(
        identifiers.insert().values(
            digest=each.digest,
            identity=identity,
            kind=each.kind.value,
            value=each.value,
            since=time.time(),
        )
    )


def change_name(connection: sa.Connection, person: Person, account: str) -> None:
    """Another account name for a person; the old one stays taken."""
    mine = people.c.id == person.number
    connection.execute(people.update().where(mine).values(account=account))
    insert_person(connection, person.account, None, person.source, State.FORMER)


def check_free(connection: sa.Connection, account: str, uid: int | None) -> None:
    """Raises NameTaken unless nobody has or had this name and this number."""
    if connection.scalar(sa.select(people.c.id).where(people.c.account == account)) is not None:
        raise taken(account)
    by_uid = sa.select(people.c.id).where(people.c.uid == uid)
    if uid is not None and connection.scalar(by_uid) is not None:
        raise taken(f"uid {uid}")


def taken(what: str) -> NameTaken:
    """The error for a name, or for "uid NUMBER"."""
    return NameTaken(
        f"{what} is or was another person's account.",
        remedy=f"Look who it is: slurmhub identity show {what.removeprefix('uid ')}",
    )


def _number(done: sa.CursorResult[Any]) -> int:
    key = done.inserted_primary_key
    assert key is not None  # noqa: S101 - every one of these tables numbers its rows
    return int(key[0])


def ledger_away(error: Exception) -> LedgerAway:
    """The refusal for a failure of the database."""
    words = database.first_line(error)
    return LedgerAway(
        f"the ledger of identities cannot be used ({words}): a full disk, or no access"
    )
