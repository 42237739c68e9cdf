"""JupyterLab itself: the time that is left, a warning before the end, saved notebooks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.conftest import GuestMaker
from tests.rig.hub import HubUnderTest, until
from tests.rig.jupyterlab import new_notebook

# The last warning comes three minutes before the end. The first comes at once, to a job this
# short, and by then JupyterLab must be there, however busy the machine is.
MINUTES, PATIENCE = 5, 150_000
TYPED = "print('not yet saved')"


def test_jupyterlab_shows_the_time_saves_warns_and_extends(
    guest: GuestMaker, hub: HubUnderTest, cluster: EmbeddedCluster, ground: Path
) -> None:
    visitor = hub.visitor("bob")
    visitor.start(partition="cpu", memory="2G", hours=f"0:0{MINUTES}:00")
    job = int(visitor.wait_ready()["job_id"])
    bob = guest("bob")
    bob.visit("/user/bob/lab?reset")
    page = bob.page
    left = page.locator(".slurmhub-lab")
    expect(left).to_contain_text("min left")
    notice = page.locator(".jp-Notification-Toast-Warning, .Toastify__toast--warning")
    expect(notice).to_contain_text(re.compile("This server ends in [45] min"))

    new_notebook(page)
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
    expect(left).to_contain_text(re.compile("1 h [23] min left"))
    expect(notice).to_have_count(0)
    left.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Job {job} on ")
    expect(dialog).to_contain_text("You asked for 1 CPU and 2 GB of memory")
    bob.picture("lab-dialog")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)


ASK = """async language => {
    const query = language ? `?language=${encodeURIComponent(language)}` : "";
    const headers = { "X-XSRFToken": /_xsrf=([^;]*)/.exec(document.cookie)[1] };
    const answer = await fetch(`/user/alice/slurmhub/session${query}`, { headers });
    return (await answer.json()).texts.title;
}"""
ENGLISH, FRENCH = "This server's job", "La tâche de ce serveur"


def test_it_speaks_as_jupyterlab_does_else_as_the_hub_else_as_the_browser(
    guest: GuestMaker, hub: HubUnderTest
) -> None:
    hub.visitor("alice").start(partition="cpu", memory="2G", hours=1)
    hub.visitor("alice").wait_ready()
    alice = guest("alice", locale="fr-CA")
    alice.visit("/user/alice/lab")
    page = alice.page
    # JupyterLab is English where nobody chose, and so it leaves the choice to others.
    expect(page.locator(".slurmhub-lab")).to_contain_text("Il reste")
    assert page.evaluate(ASK, "") == FRENCH
    assert page.evaluate(ASK, "en-CA") == ENGLISH
    assert page.evaluate(ASK, "fr_FR, en;q=0") == FRENCH
    alice.visit("/hub/token")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html[lang=en]")).to_be_attached()
    alice.visit("/user/alice/lab")
    expect(page.locator(".slurmhub-lab")).to_contain_text("min left")
    assert page.evaluate(ASK, "") == ENGLISH
    assert page.evaluate(ASK, "fr_FR") == FRENCH


def test_it_says_that_the_hub_does_not_answer(guest: GuestMaker, hub: HubUnderTest) -> None:
    hub.visitor("mallory").start(partition="cpu", memory="2G", hours=1)
    hub.visitor("mallory").wait_ready()
    mallory = guest("mallory", locale="fr-CA")
    mallory.visit("/user/mallory/lab")
    left = mallory.page.locator(".slurmhub-lab")
    expect(left).to_contain_text("Il reste")
    asked: list[str] = []
    mallory.page.on("request", lambda one: asked.append(one.url))
    hub.stop_hub()
    try:
        left.click()
        dialog = mallory.page.get_by_role("dialog")
        # What was known last, and that nothing newer is.
        expect(dialog).to_contain_text("Ce serveur se termine dans")
        expect(dialog).to_contain_text("Le hub ne répond pas. Réessayez dans une minute.")
        dialog.get_by_role("button", name="Fermer").click()
        expect(left).to_contain_text("Il reste")
        questions = [url for url in asked if "/slurmhub/session" in url]
        assert len(questions) == 1, "it asks when somebody wants to know, and else now and then"
    finally:
        hub.start_hub()
        hub.wait()


def _button(page: Page, name: str) -> Any:
    return page.get_by_role("button", name=name)


def _cells(notebook: Path) -> str:
    """The sources of a notebook's cells as they are on disk."""
    if not notebook.exists():
        return ""
    cells = json.loads(notebook.read_text() or "{}").get("cells", [])
    return "".join("".join(cell["source"]) for cell in cells)
