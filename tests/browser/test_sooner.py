"""The waiting page on a full cluster: the place, what would start sooner, the switch, the bell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.axe import Axe
from tests.browser.conftest import GuestMaker
from tests.browser.guest import Guest
from tests.browser.test_looks import LOOKS, fits, put_on
from tests.rig.accounts import account
from tests.rig.hub import until
from tests.rig.queue import jobs

# Slurm is asked for each shape in turn, a second apart, and plans every 30 seconds.
SLURM_PLANS = 90_000
# Tells the test of each notification that the browser would show.
BELL = """
const Real = window.Notification;
window.Notification = class extends Real {
    constructor(title, options) { super(title, options); window.rang(title); }
};
"""


@contextmanager
def gpus_taken(cluster: EmbeddedCluster) -> Iterator[None]:
    """Three of the four GPUs are in use for half an hour, and somebody waits for all four."""
    common = ("--parsable", "--partition=gpu", "--cpus-per-task=1", "--mem=100M", "--chdir=/")
    silent = ("--output=/dev/null", "--wrap=sleep 900")
    running = int(cluster.run("sbatch", *common, "--gres=gpu:h100:3", "--time=30", *silent))
    until(lambda: running in jobs(cluster, "RUNNING"), what="the blocker to run")
    waiting = int(cluster.run("sbatch", *common, "--gres=gpu:h100:4", "--time=1", *silent))
    try:
        yield
    finally:
        cluster.run("scancel", str(running), str(waiting))
        until(lambda: not {running, waiting} & set(jobs(cluster)), what="the blockers' end")


def start_and_wait(person: Guest) -> None:
    """Ask for all four GPUs."""
    person.hub.visitor(person.name).start(
        partition="gpu", cpus=1, memory="1G", gpus=4, gpu_type="h100", hours="0.4"
    )
    person.visit(person.path("spawn-pending"))
    person.until_waiting()


def suggestion(person: Guest) -> Locator:
    return person.page.get_by_role("button", name="Start with 1 GPU instead")


def fact(person: Guest, label: str) -> Locator:
    """What the page says beside a label."""
    return person.page.locator("#slurmhub-facts dt", has_text=label).locator("+ dd")


def jobs_of(cluster: EmbeddedCluster, name: str) -> list[str]:
    return cluster.run(
        "squeue", "--noheader", "--all", f"--user={account(name)}", "--format=%i"
    ).split()


def test_who_waits_sees_the_place_and_switches_to_what_starts_sooner(
    guest: GuestMaker, cluster: EmbeddedCluster, axe: Axe
) -> None:
    # Whoever has a plain name gets JupyterLab, which signs her in by the second job's token.
    alice = guest("alice", reduced_motion="reduce")
    with gpus_taken(cluster):
        start_and_wait(alice)
        expect(alice.page).to_have_title("In the queue: your server - JupyterHub")
        expect(fact(alice, "Place in the queue")).to_have_text(
            "1 job is before yours in partition gpu", timeout=SLURM_PLANS
        )
        expect(suggestion(alice)).to_be_visible(timeout=SLURM_PLANS)
        expect(alice.page.locator("#slurmhub-sooner")).to_contain_text("It could start now.")
        expect(fact(alice, "Slurm's reason")).to_have_text("Priority")
        expect(alice.news).to_contain_text("Other jobs were first in the queue")
        expect(suggestion(alice)).to_be_visible(timeout=SLURM_PLANS)
        for look in LOOKS:
            put_on(alice, look)
            assert not axe.grave(alice.page), look.name
            assert fits(alice), look.name
            alice.picture(f"{look.name}-sooner")
        put_on(alice, LOOKS[0])
        first = jobs_of(cluster, "alice")
        suggestion(alice).click()
        other = alice.page.locator("#slurmhub-other")
        expect(other).to_contain_text(
            "You asked for this as well: 1 CPU, 1 GB of memory and 1 h100"
        )
        keep = alice.page.get_by_role("button", name="Keep only the first request")
        expect(keep).to_be_visible()
        assert not axe.grave(alice.page)
        alice.picture("switched")
        # The hub may be restarted meanwhile: page and both jobs are still there.
        alice.hub.restart()
        expect(other).to_contain_text("You asked for this as well")
        assert set(first) < set(jobs_of(cluster, "alice"))
        alice.page.wait_for_url(re.compile("/user/alice/lab"), timeout=SLURM_PLANS)
        expect(alice.page.locator("#jp-main-dock-panel")).to_be_visible()
        until(lambda: len(jobs_of(cluster, "alice")) == 1, what="one job")
        assert jobs_of(cluster, "alice") != first


def test_who_changes_their_mind_keeps_the_first_request(
    guest: GuestMaker, cluster: EmbeddedCluster
) -> None:
    bob = guest("bob-plain", java_script_enabled=False)
    with gpus_taken(cluster):
        start_and_wait(bob)
        expect(bob.page).to_have_title("In the queue: your server - JupyterHub")
        # Without a script the page loads itself again.
        expect(suggestion(bob)).to_be_visible(timeout=SLURM_PLANS)
        first = jobs_of(cluster, "bob")
        suggestion(bob).click()
        keep = bob.page.get_by_role("button", name="Keep only the first request")
        expect(keep).to_be_visible()
        until(lambda: len(jobs_of(cluster, "bob")) == 2, what="two jobs")
        keep.click()
        expect(bob.page.locator("#slurmhub-other")).to_be_hidden()
        until(lambda: jobs_of(cluster, "bob") == first, what="the first job alone")
        bob.press_cancel()
        bob.until_ended("You stopped this server.")


def test_who_looks_elsewhere_is_told_once_when_it_is_ready(
    guest: GuestMaker, cluster: EmbeddedCluster
) -> None:
    alice = guest("alice-bell")
    rang: list[str] = []
    alice.page.context.grant_permissions(["notifications"], origin=alice.hub.url)
    alice.page.expose_function("rang", lambda title: rang.append(title))
    alice.page.add_init_script(BELL)
    with gpus_taken(cluster):
        start_and_wait(alice)
        alice.page.get_by_label("Tell me when it is ready").check()
        # It is remembered when the page is loaded again.
        alice.page.reload()
        expect(alice.page.get_by_label("Tell me when it is ready")).to_be_checked()
        assert rang == []
    alice.until_at_server()
    assert rang == ["Ready: your server"]


def test_who_refuses_to_be_told_is_not_told(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    alice = guest("alice-quiet")
    alice.page.add_init_script("Notification.requestPermission = async () => 'denied';")
    with gpus_taken(cluster):
        start_and_wait(alice)
        alice.page.get_by_label("Tell me when it is ready").click()
        expect(alice.page.get_by_text("Your browser does not allow it")).to_be_visible()
        expect(alice.page.get_by_label("Tell me when it is ready")).not_to_be_checked()
    alice.until_at_server()
