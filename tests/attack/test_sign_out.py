"""After a sign-out nothing that was copied before it is worth anything, and nothing else ends."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.cookiejar import Cookie
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import hub_settings
from tests.rig.accounts import account
from tests.rig.front import Browser, Front, front_hub
from tests.rig.hub import until
from tests.rig.queue import clear, jobs

ALICE = account("alice")
WITHIN = 6
# What every page of JupyterLab begins with.
CONFIG = "jupyter-config-data"
SMALL = {"partition": "cpu", "cpus": "1", "memory": "500M", "hours": "0.2"}
SETTINGS = f"""
c.SlurmHubSpawner.unix_account = lambda name: name
c.ShibbolethAuthenticator.servers_notice_within = {WITHIN}
c.Spawner.cmd = [{{jupyter!r}}]
c.ShibbolethAuthenticator.group_rules = [
    {{{{"attribute": "affiliation", "equals": "student@example.ca", "group": "students"}}}},
]
c.SlurmHubSpawner.profiles = [
    {{{{"name": "course", "title": "C", "groups": ["students"], "fields": {{{{"cpus": 1}}}}}}}},
]
"""


@pytest.fixture(scope="module")
def front(
    ground: Any,
    accounts: Any,
    code: Any,
    proxy_command: list[str],
    cluster: EmbeddedCluster,
    stub: Any,
) -> Iterator[Front]:
    """A hub on a cluster whose servers are real ones."""
    own = SETTINGS.format(jupyter=os.environ["SLURMHUB_TEST_JUPYTER"])
    with front_hub(ground, code, proxy_command, hub_settings(cluster, stub, own)) as made:
        yield made
        clear(cluster)


@dataclass
class Copy:
    """All that a browser had before it was signed out, in the hands of somebody else."""

    browser: Browser
    session: requests.Session
    token: str

    def opens_hub(self) -> bool:
        """Whether any of it opens the hub."""
        url = self.browser.hub.url
        page = self.session.get(f"{url}/hub/home", allow_redirects=False, timeout=30)
        api = self.session.get(f"{url}/hub/api/user", allow_redirects=False, timeout=30)
        by_token = requests.get(
            f"{url}/hub/api/user", headers={"Authorization": f"token {self.token}"}, timeout=30
        )
        return 200 in (page.status_code, api.status_code, by_token.status_code)

    def opens_server(self) -> bool:
        """Whether any of it opens the server, also by asking the hub for a new token."""
        url = f"{self.browser.hub.url}/user/{ALICE}/api/status"
        known = self.session.get(url, timeout=30)
        page = self.session.get(f"{self.browser.hub.url}/user/{ALICE}/lab", timeout=60)
        by_token = requests.get(url, headers={"Authorization": f"token {self.token}"}, timeout=30)
        by_url = requests.get(url, params={"token": self.token}, timeout=30)
        shown = any("started" in answer.text for answer in (known, by_token, by_url))
        return shown or CONFIG in page.text

    def cookies(self, path: str) -> str:
        """The header of cookies for a path."""
        prepared = self.session.prepare_request(
            requests.Request("GET", f"{self.browser.hub.url}{path}")
        )
        return str(prepared.headers["Cookie"])


def opens(session: requests.Session, front: Front) -> bool:
    """Whether these cookies open JupyterLab, by way of the hub where need be, and its interface."""
    page = session.get(f"{front.hub.url}/user/{ALICE}/lab", timeout=60)
    status = session.get(f"{front.hub.url}/user/{ALICE}/api/status", timeout=30)
    return CONFIG in page.text or "started" in status.text


def forget(session: requests.Session, which: Callable[[Cookie], bool]) -> None:
    """Take these cookies away."""
    for cookie in [one for one in session.cookies.copy() if which(one)]:
        session.cookies.clear(cookie.domain, cookie.path, cookie.name)


def with_server(front: Front) -> Browser:
    """A browser whose server runs and was opened."""
    browser = Browser(front, ALICE)
    browser.get("/hub/home")
    answer = browser.api("POST", f"/users/{ALICE}/server", SMALL)
    for _ in range(40):
        if answer.status_code != 503:
            break
        time.sleep(0.5)
        answer = browser.api("POST", f"/users/{ALICE}/server", SMALL)
    assert answer.status_code in (201, 202, 400), answer.text

    def ready() -> bool:
        status = browser.api("GET", f"/slurmhub/status/{ALICE}").json()
        return status.get("step") == "ready" and "url" in status

    until(ready, what="the server")
    assert opens(browser.session, front)
    return browser


def copied(browser: Browser) -> Copy:
    """A copy of all of it, with the token that JupyterLab's page holds."""
    page = browser.session.get(f"{browser.hub.url}/user/{ALICE}/lab", timeout=60).text
    token = re.search(r'"token": "([^"]+)"', page)
    assert token, page[:2000]
    copy = Copy(browser, browser.replayed(), token[1])
    assert copy.opens_hub()
    assert copy.opens_server()
    return copy


def new_kernel(browser: Browser) -> str:
    """A kernel of the server; its id."""
    path = f"/user/{ALICE}/"
    xsrf = next(c.value for c in browser.session.cookies if c.name == "_xsrf" and c.path == path)
    answer = browser.session.post(
        f"{browser.hub.url}{path}api/kernels",
        json={},
        headers={"X-XSRFToken": str(xsrf), "Referer": f"{browser.hub.url}{path}lab"},
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def opened(copy: Copy, kernel: str) -> WebSocketClientConnection:
    """A websocket to a kernel with the cookies of a copy."""
    path = f"/user/{ALICE}/api/kernels/{kernel}/channels"
    url = copy.browser.hub.url.replace("http", "ws", 1)
    request = HTTPRequest(f"{url}{path}", headers={"Cookie": copy.cookies(path)})
    return await websocket_connect(request)


async def until_closed(socket: WebSocketClientConnection) -> None:
    """Read until the other side closes."""
    while await socket.read_message() is not None:
        pass


def test_copies_of_everything_are_worth_nothing(front: Front, cluster: EmbeddedCluster) -> None:
    laptop, phone = with_server(front), with_server(front)
    copy, other = copied(laptop), copied(phone)
    kernel = new_kernel(laptop)

    async def scene() -> None:
        stolen, kept = await opened(copy, kernel), await opened(other, kernel)
        answer = await asyncio.to_thread(laptop.get, "/hub/logout")
        assert answer.headers["Location"] == (
            "/hub/Shibboleth.sso/Logout?return=%2Fhub%2Fshibboleth%2Fsigned-out"
        )
        # The hub, at once.
        assert not await asyncio.to_thread(copy.opens_hub)
        # What the server had open, and what it remembers, within the time that is stated.
        await asyncio.wait_for(until_closed(stolen), WITHIN + 2)
        assert stolen.close_code == 1008
        with pytest.raises(HTTPClientError) as refused:
            await opened(copy, kernel)
        assert refused.value.code == 403
        # The other browser of the same person goes on, with its websocket.
        assert kept.close_code is None
        again = await opened(other, kernel)
        again.close()
        kept.close()

    asyncio.run(scene())
    assert not copy.opens_server()
    assert phone.signed_in
    assert other.opens_server()
    assert not laptop.signed_in
    assert cluster.run("squeue", "-h", "--format=%T").split() == ["RUNNING"]


def test_a_restart_revives_nothing_and_ends_nothing(front: Front) -> None:
    gone, stays = Browser(front, ALICE), Browser(front, ALICE)
    copy = gone.replayed()
    gone.get("/hub/logout")
    front.hub.restart()
    for session in (copy, gone.session):
        answer = session.get(f"{front.hub.url}/hub/home", allow_redirects=False, timeout=30)
        assert answer.status_code == 302
    assert stays.signed_in
    assert front.notify(stays.front_session).status_code == 200
    assert not stays.signed_in


def test_a_word_of_the_sp_ends_everything_of_that_session(front: Front) -> None:
    browser = with_server(front)
    copy = copied(browser)
    kernel = new_kernel(browser)

    async def scene() -> None:
        stolen = await opened(copy, kernel)
        assert (await asyncio.to_thread(front.notify, browser.front_session)).status_code == 200
        assert not await asyncio.to_thread(copy.opens_hub)
        await asyncio.wait_for(until_closed(stolen), WITHIN + 2)

    asyncio.run(scene())
    assert not copy.opens_server()
    # What the SP has ended signs nobody in any more.
    answer = front.ask(ALICE, Session=browser.front_session)
    assert answer.status_code == 403
    assert Browser(front, ALICE).signed_in


def test_a_code_that_was_not_used_yet_is_worth_nothing(front: Front) -> None:
    """OAuth's own way round: a sign-in to the server, stopped half way, goes on after the end."""
    browser = with_server(front)
    thief = browser.replayed()
    forget(thief, lambda cookie: cookie.path.startswith("/user/"))
    place = f"{front.hub.url}/user/{ALICE}/lab"
    for _ in range(6):
        answer = thief.get(place, allow_redirects=False, timeout=30)
        place = urljoin(place, answer.headers["Location"])
        if "/oauth_callback?" in place:
            break
    assert "code=" in place, place
    browser.get("/hub/logout")
    answer = thief.get(place, timeout=30)
    assert answer.status_code in (400, 403, 500)
    assert not opens(thief, front)


def test_the_hub_session_of_a_browser_is_not_the_browsers_to_choose(front: Front) -> None:
    """Who had the cookies could ask for tokens under another session's name, which outlive it."""
    browser = with_server(front)
    thief = browser.replayed()
    forget(
        thief,
        lambda cookie: cookie.path.startswith("/user/") or cookie.name == "jupyterhub-session-id",
    )
    thief.cookies.set("jupyterhub-session-id", "0" * 32, domain="127.0.0.1", path="/")
    assert opens(thief, front)
    browser.get("/hub/logout")
    until(lambda: not opens(thief, front), seconds=WITHIN + 2, what="the end of its token")


def test_one_cookie_without_the_other_is_nothing(front: Front) -> None:
    alice = Browser(front, ALICE)
    bob = Browser(front, account("bob"))
    names = {cookie.name for cookie in alice.session.cookies}
    assert {"slurmhub-session", "jupyterhub-hub-login"} <= names
    for left_out in ("slurmhub-session", "jupyterhub-hub-login"):
        session = requests.Session()
        for cookie in alice.session.cookies:
            if cookie.name != left_out:
                session.cookies.set_cookie(cookie)
        home = session.get(f"{front.hub.url}/hub/home", allow_redirects=False, timeout=30)
        assert home.status_code == 302, left_out
        # Nor with somebody else's in its place.
        for cookie in bob.session.cookies:
            if cookie.name == left_out:
                session.cookies.set_cookie(cookie)
        home = session.get(f"{front.hub.url}/hub/home", allow_redirects=False, timeout=30)
        assert home.status_code == 302, left_out
    assert alice.signed_in
    assert bob.signed_in


def test_signing_in_anew_ends_what_this_browser_had(front: Front) -> None:
    browser = Browser(front, ALICE)
    before = browser.replayed()
    answer = front.ask(account("bob"), browser.session)
    assert answer.status_code == 302
    assert browser.api("GET", "/user").json()["name"] == account("bob")
    home = before.get(f"{front.hub.url}/hub/home", allow_redirects=False, timeout=30)
    assert home.status_code == 302


def test_a_session_id_from_elsewhere_is_not_taken_over(front: Front) -> None:
    """Session fixation: an id that somebody else planted is not the one that is signed in."""
    browser = requests.Session()
    browser.cookies.set("jupyterhub-session-id", "f" * 32, domain="127.0.0.1", path="/")
    browser.cookies.set("slurmhub-session", "planted", domain="127.0.0.1", path="/hub/")
    assert front.ask(ALICE, browser).status_code == 302
    values = {c.name: c.value for c in browser.cookies}
    assert values["jupyterhub-session-id"] != "f" * 32
    assert values["slurmhub-session"] != "planted"
    planted = requests.Session()
    planted.cookies.set("slurmhub-session", "planted", domain="127.0.0.1", path="/hub/")
    home = planted.get(f"{front.hub.url}/hub/home", allow_redirects=False, timeout=30)
    assert home.status_code == 302


def test_profiles_follow_from_what_the_institution_says(front: Front) -> None:
    """And the other way: who is no student any more has them no longer, from the next sign-in."""
    bob = account("bob")
    for affiliation, offered in (("student@example.ca", True), ("member@example.ca", False)):
        browser = Browser(front, bob, Affiliation=affiliation)
        form = browser.get("/hub/spawn").text
        assert ('value="course"' in form) is offered, form[-3000:]
        answer = browser.api("POST", f"/users/{bob}/server", {"profile": "course", "cpus": "x"})
        assert answer.status_code == 400
        assert ("no such profile" in answer.text) is not offered, answer.text


def test_servers_end_where_the_site_says_so(front: Front, cluster: EmbeddedCluster) -> None:
    config = front.hub.folder / "jupyterhub_config.py"
    text = config.read_text()
    try:
        config.write_text(f"{text}\nc.ShibbolethAuthenticator.end_servers_at_sign_out = True\n")
        front.hub.restart()
        browser = with_server(front)
        assert cluster.run("squeue", "-h", "--format=%T").split() == ["RUNNING"]
        browser.get("/hub/logout", timeout=90)
        until(lambda: not jobs(cluster), what="the end of the job")
    finally:
        config.write_text(text)
        front.hub.restart()
