"""What people are told apart by: what a registrar writes of them, and what sign-in knows."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from enum import Enum

# Only these: what else Unicode calls lower or upper case makes two names of two people one.
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)
_NOT_IN_NUMBERS = str.maketrans("", "", " -")


class Kind(Enum):
    """One kind of identifier; the order is that in which they are relied on.

    A principal name is said by the identity provider itself. A login is given to one person at a
    time, a mail address may be shared, and a number is most often mistyped.
    """

    EPPN = "eppn"
    LOGIN = "login"
    MAIL = "mail"
    NUMBER = "number"

    @property
    def one_person(self) -> bool:
        """Whether somebody has only one of it, so that two different ones are two people."""
        return self is not Kind.MAIL


CALLED = {
    Kind.EPPN: "principal name",
    Kind.LOGIN: "login name",
    Kind.MAIL: "mail address",
    Kind.NUMBER: "student number",
}
"""Kinds of identifiers, as people call them."""


def compared(kind: Kind, value: str) -> str:
    """An identifier in the form in which two of them are compared.

    Letters of ASCII lose their case in all of them. RFC 5321, section 2.4, lets the local part of
    a mail address keep it; no institution gives two people addresses that differ in nothing else.
    Numbers are written with spaces and hyphens or without.
    """
    if kind is Kind.NUMBER:
        return value.translate(_NOT_IN_NUMBERS).translate(_UPPER)
    return value.translate(_LOWER)


@dataclass(frozen=True)
class Identifiers:
    """What tells one person from others, as far as it is known; each in its compared form."""

    eppn: str | None = None
    login: str | None = None
    mail: str | None = None
    number: str | None = None

    def __post_init__(self) -> None:
        for kind in Kind:
            value = getattr(self, kind.value)
            object.__setattr__(self, kind.value, compared(kind, value) if value else None)

    def __iter__(self) -> Iterator[tuple[Kind, str]]:
        """Those that there are, in the order in which they are relied on."""
        for kind in Kind:
            value = self.of(kind)
            if value is not None:
                yield kind, value

    def __bool__(self) -> bool:
        return any(True for _ in self)

    def of(self, kind: Kind) -> str | None:
        """The one of this kind."""
        value: str | None = getattr(self, kind.value)
        return value

    def shared(self, other: Identifiers) -> frozenset[Kind]:
        """The kinds in which both have the same."""
        return frozenset(kind for kind, value in self if other.of(kind) == value)

    def against(self, other: Identifiers) -> frozenset[Kind]:
        """The kinds that say that these are two people."""
        return frozenset(
            kind for kind, value in self if kind.one_person and other.of(kind) not in (None, value)
        )

    def filled(self, other: Identifiers) -> Identifiers:
        """These, and the other's where there is none here."""
        lacking = {kind.value: value for kind, value in other if self.of(kind) is None}
        return replace(self, **lacking)

    def as_json(self) -> dict[str, str]:
        """Those that there are, by the names of their kinds."""
        return {kind.value: value for kind, value in self}


@dataclass(frozen=True)
class PersonFacts:
    """What sign-in knows of one person: `username` is theirs at the hub, the rest may lack.

    `login` is what their institution calls them, which may differ from their account here;
    `number` is the student number. `groups` are those of the hub.
    """

    username: str
    mail: str | None = None
    eppn: str | None = None
    login: str | None = None
    number: str | None = None
    groups: frozenset[str] = frozenset()

    @property
    def identifiers(self) -> Identifiers:
        """What they are told apart by."""
        names = [one.name for one in fields(Identifiers)]
        return Identifiers(**{name: getattr(self, name) for name in names})
