"""What the front passes on of a sign-in, read and checked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tornado.httputil import HTTPHeaders

from slurmhub.auth import headers as names
from slurmhub.auth.refusals import (
    AttributeEncoded,
    AttributeMalformed,
    AttributeMissing,
    AttributeNull,
    AttributeOutOfScope,
    AttributeSeveral,
    AttributeTooLong,
    IdentityHeader,
    IdpUnknown,
    NoSession,
)


@dataclass(frozen=True)
class Assertion:
    """What one identity provider said of one person at one sign-in.

    `idp` is its entityID, `session` the SP's session id, `authenticated` when the person proved
    themselves there, in seconds since the epoch. subject-id and pairwise-id are in lower case, as
    SAML's subject identifiers are to be compared; so is the scope of eppn and of affiliations.
    """

    idp: str
    session: str
    subject_id: str | None
    pairwise_id: str | None
    eppn: str | None
    display_name: str | None
    given_name: str | None
    surname: str | None
    mail: str | None
    affiliations: tuple[str, ...]
    entitlements: tuple[str, ...]
    memberships: tuple[str, ...]
    assurances: tuple[str, ...]
    authenticated: float | None


@dataclass(frozen=True)
class Attribute:
    """One attribute: its id in the SP's map, its header, and what it is called to people.

    `single` is for what a person has only one of; of what is neither single nor `many` the first
    value counts, as inetOrgPerson (RFC 2798) lets people have several mail addresses.
    """

    name: str
    header: str
    plain: str
    most: int = 256
    single: bool = False
    many: bool = False
    form: re.Pattern[str] | None = None
    scoped: bool = False
    folds: bool = False


# SAML V2.0 Subject Identifier Attributes Profile 1.0, 3.3 and 3.4; the scope is a DNS name.
_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9=-]{0,126}@[A-Za-z0-9][A-Za-z0-9.-]{0,126}")
# eduPerson 4.4.0, 2.2.8 and 2.2.9; more characters than these are seen nowhere.
_EPPN = re.compile(r"[!-?A-~]{1,128}@[A-Za-z0-9][A-Za-z0-9.-]{0,126}")
_AFFILIATION = re.compile(r"[A-Za-z0-9-]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,126}")
_MAIL = re.compile(r"[^@\s]{1,128}@[^@\s]{1,255}")

_MOST_TOGETHER = 12_000
_MOST_VALUES = 1000

SUBJECT_ID = Attribute(
    "subject-id",
    names.SUBJECT_ID,
    "an identifier of you (subject-id)",
    single=True,
    form=_SUBJECT,
    scoped=True,
    folds=True,
)
PAIRWISE_ID = Attribute(
    "pairwise-id",
    names.PAIRWISE_ID,
    "an identifier of you for this hub (pairwise-id)",
    single=True,
    form=_SUBJECT,
    scoped=True,
    folds=True,
)
EPPN = Attribute(
    "eppn",
    names.EPPN,
    "your principal name (eduPersonPrincipalName)",
    single=True,
    form=_EPPN,
    scoped=True,
)
DISPLAY_NAME = Attribute(
    "displayName", names.DISPLAY_NAME, "your name as it is shown (displayName)", single=True
)
GIVEN_NAME = Attribute("givenName", names.GIVEN_NAME, "your given name (givenName)")
SURNAME = Attribute("sn", names.SURNAME, "your family name (sn)")
MAIL = Attribute("mail", names.MAIL, "your mail address (mail)", most=384, form=_MAIL)
AFFILIATION = Attribute(
    "affiliation",
    names.AFFILIATION,
    "what you are there (eduPersonScopedAffiliation)",
    many=True,
    form=_AFFILIATION,
    scoped=True,
    folds=True,
)
ENTITLEMENT = Attribute(
    "entitlement", names.ENTITLEMENT, "what you may use (eduPersonEntitlement)", 1024, many=True
)
MEMBER_OF = Attribute(
    "member-of", names.MEMBER_OF, "the groups you are in (isMemberOf)", 1024, many=True
)
ASSURANCE = Attribute(
    "assurance",
    names.ASSURANCE,
    "how well you are known there (eduPersonAssurance)",
    1024,
    many=True,
)

ATTRIBUTES: Mapping[str, Attribute] = {
    one.name: one
    for one in (
        SUBJECT_ID,
        PAIRWISE_ID,
        EPPN,
        DISPLAY_NAME,
        GIVEN_NAME,
        SURNAME,
        MAIL,
        AFFILIATION,
        ENTITLEMENT,
        MEMBER_OF,
        ASSURANCE,
    )
}
"""By the names that a site's settings use."""

_IDP = Attribute("entityID", names.IDP, "its own name (entityID)", 1024, single=True)
_SESSION = Attribute("session", names.SESSION, "the number of your session", single=True)
_INSTANT = Attribute(
    "authnInstant", names.AUTHENTICATED, "the time of your sign-in", 64, single=True
)


@dataclass(frozen=True)
class AttributeRules:
    """What the site asks of attributes.

    `idp_scopes` has the scopes that each identity provider may assert; `*.example.ca` stands for
    every scope below example.ca. When it is not empty, others cannot sign in. Without it the
    policy of the SP alone decides. `required` are names of attributes that must be there.
    """

    idp_scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    required: tuple[str, ...] = ()


def read_assertion(headers: HTTPHeaders, rules: AttributeRules) -> Assertion:
    """The assertion in the front's headers. Raises SignInRefused for the first thing wrong."""
    idp = _one(headers, _IDP, "")
    session = _one(headers, _SESSION, idp or "")
    if not idp or not session:
        missing = names.SESSION if idp else names.IDP
        raise NoSession(for_operator=f"the front sent no {missing}")
    if not _plain_word(session) or not _plain_word(idp):
        sender = idp if _plain_word(idp) else ""
        raise AttributeMalformed(
            _SESSION.name, _SESSION.plain, sender, problem="not one plain word"
        )
    scopes = _scopes_of(idp, rules)
    ones = {
        one.name: _one(headers, one, idp, scopes) for one in ATTRIBUTES.values() if not one.many
    }
    lists = {one.name: _many(headers, one, idp, scopes) for one in ATTRIBUTES.values() if one.many}
    _check_required({**ones, **lists}, idp, rules)
    return Assertion(
        idp=idp,
        session=session,
        subject_id=ones["subject-id"],
        pairwise_id=ones["pairwise-id"],
        eppn=ones["eppn"],
        display_name=ones["displayName"],
        given_name=ones["givenName"],
        surname=ones["sn"],
        mail=ones["mail"],
        affiliations=lists["affiliation"],
        entitlements=lists["entitlement"],
        memberships=lists["member-of"],
        assurances=lists["assurance"],
        authenticated=_instant(headers, idp),
    )


def values_of(headers: HTTPHeaders, attribute: Attribute, idp: str) -> tuple[str, ...]:
    """The values in one header, decoded and split, without empty ones.

    The SP joins values by `;` and writes a `;` within one as a backslash and `;`; the bytes are
    UTF-8, which tornado shows as Latin-1. Raises SignInRefused.
    """
    came = headers.get_list(attribute.header)
    if len(came) > 1:
        raise IdentityHeader(for_operator=f"{attribute.header} came {len(came)} times")
    if not came:
        return ()
    try:
        raw = came[0].encode("latin-1")
    except UnicodeEncodeError as error:
        raise AttributeEncoded(attribute.name, attribute.plain, idp) from error
    if len(raw) > _MOST_TOGETHER:
        raise AttributeTooLong(
            attribute.name, attribute.plain, idp, problem=f"{len(raw)} bytes in all"
        )
    try:
        text = unicodedata.normalize("NFC", raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise AttributeEncoded(attribute.name, attribute.plain, idp) from error
    parts = (part.replace("\\;", ";").strip(" ") for part in re.split(r"(?<!\\);", text))
    found = tuple(part for part in parts if part)
    if len(found) > _MOST_VALUES:
        raise AttributeTooLong(attribute.name, attribute.plain, idp, problem=f"{len(found)} values")
    for value in found:
        _check_text(value, attribute, idp)
    return found


def _check_text(value: str, attribute: Attribute, idp: str) -> None:
    if value.lower() == "(null)":
        raise AttributeNull(attribute.name, attribute.plain, idp)
    if len(value) > attribute.most:
        raise AttributeTooLong(
            attribute.name, attribute.plain, idp, problem=f"{len(value)} characters"
        )
    if any(_is_control(character) for character in value):
        raise AttributeMalformed(
            attribute.name, attribute.plain, idp, problem="control characters are in it"
        )


def _is_control(character: str) -> bool:
    """Control characters, line ends, and what turns the direction of writing."""
    turns = "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"
    return turns or unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs", "Zl", "Zp")


def _one(
    headers: HTTPHeaders, attribute: Attribute, idp: str, scopes: tuple[str, ...] | None = None
) -> str | None:
    found = values_of(headers, attribute, idp)
    if len(found) > 1 and attribute.single:
        raise AttributeSeveral(attribute.name, attribute.plain, idp, len(found))
    return _formed(found[0], attribute, idp, scopes) if found else None


def _many(
    headers: HTTPHeaders, attribute: Attribute, idp: str, scopes: tuple[str, ...] | None
) -> tuple[str, ...]:
    found = values_of(headers, attribute, idp)
    return tuple(dict.fromkeys(_formed(value, attribute, idp, scopes) for value in found))


def _formed(value: str, attribute: Attribute, idp: str, scopes: tuple[str, ...] | None) -> str:
    """The value, if it has the form of its attribute and a scope that its sender may use."""
    if attribute.form is not None and not attribute.form.fullmatch(value):
        raise AttributeMalformed(attribute.name, attribute.plain, idp, problem="not of its form")
    if not attribute.scoped:
        return value
    local, _, scope = value.rpartition("@")
    scope = scope.lower()
    if scopes is not None and not any(_covers(allowed, scope) for allowed in scopes):
        raise AttributeOutOfScope(attribute.name, attribute.plain, idp, scope)
    return f"{local.lower() if attribute.folds else local}@{scope}"


def _covers(allowed: str, scope: str) -> bool:
    allowed = allowed.lower()
    return scope.endswith(allowed[1:]) if allowed.startswith("*.") else scope == allowed


def _scopes_of(idp: str, rules: AttributeRules) -> tuple[str, ...] | None:
    if not rules.idp_scopes:
        return None
    if idp not in rules.idp_scopes:
        raise IdpUnknown(idp)
    return rules.idp_scopes[idp]


def _check_required(
    found: Mapping[str, str | tuple[str, ...] | None], idp: str, rules: AttributeRules
) -> None:
    for name in rules.required:
        if not found[name]:
            raise AttributeMissing(name, ATTRIBUTES[name].plain, idp)
    if not any(found[one.name] for one in (SUBJECT_ID, PAIRWISE_ID, EPPN)):
        raise AttributeMissing(
            "subject-id / pairwise-id / eppn", "an identifier that is yours alone", idp
        )


def _plain_word(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _instant(headers: HTTPHeaders, idp: str) -> float | None:
    said = _one(headers, _INSTANT, idp)
    if said is None:
        return None
    # Python 3.10 knows no Z for UTC.
    text = f"{said[:-1]}+00:00" if said.endswith("Z") else said
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise ValueError("no time zone")
        return instant.timestamp()
    except (ValueError, OverflowError) as error:
        raise AttributeMalformed(
            _INSTANT.name, _INSTANT.plain, idp, problem="not a time"
        ) from error
