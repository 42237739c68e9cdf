"""Terms of use, the choice of an institution and the last page, on a real hub; and its start."""

from __future__ import annotations

import html
import json
import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.rig.accounts import account
from tests.rig.front import IDP, LOGIN, OTHER_IDP, Browser, Front, front_hub

ALICE = account("alice")
TERMS = {"version": "2031-1", "text": {"en": "Be kind.\n\n<b>Mark</b>", "fr": "Soyez gentils."}}
FEED = [
    {"entityID": IDP, "DisplayNames": [{"value": "University of Example", "lang": "en"}]},
    {"entityID": OTHER_IDP, "DisplayNames": [{"value": "<img src=x> College", "lang": "en"}]},
]
SETTINGS = f"""
c.ShibbolethAuthenticator.terms_of_use = {TERMS!r}
c.ShibbolethAuthenticator.discovery_feed = FEED_URL
c.ShibbolethAuthenticator.support_contact = {{"en": "help@example.ca", "fr": "aide@example.ca"}}
c.Authenticator.blocked_users = {{{account("mallory")!r}}}
c.JupyterHub.load_roles = [{{"name": "user", "scopes": ["self", "read:metrics"]}}]
"""


@pytest.fixture(scope="module")
def feed() -> Iterator[str]:
    """The SP's list of institutions; its address."""

    class Feed(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(FEED).encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Feed)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/DiscoFeed"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def front(
    ground: Path, accounts: dict[str, str], code: Path, proxy_command: list[str], feed: str
) -> Iterator[Front]:
    """A hub with terms and a list of institutions."""
    with front_hub(ground, code, proxy_command, f"FEED_URL = {feed!r}\n{SETTINGS}") as made:
        yield made


def shown(front: Front, session: requests.Session, language: str = "en") -> dict[str, str]:
    """What the form of the terms carries, for who is shown them."""
    page = session.get(
        f"{front.hub.url}/hub/shibboleth/terms", headers={"Accept-Language": language}, timeout=30
    ).text
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    assert "&lt;b&gt;Mark&lt;/b&gt;" in page or language == "fr"
    return {name: html.unescape(value) for name, value in fields}


def answers(
    front: Front, session: requests.Session, form: dict[str, str], **changes: str
) -> requests.Response:
    """The form, sent."""
    return session.post(
        f"{front.hub.url}/hub/shibboleth/terms",
        data={**form, "answer": "accept", **changes},
        allow_redirects=False,
        timeout=30,
    )


def home(front: Front, session: requests.Session) -> int:
    """The status of the person's page."""
    answer = session.get(f"{front.hub.url}/hub/home", allow_redirects=False, timeout=30)
    return answer.status_code


def test_terms_come_before_anything_else(front: Front) -> None:
    session = requests.Session()
    answer = front.asks(front.headers(ALICE), session, next_url="/hub/token")
    assert answer.headers["Location"] == "/hub/shibboleth/terms"
    assert home(front, session) == 302
    api = session.get(f"{front.hub.url}/hub/api/user", timeout=30)
    assert api.status_code == 403
    form = shown(front, session, "fr")
    assert (form["version"], form["language"]) == ("2031-1", "fr")
    # Without the form's own token, another's cookie, or another version, nobody is in.
    assert answers(front, session, form, _xsrf="").status_code == 403
    stranger = requests.Session()
    stranger.get(f"{front.hub.url}/hub/login", timeout=30)
    assert answers(front, stranger, form).status_code == 403
    assert answers(front, session, form, answer="perhaps").status_code == 400
    assert home(front, session) == 302
    answer = answers(front, session, form)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/hub/token"
    assert home(front, session) == 200
    with sqlite3.connect(front.hub.folder / "slurmhub.sqlite") as database:
        rows = database.execute("SELECT * FROM slurmhub_terms_accepted").fetchall()
    assert [(name, version, said) for name, version, _, said in rows] == [(ALICE, "2031-1", "fr")]
    # Once is enough, and a blocked person is not even asked.
    assert Browser(front, ALICE).signed_in
    assert front.ask(account("mallory")).status_code == 403


def test_who_refuses_is_signed_out(front: Front) -> None:
    session = requests.Session()
    front.asks(front.headers(account("bob")), session)
    form = shown(front, session)
    answer = answers(front, session, form, answer="refuse")
    assert answer.headers["Location"] == "/hub/logout"
    assert home(front, session) == 302
    # The form is worth nothing any more.
    assert answers(front, session, form).headers["Location"] == LOGIN
    assert home(front, session) == 302


def test_a_form_of_another_version_is_not_taken(front: Front) -> None:
    session = requests.Session()
    front.asks(front.headers(account("bob")), session)
    form = shown(front, session)
    answer = answers(front, session, form, version="2030-1")
    assert answer.headers["Location"] == LOGIN
    assert home(front, session) == 302


def test_new_terms_are_asked_for_again(front: Front) -> None:
    session = requests.Session()
    front.asks(front.headers(ALICE), session)
    if home(front, session) != 200:
        answers(front, session, shown(front, session))
    assert home(front, session) == 200
    config = front.hub.folder / "jupyterhub_config.py"
    text = config.read_text()
    try:
        config.write_text(text.replace("2031-1", "2031-2"))
        front.hub.restart()
        assert home(front, session) == 302
        assert front.asks(front.headers(ALICE)).headers["Location"] == "/hub/shibboleth/terms"
    finally:
        config.write_text(text)
        front.hub.restart()
    assert Browser(front, ALICE).signed_in


WHERE = "/hub/shibboleth/where"
BACK = "/hub/Shibboleth.sso/Login?SAMLDS=1&target=ss%3Amem%3A1"


def where(
    front: Front, session: requests.Session | None = None, back: str = BACK, **query: str
) -> requests.Response:
    """The page of institutions."""
    return (session or requests.Session()).get(
        f"{front.hub.url}{WHERE}",
        params={"entityID": "https://sp", "return": back, **query},
        allow_redirects=False,
        timeout=30,
    )


def test_a_choice_leads_back_to_the_sp(front: Front) -> None:
    session = requests.Session()
    page = where(front, session)
    assert page.status_code == 200, front.hub.news
    assert "University of Example" in page.text
    assert "&lt;img src=x&gt; College" in page.text
    assert "University" not in where(front, search="college").text
    passive = where(front, session, isPassive="true")
    assert "entityID" not in passive.headers["Location"]
    chosen = where(front, session, idp=IDP)
    place = urlsplit(chosen.headers["Location"])
    assert (place.netloc, place.path) == ("", "/hub/Shibboleth.sso/Login")
    assert parse_qs(place.query) == {
        "SAMLDS": ["1"],
        "target": ["ss:mem:1"],
        "entityID": [IDP],
    }
    assert 'id="slurmhub-last"' in where(front, session).text
    again = where(front, session, isPassive="true", returnIDParam="who")
    assert parse_qs(urlsplit(again.headers["Location"]).query)["who"] == [IDP]
    # What is on no list is not led to.
    assert where(front, idp="https://evil.example").status_code == 200


@pytest.mark.parametrize(
    "back",
    [
        "",
        "https://evil.example/hub/Shibboleth.sso/Login",
        "//evil.example/hub/Shibboleth.sso/Login",
        "\\\\evil.example/hub/Shibboleth.sso/Login",
        "/hub/home",
        "/hub/Shibboleth.sso",
        "/hub/Shibboleth.sso/",
        "/hub/Shibboleth.sso/../logout",
        "/hub/Shibboleth.sso/Login/../../logout",
        "/hub/Shibboleth.sso/%2e%2e/logout",
        "/hub/Shibboleth.sso/Login\r\nSet-Cookie: a=b",
        "javascript:/hub/Shibboleth.sso/Login",
        "http://[",
        "http://user@{host}/hub/Shibboleth.sso/Login",
        "/hub/Shibboleth.ss\u00f8/Login",
    ],
)
def test_the_choice_leads_nowhere_else(front: Front, back: str) -> None:
    host = urlsplit(front.hub.url).netloc
    answer = where(front, back=back.format(host=host), idp=IDP)
    assert answer.status_code == 400
    good = where(front, back=f"{front.hub.url}{BACK}", idp=IDP)
    assert good.status_code == 302
    assert good.headers["Location"].startswith("/hub/Shibboleth.sso/Login?")


def test_the_last_page_signs_nobody_in(front: Front) -> None:
    page = requests.get(
        f"{front.hub.url}/hub/shibboleth/signed-out", allow_redirects=False, timeout=30
    )
    assert page.status_code == 200
    assert 'id="slurmhub-signed-out"' in page.text
    assert "http-equiv" not in page.text.replace('http-equiv="X-UA-Compatible"', "")
    assert f'href="{LOGIN}"' in page.text


def test_a_refusal_is_told_in_the_language_of_its_reader(front: Front) -> None:
    said = {**front.headers(ALICE, Mail="a@b@c"), "Accept-Language": "fr-CA"}
    page = front.asks(said)
    assert page.status_code == 403
    text = html.unescape(page.content.decode())
    assert "Ce que votre \u00e9tablissement a envoy\u00e9 pour votre adresse de courriel" in text
    assert "aide@example.ca" in text
    assert "a@b@c" not in text
    assert "a@b@c" not in front.hub.log


def test_what_is_kept_of_people_is_encrypted(front: Front) -> None:
    key = front.hub.folder / "slurmhub_auth_state_key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_bytes()) == 32
    with sqlite3.connect(front.hub.folder / "jupyterhub.sqlite") as database:
        kept = database.execute("SELECT encrypted_auth_state FROM users WHERE name = ?", [ALICE])
        state = kept.fetchone()[0]
    assert state
    assert b"example.ca" not in bytes(state)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('c.ShibbolethAuthenticator.front_secret_file = ""', "front_secret_file is not set"),
        ('c.ShibbolethAuthenticator.front_secret_file = "/dev/null"', "open to other accounts"),
        ('c.ShibbolethAuthenticator.group_rules = [{"group": "x"}]', "Rule 1"),
        ("c.JupyterHub.template_paths = []", "slurmhub.configure(c) was not called"),
        ("c.ShibbolethAuthenticator.account_rule = []", "no rule says which account is whose"),
    ],
)
def test_a_hub_that_can_sign_nobody_in_does_not_start(
    front: Front, tmp_path: Path, line: str, said: str
) -> None:
    config = (front.hub.folder / "jupyterhub_config.py").read_text()
    (tmp_path / "jupyterhub_config.py").write_text(f"{config}\n{line}\n")
    done = subprocess.run(
        ["python", "-m", "jupyterhub", "-f", "jupyterhub_config.py"],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": str(front.hub.code),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "This hub cannot start." in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
