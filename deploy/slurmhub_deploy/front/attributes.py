"""What an identity provider may send about a person: names, object identifiers, header names.

The ids are those of the attribute map that Shibboleth ships, so that the policy it ships, which
drops a scope that an identity provider may not assert, applies to them.
Sources: eduPerson 202208, SAML V2.0 Subject Identifier Attributes Profile 1.0, RFC 4519, RFC 2798.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """How a value is decoded and judged."""

    SCOPED = "scoped"
    """`value@scope`; the scope must be one that the provider's metadata grants it."""
    AFFILIATION = "affiliation"
    """Scoped, and one of eduPerson's eight words."""
    TEXT = "text"


@dataclass(frozen=True)
class Attribute:
    """One attribute: its id in the map, its SAML 2.0 name, and why a hub asks for it."""

    id: str
    name: str
    friendly: str
    kind: Kind
    header: str
    why: str


_EDU = "urn:oid:1.3.6.1.4.1.5923.1"

ATTRIBUTES = (
    Attribute(
        "subject-id",
        "urn:oasis:names:tc:SAML:attribute:subject-id",
        "subject-id",
        Kind.SCOPED,
        "X-Slurmhub-Subject-Id",
        "Names one person for ever and is never given to another: it decides the account.",
    ),
    Attribute(
        "pairwise-id",
        "urn:oasis:names:tc:SAML:attribute:pairwise-id",
        "pairwise-id",
        Kind.SCOPED,
        "X-Slurmhub-Pairwise-Id",
        "The same, but different for each service: where subject-id is not to be had.",
    ),
    Attribute(
        "eppn",
        f"{_EDU}.1.1.6",
        "eduPersonPrincipalName",
        Kind.SCOPED,
        "X-Slurmhub-Eppn",
        "A name that people know themselves by: it makes the account's name readable. It decides"
        " the account only where neither of the above is sent.",
    ),
    Attribute(
        "displayName",
        "urn:oid:2.16.840.1.113730.3.1.241",
        "displayName",
        Kind.TEXT,
        "X-Slurmhub-Display-Name",
        "Shown to the person, to instructors and to operators.",
    ),
    Attribute(
        "givenName",
        "urn:oid:2.5.4.42",
        "givenName",
        Kind.TEXT,
        "X-Slurmhub-Given-Name",
        "Where there is no displayName.",
    ),
    Attribute(
        "sn",
        "urn:oid:2.5.4.4",
        "sn",
        Kind.TEXT,
        "X-Slurmhub-Surname",
        "Where there is no displayName.",
    ),
    Attribute(
        "mail",
        "urn:oid:0.9.2342.19200300.100.1.3",
        "mail",
        Kind.TEXT,
        "X-Slurmhub-Mail",
        "For messages about the person's own work. It never decides who somebody is.",
    ),
    Attribute(
        "affiliation",
        f"{_EDU}.1.1.9",
        "eduPersonScopedAffiliation",
        Kind.AFFILIATION,
        "X-Slurmhub-Affiliation",
        "Student, staff or other, and where: groups and limits can follow from it.",
    ),
    Attribute(
        "entitlement",
        f"{_EDU}.1.1.7",
        "eduPersonEntitlement",
        Kind.TEXT,
        "X-Slurmhub-Entitlement",
        "What a person may use, GPUs for instance, where the institution keeps that itself.",
    ),
    Attribute(
        "isMemberOf",
        f"{_EDU}.5.1.1",
        "isMemberOf",
        Kind.TEXT,
        "X-Slurmhub-Member-Of",
        "Groups kept by the institution, such as those of courses.",
    ),
    Attribute(
        "assurance",
        f"{_EDU}.1.1.11",
        "eduPersonAssurance",
        Kind.TEXT,
        "X-Slurmhub-Assurance",
        "How well the institution knows that this is the person.",
    ),
)

IDS = tuple(attribute.id for attribute in ATTRIBUTES)

# What the service provider itself knows of a session, and the header that carries it.
SESSION_HEADERS = (
    ("X-Slurmhub-Session", "Shib-Session-ID"),
    ("X-Slurmhub-Idp", "Shib-Identity-Provider"),
    ("X-Slurmhub-Authn-Instant", "Shib-Authentication-Instant"),
)
SECRET_HEADER = "X-Slurmhub-Front"  # noqa: S105 - a header's name


def identity_shaped() -> str:
    """A regular expression for every header name by which a client might claim to be somebody.

    For names without regard to case. Any character that is no letter and no digit may stand where
    ours have a hyphen: software behind a proxy often takes `X_A`, `X.A` and `X-A` for one name.
    """
    any_mark = "[^a-z0-9]*"
    whole = {attribute.id for attribute in ATTRIBUTES}
    whole |= {attribute.friendly for attribute in ATTRIBUTES}
    whole |= {"persistent-id", "targeted-id", "uid", "cn", "remote-user", "remote-username"}
    whole |= {"forwarded-user", "authenticated-user", "webauth-user", "auth-request-user"}
    names = sorted({_loose(name, any_mark) for name in whole})
    starts = "|".join(("slurmhub", "shib"))
    prefix = f"(http{any_mark})?(x{any_mark})?"
    return f"^{any_mark}{prefix}(({starts})|({'|'.join(names)}){any_mark}$)"


def _loose(name: str, any_mark: str) -> str:
    return any_mark.join(name.lower().split("-"))
