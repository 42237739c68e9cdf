"""Cards, presets and links in a browser: by mouse, by keyboard, without JavaScript, on a phone."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.axe import Axe
from tests.browser.conftest import SETTINGS, GuestMaker
from tests.browser.guest import Guest
from tests.browser.test_looks import LOOKS
from tests.conftest import hub_settings
from tests.rig import queue
from tests.rig.accounts import PREFIX
from tests.rig.hub import HubUnderTest

DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">
<rect width="10" height="10" rx="2" fill="#b5540a"/></svg>"""
PROFILES: list[dict[str, Any]] = [
    {
        "name": "course-lab",
        "title": {"en": "Course lab", "fr": "Travaux pratiques"},
        "words": {"en": "For the exercises of PHYS 101.", "fr": "Pour les exercices de PHYS 101."},
        "picture": "course.svg",
        "fields": {
            "partition": "cpu",
            "cpus": {"min": 1, "max": 4, "default": 2},
            "memory": {"choices": ["1", "2"]},
            "hours": 1,
        },
    },
    {
        "name": "one-gpu",
        "title": "One GPU, two hours",
        "words": "For training small models.",
        "picture": "gpu",
        "fields": {"partition": "gpu", "gpus": 1, "cpus": 2, "memory": "4G", "hours": 2},
    },
    {
        "name": "many",
        "title": "More than there is",
        "picture": "cpu",
        "fields": {"partition": "cpu", "cpus": 100},
    },
]


@pytest.fixture(scope="module")
def hub_of_profiles(
    cluster: EmbeddedCluster,
    ground: Path,
    stub: Path,
    jupyter: Path,
    jupyter_config: Path,
    proxy_command: list[str],
    code: Path,
) -> Iterator[HubUnderTest]:
    """A hub like that of the whole folder, with profiles."""
    folder = Path(tempfile.mkdtemp(prefix="h", dir=ground))
    (folder / "course.svg").write_text(DRAWING)
    extra = SETTINGS.format(prefix=PREFIX, jupyter=str(jupyter), config=str(jupyter_config))
    extra += (
        f"c.SlurmHubSpawner.profiles = {PROFILES!r}\n"
        f"c.SlurmHubSpawner.profile_pictures = {str(folder)!r}\n"
    )
    made = HubUnderTest(folder, hub_settings(cluster, stub, extra), proxy_command, code=code)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def hub(hub_of_profiles: HubUnderTest, cluster: EmbeddedCluster) -> Iterator[HubUnderTest]:
    """In place of the folder's hub, for all guests of this module."""
    queue.clear(cluster)
    yield hub_of_profiles
    queue.clear(cluster)


def open_page(guest: Guest, query: str = "", server: str = "") -> None:
    """The page with the cards."""
    guest.visit(guest.path("spawn", server) + query)
    expect(card(guest, "Course lab")).to_be_visible()


def card(guest: Guest, title: str) -> Locator:
    """The card of a profile, as a screen reader announces it."""
    return guest.page.get_by_role("group", name=title, exact=True)


def start(guest: Guest, title: str) -> Locator:
    """The button of a card."""
    return guest.page.get_by_role("button", name=f"Start {title}", exact=True)


def everything(guest: Guest) -> Locator:
    """The part in which everything is chosen."""
    return guest.page.locator("#slurmhub-everything")


def test_one_press_starts_a_card(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    alice = guest("alice-card")
    open_page(alice)
    expect(everything(alice).get_by_label("Partition")).to_be_hidden()
    lab = card(alice, "Course lab")
    lab.get_by_label("CPUs").fill("3")
    start(alice, "Course lab").click()
    alice.until_at_server()
    assert cluster.run("squeue", "-h", "--format=%P %C %l").split() == ["cpu", "3", "1:00:00"]


def test_the_keyboard_is_enough(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    alice = guest("alice-keys")
    open_page(alice)
    cpus = card(alice, "Course lab").get_by_label("CPUs")
    cpus.focus()
    alice.page.keyboard.press("9")
    # The browser itself tells of the limit, and of no other card's.
    alice.page.keyboard.press("Enter")
    expect(cpus).to_be_focused()
    assert not queue.jobs(cluster)
    alice.page.keyboard.press("ControlOrMeta+a")
    alice.page.keyboard.type("1")
    alice.page.keyboard.press("Tab")
    expect(card(alice, "Course lab").get_by_label("Memory (GB)")).to_be_focused()
    alice.page.keyboard.press("Tab")
    expect(start(alice, "Course lab")).to_be_focused()
    alice.page.keyboard.press("Enter")
    alice.until_at_server()
    assert cluster.run("squeue", "-h", "--format=%C").split() == ["1"]


def test_what_stands_elsewhere_does_not_matter(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    alice = guest("alice-else")
    open_page(alice)
    everything(alice).get_by_text("Choose everything yourself").click()
    alice.fill(cpus="400", memory="x")
    start(alice, "Course lab").click()
    alice.until_at_server()
    assert cluster.run("squeue", "-h", "--format=%C").split() == ["2"]


@pytest.mark.parametrize("server", ["", "work"], ids=["default", "named"])
def test_a_refusal_stands_beside_its_field(
    guest: GuestMaker, cluster: EmbeddedCluster, server: str
) -> None:
    alice = guest("alice-refuse")
    open_page(alice, server=server)
    alice.page.evaluate("document.getElementById('spawn_form').noValidate = true")
    lab = card(alice, "Course lab")
    lab.get_by_label("CPUs").fill("9")
    lab.get_by_label("Memory (GB)").select_option("2")
    start(alice, "Course lab").click()
    cpus = lab.get_by_label("CPUs")
    expect(cpus).to_have_value("9")
    expect(cpus).to_have_attribute("aria-invalid", "true")
    expect(cpus).to_have_accessible_description(
        re.compile("“9”: With “Course lab” this is at most 4. .*From 1 to 4.")
    )
    expect(lab.get_by_label("Memory (GB)")).to_have_value("2")
    expect(everything(alice).get_by_label("Partition")).to_be_hidden()
    heading = alice.page.get_by_role("heading", level=1)
    expect(heading).to_have_text(f"Start your server{' “work”' if server else ''}")
    # Everything is refused in its own place, open.
    everything(alice).get_by_text("Choose everything yourself").click()
    alice.page.evaluate("document.getElementById('spawn_form').noValidate = true")
    alice.fill(cpus="400")
    alice.press_start()
    expect(alice.problem("cpus")).to_contain_text("at most 8 CPUs")
    expect(lab.get_by_label("CPUs")).to_have_value("9")
    assert not queue.jobs(cluster)


def test_a_card_that_cannot_be_had_now_says_why(guest: GuestMaker) -> None:
    alice = guest("alice-none")
    open_page(alice)
    expect(start(alice, "More than there is")).to_be_disabled()
    expect(card(alice, "More than there is")).to_contain_text(
        "Not available now: One job in partition cpu can have at most 8 CPUs."
    )
    expect(start(alice, "One GPU, two hours")).to_be_enabled()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_keeping_and_sharing(guest: GuestMaker, cluster: EmbeddedCluster, script: bool) -> None:
    alice = guest(f"alice-share{script:d}", java_script_enabled=script)
    open_page(alice)
    card(alice, "Course lab").get_by_label("CPUs").fill("4")
    alice.page.get_by_role("button", name="Keep or share Course lab").click()
    link = alice.page.get_by_label("Link for others").input_value()
    wanted = {"profile": ["course-lab"], "cpus": ["4"], "memory": ["1"]}
    assert parse_qs(urlsplit(link).query) == wanted
    assert link.startswith(f"{alice.hub.url}/hub/spawn?")
    if script:
        assert alice.page.url == link, "the address of the page is the link"
    else:
        assert alice.page.url == f"{link}&share=1"
    expect(card(alice, "Course lab").get_by_label("CPUs")).to_have_value("4")

    # A name that cannot be is refused beside its field, with all that was there.
    name = alice.page.get_by_label("Name of your preset")
    name.fill("  ")
    alice.page.get_by_role("button", name="Keep as a preset").click()
    expect(name).to_have_accessible_description("Give the preset a name.")
    name.fill("Großes Labor")
    alice.page.get_by_role("button", name="Keep as a preset").click()
    expect(alice.page.get_by_text("Your preset is kept.")).to_be_visible()

    open_page(alice, server="work")
    expect(card(alice, "Course lab").get_by_label("CPUs")).to_have_value("2")
    alice.page.get_by_role("link", name="Großes Labor").click()
    assert urlsplit(alice.page.url).path.endswith("/work")
    expect(card(alice, "Course lab").get_by_label("CPUs")).to_have_value("4")
    alice.page.get_by_role("button", name="Delete Großes Labor").click()
    expect(alice.page.get_by_text("Your preset is deleted.")).to_be_visible()
    expect(alice.page.get_by_role("link", name="Großes Labor")).to_have_count(0)

    bob = guest("bob-shared", signed_in=False)
    bob.visit(link.removeprefix(bob.hub.url))
    bob.sign_in()
    expect(card(bob, "Course lab").get_by_label("CPUs")).to_have_value("4")
    expect(bob.page.locator("#slurmhub-share")).to_have_count(0)
    assert not queue.jobs(cluster)


def test_everything_can_be_shared_too(guest: GuestMaker) -> None:
    alice = guest("alice-whole")
    open_page(alice)
    everything(alice).get_by_text("Choose everything yourself").click()
    alice.fill(partition="gpu", cpus="3", gpus="1", hours="0.5")
    everything(alice).get_by_role("button", name="Keep or share these options").click()
    link = alice.page.get_by_label("Link for others").input_value()
    query = parse_qs(urlsplit(link).query)
    assert query | {"cpus": ["3"], "gpus": ["1"], "hours": ["0.5"], "partition": ["gpu"]} == query
    assert not {"profile", "_xsrf"} & set(query)
    expect(alice.field("cpus")).to_be_visible()
    assert alice.filled_in()["cpus"] == "3"


def test_cards_without_javascript(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    alice = guest("alice-still", java_script_enabled=False)
    open_page(alice)
    cpus = card(alice, "Course lab").get_by_label("CPUs")
    cpus.fill("3")
    # The Enter key cannot say which card is meant, so nothing is started.
    cpus.press("Enter")
    said = alice.page.locator("#slurmhub-card-problems")
    expect(said).to_contain_text("Press the Start button of what you want to start.")
    expect(cpus).to_have_value("3")
    assert not queue.jobs(cluster)
    cpus.fill("5")
    start(alice, "Course lab").click()
    expect(card(alice, "Course lab")).to_contain_text("With “Course lab” this is at most 4.")
    cpus.fill("4")
    start(alice, "Course lab").click()
    alice.until_at_server()
    assert cluster.run("squeue", "-h", "--format=%C").split() == ["4"]


def test_the_page_speaks_french(guest: GuestMaker) -> None:
    alice = guest("alice-fr", locale="fr-CA")
    alice.visit(alice.path("spawn"))
    expect(card(alice, "Travaux pratiques")).to_contain_text("Pour les exercices de PHYS 101.")


def test_everybody_can_read_the_cards(guest: GuestMaker, axe: Axe) -> None:
    alice = guest("alice-sight", reduced_motion="reduce")

    def judge(name: str) -> None:
        for look in LOOKS:
            alice.page.set_viewport_size(look.viewport)
            alice.page.emulate_media(color_scheme=look.colours)
            expect(alice.page.locator("html")).to_have_attribute("data-bs-theme", look.colours)
            alice.picture(f"{look.name}-{name}")
            assert not axe.grave(alice.page), f"{name}, {look.name}"
            wide = "document.documentElement.scrollWidth <= window.innerWidth"
            assert alice.page.evaluate(wide), f"{name} is wider than the {look.name}"

    open_page(alice)
    judge("cards")
    for button in alice.page.locator("#slurmhub-choices button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44, "large enough for a finger"
    everything(alice).get_by_text("Choose everything yourself").click()
    judge("everything")
    alice.page.evaluate("document.getElementById('spawn_form').noValidate = true")
    card(alice, "Course lab").get_by_label("CPUs").fill("99")
    start(alice, "Course lab").click()
    expect(card(alice, "Course lab")).to_contain_text("at most 4")
    judge("card-refused")
    alice.page.get_by_role("button", name="Keep or share One GPU, two hours").click()
    alice.page.get_by_label("Name of your preset").fill("A quick look at a GPU")
    judge("share")
    alice.page.get_by_role("button", name="Keep as a preset").click()
    expect(alice.page.get_by_role("link", name="A quick look at a GPU")).to_be_visible()
    judge("presets")
