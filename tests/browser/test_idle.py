"""A server that nobody uses: the warning on every page, the button that keeps it, its end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.axe import Axe
from tests.browser.conftest import GuestMaker
from tests.browser.test_looks import LOOKS, fits, put_on
from tests.conftest import hub_settings
from tests.rig import queue
from tests.rig.accounts import PREFIX
from tests.rig.hub import HubUnderTest, until

SETTINGS = f"""
c.SlurmHubSpawner.unix_account = lambda name: {PREFIX!r} + name.partition("-")[0]
c.SlurmHubSpawner.idle_policies = {{"": {{"server": "0:20", "warning": "0:15"}}}}
"""


@pytest.fixture
def hub(
    cluster: EmbeddedCluster, ground: Path, stub: Path, proxy_command: list[str], code: Path
) -> Iterator[HubUnderTest]:
    """A hub that soon ends what nobody uses."""
    folder = Path(tempfile.mkdtemp(prefix="h", dir=ground))
    hub = HubUnderTest(folder, hub_settings(cluster, stub, SETTINGS), proxy_command, code=code)
    try:
        hub.start()
        yield hub
    finally:
        hub.stop()
        queue.clear(cluster)
        shutil.rmtree(folder, ignore_errors=True)


def test_an_idle_server_is_warned_kept_and_ended(
    hub: HubUnderTest, guest: GuestMaker, axe: Axe
) -> None:
    who = hub.visitor("alice-idle")
    who.start("lab", partition="cpu", hours=1)
    who.wait_ready("lab")
    until(lambda: who.status("lab")["idle"], seconds=60, what="a warning")
    # Without motion colours change at once, and the checker sees none that is half-way.
    alice = guest("alice-idle", reduced_motion="reduce")
    alice.visit("/hub/home")
    warning = alice.page.locator("[data-slurmhub-idle]")
    expect(warning).to_contain_text("Server “lab”: Nobody has used this server for")
    for look in LOOKS:
        put_on(alice, look)
        assert not axe.grave(alice.page), look.name
        assert fits(alice), look.name
    alice.picture("phone-idle")
    alice.page.get_by_role("button", name="I still need it").click()
    alice.page.wait_for_url("**/hub/home")
    expect(warning).to_have_count(0)

    assert who.wait_for("ended", "lab", seconds=60)["kind"] == "idle"
    until(lambda: who.get("/user/alice-idle/lab/").status_code == 424, what="the page")
    alice.visit("/user/alice-idle/lab/tree")
    heading = alice.page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Your server “lab” was stopped")
    expect(alice.news).to_contain_text("because nobody used it for 2")
    expect(alice.page.locator("#slurmhub-remedy")).to_contain_text("counts as used while")
    for look in LOOKS:
        put_on(alice, look)
        assert not axe.grave(alice.page), look.name
        assert fits(alice), look.name
    alice.picture("phone-idle-ended")
    alice.start_again.click()
    alice.expect_form()
