"""A server that nobody uses: the warning on every page, the button that keeps it, its end."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.axe import Axe
from tests.browser.conftest import GuestMaker
from tests.browser.test_looks import LOOKS, fits, put_on
from tests.conftest import hub_settings
from tests.rig import queue
from tests.rig.accounts import PREFIX
from tests.rig.hub import HubUnderTest, until
from tests.rig.jupyterlab import new_notebook

SETTINGS = f"""
c.SlurmHubSpawner.unix_account = lambda name: {PREFIX!r} + name.partition("-")[0]
c.SlurmHubSpawner.idle_policies = {{"": {{"server": "0:20", "warning": "0:15"}}}}
"""
# A real JupyterLab, which reports soon; the hub asks its proxy as often as it can.
LAB = f"""
c.SlurmHubSpawner.unix_account = lambda name: {PREFIX!r} + name.partition("-")[0]
c.SlurmHubSpawner.idle_policies = {{"": {{"server": "0:50", "warning": "0:25"}}}}
c.JupyterHub.last_activity_interval = 2
c.Spawner.cmd = [{{jupyter!r}}]
c.Spawner.default_url = "/lab"
c.Spawner.environment = {{
    "JUPYTER_CONFIG_PATH": {{config!r}}, "JUPYTERHUB_ACTIVITY_INTERVAL": "4"
}}
"""


@pytest.fixture
def hub(
    request: pytest.FixtureRequest,
    cluster: EmbeddedCluster,
    ground: Path,
    stub: Path,
    jupyter: Path,
    jupyter_config: Path,
    proxy_command: list[str],
    code: Path,
) -> Iterator[HubUnderTest]:
    """A hub that soon ends what nobody uses, with the settings that the test brings."""
    folder = Path(tempfile.mkdtemp(prefix="h", dir=ground))
    settings = hub_settings(cluster, stub, getattr(request, "param", SETTINGS))
    settings = settings.replace("{jupyter!r}", repr(str(jupyter)))
    settings = settings.replace("{config!r}", repr(str(jupyter_config)))
    hub = HubUnderTest(folder, settings, proxy_command, code=code)
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
    until(lambda: who.status("lab")["idle"], what="a warning")
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

    assert who.wait_for("ended", "lab")["kind"] == "idle"
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


@pytest.mark.parametrize("hub", [LAB], indirect=True, ids=["jupyterlab"])
def test_an_open_tab_is_no_use_but_saving_and_computing_are(
    hub: HubUnderTest, guest: GuestMaker
) -> None:
    # Somebody whose home, and JupyterLab as it was left, no other test of this folder looks at.
    who = hub.visitor("mallory")
    who.start(partition="cpu", memory="2G", hours=1)
    who.wait_ready()
    mallory = guest("mallory")
    mallory.visit("/user/mallory/lab")
    page = mallory.page
    new_notebook(page)
    polled: list[str] = []
    page.on("request", lambda request: polled.append(request.url))
    # Nobody does anything; the tab is open, in sight, and asks its server every ten seconds.
    within(90, page, lambda: who.status()["idle"], "a warning in spite of the tab")
    assert [url for url in polled if "/api/sessions" in url]
    # JupyterHub itself holds it for used a moment ago.
    seen = who.api("GET", "/users/mallory").json()["servers"][""]["last_activity"]
    assert datetime.fromisoformat(seen.replace("Z", "+00:00")).timestamp() > time.time() - 20
    page.locator(".jp-Notebook .cm-content").first.click()
    page.keyboard.insert_text("import time; time.sleep(45); print('done')")
    page.keyboard.press("Control+s")
    # A notebook that never had a name is asked for one.
    page.locator(".jp-Dialog button.jp-mod-accept").click()
    within(20, page, lambda: not who.status()["idle"], "the warning taken back")
    page.locator(".jp-Notebook .cm-content").first.click()
    # Silent for longer than it takes to be warned.
    page.keyboard.press("Shift+Enter")
    output = page.locator(".jp-OutputArea-output").filter(has_text="done")
    while not output.count():
        assert who.status()["idle"] is None
        page.wait_for_timeout(1000)
    within(90, page, lambda: who.status()["idle"], "another warning")
    # Who reads is told there, too: the bar asks the hub, as it does every five minutes.
    page.locator(".slurmhub-lab").click()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page.get_by_text("Nobody has used this server for")).to_be_visible()
    mallory.picture("lab-idle")
    page.get_by_role("button", name="I still need it").click()
    within(20, page, lambda: not who.status()["idle"], "what keeps the server")
    expect(page.get_by_text("Nobody has used this server for")).to_have_count(0)
    assert who.status()["step"] == "ready"


def within(seconds: float, page: Page, true: Callable[[], Any], what: str) -> None:
    """Wait for something while the page goes on to live: its requests pass through the test."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{what} did not come"
        page.wait_for_timeout(500)
