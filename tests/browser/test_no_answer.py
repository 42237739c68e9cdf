"""A server that has just died and is still taken for running: the proxy's page, and ours."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.axe import Axe
from tests.browser.conftest import GuestMaker
from tests.browser.guest import Guest
from tests.browser.test_looks import LOOKS, fits, put_on
from tests.rig import queue
from tests.rig.hub import until
from tests.rig.job_processes import dead_unnoticed

SILENT = "Your server does not answer"
OURS = re.compile("/hub/slurmhub/no-answer[?]")


def test_who_reloads_is_told_and_led_to_what_happened(
    guest: GuestMaker, cluster: EmbeddedCluster, axe: Axe
) -> None:
    alice = guest("alice-silent", reduced_motion="reduce")
    job = running(alice, cluster)
    with dead_unnoticed(job):
        alice.visit(f"/user/{alice.name}/lab/tree/a%20b.ipynb?x=1")
        alice.page.wait_for_url(OURS)
        expect(alice.page).to_have_title(f"{SILENT} - JupyterHub")
        expect(alice.page.get_by_role("heading", level=1)).to_have_text(SILENT)
        expect(alice.page.get_by_role("status")).to_contain_text("It may just have ended.")
        again = alice.page.get_by_role("link", name="Look again")
        expect(again).to_have_attribute("href", f"/user/{alice.name}/lab/tree/a%20b.ipynb?x=1")
        expect(alice.page.get_by_role("main").get_by_role("link", name="Home")).to_be_visible()
        for look in LOOKS:
            put_on(alice, look)
            assert not axe.grave(alice.page), look.name
            assert fits(alice), look.name
            alice.picture(f"{look.name}-no-answer")
        again.click()
        alice.page.wait_for_url(OURS)
    # The page itself looks again, and finds what happened.
    alice.until_ended("was killed")
    expect(alice.page.get_by_role("heading", level=1)).to_have_text("Your server has ended")


def test_a_job_that_was_just_cancelled(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    alice = guest("alice-gone")
    job = running(alice, cluster)
    cluster.run("scancel", str(job))
    # As soon as it is dead, and whoever is first to know.
    until(lambda: alice.visit(f"/user/{alice.name}/lab").status != 200, what="the server's end")
    alice.until_ended("The job was cancelled")


def test_a_server_that_is_told_to_stop(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    alice = guest("alice-saves")
    running(alice, cluster)
    alice.visit("/hub/home")
    card = alice.page.get_by_role("region", name="My server")
    card.get_by_role("button", name="Stop", exact=True).click()
    # Not to the server, which still answers while it saves.
    alice.page.wait_for_url(OURS)
    heading = alice.page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Your server is being stopped")
    expect(alice.page).to_have_title("Your server is being stopped - JupyterHub")
    alice.until_ended("You stopped this server.")


def test_a_server_that_is_paused(guest: GuestMaker, cluster: EmbeddedCluster, axe: Axe) -> None:
    alice = guest("alice-pauses", reduced_motion="reduce")
    job = running(alice, cluster)
    cluster.run("scontrol", "suspend", str(job))
    try:
        alice.hub.visitor(alice.name).wait_for("paused")
        alice.visit("/hub/home")
        alice.page.get_by_role("link", name="Show what it waits for").click()
        alice.page.wait_for_url(OURS)
        heading = alice.page.get_by_role("heading", level=1)
        expect(heading).to_have_text("Your server is paused")
        expect(alice.page.get_by_role("status")).to_contain_text("The cluster has paused this job")
        assert not axe.grave(alice.page)
    finally:
        cluster.run("scontrol", "resume", str(job))
    alice.until_at_server()


def test_a_named_server_and_french(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    alice = guest("alice-mute", locale="fr-FR")
    job = running(alice, cluster, "work")
    with dead_unnoticed(job):
        alice.visit(f"/user/{alice.name}/work/lab")
        alice.page.wait_for_url(OURS)
        heading = alice.page.get_by_role("heading", level=1)
        expect(heading).to_have_text("Votre serveur « work » ne répond pas")
    expect(heading).to_have_text("Votre serveur « work » s\u2019est terminé")


def test_others_learn_nothing(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    alice, bob = guest("alice-private"), guest("bob")
    stranger = guest("nobody", signed_in=False)
    job = running(alice, cluster)
    with dead_unnoticed(job):
        pages = []
        for who in (bob, stranger):
            answer = who.visit(f"/user/{alice.name}/lab")
            assert answer.status == 503
            expect(who.page.get_by_role("heading", level=1)).to_have_text(SILENT)
            who.page.wait_for_load_state("networkidle")
            assert who.page.url.endswith(f"/user/{alice.name}/lab"), "nobody else is led on"
            expect(who.page.locator("body")).not_to_contain_text(str(job))
            pages.append(who.page.locator("main").inner_text())
        assert pages[0] == pages[1]
    ours = f"/hub/slurmhub/no-answer?url=/user/{alice.name}/lab"
    nowhere = "/hub/slurmhub/no-answer?url=/user/nobody-at-all/lab"
    assert bob.visit(ours).status == bob.visit(nowhere).status == 404
    stranger.visit(ours)
    assert "/hub/login" in stranger.page.url


def test_only_the_address_of_a_server_is_led_to(guest: GuestMaker) -> None:
    alice = guest("alice-led")
    for address in (
        "https://example.org/user/alice-led/",
        "//example.org/user/alice-led/",
        "/hub/home",
        "/user/alice-led/../../hub/home",
        "/user/alice-led/%2e%2e/x",
        "/user/",
        "",
    ):
        answer = alice.page.request.get("/hub/slurmhub/no-answer", params={"url": address})
        if address.startswith(("https:", "//")):
            # Of a whole address only the path is read.
            assert answer.url.startswith(alice.hub.url + "/hub/"), address
        else:
            assert answer.status == 404, address


def test_without_javascript_the_page_loads_itself_again(
    guest: GuestMaker, cluster: EmbeddedCluster
) -> None:
    alice = guest("alice-still", java_script_enabled=False)
    alice.open_form()
    alice.press_start()
    alice.until_at_server()
    (job,) = queue.jobs(cluster, "RUNNING")
    with dead_unnoticed(job):
        assert alice.visit(f"/user/{alice.name}/lab").status == 503
        expect(alice.page.get_by_role("heading", level=1)).to_have_text(SILENT)
        expect(alice.page.get_by_text("JupyterHub requires JavaScript")).to_be_hidden()
    alice.until_ended("was killed")


def running(guest: Guest, cluster: EmbeddedCluster, server: str = "") -> int:
    """The job of a server that this person has just begun to use."""
    guest.open_form(server)
    guest.page.locator("#spawn_form [data-slurmhub-start]").click()
    guest.until_at_server(server)
    (job,) = queue.jobs(cluster, "RUNNING")
    return job
