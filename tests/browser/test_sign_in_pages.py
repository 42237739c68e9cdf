"""The pages around a sign-in in a real browser: for everybody, also without JavaScript."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.axe import Axe
from tests.browser.test_looks import LOOKS
from tests.rig.accounts import account
from tests.rig.front import IDP, LOGIN, OTHER_IDP, Front, front_hub

BANNER = "JupyterHub requires JavaScript"
WHERE = "/hub/shibboleth/where?entityID=x&return=%2Fhub%2FShibboleth.sso%2FLogin%3FSAMLDS%3D1"
FEED = [
    {"entityID": IDP, "DisplayNames": [{"value": "Universit\u00e9 de l\u2019Exemple"}]},
    {"entityID": OTHER_IDP, "DisplayNames": [{"value": "Other College"}]},
]
SETTINGS = """
c.ShibbolethAuthenticator.terms_of_use = {
    "version": "1", "text": {"en": "Be kind.", "fr": "Soyez gentils."}
}
"""


@pytest.fixture(scope="module")
def front(
    ground: Path, accounts: dict[str, str], code: Path, proxy_command: list[str]
) -> Iterator[Front]:
    """A hub with terms and two institutions."""

    class Feed(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(FEED).encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Feed)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    extra = f"{SETTINGS}\nc.ShibbolethAuthenticator.discovery_feed = {url!r}\n"
    with front_hub(ground, code, proxy_command, extra) as made:
        yield made
    server.shutdown()
    server.server_close()


Opener = Callable[..., Page]


@pytest.fixture
def opened(chromium: Browser, front: Front) -> Iterator[Opener]:
    """Open a page as somebody of whom the front says this."""
    with ExitStack() as stack:

        def open_page(path: str, said: dict[str, str], **options: Any) -> Page:
            context = chromium.new_context(base_url=front.hub.url, **options)
            stack.callback(context.close)

            def as_front(route: Route) -> None:
                # Not continue_: it would send these headers along with the redirect, too.
                headers = {**route.request.headers, **said}
                route.fulfill(response=route.fetch(headers=headers, max_redirects=0))

            context.route(re.compile(rf"{LOGIN}(\?.*)?$"), as_front)
            page = context.new_page()
            page.goto(path)
            return page

        yield open_page


def test_every_page_can_be_read(front: Front, opened: Opener, axe: Axe, album: Path | None) -> None:
    good = front.headers(account("alice"))
    for name, path, said in (
        ("refused", LOGIN, front.headers(account("alice"), Mail="(null)")),
        ("terms", LOGIN, good),
        ("institutions", WHERE, good),
        ("signed-out", "/hub/shibboleth/signed-out", good),
    ):
        for language in ("en", "fr"):
            page = opened(path, said, reduced_motion="reduce", locale=language)
            expect(page.locator("html")).to_have_attribute("lang", language)
            expect(page.locator(f"#slurmhub-{name}")).to_be_visible()
            for look in LOOKS:
                page.set_viewport_size(look.viewport)
                page.emulate_media(color_scheme=look.colours)
                expect(page.locator("html")).to_have_attribute("data-bs-theme", look.colours)
                if album is not None:
                    page.screenshot(path=album / f"{look.name}-{name}-{language}.png")
                assert not axe.grave(page), f"{name}, {look.name}"
                fits = "document.documentElement.scrollWidth <= window.innerWidth"
                assert page.evaluate(fits), f"{name} is wider than the screen of the {look.name}"


def test_terms_by_keyboard_without_javascript(front: Front, opened: Opener) -> None:
    page = opened(LOGIN, front.headers(account("bob")), java_script_enabled=False)
    expect(page.get_by_text(BANNER)).to_be_hidden()
    expect(page.get_by_text("Be kind.")).to_be_visible()
    accept = page.get_by_role("button", name="I accept these terms")
    for _ in range(30):
        page.keyboard.press("Tab")
        if accept.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/hub/(home|spawn)"))


def test_an_institution_without_javascript(front: Front, opened: Opener) -> None:
    page = opened(WHERE, {}, java_script_enabled=False)
    expect(page.get_by_text(BANNER)).to_be_hidden()
    page.get_by_role("searchbox").fill("universite")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("button", name="Other College")).to_have_count(0)
    page.get_by_role("button", name="Universit\u00e9").click()
    expect(page).to_have_url(re.compile(r"/hub/Shibboleth\.sso/Login\?SAMLDS=1&entityID=https"))


def test_an_institution_as_it_is_typed(front: Front, opened: Opener) -> None:
    page = opened(WHERE, {})
    other = page.get_by_role("button", name="Other College")
    expect(other).to_be_visible()
    page.get_by_role("searchbox").fill("UNIVERSIT\u00c9")
    expect(other).to_be_hidden()
    expect(page.get_by_role("button", name="Universit\u00e9")).to_be_visible()
    page.get_by_role("searchbox").fill("zzz")
    expect(page.locator("#slurmhub-none")).to_be_visible()
    page.get_by_role("searchbox").fill("")
    expect(other).to_be_visible()
    other.click()
    page.goto(WHERE)
    expect(page.locator("#slurmhub-last")).to_have_text("Other College")
