"""Each page on a wide screen by day and on a phone by night: all is there, for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import ViewportSize, expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.axe import Axe
from tests.browser.conftest import GuestMaker
from tests.browser.guest import Guest
from tests.rig import queue


@dataclass(frozen=True)
class Look:
    """A screen and the colours that its owner prefers."""

    name: str
    viewport: ViewportSize
    colours: Literal["light", "dark"]


LOOKS = (
    Look("desk", {"width": 1280, "height": 720}, "light"),
    Look("phone", {"width": 360, "height": 740}, "dark"),
)


def test_every_page_can_be_read(guest: GuestMaker, cluster: EmbeddedCluster, axe: Axe) -> None:
    # Without motion colours change at once, and the checker sees none that is half-way.
    alice = guest("alice-dies", reduced_motion="reduce")

    def judge(page: str) -> None:
        for look in LOOKS:
            put_on(alice, look)
            assert not axe.grave(alice.page), f"{page}, {look.name}"
            assert fits(alice), f"{page} is wider than the screen of the {look.name}"
        alice.picture(f"phone-{page}")
        put_on(alice, LOOKS[0])

    alice.open_form()
    alice.fill(partition="gpu", gpus="1", gpu_type="h100")
    judge("form")
    alice.page.evaluate("document.getElementById('spawn_form').noValidate = true")
    alice.fill(cpus="400")
    alice.press_start()
    expect(alice.problem("cpus")).to_be_visible()
    judge("refused")
    alice.fill(cpus="2")
    with queue.full(cluster):
        alice.press_start()
        alice.until_waiting()
        judge("waiting")
    alice.until_ended("ended by itself")
    judge("failed")


def put_on(guest: Guest, look: Look) -> None:
    """Show the page as somebody with this screen sees it."""
    guest.page.set_viewport_size(look.viewport)
    guest.page.emulate_media(color_scheme=look.colours)
    expect(guest.page.locator("html")).to_have_attribute("data-bs-theme", look.colours)


def fits(guest: Guest) -> bool:
    """Whether nothing on the page is wider than the screen."""
    return bool(guest.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
