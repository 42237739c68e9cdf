"""Responses that say what a provider never said: other keys, weak methods, wrapped signatures."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from slurmhub_deploy.front.embedded import EmbeddedFront
from slurmhub_deploy.front.keys import make_key_pair
from tests.shibboleth.backend import Backend
from tests.shibboleth.judged import accepted, as_provider, lie, refused
from tests.shibboleth.saml import Response, sign
from tests.shibboleth.visits import arrived, here, there
from tests.shibboleth.wrapping import BESIDE, WRAPPED_ASSERTIONS, WRAPPED_RESPONSES, wrapped

_UNVERIFIED = "signature could not be verified"
_UNKNOWN = "https://unknown.example/idp"
_NO_METADATA = "no metadata found, can't establish identity of issuer"
_CONFLICT = "An Issuer was supplied that conflicts with previous results"
_ISSUER_OF_ASSERTION = "(<saml:Assertion .*?<saml:Issuer>)[^<]*"

Keys = Mapping[str, tuple[Path, Path]]
SIGNERS: Mapping[str, tuple[str, str]] = {
    "nobody's key": ("nobody", "nobody"),
    "nobody's key, with the provider's certificate": ("nobody", "first"),
    "another provider's key": ("second", "second"),
    "another provider's key, with the provider's certificate": ("second", "first"),
    "the service provider's own key": ("ours", "ours"),
}


@pytest.fixture(scope="module")
def keys(front: EmbeddedFront, tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Key and certificate of both providers, of the service provider, and of nobody."""
    first, second = front.providers
    ours = front.settings.key_folder
    folder = tmp_path_factory.mktemp("nobody")
    return {
        "first": (first.key, first.certificate),
        "second": (second.key, second.certificate),
        "ours": (ours / "sp-signing-key.pem", ours / "sp-signing-cert.pem"),
        "nobody": make_key_pair(folder, "nobody", _UNKNOWN),
    }


def signed(response: Response, keys: Keys, key: str, certificate: str, what: str) -> Response:
    """Signed with the key of one and the certificate of another."""
    xml = sign(response.xml, keys[key][0], keys[certificate][1], what)
    return replace(response, xml=xml)


@pytest.mark.parametrize("what", ["Assertion", "Response"])
@pytest.mark.parametrize("signer", SIGNERS)
def test_nobody_else_signs_for_a_provider(
    front: EmbeddedFront, backend: Backend, keys: Keys, signer: str, what: str
) -> None:
    """A certificate that comes along proves nothing: the key is the one of the metadata."""
    visit, other = here(front), here(front)
    forged = signed(visit.response("bob").unsigned(), keys, *SIGNERS[signer], what)
    refused(front, backend, visit, forged, _UNVERIFIED)
    true = signed(other.response("bob").unsigned(), keys, "first", "first", what)
    accepted(backend, other, true)


@pytest.mark.parametrize("key", ["nobody", "first", "second"])
def test_a_provider_that_is_in_no_metadata_is_nobody(
    front: EmbeddedFront, backend: Backend, keys: Keys, key: str
) -> None:
    """Whoever signs for it."""
    known = re.escape(front.providers[0].entity_id)
    visit, other = here(front), here(front)
    unknown = visit.response("bob").unsigned().with_text(known, _UNKNOWN)
    refused(front, backend, visit, signed(unknown, keys, key, key, "Assertion"), _NO_METADATA)
    accepted(backend, other, signed(other.response("bob"), keys, "first", "first", "Assertion"))


@pytest.mark.parametrize("key", ["first", "second"])
def test_one_provider_does_not_speak_in_an_envelope_of_another(
    front: EmbeddedFront, backend: Backend, keys: Keys, key: str
) -> None:
    """The response is of one provider and the assertion of another, whichever signs it."""
    visit, other = here(front), here(front)
    of_second = rf"\g<1>{front.providers[1].entity_id}"
    mixed = visit.response("bob").unsigned().with_text(_ISSUER_OF_ASSERTION, of_second)
    refused(front, backend, visit, signed(mixed, keys, key, key, "Assertion"), _CONFLICT)
    accepted(backend, other, as_provider(other.response("bob").unsigned(), front.providers[0]))


def test_a_provider_speaks_for_its_own_people_alone(front: EmbeddedFront, backend: Backend) -> None:
    """All in its own name, by its own key: what it says of others' people does not arrive."""
    first, second = front.providers
    visit = here(front)
    own_name = (
        visit.response("bob").unsigned().with_text(re.escape(first.entity_id), second.entity_id)
    )
    seen = arrived(backend, visit.post(as_provider(own_name, second)))
    assert seen.values("X-Slurmhub-Idp") == [second.entity_id]
    assert seen.values("X-Slurmhub-Eppn") == seen.values("X-Slurmhub-Subject-Id") == [""]
    visit = there(front)
    seen = arrived(backend, visit.post(as_provider(visit.response("alice").unsigned(), second)))
    assert seen.values("X-Slurmhub-Eppn") == ["alice@other.example"]


@pytest.mark.parametrize("what", ["Assertion", "Response"])
@pytest.mark.parametrize(
    ("method", "digest", "why"),
    [
        ("rsa-md5", "sha256", _UNVERIFIED),
        ("rsa-sha256", "md5", _UNVERIFIED),
        ("rsa-sha1", "sha256", _UNVERIFIED),
        ("rsa-sha256", "sha1", _UNVERIFIED),
        ("hmac-sha256", "sha256", _UNVERIFIED),
        ("none", "sha256", "Expected TEXT child of <SignatureValue>"),
    ],
)
def test_weak_methods_sign_nothing(
    front: EmbeddedFront, backend: Backend, what: str, method: str, digest: str, why: str
) -> None:
    """MD5 or SHA-1 in either place, no signature, and the public certificate as a shared secret."""
    provider = front.providers[0]
    visit, other = here(front), here(front)
    response = visit.response("bob").unsigned()
    weak = response.signed(provider, what=what, method=method, digest=digest)
    refused(front, backend, visit, weak, why)
    accepted(backend, other, other.response("bob").unsigned().signed(provider, what=what))


@pytest.mark.parametrize("kind", [*WRAPPED_RESPONSES, *WRAPPED_ASSERTIONS])
def test_a_signature_covers_what_is_believed(
    front: EmbeddedFront, backend: Backend, kind: str
) -> None:
    """A true signature of what is said of bob, in a document that says it of alice."""
    provider = front.providers[0]
    wrap, why = {**WRAPPED_RESPONSES, **WRAPPED_ASSERTIONS}[kind]
    what = "Response" if kind in WRAPPED_RESPONSES else "Assertion"
    visit, other = here(front), here(front)
    honest = visit.response("bob").unsigned().signed(provider, what=what)
    refused(front, backend, visit, wrapped(wrap, honest, lie), why)
    # The same hands, and no lie in the other one's place.
    accepted(backend, other, other.response("bob").unsigned().signed(provider, what=what))


@pytest.mark.parametrize("kind", BESIDE)
def test_a_lie_beside_the_truth_is_not_heard(
    front: EmbeddedFront, backend: Backend, kind: str
) -> None:
    """Where the response alone is signed it is refused; else who was signed for is signed in."""
    provider = front.providers[0]
    visit, other = here(front), here(front)
    whole = as_provider(visit.response("bob").unsigned(), provider)
    refused(front, backend, visit, wrapped(BESIDE[kind], whole, lie), _UNVERIFIED)
    honest = other.response("bob").unsigned().signed(provider)
    accepted(backend, other, wrapped(BESIDE[kind], honest, lie))


def test_parts_of_two_people_make_no_third(front: EmbeddedFront, backend: Backend) -> None:
    """Attributes of one signed assertion do not come under the signature of another."""
    provider = front.providers[0]
    attributes: Callable[[str], re.Match[str] | None] = re.compile(
        "<saml:AttributeStatement>.*</saml:AttributeStatement>", re.DOTALL
    ).search
    hers = attributes(here(front).response("alice").xml)
    assert hers
    visit, other = here(front), here(front)
    his = visit.response("bob").unsigned().signed(provider)
    mixed = his.with_text(
        "(<saml:AttributeStatement>.*</saml:AttributeStatement>)", r"\1" + hers[0]
    )
    refused(front, backend, visit, mixed, _UNVERIFIED)
    accepted(backend, other, other.response("bob").unsigned().signed(provider))
