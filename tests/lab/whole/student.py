"""A student in Chromium, on a machine where the institution's names lead to the lab's hosts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from playwright.sync_api import Page, Playwright, expect

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.lab.idp import PASSWORD
from tests.lab.whole.institution import HUB, Institution
from tests.rig.hub import until
from tests.rig.jupyterlab import new_notebook

# A server starts in seconds; six hosts that share a machine may take longer.
_PATIENCE = 120_000


@contextmanager
def browser(playwright: Playwright, institution: Institution, hub: str = HUB) -> Iterator[Page]:
    """A page of a fresh browser, for the hub of this name; it takes the lab's certificate."""
    starter = institution.folder / "chromium"
    command = shlex.join(institution.within(CHROMIUM))
    starter.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    starter.chmod(0o755)
    with _chromium(playwright, starter, FLAGS, hub) as page:
        yield page


@contextmanager
def browser_over_socks(playwright: Playwright, port: int) -> Iterator[Page]:
    """A page of a browser of this machine that has a SOCKS 5 proxy at this port of localhost."""
    flags = [*FLAGS, f"--proxy-server=socks5://localhost:{port}"]
    with _chromium(playwright, Path(CHROMIUM), flags, HUB) as page:
        yield page


@contextmanager
def _chromium(playwright: Playwright, program: Path, flags: list[str], hub: str) -> Iterator[Page]:
    chromium = playwright.chromium.launch(executable_path=program, args=flags)
    context = chromium.new_context(base_url=f"https://{hub}", ignore_https_errors=True)
    context.set_default_timeout(_PATIENCE)
    expect.set_options(timeout=_PATIENCE)
    try:
        yield context.new_page()
    finally:
        chromium.close()


class Student:
    """Somebody of the institution at the hub."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name

    def sign_in(self) -> None:
        """From the hub's first page to one's own, over the institution's."""
        self.page.goto("/hub/home")
        self.page.get_by_role("button", name=re.compile("Sign in")).click()
        self.page.locator("[name=username]").fill(self.name)
        self.page.locator("[name=password]").fill(PASSWORD)
        self.page.locator("[name=password]").press("Enter")
        self.page.wait_for_url(re.compile(r"https://[^/]+/(hub|user)/(?!login)"))

    def start(self, profile: str) -> None:
        """Start a server by its profile's title, and wait for JupyterLab as it first is."""
        self.asks_for(profile)
        self.page.wait_for_url(re.compile(r"/user/[^/]+/lab"))
        # Else it opens again what was open at the end of an earlier server.
        self.page.goto(self.page.url.partition("/lab")[0] + "/lab?reset")

    def asks_for(self, profile: str) -> None:
        """Press the button of a profile, whatever comes of it."""
        self.page.goto("/hub/spawn")
        self.page.get_by_role("button", name=f"Start {profile}").click()

    def another_tab(self) -> Student:
        """The same person at another page of the same browser."""
        return Student(self.page.context.new_page(), self.name)

    def stop(self) -> None:
        """End the server on the page of one's servers, if there is one that can be ended."""
        self.sees("ready", "ended", "none")
        button = self.page.get_by_role("button", name="Stop", exact=True)
        if button.count():
            button.first.click()
            self.page.wait_for_url(re.compile("/hub/"))
            self.sees("ended")

    def sees(self, *states: str) -> None:
        """Return when the page of one's servers has yours in one of these states."""

        def seen() -> bool:
            self.page.goto("/hub/home")
            shown = self.page.locator("[data-slurmhub-state]").all()
            return bool(shown) and shown[0].get_attribute("data-slurmhub-state") in states

        until(seen, seconds=_PATIENCE / 1000, what=f"a server that is {' or '.join(states)}")

    def computes(self, code: str) -> str:
        """Run a cell of a notebook, a new one the first time; what it prints."""
        if not self.page.locator(".jp-Notebook").count():
            new_notebook(self.page)
        cell = self.page.locator(".jp-Notebook .jp-CodeCell").last
        number = self.page.locator(".jp-Notebook .jp-CodeCell").count()
        cell.locator(".cm-content").click()
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Shift+Enter")
        cell = self.page.locator(".jp-Notebook .jp-CodeCell").nth(number - 1)
        expect(cell.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]"))
        output = cell.locator(".jp-OutputArea-output").first
        expect(output).to_be_visible()
        return output.inner_text().strip()


class Enter(Protocol):
    """Has somebody sign in at a hub."""

    def __call__(self, name: str, hub: str = ...) -> Student:
        """With a browser of their own; at the end their server is ended."""
        ...
