"""Home while servers run, wait and have ended: what they use, their time, what can be done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.axe import Axe
from tests.browser.conftest import GuestMaker
from tests.browser.guest import Guest
from tests.browser.test_looks import LOOKS, fits, put_on
from tests.rig import queue
from tests.rig.hub import HubUnderTest, until


def card(guest: Guest, server: str = "") -> Locator:
    """The card of one server on the home page."""
    return guest.page.locator(f'[data-slurmhub-server="{server}"]')


def limit_of(cluster: EmbeddedCluster, job: int) -> str:
    """The job's time limit, as squeue has it."""
    return cluster.run("squeue", "--noheader", "--format=%l", f"--jobs={job}").strip()


@contextmanager
def two_servers(hub: HubUnderTest, cluster: EmbeddedCluster, name: str) -> Iterator[int]:
    """A ready server of this hub user, whose job is yielded, and a named one that waits."""
    visitor = hub.visitor(name)
    visitor.start(partition="gpu", cpus=2, memory="4G", gpus=1, hours=1)
    job = int(visitor.wait_ready()["job_id"])
    blocker = cluster.run(
        *("sbatch", "--parsable", "--exclusive", "--partition=cpu", "--nodes=2", "--time=30"),
        *("--output=/dev/null", "--chdir=/", "--wrap=sleep 900"),
    )
    until(lambda: int(blocker) in queue.jobs(cluster, "RUNNING"), what="the blocker to run")
    visitor.start("lab", partition="cpu", hours=2)
    visitor.wait_for("queued", "lab")
    yield job


def home_with_use(guest: Guest, words: str) -> None:
    """The home page, loaded again until the running server has told what it uses."""

    def told() -> bool:
        guest.visit("/hub/home")
        return words in card(guest).inner_text()

    until(told, what=words)


def test_home_shows_every_server_and_gives_more_time(
    guest: GuestMaker, hub: HubUnderTest, cluster: EmbeddedCluster, axe: Axe
) -> None:
    with two_servers(hub, cluster, "alice-home") as job:
        # Without motion colours change at once, and the checker sees none that is half-way.
        alice = guest("alice-home", reduced_motion="reduce")
        home_with_use(alice, "Memory")
        mine, named = card(alice), card(alice, "lab")
        expect(mine).to_contain_text("Running")
        expect(mine).to_contain_text("minutes left")
        expect(mine).to_contain_text("2 CPUs, 4 GB of memory and 1 h100 GPU for 1 hour")
        expect(mine).to_contain_text(f"Job {job}")
        expect(mine.get_by_role("progressbar")).to_have_count(2)
        expect(named).to_contain_text("In the queue")
        # Each server once, whatever JupyterHub's own page shows.
        expect(alice.page.get_by_role("button", name="Stop")).to_have_count(2)
        expect(alice.page.locator(".server-table, #start, #stop")).to_have_count(0)
        for look in LOOKS:
            put_on(alice, look)
            assert not axe.grave(alice.page), look.name
            assert fits(alice), look.name
            alice.picture(f"home-{look.name}")
        put_on(alice, LOOKS[0])

        mine.get_by_role("button", name="1 hour more").click()
        expect(mine.get_by_role("status")).to_have_text("The server has 1 hour more.")
        assert limit_of(cluster, job) == "2:00:00"
        alice.picture("home-extended")
        named.get_by_role("link", name="Log").click()
        expect(alice.page.locator("main")).to_contain_text("There is no log yet.")
        alice.visit("/hub/home")
        mine.get_by_role("link", name="Log").click()
        expect(alice.page.locator("#slurmhub-log")).to_contain_text("the stub listens")
        for look in LOOKS:
            put_on(alice, look)
            assert not axe.grave(alice.page), f"log, {look.name}"
            assert fits(alice), f"log, {look.name}"
            alice.picture(f"log-{look.name}")
        put_on(alice, LOOKS[0])
        alice.visit("/hub/home")
        mine.get_by_role("link", name="Open").click()
        alice.until_at_server()


def test_home_brings_news_by_itself(
    guest: GuestMaker, hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    visitor = hub.visitor("alice-news")
    visitor.start(partition="cpu", hours=1)
    job = int(visitor.wait_ready()["job_id"])
    alice = guest("alice-news")
    alice.page.clock.install()
    alice.visit("/hub/home")
    expect(card(alice)).to_contain_text("Running")
    alice.page.evaluate("window.sameDocument = true")
    cluster.run("scancel", str(job))
    visitor.wait_for("ended")
    alice.page.clock.run_for(31_000)
    expect(card(alice)).to_contain_text("Ended")
    assert alice.page.evaluate("window.sameDocument"), "the page tells news without loading again"


def test_it_is_stopped_and_started_again_with_the_same_options_without_javascript(
    guest: GuestMaker, hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    visitor = hub.visitor("alice-plain")
    visitor.start(partition="cpu", cpus=3, memory="3G", hours="0:40:00")
    job = int(visitor.wait_ready()["job_id"])
    alice = guest("alice-plain", java_script_enabled=False)
    alice.visit("/hub/home")
    card(alice).get_by_role("button", name="1 hour more").click()
    expect(card(alice)).to_contain_text("The server has 1 hour more.")
    assert limit_of(cluster, job) == "1:40:00"
    card(alice).get_by_role("button", name="Stop").click()
    visitor.wait_for("ended")
    until(lambda: job not in queue.jobs(cluster), what="its end")
    alice.visit("/hub/home")
    expect(card(alice)).to_contain_text("Ended")
    alice.picture("home-ended")
    card(alice).get_by_role("button", name="Start again with the same options").click()
    again = int(visitor.wait_ready()["job_id"])
    assert again != job
    asked = cluster.run("squeue", "--noheader", "--format=%C %m %l %P", f"--jobs={again}")
    # Not the time that was given later: that was for the other one.
    assert asked.split() == ["3", "3G", "40:00", "cpu"]
    alice.visit("/hub/home")
    card(alice).get_by_role("link", name="Open").click()
    alice.until_at_server()


def test_a_server_that_soon_ends_says_so(
    guest: GuestMaker, hub: HubUnderTest, cluster: EmbeddedCluster, axe: Axe
) -> None:
    visitor = hub.visitor("alice-soon")
    visitor.start(partition="cpu", hours="0:05:00")
    visitor.wait_ready()
    alice = guest("alice-soon", viewport=LOOKS[1].viewport, color_scheme="dark")
    alice.visit("/hub/home")
    expect(card(alice)).to_contain_text("It ends in")
    expect(card(alice)).to_contain_text("Save your work.")
    assert not axe.grave(alice.page)
    alice.picture("home-soon")


@pytest.mark.parametrize("script", [True, False], ids=["with", "without-javascript"])
def test_a_named_server_is_named_started_and_deleted_from_home(
    guest: GuestMaker, hub: HubUnderTest, axe: Axe, script: bool
) -> None:
    name = f"alice-names{int(script)}"
    alice = guest(name, java_script_enabled=script, reduced_motion="reduce")
    alice.visit("/hub/home")
    expect(card(alice)).to_contain_text("It has not been started yet.")
    expect(alice.page.get_by_role("heading", level=1)).to_have_text("Your servers")
    alice.page.get_by_label("Its name").fill("  Été,  big GPU ")
    alice.page.get_by_role("button", name="Choose its options").click()
    alice.expect_form()
    heading = alice.page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Start your server “Été, big GPU”")
    alice.visit("/hub/home")
    cards = alice.page.locator("[data-slurmhub-server]")
    expect(cards).to_have_count(2)
    server = str(cards.nth(1).get_attribute("data-slurmhub-server"))
    mine = card(alice, server)
    expect(mine.get_by_role("heading")).to_have_text("Server “Été, big GPU”")
    if script:
        for look in LOOKS:
            put_on(alice, look)
            assert not axe.grave(alice.page), look.name
            assert fits(alice), look.name
    mine.get_by_role("link", name="Start").click()
    alice.expect_form()
    alice.fill(partition="cpu", hours="1")
    alice.press_start()
    hub.visitor(name).wait_ready(server)
    alice.visit("/hub/home")
    expect(mine.get_by_text("Delete")).to_have_count(0)
    answer = hub.visitor(name).post(f"/hub/slurmhub/forget/{name}/{server}", {})
    assert answer.status_code == 409
    mine.get_by_role("button", name="Stop").click()
    hub.visitor(name).wait_for("ended", server)
    alice.visit(f"/hub/user/{name}/{server}/")
    expect(heading).to_have_text("Your server “Été, big GPU” was stopped")
    alice.visit(f"/hub/slurmhub/log/{name}/{server}")
    expect(heading).to_have_text("Log of server “Été, big GPU”")
    visitor = hub.visitor(name)
    until(lambda: not visitor.api("GET", f"/users/{name}").json()["servers"], what="its end")
    alice.visit("/hub/home")
    mine.get_by_text("Delete", exact=True).click()
    mine.get_by_role("button", name="Delete this server").click()
    expect(mine).to_have_count(0)
    expect(cards).to_have_count(1)


def test_what_happened_to_a_named_server_is_told_while_the_default_one_runs(
    guest: GuestMaker, hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    visitor = hub.visitor("alice-both")
    visitor.start(partition="cpu", hours=1)
    visitor.wait_ready()
    visitor.start("lab", partition="cpu", hours=1)
    job = int(visitor.wait_ready("lab")["job_id"])
    cluster.run("scancel", str(job))
    visitor.wait_for("ended", "lab")
    until(lambda: "/user/alice-both/lab/" not in hub.routes(), what="its route gone")
    alice = guest("alice-both")
    alice.visit("/hub/home")
    card(alice, "lab").get_by_role("link", name="What happened").click()
    alice.until_ended("cancelled")
    log = next(line for line in hub.log.splitlines() if f"job {job} on " in line)
    assert "alice-both:lab" in log
    assert "ended (cancelled). " in log
    assert "cancelled, but not by you" in log
