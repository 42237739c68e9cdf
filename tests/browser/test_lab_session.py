"""JupyterLab itself: the time that is left, a warning before the end, saved notebooks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.conftest import GuestMaker
from tests.rig.hub import HubUnderTest, until

# The last warning comes three minutes before the end: a job of four, and a minute's patience.
MINUTES, PATIENCE = 4, 90_000
TYPED = "print('not yet saved')"


def test_jupyterlab_shows_the_time_saves_warns_and_extends(
    guest: GuestMaker, hub: HubUnderTest, cluster: EmbeddedCluster, ground: Path
) -> None:
    visitor = hub.visitor("bob")
    visitor.start(partition="cpu", memory="2G", hours=f"0:0{MINUTES}:00")
    job = int(visitor.wait_ready()["job_id"])
    bob = guest("bob")
    bob.visit("/user/bob/lab")
    page = bob.page
    left = page.locator(".slurmhub-lab")
    expect(left).to_contain_text("min left")
    # A job this short is warned of at once.
    notice = page.locator(".jp-Notification-Toast-Warning, .Toastify__toast--warning")
    expect(notice).to_contain_text("This server ends in 4 min.")

    page.locator('.jp-LauncherCard[data-category="Notebook"]').first.click()
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible()
    page.locator(".jp-Notebook .cm-content").first.click()
    page.keyboard.insert_text(TYPED)
    notebook = ground / "home" / "bob" / "Untitled.ipynb"
    assert TYPED not in _cells(notebook)
    bob.picture("lab-warned")
    until(lambda: TYPED in _cells(notebook), seconds=PATIENCE / 1000, what="the saved notebook")
    last = notice.filter(has_text="This server ends in 3 min. Your open documents were saved.")
    expect(last).to_be_visible()
    expect(notice).to_have_count(1)
    expect(left).to_contain_text("Memory")
    bob.picture("lab-saved")

    _button(page, "1 hour more").click()
    expect(page.get_by_text("The server has 1 hour more.")).to_be_visible()
    limit = cluster.run("squeue", "--noheader", "--format=%l", f"--jobs={job}").strip()
    assert limit == f"1:0{MINUTES}:00"
    expect(left).to_contain_text("1 h 2 min left")
    expect(notice).to_have_count(0)
    left.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Job {job} on ")
    expect(dialog).to_contain_text("You asked for 1 CPU and 2 GB of memory")
    bob.picture("lab-dialog")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)


def _button(page: Page, name: str) -> Any:
    return page.get_by_role("button", name=name)


def _cells(notebook: Path) -> str:
    """The sources of a notebook's cells as they are on disk."""
    if not notebook.exists():
        return ""
    cells = json.loads(notebook.read_text() or "{}").get("cells", [])
    return "".join("".join(cell["source"]) for cell in cells)
