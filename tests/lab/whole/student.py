"""A student in Chromium, on a machine where the institution's names lead to the lab's hosts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.lab.idp import PASSWORD
from tests.lab.whole.institution import HUB, Institution

# A server starts in seconds; six hosts that share a machine may take longer.
_PATIENCE = 120_000


@contextmanager
def browser(institution: Institution) -> Iterator[Page]:
    """A page of a fresh browser, which takes the lab's certificate."""
    starter = institution.folder / "chromium"
    command = shlex.join(institution.within(CHROMIUM))
    starter.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    starter.chmod(0o755)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=starter, args=FLAGS)
        context = chromium.new_context(base_url=f"https://{HUB}", ignore_https_errors=True)
        context.set_default_timeout(_PATIENCE)
        expect.set_options(timeout=_PATIENCE)
        yield context.new_page()
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
        self.page.wait_for_url(re.compile(f"https://{HUB}/"))

    def start(self, profile: str) -> None:
        """Start a server by its profile's title, and wait for JupyterLab."""
        self.page.goto("/hub/spawn")
        self.page.get_by_role("button", name=f"Start {profile}").click()
        self.page.wait_for_url(re.compile(r"/user/[^/]+/lab"))

    def computes(self, code: str) -> str:
        """Run a cell of a new notebook; what it prints."""
        self.page.locator('.jp-LauncherCard[data-category="Notebook"]').first.click()
        expect(self.page.get_by_text("Python 3 (ipykernel) | Idle").first).to_be_attached()
        self.page.locator(".jp-Notebook .cm-content").first.click()
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Shift+Enter")
        output = self.page.locator(".jp-OutputArea-output").first
        expect(output).to_be_visible()
        return output.inner_text()
