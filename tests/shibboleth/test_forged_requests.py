"""Requests that claim what only the front may say, each beside one that must work."""

from __future__ import annotations

import pytest
import requests

from slurmhub_deploy.front.embedded import EmbeddedFront
from tests.rig.hub import until
from tests.shibboleth.backend import Backend
from tests.shibboleth.visits import LOGIN, SECRET, arrived, here, raw_request

FORGED = (
    "X-Slurmhub-Front: x",
    "X-Slurmhub-Eppn: bob@example.ca",
    "x-slurmhub-eppn: bob@example.ca",
    "X_Slurmhub_Eppn: bob@example.ca",
    "X-Slurmhub_Eppn: bob@example.ca",
    "X.Slurmhub.Eppn: bob@example.ca",
    "XSlurmhubEppn: bob@example.ca",
    "HTTP_X_SLURMHUB_EPPN: bob@example.ca",
    "-X-Slurmhub-Eppn: bob@example.ca",
    "X-Slurmhub-Of-Tomorrow: bob",
    "Shib-Session-ID: _1",
    "Shib_Session_ID: _1",
    "X-Shib-User: bob",
    "REMOTE_USER: bob",
    "Remote-User: bob",
    "X-Remote-User: bob",
    "X-Forwarded-User: bob",
    "eppn: bob@example.ca",
    "EPPN: bob@example.ca",
    "subject-id: b4b5b6@example.ca",
    "subject_id: b4b5b6@example.ca",
    "affiliation: staff@example.ca",
    "isMemberOf: admins",
    "eduPersonPrincipalName: bob@example.ca",
)


@pytest.mark.parametrize("header", FORGED)
def test_nobody_says_who_they_are(front: EmbeddedFront, backend: Backend, header: str) -> None:
    """Anything identity-shaped from a client is refused and written down, on every path."""
    visit = here(front)
    arrived(backend, visit.sign_in("alice"))
    name, value = next(iter(visit.web.cookies("_shibsession_").items()))
    cookie = f"Cookie: {name}={value}"
    log = front.root / "apache-log" / "slurmhub-refused.log"
    before, counted = len(backend.seen), log.read_text().count("\n")
    for path in (LOGIN, "/hub/home", "/user/alice/"):
        assert raw_request(front, path, cookie, header).status == 400
    assert len(backend.seen) == before
    until(lambda: log.read_text().count("\n") == counted + 3, what="three lines")
    assert raw_request(front, LOGIN, cookie, "X-Slurmfish: bob").status == 200
    assert backend.last(LOGIN).values("X-Slurmhub-Eppn") == ["alice@example.ca"]


def test_many_values_hide_none(front: EmbeddedFront, backend: Backend) -> None:
    """The same header twice, or after an honest one, is refused just so."""
    before = len(backend.seen)
    twice = ("X-Slurmhub-Eppn: a@example.ca", "x-slurmhub-eppn: b@example.ca")
    assert raw_request(front, "/hub/home", *twice).status == 400
    assert raw_request(front, "/hub/home", "Accept: */*", "X_Slurmhub_Eppn: b").status == 400
    assert len(backend.seen) == before
    assert raw_request(front, "/hub/home", "Accept: */*").status == 200


@pytest.mark.parametrize(
    "value",
    [
        "close, X-Slurmhub-Front",
        "close, X-Slurmhub-Eppn",
        "x-slurmhub-eppn",
        "keep-alive, X-Slurmhub-Subject-Id, Cookie",
        "close, X-Forwarded-For",
        "upgrade, X-Slurmhub-Eppn",
    ],
)
def test_connection_drops_no_header_of_the_front(
    front: EmbeddedFront, backend: Backend, value: str
) -> None:
    """Naming a header in Connection would take it out of what the hub is told."""
    visit = here(front)
    arrived(backend, visit.sign_in("alice"))
    name, cookie = next(iter(visit.web.cookies("_shibsession_").items()))
    before = len(backend.seen)
    answer = raw_request(front, LOGIN, f"Cookie: {name}={cookie}", f"Connection: {value}")
    assert answer.status == 400
    assert len(backend.seen) == before


def test_an_ordinary_connection_header_changes_nothing(
    front: EmbeddedFront, backend: Backend
) -> None:
    """Beside the refusals: what browsers send works, and drops nothing."""
    visit = here(front)
    arrived(backend, visit.sign_in("alice"))
    name, cookie = next(iter(visit.web.cookies("_shibsession_").items()))
    for value in ("close", "close, X-Of-No-Interest"):
        answer = raw_request(front, LOGIN, f"Cookie: {name}={cookie}", f"Connection: {value}")
        assert answer.status == 200
        assert backend.last(LOGIN).values("X-Slurmhub-Eppn") == ["alice@example.ca"]


VARIANTS = (
    "//hub/shibboleth/login",
    "/hub//shibboleth/login",
    "/hub/shibboleth//login",
    "/hub/shibboleth/./login",
    "/hub/x/../shibboleth/login",
    "/hub/shibboleth/%6cogin",
    "/hub/shibboleth/%6Cogin",
    "/hub/%73hibboleth/login",
    "/hub/shibboleth/%256cogin",
    "/hub/shibboleth%2Flogin",
    "/hub%2fshibboleth/login",
    "/%2e/hub/shibboleth/login",
    "/hub/shibboleth/login;x",
    "/hub/shibboleth;x/login",
    "/hub/shibboleth/login/",
    "/hub/shibboleth/login/x",
    "/hub/shibboleth/login%3Fx",
    "/hub/shibboleth/login%20",
    "/hub/shibboleth/login%00",
    "/HUB/shibboleth/login",
    "/hub/Shibboleth/LOGIN",
    "/hub/shibboleth\\login",
    "/user/alice/../../hub/shibboleth/login",
    "/hub/shibboleth/notify",
    "/hub/shibboleth/notify/",
    "/hub/shibboleth/%6eotify",
)


@pytest.mark.parametrize("target", VARIANTS)
def test_sign_in_has_one_spelling(front: EmbeddedFront, backend: Backend, target: str) -> None:
    """No other path gets the secret or an identity to whatever is behind, with or without a
    session; most are not found at all."""
    visit = here(front)
    arrived(backend, visit.sign_in("alice"))
    name, cookie = next(iter(visit.web.cookies("_shibsession_").items()))
    before = len(backend.seen)
    for headers in ((f"Cookie: {name}={cookie}",), ()):
        raw_request(front, target, *headers)
        raw_request(front, f"{target}?next=/", *headers, method="POST")
    for seen in backend.seen[before:]:
        assert seen.identity == {}, seen
        assert seen.target.partition("?")[0] != LOGIN
    assert raw_request(front, LOGIN, f"Cookie: {name}={cookie}").status == 200
    assert SECRET in backend.last(LOGIN).names


def test_who_is_not_signed_in_does_not_reach_the_hub_there(
    front: EmbeddedFront, backend: Backend
) -> None:
    """The location leads to the choice of an institution, and other methods are not found."""
    before = len(backend.seen)
    answer = raw_request(front, LOGIN)
    assert answer.status == 302
    assert "/hub/shibboleth/where?" in answer.text
    assert raw_request(front, LOGIN, "Content-Length: 0", method="POST").status == 404
    assert raw_request(front, LOGIN, "Cookie: _shibsession_x=_y").status == 302
    assert len(backend.seen) == before


def test_only_its_own_name_is_served(front: EmbeddedFront, backend: Backend) -> None:
    """A name that somebody else pointed at this address is refused."""
    before = len(backend.seen)
    for host in ("evil.example", f"evil.example:{front.settings.https_port}", "127.0.0.1.evil"):
        assert raw_request(front, "/hub/home", host=host).status == 400
    assert len(backend.seen) == before
    assert raw_request(front, "/hub/home").status == 200


def test_an_empty_header_hides_nothing_that_counts(front: EmbeddedFront, backend: Backend) -> None:
    """Where Apache looks at the last header of a pattern alone, the true names stay the front's."""
    visit = here(front)
    arrived(backend, visit.sign_in("alice"))
    name, value = next(iter(visit.web.cookies("_shibsession_").items()))
    forged = ("X-Slurmhub-Eppn: bob@example.ca", "X-Slurmhub-Front: x", "X.Shib:")
    before = len(backend.seen)
    for path in (LOGIN, "/hub/home"):
        raw_request(front, path, f"Cookie: {name}={value}", *forged)
    for seen in backend.seen[before:]:
        assert seen.values("X-Slurmhub-Eppn") in ([], ["alice@example.ca"])
        assert seen.values(SECRET) in ([], [front.secret_file.read_text().strip()])
    assert backend.seen[before:]


def test_where_the_client_is_is_said_by_the_front(front: EmbeddedFront, backend: Backend) -> None:
    """Addresses that a client claims do not arrive."""
    claims = ("X-Forwarded-For: 10.1.2.3", "X-Real-IP: 10.1.2.3", "Forwarded: for=10.1.2.3")
    assert raw_request(front, "/hub/x", *claims, "X-Scheme: http").status == 200
    seen = backend.last("/hub/x")
    assert seen.values("X-Forwarded-For") == ["127.0.0.1"]
    assert seen.values("X-Scheme") == seen.values("X-Forwarded-Proto") == ["https"]
    assert seen.values("X-Real-IP") + seen.values("Forwarded") == []
    assert seen.values("Host") == [f"127.0.0.1:{front.settings.https_port}"]


def test_the_address_for_notices_serves_nothing_else(
    front: EmbeddedFront, backend: Backend
) -> None:
    """One path, one method: no other request is given the secret there."""
    before = len(backend.seen)
    place = f"http://127.0.0.1:{front.settings.notify_port}"
    for path in ("/", "/notify/", "/notify/../hub/home", "/hub/shibboleth/login", "/notify?a=1"):
        assert requests.post(place + path, timeout=10).status_code == 404, path
    assert requests.get(f"{place}/notify", timeout=10).status_code == 404
    assert len(backend.seen) == before
    assert requests.post(f"{place}/notify", timeout=10).status_code == 200
