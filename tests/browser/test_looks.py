"""Each page on a phone and in the dark: nothing is cut off, nobody is kept out."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.axe import Axe
from tests.browser.conftest import WIDE, GuestMaker
from tests.browser.guest import Guest
from tests.rig import queue

PHONE = {"width": 360, "height": 740}
LOOKS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": WIDE, "color_scheme": "light"},
    "phone": {"viewport": PHONE, "color_scheme": "dark"},
}


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_can_be_read(
    guest: GuestMaker, cluster: EmbeddedCluster, axe: Axe, look: str
) -> None:
    alice = guest("alice-dies", **LOOKS[look])

    def judge(page: str) -> None:
        expected = LOOKS[look]["color_scheme"]
        expect(alice.page.locator("html")).to_have_attribute("data-bs-theme", expected)
        assert not axe.grave(alice.page), page
        assert _fits(alice), f"{page} is wider than the screen"
        if look == "phone":
            alice.picture(f"{look}-{page}")

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


def _fits(guest: Guest) -> bool:
    return bool(guest.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
