"""Nobody says who they are but the front: each way to try it, beside the one that must work."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rig.accounts import account
from tests.rig.front import IDP, LOGIN, NOTIFY, OTHER_IDP, Browser, Front, front_hub

BOB = account("bob")
ALICE = account("alice")
SETTINGS = f"""
c.Authenticator.blocked_users = {{{account("mallory")!r}}}
c.Authenticator.admin_users = {{"admin", {BOB!r}}}
c.ShibbolethAuthenticator.group_rules = [
    {{"attribute": "affiliation", "equals": "student@example.ca", "group": "students"}},
    {{"attribute": "entitlement", "matches": "urn:example:gpu(:.*)?", "group": "gpu"}},
]
"""


@pytest.fixture(scope="module")
def front(
    ground: Path, accounts: dict[str, str], code: Path, proxy_command: list[str]
) -> Iterator[Front]:
    """One hub for all attacks; at the end alice still can sign in."""
    with front_hub(ground, code, proxy_command, SETTINGS) as made:
        assert Browser(made, ALICE).signed_in
        yield made
        assert Browser(made, ALICE).signed_in


def refused(answer: requests.Response, status: int, front: Front, why: str) -> None:
    """The answer is the page that says so; nobody is signed in, and the log has its number."""
    assert answer.status_code == status, answer.text[-2000:]
    assert not answer.cookies.get("slurmhub-session")
    assert not answer.cookies.get("jupyterhub-hub-login")
    incident = re.search(r"[A-Z2-9]{4}-[A-Z2-9]{4}", answer.text)
    assert incident, answer.text
    line = next(line for line in front.hub.log.splitlines() if incident[0] in line)
    assert f"{incident[0]}, {why}:" in line


def counted(front: Front, why: str) -> float:
    """How many refusals of this kind the hub has counted."""
    text = requests.get(f"{front.hub.url}/hub/metrics", timeout=30).text
    found = re.search(rf'^slurmhub_signin_refused_total{{why="{why}"}} (\S+)$', text, re.MULTILINE)
    return float(found[1]) if found else 0.0


# The proof


def test_the_front_signs_people_in(front: Front) -> None:
    browser = Browser(front, ALICE, Entitlement="urn:example:gpu:a100;urn:other")
    me = browser.api("GET", f"/users/{ALICE}").json()
    assert me["name"] == ALICE
    assert sorted(me["groups"]) == ["gpu", "students"]
    assert not me["admin"]
    # Groups are those of the last sign-in.
    again = Browser(front, ALICE, Affiliation="member@example.ca")
    assert again.api("GET", f"/users/{ALICE}").json()["groups"] == []


@pytest.mark.parametrize(
    "secret",
    [
        None,
        "",
        "wrong-but-of-a-good-length-indeed-0123456",
        "(null)",
        "{secret}x",
        "{secret}, {secret}",
        "{shorter}",
        "{upper}",
        "\u00e9" * 40,
    ],
)
@pytest.mark.parametrize("direct", [False, True])
def test_without_the_secret_nobody_is_anybody(
    front: Front, secret: str | None, direct: bool
) -> None:
    """Through the proxy, and straight at the hub's own port as a job on a node would."""
    if secret is not None:
        secret = secret.format(
            secret=front.secret, shorter=front.secret[:-1], upper=front.secret.swapcase()
        )
    url = f"http://127.0.0.1:{front.hub.hub_port}" if direct else front.hub.url
    headers = {
        name: value.encode("latin-1") for name, value in front.headers(BOB, Front=secret).items()
    }
    before = counted(front, "front-unproven")
    answer = requests.get(f"{url}{LOGIN}", headers=headers, allow_redirects=False, timeout=30)
    refused(answer, 403, front, "front-unproven")
    assert counted(front, "front-unproven") == before + 1


def test_the_secret_twice_is_no_secret(front: Front) -> None:
    said = [*front.headers(ALICE).items(), ("x-slurmhub-front", front.secret)]
    assert raw(front, LOGIN, said).status in (400, 403)
    # The hub itself counts them, where the proxy on the way would have joined them.
    assert raw(front, LOGIN, said, port=front.hub.hub_port).status == 400
    assert raw(front, LOGIN, said[:-1], port=front.hub.hub_port).status == 302


def test_the_secret_is_in_no_log(front: Front) -> None:
    front.ask(ALICE, Eppn="(null)")
    front.asks(front.headers(ALICE), next_url="/hub/\x00")
    front.notify("<")
    assert front.secret not in front.hub.log
    assert "X-Slurmhub-Subject-Id" not in front.hub.log


# Headers that say who somebody is

SPELLINGS = [
    "X-Slurmhub-Eppn",
    "x-slurmhub-eppn",
    "X-SLURMHUB-EPPN",
    "X_Slurmhub_Eppn",
    "X-Slurmhub_Eppn",
    "X.Slurmhub.Eppn",
    "X-Slurmhub-Front",
    "X_Slurmhub_Front",
    "X-Slurmhub-Anything",
    "X-Shib-User",
    "X_Shib_User",
    "Shib-Session-ID",
    "Shib_Identity_Provider",
    "SHIB-EPPN",
    "REMOTE_USER",
    "Remote-User",
    "REMOTE-USER",
    "X-Remote-User",
    "X_REMOTE_USER",
    "X-Forwarded-User",
    "X-Auth-Request-Email",
    "eppn",
    "EPPN",
    "subject-id",
    "subject_id",
    "pairwise-id",
    "displayName",
    "isMemberOf",
    "persistent-id",
    "AJP_eppn",
    "HTTP_REMOTE_USER",
    "mail",
    "uid",
]
ANYWHERE = [
    "/hub/home",
    "/hub/login",
    "/hub/api/",
    "/hub/api/user",
    "/hub/static/none",
    "/hub/none",
]


def raw(
    front: Front, path: str, headers: list[tuple[str, str]], port: int = 0, method: str = "GET"
) -> http.client.HTTPResponse:
    """A request exactly as it is spelled, which no library mends."""
    connection = http.client.HTTPConnection("127.0.0.1", port or front.hub.port, timeout=30)
    connection.putrequest(method, path)
    for name, value in headers:
        connection.putheader(name, value.encode("latin-1"))
    connection.putheader("Content-Length", "0")
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    return answer


def sets_session(answer: http.client.HTTPResponse) -> bool:
    """Whether this answer signs somebody in."""
    cookies = answer.headers.get_all("Set-Cookie") or []
    return any("hub-login=" in one or "slurmhub-session=" in one for one in cookies)


@pytest.mark.parametrize("name", SPELLINGS)
def test_such_headers_are_refused_in_every_spelling(front: Front, name: str) -> None:
    before = counted(front, "identity-header")
    for path in ANYWHERE:
        assert raw(front, path, [(name, BOB)]).status == 400, path
    assert raw(front, "/hub/home", [(name, "")]).status == 400
    assert raw(front, "/hub/login", [(name, BOB)], method="POST").status == 400
    assert counted(front, "identity-header") == before + len(ANYWHERE) + 2


@pytest.mark.parametrize("name", [one for one in SPELLINGS if "lurmhub-" not in one.lower()])
def test_nor_beside_what_the_front_says(front: Front, name: str) -> None:
    said = list(front.headers(ALICE).items())
    assert raw(front, LOGIN, said).status == 302
    assert raw(front, LOGIN, [*said, (name, BOB)]).status == 400
    assert raw(front, LOGIN, [(name, BOB), *said]).status == 400


def test_headers_of_ordinary_browsers_and_proxies_pass(front: Front) -> None:
    ordinary = {
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
        "Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
        "Accept-Language": "fr-CA,fr;q=0.9",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "From": "somebody@example.ca",
        "Upgrade-Insecure-Requests": "1",
        "Sec-Fetch-Dest": "document",
        "Sec-Fetch-Mode": "navigate",
        "Sec-GPC": "1",
        "Priority": "u=0, i",
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Host": "hub.example.ca",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Server": "hub.example.ca",
        "X-Real-IP": "192.0.2.1",
        "X-Remote-Addr": "192.0.2.1",
        "X-Request-ID": "1",
        "Via": "1.1 hub.example.ca",
        "DNT": "1",
    }
    answer = requests.get(f"{front.hub.url}/hub/login", headers=ordinary, timeout=30)
    assert answer.status_code == 200
    answer = front.ask(ALICE)
    assert answer.status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        "//hub/shibboleth/login",
        "/hub//shibboleth/login",
        "/hub/shibboleth//login",
        "/hub/./shibboleth/login",
        "/hub/x/../shibboleth/login",
        "/hub/shibboleth/%6cogin",
        "/hub/shibboleth%2flogin",
        "/hub/shibboleth/login/",
        "/hub/shibboleth/login;x",
        "/hub/shibboleth/login/x",
        "/HUB/shibboleth/login",
        "/hub/Shibboleth/login",
        "/hub/shibboleth/LOGIN",
        "/shibboleth/login",
        "/hub/login",
        "/hub/api/shibboleth/login",
        "/hub/shibboleth/terms",
        "/hub/shibboleth/signed-out",
        "/hub/logout",
    ],
)
@pytest.mark.parametrize("direct", [False, True])
def test_other_paths_are_not_that_location(front: Front, path: str, direct: bool) -> None:
    """Even what carries the right secret: only the front's one location may."""
    port = front.hub.hub_port if direct else 0
    said = list(front.headers(ALICE).items())
    if not direct and "/." in path:
        # The proxy resolves these, so to the hub they are that location: it asks for the secret.
        assert raw(front, path, said[1:], port=port).status == 403
        return
    answer = raw(front, path, said, port=port)
    assert answer.status in (400, 404), answer.status
    assert not sets_session(answer)


def test_other_methods_sign_nobody_in(front: Front) -> None:
    for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"):
        answer = raw(front, LOGIN, list(front.headers(ALICE).items()), method=method)
        assert answer.status in (403, 405), method
        assert not sets_session(answer), method


def test_a_hop_by_hop_header_takes_nothing_of_the_fronts_away(front: Front) -> None:
    """`Connection: X-Slurmhub-Front` makes proxies drop a header: then nobody is signed in."""
    for named in ("X-Slurmhub-Front", "X-Slurmhub-Idp", "X-Slurmhub-Session"):
        said = [("Connection", f"close, {named}"), *front.headers(ALICE).items()]
        assert raw(front, LOGIN, said).status in (302, 400, 403)
    # Whichever is missing, it is not signed in as anybody.
    for named in ("Front", "Idp", "Session"):
        assert front.asks(front.headers(ALICE, **{named: None})).status_code == 403


# What the front may say

BAD: dict[str, tuple[dict[str, str | None], str]] = {
    "null": ({"Eppn": "(null)"}, "null"),
    "null in another case": ({"Subject_Id": "(NULL)"}, "null"),
    "null among values": ({"Affiliation": "student@example.ca;(null)"}, "null"),
    "no identifier": ({"Eppn": None, "Subject_Id": None}, "missing"),
    "empty identifiers": ({"Eppn": "", "Subject_Id": ""}, "missing"),
    "only separators": ({"Eppn": ";;", "Subject_Id": "; ;"}, "missing"),
    "several eppn": ({"Eppn": f"{ALICE}@example.ca;{BOB}@example.ca"}, "several"),
    "several subject-id": ({"Subject_Id": "a@example.ca;b@example.ca"}, "several"),
    "several names": ({"Display_Name": "One;Two"}, "several"),
    "several sessions": ({"Session": "_1;_2"}, "several"),
    "several idps": ({"Idp": f"{IDP};{OTHER_IDP}"}, "several"),
    "joined by a proxy": ({"Eppn": f"{ALICE}@example.ca, {BOB}@example.ca"}, "malformed"),
    "no scope": ({"Eppn": ALICE}, "malformed"),
    "two scopes": ({"Eppn": f"{ALICE}@example.org@example.ca"}, "malformed"),
    "a space": ({"Eppn": f"{ALICE} @example.ca"}, "malformed"),
    "an apostrophe of another alphabet": ({"Eppn": "\u0430lice@example.ca"}, "malformed"),
    "a slash in a subject-id": ({"Subject_Id": "../alice@example.ca"}, "malformed"),
    "oversized eppn": ({"Eppn": f"{'a' * 300}@example.ca"}, "too-long"),
    "oversized name": ({"Display_Name": "a" * 300}, "too-long"),
    "oversized in all": ({"Member_Of": "a;" * 6000 + "b"}, "too-long"),
    "another institution's eppn": ({"Eppn": f"{ALICE}@example.org"}, "out-of-scope"),
    "another institution's subject-id": ({"Subject_Id": "a@example.org"}, "out-of-scope"),
    "another institution's students": ({"Affiliation": "student@example.org"}, "out-of-scope"),
    "a scope that ends alike": ({"Eppn": f"{ALICE}@notexample.ca"}, "out-of-scope"),
    "a scope below": ({"Eppn": f"{ALICE}@cs.example.ca"}, "out-of-scope"),
    "an idp that is not listed": ({"Idp": "https://evil.example/shibboleth"}, "idp-unknown"),
    "an idp in another case": ({"Idp": IDP.upper()}, "idp-unknown"),
    "no idp": ({"Idp": ""}, "no-session"),
    "no session": ({"Session": ""}, "no-session"),
    "a space in a session": ({"Session": "_1 _2"}, "malformed"),
    "no time": ({"Authn_Instant": "yesterday"}, "malformed"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_a_university_sends_wrongly_is_refused_in_words(front: Front, case: str) -> None:
    changes, why = BAD[case]
    encoded = {
        name: value.encode().decode("latin-1") if value is not None else None
        for name, value in changes.items()
    }
    answer = front.asks(front.headers(ALICE, **encoded))
    refused(answer, 403, front, why)
    assert "help@example.ca" in answer.text


def test_other_bytes_than_utf8_are_refused(front: Front) -> None:
    said: dict[str, str | bytes] = {**front.headers(ALICE)}
    for value in (b"Andr\xe9", b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80"):
        answer = front.asks({**said, "X-Slurmhub-Display-Name": value})
        refused(answer, 403, front, "not-utf8")
    right = "Andr\u00e9 \u674e \\; fils".encode()
    assert front.asks({**said, "X-Slurmhub-Display-Name": right}).status_code == 302


def test_the_same_name_at_another_university_is_not_the_same_person(front: Front) -> None:
    answer = front.ask(
        ALICE,
        Idp=OTHER_IDP,
        Eppn=f"{ALICE}@example.org",
        Subject_Id="other@example.org",
        Affiliation="student@example.org",
    )
    assert answer.status_code == 403
    assert Browser(front, ALICE).signed_in


# Who may use the hub


def test_blocked_people_are_refused_and_admins_are_admins(front: Front) -> None:
    refused(front.ask(account("mallory")), 403, front, "not-allowed")
    bob = Browser(front, BOB)
    assert bob.api("GET", "/user").json()["admin"] is True
    assert Browser(front, ALICE).api("GET", "/user").json()["admin"] is False


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/hub/token", "/hub/token"),
        ("/hub/spawn?cpus=2", "/hub/spawn?cpus=2"),
        ("https://evil.example/", ""),
        ("//evil.example/", ""),
        ("///evil.example/", ""),
        ("/\\evil.example/", "%5C"),
        ("http:evil.example", ""),
        ("javascript:alert(1)", ""),
        ("\thttps://evil.example/", ""),
    ],
)
def test_nobody_is_led_elsewhere(front: Front, asked: str, led: str) -> None:
    answer = front.asks(front.headers(ALICE), next_url=asked)
    assert answer.status_code == 302
    place = answer.headers["Location"]
    assert place.startswith("/")
    assert not place.startswith("//")
    assert led in place


# The back channel


def test_only_the_front_ends_sessions(front: Front) -> None:
    alice = Browser(front, ALICE)
    for wrong in ("", "x" * 43, front.secret[:-1]):
        assert front.notify(alice.front_session, **{"X-Slurmhub-Front": wrong}).status_code == 403
    assert front.notify(alice.front_session, **{"X-Slurmhub-Eppn": ALICE}).status_code == 400
    direct = requests.post(f"{front.hub.url}{NOTIFY}", data="<x/>", timeout=30)
    assert direct.status_code == 403
    assert front.notify("_of-nobody").status_code == 200
    assert alice.signed_in
    answer = front.notify(alice.front_session)
    assert answer.status_code == 200
    assert "<OK/>" in answer.text
    assert not alice.signed_in


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"not xml",
        b"<x/>",
        b'<!DOCTYPE x [<!ENTITY a "_1">]><x>&a;</x>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        b"<a>" * 20_000,
        b" " * 70_000,
    ],
)
def test_messages_that_are_none_do_nothing(front: Front, message: bytes) -> None:
    answer = requests.post(
        f"{front.hub.url}{NOTIFY}",
        data=message,
        headers={"Content-Type": "text/xml", "X-Slurmhub-Front": front.secret},
        timeout=30,
    )
    assert answer.status_code == 400
    assert "root:" not in answer.text


# Anything at all

NAMES = st.text(
    st.sampled_from("abcdefghijklmnopqrstuvwxyzABCXS0123456789-_.!#$%&'*+^`|~"),
    min_size=1,
    max_size=24,
)
NEAR = st.sampled_from(SPELLINGS).flatmap(
    lambda name: st.lists(st.sampled_from("-_."), min_size=len(name), max_size=len(name)).map(
        lambda signs: "".join(
            sign if letter in "-_." else letter for letter, sign in zip(name, signs, strict=True)
        )
    )
)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))


def _asks(front: Front) -> Callable[[list[tuple[str, str]]], bytes]:
    def ask(headers: list[tuple[str, str]]) -> bytes:
        lines = [f"GET {LOGIN} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers]
        with socket.create_connection(("127.0.0.1", front.hub.hub_port), timeout=30) as hub:
            hub.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
            answer = b""
            while data := hub.recv(65536):
                answer += data
        return answer

    return ask


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(headers=st.lists(st.tuples(st.one_of(NAMES, NEAR), VALUES), max_size=8))
def test_no_headers_without_the_secret_sign_anybody_in(
    front: Front, headers: list[tuple[str, str]]
) -> None:
    answer = _asks(front)(headers)
    assert b"slurmhub-session=" not in answer
    assert b"hub-login=" not in answer
    assert answer[9:12] in (b"400", b"403", b""), answer[:200]


WORDS: dict[str, Any] = {
    "Eppn": st.one_of(VALUES, st.sampled_from([f"{ALICE}@example.ca", f"{BOB}@example.ca"])),
    "Subject_Id": VALUES,
    "Affiliation": VALUES,
    "Idp": st.one_of(VALUES, st.sampled_from([IDP, OTHER_IDP])),
    "Display_Name": VALUES,
    "Session": VALUES,
}


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(changes=st.fixed_dictionaries({}, optional=WORDS))
def test_whatever_the_front_is_made_to_say_is_refused_or_that_person(
    front: Front, changes: dict[str, str]
) -> None:
    said = list(front.headers(ALICE, **changes).items())
    answer = _asks(front)(said)
    assert answer[9:12] in (b"302", b"400", b"403", b""), answer[:200]
    if answer[9:12] == b"302" and "Eppn" not in changes and "Subject_Id" not in changes:
        assert b"slurmhub-session=" in answer
