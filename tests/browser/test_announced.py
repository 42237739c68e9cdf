"""What somebody is told who cannot see the page, or sees little of it at a time."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.axe import Axe
from tests.browser.conftest import GuestMaker
from tests.browser.guest import Guest
from tests.browser.test_looks import LOOKS, fits, put_on
from tests.browser.test_profiles import card, everything, hub, hub_of_profiles, open_page
from tests.rig import queue

__all__ = ["hub", "hub_of_profiles"]

PHONE = {"width": 360, "height": 740}
# JavaScript: whether an element is within what the screen shows.
SEEN = """element => {
    const place = element.getBoundingClientRect();
    return place.top >= 0 && place.top < window.innerHeight;
}"""


def refused_far_below(alice: Guest) -> None:
    """Ask for too much in the last part of a long page."""
    alice.page.evaluate("document.getElementById('spawn_form').noValidate = true")
    everything(alice).locator("> summary").click()
    alice.fill(cpus="400", hours="soon")
    everything(alice).get_by_role("button", name="Start", exact=True).click()
    expect(alice.problem("cpus")).to_be_visible()


def test_a_refusal_is_where_one_looks_and_listens(guest: GuestMaker) -> None:
    alice = guest("alice-refused", viewport=PHONE, has_touch=True)
    open_page(alice)
    refused_far_below(alice)
    problems = alice.page.get_by_role("alert")
    expect(problems).to_be_focused()
    # It is below three cards, and comes into sight by itself; that may be a gentle movement.
    alice.page.wait_for_function(SEEN, arg=problems.element_handle())
    expect(alice.page).to_have_title("Please check: Start your server - JupyterHub")
    # From there each problem leads to its field, which says it again.
    alice.page.keyboard.press("Tab")
    expect(alice.page.get_by_role("link", name="CPUs")).to_be_focused()
    alice.page.keyboard.press("Enter")
    expect(alice.field("cpus")).to_be_focused()
    expect(alice.field("cpus")).to_have_accessible_description(re.compile("at most 8 CPUs"))
    open_page(alice)
    expect(alice.page).to_have_title("Start your server - JupyterHub")


def test_a_refusal_of_a_card_without_javascript(guest: GuestMaker) -> None:
    alice = guest("alice-refused", viewport=PHONE, java_script_enabled=False)
    open_page(alice)
    card(alice, "Course lab").get_by_label("CPUs").fill("9")
    card(alice, "Course lab").get_by_role("button", name="Start Course lab").click()
    expect(alice.page.get_by_role("alert")).to_be_focused()


def test_the_form_has_landmarks_and_headings(guest: GuestMaker) -> None:
    alice = guest("alice-heads")
    open_page(alice)
    main = alice.page.get_by_role("main")
    headings = main.get_by_role("heading", level=2).all_inner_texts()
    assert headings[:3] == ["Course lab", "One GPU, two hours", "More than there is"]
    expect(everything(alice).get_by_role("heading")).to_have_text("Choose everything yourself")
    expect(main.get_by_role("heading", level=1)).to_have_text("Start your server")


def test_the_space_bar_presses_what_is_called_a_button(
    guest: GuestMaker, cluster: EmbeddedCluster
) -> None:
    alice = guest("alice-presses")
    open_page(alice)
    with queue.full(cluster):
        card(alice, "Course lab").get_by_role("button", name="Start Course lab").click()
        alice.until_waiting()
        alice.press_cancel()
        alice.until_ended("You stopped this server.")
    alice.start_again.focus()
    alice.page.keyboard.press("Space")
    expect(card(alice, "Course lab")).to_be_visible()


def test_a_wrong_password_is_said_where_the_focus_is(guest: GuestMaker, axe: Axe) -> None:
    alice = guest("alice-forgets", signed_in=False, reduced_motion="reduce")
    page = alice.page
    alice.visit("/hub/login")
    expect(page).to_have_title("Sign in - JupyterHub")
    page.get_by_label("Username:").fill("alice-forgets")
    page.get_by_label("Password:").fill("forgotten")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_title("Invalid username or password - Sign in - JupyterHub")
    field = page.get_by_label("Username:")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description("Invalid username or password")
    judge(alice, axe, "signin")


def test_a_page_that_is_not_there_leads_home(guest: GuestMaker, axe: Axe) -> None:
    alice = guest("alice-lost", reduced_motion="reduce")
    for path in ("/hub/no-such-page", "/hub/slurmhub/log/bob"):
        alice.visit(path)
        expect(alice.page).to_have_title("Page not found - JupyterHub")
        expect(alice.page.get_by_role("main")).to_contain_text("or none that you may see")
        judge(alice, axe, "lost")
        expect(alice.page.get_by_role("main").get_by_role("link", name="Home")).to_be_visible()


def test_news_of_the_queue_is_told_once(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    alice = guest("alice-listens")
    page = alice.page
    open_page(alice)
    with queue.full(cluster):
        card(alice, "Course lab").get_by_role("button", name="Start Course lab").click()
        alice.until_waiting()
        expect(alice.news).to_contain_text("in the queue")
        expect(page).to_have_title("In the queue: your server - JupyterHub")
        listen(page)
        # Slurm's plan, the time waited and the page's own rhythm change in this time.
        page.wait_for_timeout(12_000)
        said = page.evaluate("window.said")
        assert len(said) == len(set(said)), f"the same is told twice: {said}"
        assert len(said) <= 2, said
        alice.press_cancel()
        alice.until_ended("You stopped this server.")
    expect(page).to_have_title("Your server was stopped - JupyterHub")


def listen(page: Page) -> None:
    """Keep what a screen reader would read aloud of the page's live regions from now on."""
    page.evaluate(
        """() => {
            window.said = [];
            new MutationObserver(all => all.forEach(({ target }) => {
                const at = target.nodeType === Node.TEXT_NODE ? target.parentElement : target;
                const live = at && at.closest("[role=status], [role=alert], [aria-live=polite]");
                if (live && live.textContent.trim()) { window.said.push(live.textContent.trim()); }
            })).observe(document.body, { subtree: true, childList: true, characterData: true });
        }"""
    )


def judge(person: Guest, axe: Axe, name: str) -> None:
    for look in LOOKS:
        put_on(person, look)
        assert not axe.grave(person.page), f"{name}, {look.name}"
        assert fits(person), f"{name} is wider than the screen of the {look.name}"
