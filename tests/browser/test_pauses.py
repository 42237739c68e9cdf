"""Jobs that the cluster pauses, and a controller that is away: what people see, and find after.

Nothing is lost by either, and no page says that all is well when it is not.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import standard_plan
from tests.browser.conftest import GuestMaker
from tests.browser.guest import Guest
from tests.browser.test_endings import begin, keep_text
from tests.browser.test_home import card
from tests.conftest import hub_settings, running_cluster
from tests.rig import queue
from tests.rig.accounts import PREFIX
from tests.rig.hub import HubUnderTest, Visitor, until

PAUSED = "The cluster has paused this job; it goes on by itself later, and nothing in it is lost."
SILENT = "Slurm does not answer at the moment"
PATIENCE = 15

SETTINGS = """
c.SlurmHubSpawner.unix_account = lambda name: {prefix!r} + name.partition("-")[0]
c.SlurmHubSpawner.watch_interval = 8
c.SlurmHubSpawner.slurm_timeout = 3
c.SlurmHubSpawner.stop_timeout = 1
c.SlurmHubSpawner.launch_timeout = {patience}


def _server(spawner):
    kind = spawner.user.name.partition("-")[2]
    if kind in ("slow", "starting"):
        spawner.environment = {{"STUB_LISTENS_AFTER": "8"}}
    elif kind == "queued":
        spawner.directives = ["--hold"]


c.Spawner.pre_spawn_hook = _server
"""


@pytest.fixture(scope="module")
def cluster(ground: Path, accounts: dict[str, str]) -> Iterator[EmbeddedCluster]:
    """A cluster whose controller may be stopped."""
    with running_cluster(ground, standard_plan) as running:
        yield running


@pytest.fixture(scope="module")
def hub(
    cluster: EmbeddedCluster,
    ground: Path,
    stub: Path,
    proxy_command: list[str],
    code: Path,
) -> Iterator[HubUnderTest]:
    """A hub that looks often, gives up soon, and has servers that take ten seconds to listen."""
    folder = Path(tempfile.mkdtemp(prefix="h", dir=ground))
    extra = SETTINGS.format(prefix=PREFIX, patience=PATIENCE)
    hub = HubUnderTest(folder, hub_settings(cluster, stub, extra), proxy_command, code=code)
    try:
        hub.start()
        yield hub
    finally:
        hub.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _nothing_is_left(cluster: EmbeddedCluster) -> Iterator[None]:
    yield
    queue.clear(cluster)


def test_a_paused_job_is_said_to_be_paused_and_goes_on(
    guest: GuestMaker, hub: HubUnderTest, cluster: EmbeddedCluster, album: Path | None
) -> None:
    alice, bob = guest("alice-ready"), guest("bob-slow")
    ready, starting = hub.visitor(alice.name), hub.visitor(bob.name)
    begin(ready)
    jobs = [ready.wait_ready()["job_id"]]
    begin(starting)
    jobs.append(starting.wait_for("starting")["job_id"])
    cluster.run("scontrol", "suspend", ",".join(map(str, jobs)))
    since = time.monotonic()
    ready.wait_for("paused")
    until(lambda: PAUSED in starting.status()["message"], what="the news for who waits")

    # One was ready: Home says why its pages hang, and has no button to open it.
    alice.visit("/hub/home")
    expect(card(alice)).to_contain_text("Paused")
    expect(card(alice)).to_contain_text(f"{PAUSED} Until then its pages do not answer.")
    expect(card(alice).get_by_role("link", name="Open")).to_have_count(0)
    expect(card(alice).get_by_role("button", name="Stop")).to_be_visible()
    alice.picture("home-paused")
    card(alice).get_by_role("link", name="Show what it waits for").click()
    expect(alice.page.locator("main")).to_contain_text(PAUSED)
    alice.picture("paused")
    # One was not: the page it waits on says so, and the time of the pause is not held against it.
    bob.visit(bob.path("spawn-pending"))
    expect(bob.news).to_have_text(f"{PAUSED} Its server starts then.")
    keep_text(album, "paused", bob)
    bob.visit("/hub/home")
    expect(card(bob)).to_contain_text(PAUSED)
    time.sleep(max(0.0, since + PATIENCE + 2 - time.monotonic()))
    assert starting.status()["step"] == "starting", "it was given up while it could not do anything"

    bob.visit(bob.path("spawn-pending"))
    cluster.run("scontrol", "resume", ",".join(map(str, jobs)))
    bob.until_at_server()
    assert starting.wait_ready()["job_id"] == jobs[1]
    assert ready.wait_ready()["job_id"] == jobs[0]
    assert ready.asks_server()["job"] == str(jobs[0])


def test_a_controller_that_is_away_loses_nobody_anything(
    guest: GuestMaker, hub: HubUnderTest, cluster: EmbeddedCluster, album: Path | None
) -> None:
    kinds = ("queued", "ready", "stopping", "starting")
    people = {kind: guest(f"alice-{kind}") for kind in kinds}
    visitors = {kind: hub.visitor(f"alice-{kind}") for kind in kinds}
    for kind in kinds:
        begin(visitors[kind])
        step = {"queued": "queued", "starting": "starting"}.get(kind)
        if step is None:
            visitors[kind].wait_ready()
        else:
            visitors[kind].wait_for(step)
    jobs = {kind: visitors[kind].status()["job_id"] for kind in kinds}
    people["queued"].visit(people["queued"].path("spawn-pending"))
    cluster.controller_stop()
    try:
        _while_away(people, visitors, album)
        _asks_while_away(guest, hub)
    finally:
        cluster.controller_start()

    # It is back: the page of who waits says so by itself, and all the others have what they had.
    expect(people["queued"].news).not_to_contain_text(SILENT, timeout=30_000)
    assert visitors["queued"].wait_for("queued")["job_id"] == jobs["queued"]
    for kind in ("ready", "starting"):
        assert visitors[kind].wait_ready()["job_id"] == jobs[kind]
        assert visitors[kind].asks_server()["job"] == str(jobs[kind])
    until(lambda: jobs["stopping"] not in queue.jobs(cluster), what="the late cancel")
    stopped = people["stopping"]
    until(lambda: SILENT not in visitors["stopping"].status()["message"], what="the last word")
    stopped.visit(stopped.path("spawn-pending"))
    expect(stopped.news).to_have_text("You stopped this server.")


def _while_away(people: dict[str, Guest], visitors: dict[str, Visitor], album: Path | None) -> None:
    assert visitors["stopping"].stop().status_code in (202, 204)
    waits, begins = people["queued"], people["starting"]
    # This page was open before.
    expect(waits.news).to_contain_text(f"{SILENT}: this is the last it said.", timeout=30_000)
    expect(waits.page.locator("#slurmhub-facts")).to_contain_text("Last news from Slurm")
    keep_text(album, "away-queued", waits)
    waits.picture("waiting-away")
    # A server starts without the controller: the job itself tells that it listens.
    begins.visit(begins.path("spawn-pending"))
    begins.until_at_server()
    assert visitors["ready"].asks_server()["user"]
    people["ready"].visit("/hub/home")
    expect(card(people["ready"])).to_contain_text("Running")
    # The hub asked in vain for an end, and says no more than it knows.
    stops = people["stopping"]
    stops.visit(stops.path("spawn-pending"))
    expect(stops.start_again).to_be_visible()
    keep_text(album, "away-stopping", stops)
    expect(stops.news).to_contain_text("You stopped this server. Slurm has not confirmed that")
    expect(stops.page.locator("#slurmhub-when")).not_to_contain_text("had run")


def _asks_while_away(guest: GuestMaker, hub: HubUnderTest) -> None:
    hub.visitor("alice-new").start(partition="cpu", hours=1)
    hub.visitor("alice-new").wait_for("ended")
    alice = guest("alice-new")
    alice.visit(alice.path("spawn-pending"))
    expect(alice.news).to_have_text("Slurm's controller does not answer.")
    remedy = alice.page.locator("#slurmhub-remedy")
    expect(remedy).to_contain_text("Try again in a few minutes")
    expect(alice.page.locator("#slurmhub-log")).to_contain_text("Unable to contact slurm")
