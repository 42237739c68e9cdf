"""Announcements as an operator writes them and everybody reads them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Locator, expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.axe import Axe
from tests.browser.conftest import GuestMaker
from tests.browser.guest import Guest
from tests.rig import queue
from tests.rig.hub import HubUnderTest

WORDS = "Maintenance on Friday from 18:00.\nRunning servers <b>go on</b>."


@pytest.fixture(autouse=True)
def _no_notice_stays(hub: HubUnderTest) -> Iterator[None]:
    yield
    admin = hub.visitor("admin")
    for notice in admin.api("GET", "/slurmhub/notices").json():
        admin.api("DELETE", f"/slurmhub/notices/{notice['id']}")


def banner(guest: Guest) -> Locator:
    """The announcements on a page."""
    return guest.page.locator("#slurmhub-notices[role=status]")


def announce(admin: Guest, text: str, *, partition: str = "", drains: bool = False) -> None:
    """Write a notice as an operator does, with the keyboard alone."""
    admin.visit("/hub/slurmhub/notices")
    form = admin.page.locator("#slurmhub-new-notice")
    form.get_by_label("Text in English").fill(text)
    form.get_by_label("Partition").fill(partition)
    if drains:
        form.get_by_label("No new servers").focus()
        admin.page.keyboard.press("Space")
    form.get_by_role("button", name="Announce").focus()
    admin.page.keyboard.press("Enter")
    expect(banner(admin)).to_contain_text(text.splitlines()[0])


@pytest.mark.parametrize("script", [True, False], ids=["with", "without-javascript"])
def test_what_an_operator_announces_is_on_every_page(guest: GuestMaker, script: bool) -> None:
    admin = guest("admin", java_script_enabled=script)
    announce(admin, WORDS)
    alice = guest("alice-reads-on", java_script_enabled=script, signed_in=False)
    alice.visit("/hub/login")
    expect(banner(alice)).to_contain_text("Running servers <b>go on</b>.")
    alice.sign_in()
    for path in ("/hub/home", "/hub/token", alice.path("spawn"), "/hub/no-such-page"):
        alice.visit(path)
        expect(banner(alice)).to_contain_text("Maintenance on Friday")
    admin.page.get_by_role("button", name="Remove").click()
    expect(banner(admin)).to_have_count(0)
    alice.visit("/hub/home")
    expect(banner(alice)).to_have_count(0)


def test_while_a_partition_drains_nothing_new_starts_there(
    guest: GuestMaker, cluster: EmbeddedCluster
) -> None:
    alice, bob, admin = guest("alice-waits"), guest("bob-late"), guest("admin")
    alice.open_form()
    alice.fill(partition="gpu", gpus="1", gpu_type="h100")
    with queue.full(cluster):
        alice.press_start()
        alice.until_waiting()
        announce(admin, "New cooling on Monday.", partition="gpu", drains=True)
        # Who waits is told, and goes on waiting.
        expect(alice.page.locator("#slurmhub-facts")).to_contain_text("New cooling on Monday.")
        expect(alice.news).to_contain_text("in the queue")
        bob.open_form()
        bob.fill(partition="gpu", gpus="1", gpu_type="h100")
        expect(bob.page.locator("#slurmhub-options")).to_contain_text("New cooling on Monday.")
        bob.press_start()
        expect(bob.problem("partition")).to_contain_text("New cooling on Monday.")
        assert bob.filled_in()["gpus"] == "1"
    alice.until_at_server()
    # Elsewhere it is as before.
    bob.fill(gpus="0", partition="cpu")
    bob.press_start()
    bob.until_at_server()


def test_the_operators_page_is_for_everybody_among_them(guest: GuestMaker, axe: Axe) -> None:
    admin = guest("admin", reduced_motion="reduce")
    announce(admin, WORDS, partition="gpu", drains=True)
    for colours, width in (("light", 1280), ("dark", 360)):
        admin.page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
        admin.page.set_viewport_size({"width": width, "height": 740})
        assert not axe.grave(admin.page), colours
        wide = admin.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not wide, colours
        admin.picture(f"notices-{colours}")
    # What is wrong with a notice is said, and nothing that was typed is lost.
    form = admin.page.locator("#slurmhub-new-notice")
    form.get_by_label("Text in English").fill("Over before it began")
    yesterday = (datetime.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    form.get_by_label("Until").fill(yesterday)
    form.get_by_label("From").fill(datetime.now().strftime("%Y-%m-%dT%H:%M"))
    form.get_by_role("button", name="Announce").click()
    expect(admin.page.get_by_role("alert")).to_contain_text("ends before it begins")
    expect(form.get_by_label("Text in English")).to_have_value("Over before it began")
    assert guest("alice").visit("/hub/slurmhub/notices").status == 403
