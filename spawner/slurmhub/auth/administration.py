"""What administrators do with people and identities; `slurmhub identity` is its command.

Everything here waits for the database.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from slurmhub.auth.identifiers import Identifier, Kind
from slurmhub.auth.people import (
    Person,
    State,
    change_name,
    check_free,
    in_transaction,
    insert_identifier,
    insert_identity,
    known,
    read_person,
)
from slurmhub.errors import SlurmhubError
from slurmhub.ledger import identifiers, identities, intents, people


class CannotBeDone(SlurmhubError):
    """What an administrator asked for does not fit what the ledger has."""


@dataclass(frozen=True)
class Carried:
    """One identity of the old identity provider and what becomes of it at the new one.

    `trouble` is empty where its identifiers are carried over.
    """

    identity: int
    account: str
    identifiers: tuple[Identifier, ...]
    trouble: str = ""


class Administration:
    """Changes to the ledger of identities, each all or nothing. Raises CannotBeDone, LedgerAway."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def everybody(self) -> list[Person]:
        """Every account ever given, by name."""
        with self._engine.connect() as connection:
            numbers = connection.scalars(sa.select(people.c.id).order_by(people.c.account)).all()
            return [read_person(connection, number) for number in numbers]

    def person(self, words: str) -> Person:
        """Somebody by account name, uid, or the value of an identifier."""
        with self._engine.connect() as connection:
            return self._person(connection, words)

    def link(self, account: str, identity: int) -> Person:
        """Make an identity of the ledger one more of this account's person."""

        def write(connection: sa.Connection) -> Person:
            person = _usable(self._person(connection, account))
            mine = identities.c.id == identity
            change = identities.update().where(mine).values(person=person.number, linked=True)
            if connection.execute(change).rowcount != 1:
                raise _no_identity(identity)
            return read_person(connection, person.number)

        return in_transaction(self._engine, write)

    def link_new(self, account: str, each: Identifier) -> Person:
        """Make whoever comes with this identifier one more identity of this account's person."""

        def write(connection: sa.Connection) -> Person:
            person = _usable(self._person(connection, account))
            holder = known(connection, [each]).get(each)
            if holder is not None:
                raise CannotBeDone(
                    f"{each} is identity {holder.identity} already.",
                    remedy=f"To link that: slurmhub identity link {account} {holder.identity}",
                )
            identity = insert_identity(connection, person.number, each.idp, linked=True)
            insert_identifier(connection, identity, each)
            return read_person(connection, person.number)

        return in_transaction(self._engine, write)

    def unlink(self, identity: int) -> Person:
        """Forget an identity: who comes with its identifiers is somebody new. The person it was."""

        def write(connection: sa.Connection) -> Person:
            query = sa.select(identities.c.person).where(identities.c.id == identity)
            number = connection.scalar(query)
            if number is None:
                raise _no_identity(identity)
            _remove_identity(connection, identity)
            return read_person(connection, number)

        return in_transaction(self._engine, write)

    def migrate(
        self,
        old: str,
        new: str,
        *,
        scopes: frozenset[str],
        kinds: frozenset[Kind],
        apply: bool,
        remove_old: bool = False,
    ) -> list[Carried]:
        """Carry identities over from one identity provider to another; with `apply`, do it.

        Only identifiers of these scopes and kinds are. What another person has at the new one is
        left out, and said.
        """
        if old == new or not scopes:
            raise CannotBeDone(
                "Nothing would be carried over.",
                remedy="Give two entityIDs, and the scopes of those who are the same at both.",
            )

        def write(connection: sa.Connection) -> list[Carried]:
            plan = [
                _carried(connection, number, new, scopes, kinds)
                for number in connection.scalars(
                    sa.select(identities.c.id).where(identities.c.idp == old)
                ).all()
            ]
            for each in plan:
                if apply and not each.trouble:
                    _carry(connection, each, new)
                    if remove_old:
                        _remove_identity(connection, each.identity)
            return plan

        return in_transaction(self._engine, write)

    def rename(self, account: str, to: str, uid: int) -> Person:
        """The person's account is called `to` now, or has another number under the same name.

        All that the ledger keeps under the old name goes with it.
        """

        def write(connection: sa.Connection) -> Person:
            person = _usable(self._person(connection, account))
            _check_no_servers(connection, person.account)
            if to == person.account:
                check_free(connection, "", uid)
                mine = people.c.id == person.number
                connection.execute(people.update().where(mine).values(uid=uid))
            elif uid != person.uid:
                raise CannotBeDone(
                    f"{to} has uid {uid}, and {person.account} has {person.uid}: two accounts.",
                    remedy="An account that is renamed keeps its number. Nothing was changed.",
                )
            else:
                check_free(connection, to, None)
                change_name(connection, person, to)
                for table in _tables_of_users(connection):
                    mine = table.c.username == person.account
                    connection.execute(table.update().where(mine).values(username=to))
            return read_person(connection, person.number)

        return in_transaction(self._engine, write)

    def set_locked(self, account: str, *, locked: bool) -> Person:
        """Lock an account, or open it again."""
        before, after = (State.READY, State.LOCKED) if locked else (State.LOCKED, State.READY)

        def write(connection: sa.Connection) -> Person:
            person = self._person(connection, account)
            if person.state not in (before, after):
                raise CannotBeDone(
                    f"{person.account} is {person.state.value}.",
                    remedy="Only an account that is ready can be locked, and then unlocked.",
                )
            mine = people.c.id == person.number
            connection.execute(people.update().where(mine).values(state=after.value))
            return read_person(connection, person.number)

        return in_transaction(self._engine, write)

    def check_erasable(self, account: str) -> Person:
        """The person, who may be erased now."""
        with self._engine.connect() as connection:
            person = self._person(connection, account)
            _check_no_servers(connection, person.account)
            return person

    def erase(self, account: str) -> Person:
        """Take away all of a person but the name and the number, which stay taken for ever."""

        def write(connection: sa.Connection) -> Person:
            person = self._person(connection, account)
            _check_no_servers(connection, person.account)
            for each in person.identities:
                _remove_identity(connection, each.number)
            for table in _tables_of_users(connection):
                connection.execute(table.delete().where(table.c.username == person.account))
            mine = people.c.id == person.number
            nothing = {"state": State.ERASED.value, "token": None, "created": None, "seen": None}
            connection.execute(people.update().where(mine).values(nothing))
            return read_person(connection, person.number)

        return in_transaction(self._engine, write)

    def _person(self, connection: sa.Connection, words: str) -> Person:
        """Whom these words mean; exactly one."""
        by_value = sa.select(identities.c.person).join(
            identifiers, identifiers.c.identity == identities.c.id
        )
        queries = [
            sa.select(people.c.id).where(people.c.account == words),
            sa.select(people.c.id).where(
                people.c.uid == (int(words) if words.isdecimal() and len(words) < 12 else -1)
            ),
            by_value.where(identifiers.c.value == words.lower()),
        ]
        for query in queries:
            found = set(connection.scalars(query))
            if len(found) == 1:
                return read_person(connection, found.pop())
            if found:
                accounts = sorted(read_person(connection, number).account for number in found)
                raise CannotBeDone(
                    f"{words!r} belongs to several people: {', '.join(accounts)}.",
                    remedy="Name one of these accounts.",
                )
        raise CannotBeDone(
            f"Nobody in the ledger is {words!r}.",
            remedy="Give an account, a uid or an identifier; slurmhub identity list has them all.",
        )


def _usable(person: Person) -> Person:
    if person.state in (State.ERASED, State.FORMER):
        raise CannotBeDone(
            f"{person.account} is {person.state.value}: nobody has it any more.",
            remedy="Names are never given again. Choose another account.",
        )
    return person


def _check_no_servers(connection: sa.Connection, account: str) -> None:
    running = sa.select(sa.func.count()).where(
        sa.or_(intents.c.username == account, intents.c.account == account),
        intents.c.confirmed_gone.is_(False),
    )
    if connection.execute(running).scalar_one():
        raise CannotBeDone(
            f"{account} has a server, or a job that has not ended yet.",
            remedy="Stop it on the hub's admin page, wait until it is gone, and try again.",
        )


def _tables_of_users(connection: sa.Connection) -> Iterator[sa.TableClause]:
    """Every table of the ledger that keeps something under a user's name, whoever made it."""
    database = sa.inspect(connection)
    for name in database.get_table_names():
        columns = {column["name"] for column in database.get_columns(name)}
        if name.startswith("slurmhub_") and "username" in columns:
            yield sa.table(name, sa.column("username"))


def _carried(
    connection: sa.Connection,
    number: int,
    new: str,
    scopes: frozenset[str],
    kinds: frozenset[Kind],
) -> Carried:
    query = sa.select(identities.c.person).where(identities.c.id == number)
    person = read_person(connection, connection.execute(query).scalar_one())
    (identity,) = (each for each in person.identities if each.number == number)
    fitting = tuple(
        Identifier(new, each.kind, each.value)
        for each in identity.identifiers
        if each.kind in kinds and each.scope in scopes
    )
    others = {
        holder.person
        for holder in known(connection, fitting).values()
        if holder.person != person.number
    }
    trouble = ""
    if not fitting:
        trouble = "none of its identifiers is of these scopes and kinds"
    elif others:
        names = ", ".join(read_person(connection, other).account for other in sorted(others))
        trouble = f"has signed in at the new one already, as {names}: link the two"
    return Carried(number, person.account, fitting, trouble)


def _carry(connection: sa.Connection, each: Carried, new: str) -> None:
    there = known(connection, each.identifiers)
    missing = [one for one in each.identifiers if one not in there]
    query = sa.select(identities.c.person).where(identities.c.id == each.identity)
    person = connection.execute(query).scalar_one()
    if there:
        target = next(iter(there.values())).identity
    elif missing:
        target = insert_identity(connection, person, new, linked=False)
    for one in missing:
        insert_identifier(connection, target, one)


def _remove_identity(connection: sa.Connection, identity: int) -> None:
    connection.execute(identifiers.delete().where(identifiers.c.identity == identity))
    connection.execute(identities.delete().where(identities.c.id == identity))


def _no_identity(number: int) -> CannotBeDone:
    return CannotBeDone(
        f"There is no identity {number}.",
        remedy="slurmhub identity list --identities shows their numbers.",
    )


def age(seconds: float | None) -> str:
    """A time in seconds since the epoch as a date, for people."""
    return "" if seconds is None else time.strftime("%Y-%m-%d", time.localtime(seconds))
