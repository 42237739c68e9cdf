"""Responses that the identity provider's own key has signed, and that are not for here and now."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from slurmhub_deploy.front.embedded import EmbeddedFront
from tests.shibboleth.backend import Backend
from tests.shibboleth.judged import accepted, as_provider, moment, refused
from tests.shibboleth.saml import ASSERTION, Response
from tests.shibboleth.visits import LOGIN, here

Change = Callable[[Response], Response]
Cases = Mapping[str, tuple[Change, str]]
"""What is done to an honest response, and what shibd says of it."""

_OTHER_SP = "https://other.example/shibboleth"
_OTHER_PLACE = "https://other.example/Shibboleth.sso/SAML2/POST"
_CONFIRMATION = "<saml:SubjectConfirmationData"


def says(pattern: str, words: str) -> Change:
    """The document with other words in it."""
    return lambda response: response.with_text(pattern, words)


def conditions(begin: float, end: float) -> Change:
    """Conditions that hold from one time to another, in hours from now."""
    return lambda response: response.with_text(
        '<saml:Conditions NotBefore="[^"]*" NotOnOrAfter="[^"]*"',
        f'<saml:Conditions NotBefore="{moment(begin)}" NotOnOrAfter="{moment(end)}"',
    )


def dated(element: str, attribute: str, hours: float) -> Change:
    """An element with a time of so many hours from now."""
    return lambda response: response.with_text(
        rf'({element} [^>]*\b{attribute}=)"[^"]*"', rf'\g<1>"{moment(hours)}"'
    )


def all_of(*changes: Change) -> Change:
    """One change after another."""

    def change(response: Response) -> Response:
        for each in changes:
            response = each(response)
        return response

    return change


_audience = says("<saml:Audience>[^<]*", f"<saml:Audience>{_OTHER_SP}")
_recipient = says('Recipient="[^"]*"', f'Recipient="{_OTHER_PLACE}"')
_destination = says(' Destination="[^"]*"', f' Destination="{_OTHER_PLACE}"')
_WRONG_AUDIENCE = "contains an unacceptable AudienceRestriction"
_NO_BEARER = "assertion is missing bearer SubjectConfirmation"
_RECIPIENT = "bearer confirmation failed with recipient mismatch"

FOR_OTHERS: Cases = {
    "audience": (_audience, _WRONG_AUDIENCE),
    "audience that begins alike": (
        says("(<saml:Audience>[^<]*)", r"\1/of-another"),
        _WRONG_AUDIENCE,
    ),
    "two audiences that both must be met": (
        says(
            "(<saml:AudienceRestriction>.*</saml:AudienceRestriction>)",
            rf"\1<saml:AudienceRestriction><saml:Audience>{_OTHER_SP}</saml:Audience>"
            "</saml:AudienceRestriction>",
        ),
        _WRONG_AUDIENCE,
    ),
    "recipient": (_recipient, _RECIPIENT),
    "no recipient": (says(' Recipient="[^"]*"', ""), _RECIPIENT),
    "destination": (_destination, "delivered with POST to incorrect server URL"),
    "all of another service provider": (
        all_of(_audience, _recipient, says("(SPNameQualifier=)[^>]*? ", rf'\1"{_OTHER_SP}" ')),
        _WRONG_AUDIENCE,
    ),
    "of another service provider, in a new envelope": (
        all_of(_audience, _recipient, _destination),
        "delivered with POST to incorrect server URL",
    ),
    "for who has a key": (says("cm:bearer", "cm:holder-of-key"), _NO_BEARER),
    "for who is vouched for": (says("cm:bearer", "cm:sender-vouches"), _NO_BEARER),
    "for nobody": (
        says("<saml:SubjectConfirmation .*</saml:SubjectConfirmation>", ""),
        _NO_BEARER,
    ),
}
OUT_OF_TIME: Cases = {
    "conditions of the past": (conditions(-2, -1), "Assertion is no longer valid"),
    "conditions of the future": (conditions(1, 2), "Assertion is not yet valid"),
    "confirmation of the past": (
        dated(_CONFIRMATION, "NotOnOrAfter", -1),
        "bearer confirmation has expired",
    ),
    "confirmation for ever": (
        says(rf'({_CONFIRMATION}) NotOnOrAfter="[^"]*"', r"\1"),
        "missing NotOnOrAfter",
    ),
    "response of the past": (
        dated("<samlp:Response", "IssueInstant", -1),
        "Message expired, was issued too long ago",
    ),
    "response of the future": (
        dated("<samlp:Response", "IssueInstant", 1),
        "was issued in the future",
    ),
    "assertion of the past": (
        dated("<saml:Assertion", "IssueInstant", -1),
        "Message expired, was issued too long ago",
    ),
    "assertion of the future": (
        dated("<saml:Assertion", "IssueInstant", 1),
        "was issued in the future",
    ),
}
_UNASKED = "Rejecting non-correlated response to request ID"
_UNCORRELATED = "bearer confirmation failed on lack of request/response correlation"
_REQUEST = 'InResponseTo="_of-another-request"'
OTHER_ANSWERS: Cases = {
    "another request": (says('InResponseTo="[^"]*"', _REQUEST), _UNASKED),
    "another request in the envelope": (
        says('(<samlp:Response [^>]*)InResponseTo="[^"]*"', rf"\1{_REQUEST}"),
        _UNASKED,
    ),
    "another request in the confirmation": (
        says(rf'({_CONFIRMATION} [^>]*)InResponseTo="[^"]*"', rf"\1{_REQUEST}"),
        _UNCORRELATED,
    ),
    "no request": (says(' InResponseTo="[^"]*"', ""), _UNASKED),
    "no request in the confirmation": (
        says(rf'({_CONFIRMATION} [^>]*) InResponseTo="[^"]*"', r"\1"),
        _UNCORRELATED,
    ),
    "an error": (says("status:Success", "status:Responder"), "reported an IdP error"),
    "no sign-in": (
        says("<saml:AuthnStatement.*</saml:AuthnStatement>", ""),
        "valid authentication statement was not found",
    ),
}


def judged(front: EmbeddedFront, backend: Backend, change: Change, why: str) -> None:
    """The changed response is refused; beside it the same one, signed anew as it is, is not."""
    provider = front.providers[0]
    visit, other = here(front), here(front)
    changed = change(visit.response("bob").unsigned())
    refused(front, backend, visit, as_provider(changed, provider), why)
    accepted(backend, other, as_provider(other.response("bob").unsigned(), provider))


@pytest.mark.parametrize("case", FOR_OTHERS)
def test_what_is_meant_for_others_is_refused(
    front: EmbeddedFront, backend: Backend, case: str
) -> None:
    """Audience, recipient and destination are ours, and the bearer is who is meant."""
    judged(front, backend, *FOR_OTHERS[case])


@pytest.mark.parametrize("case", OUT_OF_TIME)
def test_what_is_not_of_now_is_refused(front: EmbeddedFront, backend: Backend, case: str) -> None:
    """Too old, or not valid yet, by whichever of the times in it."""
    judged(front, backend, *OUT_OF_TIME[case])


def test_clocks_may_be_a_little_apart(front: EmbeddedFront, backend: Backend) -> None:
    """Beside the refusals: a provider whose clock is a minute ahead or behind signs people in."""
    minute = 1 / 60
    for ahead in (minute, -minute):
        visit = here(front)
        shifted = all_of(
            dated("<samlp:Response", "IssueInstant", ahead),
            dated("<saml:Assertion", "IssueInstant", ahead),
            conditions(ahead, ahead + minute),
        )
        changed = shifted(visit.response("bob").unsigned())
        accepted(backend, visit, as_provider(changed, front.providers[0]))


def test_a_session_that_is_over_is_none(front: EmbeddedFront, backend: Backend) -> None:
    """A session that the provider says ended an hour ago does not begin here."""
    visit = here(front)
    over = dated("<saml:AuthnStatement", "SessionNotOnOrAfter", -1)
    before = len(backend.seen)
    visit.post(as_provider(over(visit.response("bob").unsigned()), front.providers[0]))
    assert [each.target for each in backend.seen[before:] if each.identity] == []
    assert visit.web.cookies("_shibsession_") == {}
    assert visit.get(LOGIN, allow_redirects=False).status_code == 302
    assert "A valid session was not found" in visit.get("/hub/Shibboleth.sso/Session").text
    lasts = dated("<saml:AuthnStatement", "SessionNotOnOrAfter", 1)
    visit = here(front)
    accepted(
        backend, visit, as_provider(lasts(visit.response("bob").unsigned()), front.providers[0])
    )


@pytest.mark.parametrize("case", OTHER_ANSWERS)
def test_what_answers_something_else_is_refused(
    front: EmbeddedFront, backend: Backend, case: str
) -> None:
    """Only the request of this browser is answered, and only by a sign-in."""
    judged(front, backend, *OTHER_ANSWERS[case])


def test_an_assertion_serves_once(front: EmbeddedFront, backend: Backend) -> None:
    """Nor in a new envelope of the provider's, nor another one under its ID, nor its envelope's."""
    provider = front.providers[0]
    first = here(front)
    used = as_provider(first.response("bob").unsigned(), provider)
    accepted(backend, first, used)
    assertion = ASSERTION.search(used.xml)
    identifiers = re.findall(r'<(samlp:Response|saml:Assertion) [^>]*?\bID="([^"]*)"', used.xml)
    assert assertion
    assert len(identifiers) == 2
    again: list[Change] = [
        says(re.escape(f"<{element} ") + r'([^>]*?)\bID="[^"]*"', rf'<{element} \1ID="{value}"')
        for element, value in identifiers
    ]
    for change in again:
        visit = here(front)
        changed = as_provider(change(visit.response("bob").unsigned()), provider)
        refused(front, backend, visit, changed, "replay detected of message ID")
    visit = here(front)
    response = visit.response("bob").unsigned()
    old = replace(response, xml=ASSERTION.sub(lambda _: assertion[0], response.xml))
    refused(
        front,
        backend,
        visit,
        old.signed(provider, what="Response"),
        "replay detected of message ID",
    )
    visit = here(front)
    accepted(backend, visit, as_provider(visit.response("bob").unsigned(), provider))
