"""English and French: the browser's choice, one's own, and every page a person meets."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.axe import Axe
from tests.browser.conftest import GuestMaker
from tests.browser.guest import Guest
from tests.rig import queue
from tests.rig.hub import PASSWORD

LANGUAGE = "html[lang={}]"
PHONE = {"width": 360, "height": 740}


def speaks(page: Page, code: str) -> None:
    """The page says that it is in this language."""
    expect(page.locator(LANGUAGE.format(code))).to_be_attached()


def sign_in_in_french(guest: Guest) -> None:
    guest.page.get_by_label("Nom d\u2019utilisateur").fill(guest.name)
    guest.page.get_by_label("Mot de passe").fill(PASSWORD)
    guest.page.get_by_role("button", name="Se connecter").click()
    guest.page.wait_for_url(lambda url: "/hub/login" not in url)


@pytest.mark.parametrize("script", [True, False], ids=["with", "without-javascript"])
def test_the_language_can_be_changed_on_every_page(guest: GuestMaker, script: bool) -> None:
    alice = guest("alice-speaks", signed_in=False, java_script_enabled=script)
    alice.visit("/hub/login?next=%2Fhub%2Ftoken")
    speaks(alice.page, "en")
    alice.page.get_by_role("button", name="Français").click()
    speaks(alice.page, "fr")
    # Still on the way to where one wanted to go.
    assert alice.page.url.endswith("/hub/login?next=%2Fhub%2Ftoken")
    sign_in_in_french(alice)
    assert alice.page.url.endswith("/hub/token")
    speaks(alice.page, "fr")
    alice.visit(alice.path("spawn") + "?cpus=2")
    alice.page.get_by_role("button", name="English").click()
    speaks(alice.page, "en")
    assert alice.page.url.endswith(alice.path("spawn") + "?cpus=2")


def test_pages_are_french_for_a_french_browser(
    guest: GuestMaker, cluster: EmbeddedCluster, axe: Axe
) -> None:
    alice = guest("alice-dies", signed_in=False, locale="fr-CA", reduced_motion="reduce")
    page = alice.page
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="dark")

    def judge(name: str, *words: str) -> None:
        speaks(page, "fr")
        for each in words:
            expect(page.locator("body")).to_contain_text(each)
        alice.picture(f"french-{name}")
        assert not axe.grave(page), name
        wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not wide, f"{name} is wider than a phone"

    alice.visit("/hub/login")
    judge("login", "Se connecter", "Langue")
    sign_in_in_french(alice)
    alice.visit("/hub/home")
    judge("home")
    alice.visit("/hub/no-such-page")
    judge("error", "Page introuvable")
    alice.open_form()
    judge("form", "Mémoire")
    with queue.full(cluster):
        page.get_by_role("button", name="Démarrer", exact=True).first.click()
        alice.until_waiting()
        judge("waiting", "file d\u2019attente", "Motif donné par Slurm")
    expect(page.locator("#slurmhub-log")).to_be_visible()
    judge("ended")
    alice.visit("/hub/logout")
    judge("logged-out", "Se connecter")


def test_the_status_is_told_in_the_language_of_who_asks(
    guest: GuestMaker, cluster: EmbeddedCluster
) -> None:
    alice = guest("alice-asks", locale="fr-CA")
    alice.open_form()
    with queue.full(cluster):
        alice.page.get_by_role("button", name="Démarrer", exact=True).first.click()
        alice.until_waiting()
        path = f"/hub/api/slurmhub/status/{alice.name}"
        status = alice.page.evaluate(
            "async path => (await fetch(path + '?_xsrf=' + jhdata.xsrf_token)).json()", path
        )
    assert status["step"] == "queued"
    assert "file d\u2019attente" in status["message"]
    assert "Vous avez demandé" in dict(status["facts"])
