"""JupyterLab's own page, as somebody uses it in a browser."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

# Its first page is some megabytes of scripts; on a busy machine that takes longer than any click.
_FIRST_PAGE = 120_000


def open_empty(page: Page) -> None:
    """Load JupyterLab anew, without what this account had open before."""
    page.goto(re.sub(r"/lab\b.*", "/lab?reset", page.url))


def new_notebook(page: Page) -> None:
    """Open a notebook from the launcher, and return when its kernel is idle."""
    card = page.locator('.jp-LauncherCard[data-category="Notebook"]').first
    card.wait_for(timeout=_FIRST_PAGE)
    card.click()
    # A button or a text, as the release of JupyterLab has it.
    expect(page.get_by_text("Python 3 (ipykernel) | Idle").first).to_be_attached()
    page.locator(".jp-Notebook .cm-content").first.click()
