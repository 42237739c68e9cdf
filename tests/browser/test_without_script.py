"""Everything but JupyterHub's own home page works without JavaScript."""

from __future__ import annotations

from playwright.sync_api import expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.conftest import GuestMaker
from tests.rig import queue

BANNER = "JupyterHub requires JavaScript"


def test_a_server_without_javascript(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    alice = guest("alice-plain", java_script_enabled=False)
    alice.open_form()
    expect(alice.page.get_by_text(BANNER)).to_be_hidden()
    alice.fill(partition="gpu", gpus="1", gpu_type="h100")
    with queue.full(cluster):
        alice.press_start()
        alice.until_waiting()
        expect(alice.page.get_by_text(BANNER)).to_be_hidden()
        expect(alice.news).to_contain_text("in the queue")
        alice.press_cancel()
        alice.until_ended("You stopped this server.")
        alice.start_again.click()
        alice.expect_form()
        alice.press_start()
        alice.until_waiting()
    alice.until_at_server()
