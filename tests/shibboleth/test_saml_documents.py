"""Documents that a parser could read otherwise than who signed them, and other ways in."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from slurmhub_deploy.front.embedded import EmbeddedFront
from tests.shibboleth.backend import Backend
from tests.shibboleth.conftest import PASSWORD
from tests.shibboleth.judged import accepted, as_provider, refused
from tests.shibboleth.saml import Response
from tests.shibboleth.visits import LOGIN, Visit, arrived, here
from tests.shibboleth.web import forms_of

_BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x"}">' for n in range(9))
PROLOGUES = {
    "a document type": "<!DOCTYPE samlp:Response>",
    "an entity": '<!DOCTYPE samlp:Response [<!ENTITY who "alice@example.ca">]>',
    "an entity that grows": f"<!DOCTYPE samlp:Response [{_BOMB}]>",
    "a file": '<!DOCTYPE samlp:Response [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
    "an address": '<!DOCTYPE samlp:Response SYSTEM "{place}/dtd">',
    "a parameter entity": '<!DOCTYPE samlp:Response [<!ENTITY % p SYSTEM "{place}/dtd"> %p;]>',
}


def own_words(visit: Visit, front: EmbeddedFront, eppn: str) -> Response:
    """Somebody's response with another eppn, signed by the provider."""
    response = visit.response("bob").unsigned().with_text("bob@example.ca", eppn)
    return as_provider(response, front.providers[0])


@pytest.mark.parametrize("case", PROLOGUES)
def test_a_document_type_is_refused(front: EmbeddedFront, backend: Backend, case: str) -> None:
    """Before anything of it is read: no entity is made, no file and no address is fetched."""
    visit, other = here(front), here(front)
    response = as_provider(visit.response("bob").unsigned(), front.providers[0])
    body = re.sub(r"^<\?xml.*?\?>\s*", "", response.xml)
    head = PROLOGUES[case].replace("{place}", backend.url)
    refused(front, backend, visit, replace(response, xml=head + body), "invalid document structure")
    response = as_provider(other.response("bob").unsigned(), front.providers[0])
    body = re.sub(r"^<\?xml.*?\?>\s*", "", response.xml)
    accepted(backend, other, replace(response, xml=body))


@pytest.mark.parametrize(
    ("case", "xml", "why"),
    [
        ("nothing", "", "Unable to decode base64"),
        ("words", "bob@example.ca", "invalid document structure"),
        ("another root", "<html/>", "no declaration found for element 'html'"),
        ("no end", "<a>" * 2_000, "input ended before all started tags"),
        ("three megabytes", f"<a>{'x' * 3_000_000}</a>", "no declaration found for element 'a'"),
    ],
    ids=lambda value: value if len(str(value)) < 20 else "",
)
def test_what_is_no_response_is_refused(
    front: EmbeddedFront, backend: Backend, case: str, xml: str, why: str
) -> None:
    """And the next one is read as ever."""
    visit, other = here(front), here(front)
    refused(front, backend, visit, replace(visit.response("bob"), xml=xml), why)
    accepted(backend, other, other.response("bob"))


@pytest.mark.parametrize("mark", ["<!-- -->", "<![CDATA[]]>"])
def test_a_mark_in_a_value_cuts_nothing_off(
    front: EmbeddedFront, backend: Backend, mark: str
) -> None:
    """Signatures do not cover comments: who is called bobby must not become bob by one."""
    visit = here(front)
    changed = own_words(visit, front, "bobby@example.ca").with_text("bobby@", f"bob{mark}by@")
    seen = arrived(backend, visit.post(changed))
    assert seen.values("X-Slurmhub-Eppn") == ["bobby@example.ca"]
    # Nor does a scope become that of an institution.
    visit = here(front)
    longer = own_words(visit, front, "bob@example.ca.evil.example")
    seen = arrived(backend, visit.post(longer.with_text("ca.evil", f"ca{mark}.evil")))
    assert seen.values("X-Slurmhub-Eppn") == [""]
    assert seen.values("X-Slurmhub-Subject-Id") == ["b4b5b6@example.ca"]
    visit = here(front)
    accepted(backend, visit, own_words(visit, front, "bob@example.ca"))


def test_a_mark_in_the_name_of_the_session_changes_nothing(
    front: EmbeddedFront, backend: Backend
) -> None:
    """A comment in NameID: bob stays bob, and his session ends at his sign-out."""
    visit = here(front)
    response = as_provider(visit.response("bob").unsigned(), front.providers[0])
    marked = response.with_text(r"(<saml:NameID [^>]*>.{8})", r"\1<!-- -->")
    session = accepted(backend, visit, marked).values("X-Slurmhub-Session")[0]
    visit.get("/hub/Shibboleth.sso/Logout")
    assert f">{session}<".encode() in backend.last("/hub/shibboleth/notify").body


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        ("<?mark it?>", "unsupported node type"),
        ("<saml:Advice/>", "signature could not be verified"),
        ("&#x200B;", "signature could not be verified"),
    ],
)
def test_other_marks_are_refused(
    front: EmbeddedFront, backend: Backend, mark: str, why: str
) -> None:
    """Instructions, elements, and letters that nobody sees, put in after it was signed."""
    visit, other = here(front), here(front)
    changed = own_words(visit, front, "bobby@example.ca").with_text("bobby@", f"bob{mark}by@")
    refused(front, backend, visit, changed, why)
    accepted(backend, other, own_words(other, front, "bob@example.ca"))


@pytest.mark.parametrize(
    "place", ["SAML2/POST-SimpleSign", "SAML2/Artifact", "SAML2/ECP", "SAML/POST", "SAML2/Redirect"]
)
@pytest.mark.parametrize("signed", [True, False])
def test_other_ways_in_are_as_narrow(
    front: EmbeddedFront, backend: Backend, place: str, signed: bool
) -> None:
    """The service provider's other handlers take no response either that is not for them."""
    visit, other = here(front), here(front)
    response = visit.response("bob").unsigned()
    if signed:
        response = as_provider(response, front.providers[0])
    elsewhere = response.form.action.replace("SAML2/POST", place)
    # As it would be for that place, but for the signature.
    response = replace(response, form=replace(response.form, action=elsewhere))
    if not signed:
        response = response.with_text("SAML2/POST", place)
    before = len(backend.seen)
    answer = visit.post(response)
    assert "Sign-in did not work" in answer.text
    assert visit.web.cookies("_shibsession_") == {}
    assert len(backend.seen) == before
    accepted(backend, other, as_provider(other.response("bob").unsigned(), front.providers[0]))


def test_nobody_is_led_elsewhere_by_a_sign_in(front: EmbeddedFront, backend: Backend) -> None:
    """Neither by what is asked for at its beginning, nor by what comes back with the response."""
    provider = front.providers[0].entity_id
    start = "/hub/Shibboleth.sso/Login"
    for place in (
        "https://evil.example/",
        f"{front.url}.evil.example/",
        f"{front.url}@evil.example/",
    ):
        visit = here(front)
        answer = visit.get(
            start, params={"entityID": provider, "target": place}, allow_redirects=False
        )
        assert answer.status_code == 500, place
    for place in ("//evil.example/", "/\\evil.example/"):
        assert ended(front, here(front), place).startswith(f"{front.url}/"), place
    assert ended(front, here(front), f"{front.url}{LOGIN}") == f"{front.url}{LOGIN}"
    for state in ("https://evil.example/", "//evil.example/", "ss:mem:x", ""):
        visit = here(front)
        response = visit.response("bob")
        fields = {**response.form.fields, "RelayState": state}
        before = len(backend.seen)
        answer = visit.post(replace(response, form=replace(response.form, fields=fields)))
        assert "Sign-in did not work" in answer.text, state
        assert len(backend.seen) == before, state


def ended(front: EmbeddedFront, visit: Visit, target: str) -> str:
    """Where a sign-in leads that was asked to lead to this target."""
    start = f"{front.url}/hub/Shibboleth.sso/Login"
    provider = front.providers[0].entity_id
    page = visit.web.get(start, params={"entityID": provider, "target": target})
    password = next(form for form in forms_of(page) if "username" in form.fields)
    answer = visit.web.submit(password, username="bob", password=PASSWORD)
    form = next(form for form in forms_of(answer) if "SAMLResponse" in form.fields)
    done = visit.web.session.post(form.action, form.fields, allow_redirects=False, timeout=30)
    assert done.status_code == 302
    return str(done.headers["Location"])
