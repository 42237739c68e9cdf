"""The headers by which the front passes on a sign-in, and all that only looks like them."""

from __future__ import annotations

import re
from collections.abc import Iterable

PREFIX = "X-Slurmhub-"
FRONT = f"{PREFIX}Front"
"""The secret by which the front proves itself."""

SESSION = f"{PREFIX}Session"
IDP = f"{PREFIX}Idp"
AUTHENTICATED = f"{PREFIX}Authn-Instant"
SUBJECT_ID = f"{PREFIX}Subject-Id"
PAIRWISE_ID = f"{PREFIX}Pairwise-Id"
EPPN = f"{PREFIX}Eppn"
DISPLAY_NAME = f"{PREFIX}Display-Name"
GIVEN_NAME = f"{PREFIX}Given-Name"
SURNAME = f"{PREFIX}Surname"
MAIL = f"{PREFIX}Mail"
AFFILIATION = f"{PREFIX}Affiliation"
ENTITLEMENT = f"{PREFIX}Entitlement"
MEMBER_OF = f"{PREFIX}Member-Of"
ASSURANCE = f"{PREFIX}Assurance"

ALL = frozenset(
    {
        FRONT,
        SESSION,
        IDP,
        AUTHENTICATED,
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
    }
)
"""Every header that the front sets, as tornado spells names: each part capitalized."""

# Names as Shibboleth, Apache's modules and other sign-in proxies pass them on, without any sign
# between words: programs on the way take `_` for `-`, and some drop what they do not know.
_BEGINNINGS = (
    "xslurmhub",
    "shib",
    "xshib",
    "httpshib",
    "ajp",
    "xremoteuser",
    "xremotegroup",
    "xremotename",
    "xremoteemail",
    "xremoteextra",
    "remoteuser",
    "remotegroup",
    "remotename",
    "remoteemail",
    "httpremoteuser",
    "xforwardeduser",
    "xforwardedpreferredusername",
    "xforwardedemail",
    "xforwardedgroup",
    "xauthrequest",
    "xwebauth",
    "oidcclaim",
    "mellon",
    "eduperson",
)
# The stock attribute ids of the SP, each also with the X- of a header that somebody made up.
_ATTRIBUTES = (
    "affiliation",
    "assurance",
    "cn",
    "displayname",
    "entitlement",
    "eppn",
    "givenname",
    "ismemberof",
    "mail",
    "memberof",
    "orcid",
    "pairwiseid",
    "persistentid",
    "primaryaffiliation",
    "sn",
    "subjectid",
    "surname",
    "targetedid",
    "uid",
    "unscopedaffiliation",
)
_WHOLE = frozenset(f"{before}{name}" for name in _ATTRIBUTES for before in ("", "x", "http"))
_BETWEEN = re.compile(r"[^a-z0-9]+")


def identity_shaped(name: str) -> bool:
    """Whether a header of this name could pass for a word of the front about a person.

    In whatever case, and with whatever sign or none between its words.
    """
    bare = _BETWEEN.sub("", name.lower())
    return bare.startswith(_BEGINNINGS) or bare in _WHOLE


def identity_headers(names: Iterable[str]) -> tuple[str, ...]:
    """Those of these names that are shaped so, sorted."""
    return tuple(sorted({name for name in names if identity_shaped(name)}))
