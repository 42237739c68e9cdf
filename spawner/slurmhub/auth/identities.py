"""The ledger of identities: who has which POSIX account, for ever.

A person is one POSIX account; an identity is one subject of one identity provider; identifiers say
which subject it is. Rows of people are never deleted, and the database itself holds that a name, a
number and an identifier belong to one only, also between threads and processes.

Everything here waits for the database: call it in a thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import sqlalchemy as sa

from slurmhub.auth.account_refusals import LedgerAway
from slurmhub.auth.deciding import Decision, decide
from slurmhub.auth.identifiers import Identifier
from slurmhub.auth.people import (
    Identity,
    NameTaken,
    Person,
    Source,
    State,
    change_name,
    check_free,
    in_transaction,
    insert_identifier,
    insert_identity,
    insert_person,
    known,
    ledger_away,
    read_person,
    taken,
)
from slurmhub.ledger import Ledger, identifiers, people

__all__ = ["Identity", "IdentityLedger", "NameTaken", "Person", "Source", "State"]

# A sign-in is noted when the last noted one is older than this, in seconds.
NOTED_EVERY = 24 * 3600.0
T = TypeVar("T")


def open_identities(url: str, *, log: logging.Logger) -> IdentityLedger:
    """The ledger of identities in the database of this URL, as the spawner's `ledger_url` has it.

    Makes the tables where they lack. Raises LedgerUnwritable.
    """
    return IdentityLedger(Ledger(url, log=log).engine, log=log)


class IdentityLedger:
    """People, their identities, and what identifies each of these."""

    def __init__(self, engine: sa.Engine, *, log: logging.Logger) -> None:
        self._engine = engine
        self._log = log

    @property
    def engine(self) -> sa.Engine:
        """The database, for what administrators do."""
        return self._engine

    def recognise(self, sent: Sequence[Identifier]) -> tuple[Decision, Person | None]:
        """Who sent these, and what would have to be written down; writes nothing.

        Raises Ambiguous, IdentifierWithheld or LedgerAway.
        """
        with self._reading() as connection:
            decision = decide(sent, known(connection, sent))
            if decision.subject is None:
                return decision, None
            return decision, read_person(connection, decision.subject.person)

    def learn(self, sent: Sequence[Identifier]) -> Person | None:
        """Write down what is new of somebody known; None if they turn out not to be known.

        Raises as `recognise` does.
        """

        def write(connection: sa.Connection) -> Person | None:
            decision = decide(sent, known(connection, sent, lock=True))
            if decision.subject is None:
                return None
            self._write(connection, decision, decision.subject.identity)
            return read_person(connection, decision.subject.person)

        return self._writing(write)

    def enter(
        self,
        sent: Sequence[Identifier],
        *,
        account: str,
        uid: int | None,
        source: Source,
    ) -> Person:
        """Give an account to somebody never seen; if they are known by now, who they are.

        The account is ready when its number is known. Raises NameTaken, and as `recognise` does.
        """

        def write(connection: sa.Connection) -> Person:
            decision = decide(sent, known(connection, sent, lock=True))
            if decision.subject is not None:
                return read_person(connection, decision.subject.person)
            check_free(connection, account, uid)
            state = State.RESERVED if uid is None else State.READY
            number = insert_person(connection, account, uid, source, state)
            identity = insert_identity(connection, number, sent[0].idp, linked=False)
            self._write(connection, decision, identity)
            return read_person(connection, number)

        return self._writing(write)

    def ready(self, person: Person, uid: int) -> Person:
        """The account was made, with this number. Raises NameTaken, LedgerAway."""

        def write(connection: sa.Connection) -> Person:
            holder = connection.scalar(sa.select(people.c.id).where(people.c.uid == uid))
            if holder not in (None, person.number):
                raise taken(f"uid {uid}")
            mine = (people.c.id == person.number) & (people.c.state == State.RESERVED.value)
            connection.execute(people.update().where(mine).values(uid=uid, state=State.READY.value))
            return read_person(connection, person.number)

        return self._writing(write)

    def other_name(self, person: Person, account: str) -> Person:
        """Give another name to somebody whose account cannot be made; the first stays taken.

        Raises NameTaken, LedgerAway.
        """

        def write(connection: sa.Connection) -> Person:
            now = read_person(connection, person.number)
            if now.account != person.account or now.state is not State.RESERVED:
                return now  # another sign-in of the same person was faster
            check_free(connection, account, None)
            change_name(connection, now, account)
            return read_person(connection, person.number)

        return self._writing(write)

    def note_seen(self, person: Person) -> None:
        """Note the time of a sign-in, about once a day; nothing depends on it."""
        now = time.time()
        if person.seen is not None and now - person.seen < NOTED_EVERY:
            return
        try:
            self._writing(
                lambda connection: connection.execute(
                    people.update().where(people.c.id == person.number).values(seen=now)
                )
            )
        except LedgerAway as error:
            self._log.warning("The time of a sign-in was not noted: %s", error.for_operator)

    def holder(self, account: str) -> Person | None:
        """Who has or had the account of this name. Raises LedgerAway."""
        with self._reading() as connection:
            number = connection.scalar(sa.select(people.c.id).where(people.c.account == account))
            return None if number is None else read_person(connection, number)

    def names_that_begin(self, prefix: str) -> frozenset[str]:
        """The names ever given that begin so. Raises LedgerAway."""
        query = sa.select(people.c.account).where(
            people.c.account.startswith(prefix, autoescape=True)
        )
        with self._reading() as connection:
            return frozenset(connection.scalars(query))

    def _write(self, connection: sa.Connection, decision: Decision, identity: int) -> None:
        now = time.time()
        for each in decision.move:
            mine = identifiers.c.digest == each.digest
            before = connection.scalar(sa.select(identifiers.c.identity).where(mine))
            connection.execute(
                identifiers.update().where(mine).values(identity=identity, since=now)
            )
            self._log.warning(
                "%s gave an eppn of identity %s to another subject, now identity %s. Each keeps "
                "the account that they have.",
                each.idp,
                before,
                identity,
            )
        for each in decision.attach:
            insert_identifier(connection, identity, each)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise ledger_away(error) from error

    def _writing(self, write: Callable[[sa.Connection], T]) -> T:
        return in_transaction(self._engine, write)
