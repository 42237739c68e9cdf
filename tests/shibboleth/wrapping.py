"""Signature wrapping: what was signed stays in the document, and something else is to be believed.

The kinds XSW1 to XSW8 of Somorovsky and others, "On Breaking SAML: Be Whoever You Want to Be"
(USENIX Security 2012), as they are numbered by those who test for them. What was signed speaks of
one person, what was not of another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.shibboleth.saml import ASSERTION, SIGNATURE, Response

_RESPONSE = re.compile(r"<samlp:Response\b.*</samlp:Response>", re.DOTALL)
_END = "</saml:Assertion>"
_END_OF_SIGNATURE = "</ds:Signature>"
_OBJECT = '<ds:Object xmlns:ds="http://www.w3.org/2000/09/xmldsig#">'

Lie = Callable[[str], str]
"""Puts words about somebody else into a piece of a document."""


def _part(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    assert found, text
    return found[0]


def _unsigned(text: str) -> str:
    """A piece without its own signature, which comes first in it."""
    return SIGNATURE.sub("", text, count=1)


def _renamed(text: str) -> str:
    """A piece under another ID, so that its signature no longer speaks of it."""
    return re.sub(r' ID="', ' ID="_another', text, count=1)


def _in_signature(text: str, piece: str) -> str:
    """A piece put into the signature of another."""
    head, mark, tail = text.partition(_END_OF_SIGNATURE)
    assert mark, text
    return head + piece + mark + tail


def _response_in_signature(xml: str, lie: Lie) -> str:
    """1: the signed response lies in the signature of one that is not."""
    response = _part(_RESPONSE, xml)
    return _in_signature(_renamed(lie(response)), _unsigned(response))


def _response_before_signature(xml: str, lie: Lie) -> str:
    """2: the signed response lies before its own signature, within one that is not."""
    response = _part(_RESPONSE, xml)
    signature = _part(SIGNATURE, response)
    return _renamed(lie(response)).replace(signature, _unsigned(response) + signature, 1)


def _assertion_before(xml: str, lie: Lie) -> str:
    """3: an assertion of one's own before the signed one."""
    signed = _part(ASSERTION, xml)
    return xml.replace(signed, _renamed(lie(_unsigned(signed))) + signed)


def _assertion_after(xml: str, lie: Lie) -> str:
    """3, turned round: after the signed one."""
    signed = _part(ASSERTION, xml)
    return xml.replace(signed, signed + _renamed(lie(_unsigned(signed))))


def _assertion_around(xml: str, lie: Lie) -> str:
    """4: the signed one lies within one's own."""
    signed = _part(ASSERTION, xml)
    own = _renamed(lie(_unsigned(signed)))
    return xml.replace(signed, own.replace(_END, signed + _END))


def _signature_moved(xml: str, lie: Lie) -> str:
    """5: one's own has the signature, which speaks of another one behind it."""
    signed = _part(ASSERTION, xml)
    return xml.replace(signed, _renamed(lie(signed)) + _unsigned(signed))


def _assertion_in_signature(xml: str, lie: Lie) -> str:
    """6: the signed one lies in the signature of one's own."""
    signed = _part(ASSERTION, xml)
    return xml.replace(signed, _in_signature(_renamed(lie(signed)), _unsigned(signed)))


def _in_extensions(xml: str, lie: Lie) -> str:
    """7: one's own, with the same ID, where a schema allows anything, before the signed one."""
    own = lie(_unsigned(_part(ASSERTION, xml)))
    extensions = f"<samlp:Extensions>{own}</samlp:Extensions><samlp:Status>"
    return xml.replace("<samlp:Status>", extensions, 1)


def _in_extensions_under_another_id(xml: str, lie: Lie) -> str:
    """7, with an ID of its own."""
    own = _renamed(lie(_unsigned(_part(ASSERTION, xml))))
    extensions = f"<samlp:Extensions>{own}</samlp:Extensions><samlp:Status>"
    return xml.replace("<samlp:Status>", extensions, 1)


def _in_object(xml: str, lie: Lie) -> str:
    """8: the signed one lies in an object of the signature, and its twin is one's own."""
    signed = _part(ASSERTION, xml)
    inner = f"{_OBJECT}{_unsigned(signed)}</ds:Object>"
    return xml.replace(signed, _in_signature(lie(signed), inner))


def _same_id(xml: str, lie: Lie) -> str:
    """One's own under the very ID of the signed one, before it."""
    signed = _part(ASSERTION, xml)
    return xml.replace(signed, lie(_unsigned(signed)) + signed)


Wrap = Callable[[str, Lie], str]
_NOT_ALLOWED = r"element '(saml:)?(Assertion|Response)' is not allowed for content model"
_NOT_UNIQUE = "ID value '[^']*' is not unique"

WRAPPED_RESPONSES: Mapping[str, tuple[Wrap, str]] = {
    "XSW1 response in its signature": (_response_in_signature, _NOT_ALLOWED),
    "XSW2 response before its signature": (_response_before_signature, _NOT_UNIQUE),
}
"""What is done to a document whose response is signed, and what shibd says of it."""

WRAPPED_ASSERTIONS: Mapping[str, tuple[Wrap, str]] = {
    "XSW3 unsigned with the same ID": (_same_id, _NOT_UNIQUE),
    "XSW4 signed within unsigned": (_assertion_around, _NOT_ALLOWED),
    "XSW5 signature moved": (_signature_moved, "reference does not match parent object ID"),
    "XSW6 signed in the signature": (_assertion_in_signature, _NOT_ALLOWED),
    "XSW7 unsigned in extensions": (_in_extensions, _NOT_UNIQUE),
    "XSW8 signed in an object": (_in_object, _NOT_UNIQUE),
}
"""The same where the assertion is signed."""

BESIDE: Mapping[str, Wrap] = {
    "XSW3 unsigned before signed": _assertion_before,
    "XSW3 unsigned after signed": _assertion_after,
    "XSW7 unsigned under another ID in extensions": _in_extensions_under_another_id,
}
"""Where the signed assertion stays as and where it was, with a false one beside it."""


def wrapped(wrap: Wrap, response: Response, lie: Lie) -> Response:
    """A signed response wrapped in this way."""
    return replace(response, xml=wrap(response.xml, lie))
