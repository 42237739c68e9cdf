"""What identifies a person at an identity provider, in one form that can be compared.

subject-id and pairwise-id are given to one subject for ever (OASIS, SAML V2.0 Subject Identifier
Attributes Profile 1.0, sections 3.3 and 3.4). eduPersonPrincipalName may be given to somebody else
later (eduPerson 202208), and never is by itself a reason to take a person for another.
"""

from __future__ import annotations

import hashlib
import json
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from slurmhub.auth.account_refusals import NoIdentifier
from slurmhub.auth.assertion import Assertion

# Characters of an entityID, at most (SAML 2.0 core, section 8.3.6).
LONGEST_ENTITY_ID = 1024
LONGEST_EPPN = 256
_SCOPE = r"[A-Za-z0-9][A-Za-z0-9.-]{0,126}"
_SUBJECT = re.compile(rf"[A-Za-z0-9][A-Za-z0-9=-]{{0,126}}@{_SCOPE}")
_EPPN = re.compile(rf"[^@\s]+@{_SCOPE}")
# Only these: what else Unicode calls lower case makes two names of two people one.
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class Kind(Enum):
    """Which identifier it is; the order is that in which they are relied on."""

    SUBJECT_ID = "subject-id"
    PAIRWISE_ID = "pairwise-id"
    EPPN = "eppn"

    @property
    def stable(self) -> bool:
        """Whether it is never given to another subject."""
        return self is not Kind.EPPN


@dataclass(frozen=True)
class Identifier:
    """One identifier at one identity provider, its letters of ASCII in lower case."""

    idp: str
    kind: Kind
    value: str

    @property
    def digest(self) -> str:
        """What stands for it where a database wants something short and unique."""
        text = json.dumps([self.idp, self.kind.value, self.value])
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def local(self) -> str:
        """What is before the scope."""
        return self.value.rpartition("@")[0]

    @property
    def scope(self) -> str:
        """The domain after the last @."""
        return self.value.rpartition("@")[2]

    def __str__(self) -> str:
        return f"{self.kind.value} {self.value} of {self.idp}"


def identifier(idp: str, kind: Kind, value: str) -> Identifier:
    """The identifier in its compared form; raises ValueError where it is none.

    All three are compared without regard to case: the profile above, section 3.3.1, and
    eduPerson's caseIgnoreMatch. entityIDs are compared exactly.
    """
    if not idp or len(idp) > LONGEST_ENTITY_ID or not idp.isprintable():
        raise ValueError("the entityID of the identity provider is empty, too long or unprintable")
    if kind is Kind.EPPN:
        fits = len(value) <= LONGEST_EPPN and value.isprintable() and _EPPN.fullmatch(value)
    else:
        fits = _SUBJECT.fullmatch(value)
    if not fits:
        raise ValueError(f"the {kind.value} is not of the form that its specification gives it")
    return Identifier(idp, kind, lowered(value))


def lowered(text: str) -> str:
    """A text with its ASCII letters in lower case, as identifiers are compared."""
    return text.translate(_LOWER)


def identifiers_of(assertion: Assertion) -> tuple[Identifier, ...]:
    """The identifiers of an assertion, those that are relied on most first.

    Raises NoIdentifier when there is none. One that is malformed is no reason to rely on the
    others: whoever sent it is not to be trusted with what it means.
    """
    try:
        found = tuple(
            identifier(assertion.idp, kind, value) for kind, value in _values(assertion) if value
        )
    except ValueError as problem:
        raise NoIdentifier(f"{_shown(assertion.idp)}: {problem}") from problem
    if not found:
        raise NoIdentifier(
            f"{_shown(assertion.idp)} released none of subject-id, pairwise-id and "
            "eduPersonPrincipalName"
        )
    return found


def _values(assertion: Assertion) -> Iterator[tuple[Kind, str | None]]:
    yield Kind.SUBJECT_ID, assertion.subject_id
    yield Kind.PAIRWISE_ID, assertion.pairwise_id
    yield Kind.EPPN, assertion.eppn


def _shown(idp: str) -> str:
    return repr(idp[:LONGEST_ENTITY_ID])
