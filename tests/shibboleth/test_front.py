"""A sign-in through the real Apache, mod_shib, shibd and SimpleSAMLphp, and attempts to cheat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import requests

from slurmhub_deploy.front.attributes import ATTRIBUTES
from slurmhub_deploy.front.embedded import EmbeddedFront
from tests.shibboleth.backend import Backend
from tests.shibboleth.conftest import ALICE, PASSWORD
from tests.shibboleth.saml import Response
from tests.shibboleth.visits import LOGIN, SECRET, arrived, here, raw_request, there
from tests.shibboleth.web import forms_of


def test_a_person_signs_in(front: EmbeddedFront, backend: Backend) -> None:
    """Every attribute arrives under its own header, beside the secret, the session and the IdP."""
    answer = here(front).sign_in("alice", f"{LOGIN}?next=%2Fhub%2Fhome")
    seen = arrived(backend, answer)
    assert seen.target == f"{LOGIN}?next=%2Fhub%2Fhome"
    secret = front.secret_file.read_text().strip()
    assert len(secret) >= 32
    assert seen.values(SECRET) == [secret]
    assert seen.values("X-Slurmhub-Idp") == [front.providers[0].entity_id]
    assert seen.values("X-Slurmhub-Session")[0].startswith("_")
    assert seen.values("X-Slurmhub-Authn-Instant")[0].endswith("Z")
    for attribute in ATTRIBUTES:
        expected = ";".join(each.replace(";", "\\;") for each in ALICE[attribute.id])
        assert seen.values(attribute.header) == [expected], attribute


def test_what_is_missing_is_empty(front: EmbeddedFront, backend: Backend) -> None:
    """Never the text "(null)", which would be one name for everybody."""
    seen = arrived(backend, here(front).sign_in("bob"))
    assert seen.values("X-Slurmhub-Eppn") == ["bob@example.ca"]
    for attribute in ATTRIBUTES:
        if attribute.id not in {"subject-id", "eppn"}:
            assert seen.values(attribute.header) == [""], attribute


def test_nobody_asserts_the_scope_of_others(front: EmbeddedFront, backend: Backend) -> None:
    """Values with another university's scope are dropped; those with the own one are not."""
    honest = arrived(backend, there(front).sign_in("alice"))
    assert honest.values("X-Slurmhub-Subject-Id") == ["zz99@other.example"]
    seen = arrived(backend, there(front).sign_in("liar"))
    for header in ("X-Slurmhub-Subject-Id", "X-Slurmhub-Pairwise-Id", "X-Slurmhub-Eppn"):
        assert seen.values(header) == [""], header
    assert seen.values("X-Slurmhub-Affiliation") == ["student@other.example"]
    assert seen.values("X-Slurmhub-Display-Name") == ["Liar"]


def test_a_line_break_begins_no_header(front: EmbeddedFront, backend: Backend) -> None:
    """A name with a line break in it is dropped, also when a good value stands beside it."""
    seen = arrived(backend, there(front).sign_in("odd"))
    assert seen.values("X-Slurmhub-Subject-Id") == ["odd@other.example"]
    assert seen.values("X-Slurmhub-Display-Name") == [""]
    assert seen.values("X-Slurmhub-Mail") == ["odd@other.example"]
    assert seen.values("X-Slurmhub-Eppn") == [""]


def test_elsewhere_the_front_says_nothing(front: EmbeddedFront, backend: Backend) -> None:
    """Neither secret nor identity leave the login location, also for who is signed in."""
    visit = here(front)
    arrived(backend, visit.sign_in("alice"))
    for path in ("/hub/home", "/hub/api/user", "/user/alice/lab", "/", "/hub/shibboleth/where"):
        assert visit.get(path).status_code == 200
        assert backend.last(path).identity == {}


def test_cookies_of_the_service_provider_stay_at_the_front(
    front: EmbeddedFront, backend: Backend
) -> None:
    """No server behind sees them, also if a browser sends them everywhere; the handler does."""
    visit = here(front)
    arrived(backend, visit.sign_in("alice"))
    stolen = visit.web.cookies("_shibsession_")
    assert stolen
    name, value = next(iter(stolen.items()))
    paths = {cookie.path for cookie in visit.web.session.cookies if cookie.name == name}
    assert paths == {"/hub/"}
    cookie = f"Cookie: a=1; {name}={value}; _opensaml_req_x=2; b=3; _shibstate_1=4"
    for path in ("/user/mallory/api", "/hub/home", "/HUB/home"):
        assert raw_request(front, path, cookie).status == 200
        assert backend.last(path).values("Cookie") == ["a=1; b=3"]
    assert raw_request(front, "/user/x/", f"Cookie: {name}={value}").status == 200
    assert backend.last("/user/x/").values("Cookie") == []
    session = visit.get("/hub/Shibboleth.sso/Session")
    assert "example.ca" in session.text or "simplesaml" in session.text
    assert "alice@example.ca" not in session.text


def test_paths_reach_servers_as_they_were_written(front: EmbeddedFront, backend: Backend) -> None:
    """Encoded slashes, semicolons and umlauts in names of files stay what they are."""
    target = "/user/alice/files/a%2Fb;c%3B/%C3%A9%20%25.txt?q=%2F&r=a+b"
    assert raw_request(front, target).status == 200
    assert backend.seen[-1].target == target


def test_the_hub_is_told_of_the_end(front: EmbeddedFront, backend: Backend) -> None:
    """Sign-out at the service provider ends its session, tells the hub which, and leads back."""
    visit = here(front)
    session = arrived(backend, visit.sign_in("alice")).values("X-Slurmhub-Session")[0]
    stolen = visit.web.cookies("_shibsession_")
    back = f"{front.url}/hub/shibboleth/signed-out"
    answer = visit.get("/hub/Shibboleth.sso/Logout", params={"return": back})
    notice = backend.last("/hub/shibboleth/notify")
    assert notice.method == "POST"
    assert f">{session}<".encode() in notice.body
    assert notice.values(SECRET) == [front.secret_file.read_text().strip()]
    assert set(notice.identity) == {SECRET}
    assert not any(name.startswith("shib") for name in notice.names)
    assert answer.url == back, answer.text
    # At the identity provider as well: it asks for the password again.
    assert "username" in visit.login_form().fields
    name, value = next(iter(stolen.items()))
    assert raw_request(front, LOGIN, f"Cookie: {name}={value}").status == 302


def test_a_sign_out_at_the_institution_reaches_the_hub(
    front: EmbeddedFront, backend: Backend
) -> None:
    """Single logout that begins at the identity provider ends the session here."""
    visit = here(front)
    session = arrived(backend, visit.sign_in("alice")).values("X-Slurmhub-Session")[0]
    provider = f"{front.providers[0].origin}/simplesaml"
    answer = visit.web.get(
        f"{provider}/saml2/idp/SingleLogoutService.php", params={"ReturnTo": f"{provider}/"}
    )
    assert f">{session}<".encode() in backend.last("/hub/shibboleth/notify").body, answer.text


def test_nobody_is_led_elsewhere_by_a_sign_out(front: EmbeddedFront) -> None:
    """The address to return to must be this front's."""
    visit = here(front)
    for place in ("https://evil.example/", "//evil.example/", "http://127.0.0.1/"):
        answer = visit.get(
            "/hub/Shibboleth.sso/Logout", params={"return": place}, allow_redirects=False
        )
        led = urlsplit(answer.headers.get("Location", front.url))
        assert f"{led.scheme}://{led.netloc}" == front.url, place


def test_a_response_serves_only_the_browser_that_asked(
    front: EmbeddedFront, backend: Backend
) -> None:
    """Mallory's fresh response, planted in a page, does not sign its visitor in as mallory."""
    mallory, victim = here(front), here(front)
    response = mallory.response("bob")
    before = len(backend.seen)
    refused = victim.post(response)
    assert "Sign-in did not work" in refused.text
    assert "La connexion n" in refused.text
    assert "help@example.ca" in refused.text
    assert len(backend.seen) == before
    assert victim.web.cookies("_shibsession_") == {}
    own = here(front)
    arrived(backend, own.post(own.response("bob")))


def test_only_the_providers_own_key_signs(
    front: EmbeddedFront, backend: Backend, tmp_path: Path
) -> None:
    """Changed, unsigned and forged responses are refused, the same one signed anew is taken."""
    provider = front.providers[0]
    changes: tuple[tuple[str, Callable[[Response], Response]], ...] = (
        ("changed", lambda it: it.with_text("bob@example.ca", "alice@example.ca")),
        ("unsigned", lambda it: it.unsigned()),
        ("forged", lambda it: it.unsigned().forged(tmp_path)),
    )
    for name, change in changes:
        visit = here(front)
        before = len(backend.seen)
        refused = visit.post(change(visit.response("bob")))
        assert "Sign-in did not work" in refused.text, name
        assert len(backend.seen) == before, name
    visit = here(front)
    anew = visit.response("bob").with_text("b4b5b6@example.ca", "b4b5b7@example.ca")
    seen = arrived(backend, visit.post(anew.unsigned().signed(provider)))
    assert seen.values("X-Slurmhub-Subject-Id") == ["b4b5b7@example.ca"]


def test_a_response_serves_once(front: EmbeddedFront, backend: Backend) -> None:
    """The same response again is refused, in the same browser and with the same cookies."""
    visit = here(front)
    form = visit.login_form()
    kept = visit.web.session.cookies.copy()
    answer = visit.web.submit(form, username="bob", password=PASSWORD)
    response = Response.of(next(f for f in forms_of(answer) if "SAMLResponse" in f.fields))
    arrived(backend, visit.post(response))
    before = len(backend.seen)
    assert "Sign-in did not work" in visit.post(response).text
    visit.web.session.cookies.clear()
    visit.web.session.cookies.update(kept)
    assert "Sign-in did not work" in visit.post(response).text
    assert len(backend.seen) == before


def test_plain_http_leads_to_https(front: EmbeddedFront) -> None:
    """Whatever is asked for without TLS is answered with its place under https."""
    place = f"http://127.0.0.1:{front.settings.http_port}"
    answer = requests.get(f"{place}/hub/home?a=%2F", timeout=10, allow_redirects=False)
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{front.url}/hub/home?a=%2F"


def test_a_front_without_shibd_says_so(front: EmbeddedFront, backend: Backend) -> None:
    """While shibd is away nobody is signed in, and pages that need no sign-in go on."""
    front.shibd_stop()
    try:
        before = len(backend.seen)
        answer = raw_request(front, LOGIN)
        assert answer.status in {200, 500, 503}
        assert len(backend.seen) == before
        assert "help@example.ca" in answer.text
        assert raw_request(front, "/user/alice/").status == 200
    finally:
        front.shibd_start()
    arrived(backend, here(front).sign_in("alice"))
