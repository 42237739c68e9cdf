"""Whoever waits can read the script, cancel, and is not lost when the hub is away."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from slurmhub.keys import load_key, server_token
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.conftest import GuestMaker
from tests.browser.guest import Guest
from tests.rig import queue
from tests.rig.accounts import account
from tests.rig.hub import until


@pytest.mark.parametrize("server", ["", "work"], ids=["default", "named"])
def test_who_waits_may_cancel(guest: GuestMaker, cluster: EmbeddedCluster, server: str) -> None:
    alice = guest("alice-cancels")
    alice.open_form(server)
    alice.fill(cpus="2", hours="0.5")
    with queue.full(cluster):
        alice.press_start()
        alice.until_waiting(server)
        assert _jobs_of_alice(cluster)
        _tab_to(alice, "Cancel this server")
        alice.page.keyboard.press("Enter")
        alice.until_ended("You stopped this server.")
        assert not _jobs_of_alice(cluster)
    heading = alice.page.get_by_role("heading", level=1)
    expect(heading).to_have_text(f"Your server{f' “{server}”' if server else ''} was stopped")
    alice.start_again.click()
    alice.expect_form()
    assert alice.filled_in() == {"partition": "cpu", "cpus": "2", "memory": "2", "hours": "0.5"}


def test_the_job_script_can_be_read_and_holds_no_token(
    guest: GuestMaker, cluster: EmbeddedCluster
) -> None:
    alice = guest("alice-reads")
    alice.open_form()
    alice.fill(cpus="2")
    with queue.full(cluster):
        alice.press_start()
        alice.until_waiting()
        alice.page.get_by_role("link", name="Show the job script").click()
        alice.page.wait_for_url("**" + alice.path("slurmhub/script"))
        script = alice.page.locator("body").inner_text()
        assert "#SBATCH --cpus-per-task=2" in script
        (nonce,) = re.findall(r"#SBATCH --comment=slurmhub:v1:\S*:([0-9a-f]{32})\n", script)
        token = server_token(load_key(alice.hub.folder / "slurmhub_key"), nonce)
        assert token not in script
        assert "API_TOKEN" not in script
        assert guest("bob").visit(alice.path("slurmhub/script")).status in (403, 404)


def test_who_waits_is_not_lost_when_the_hub_is_away(
    guest: GuestMaker, cluster: EmbeddedCluster
) -> None:
    alice = guest("alice-patient")
    alice.open_form()
    with queue.full(cluster):
        alice.press_start()
        alice.until_waiting()
        alice.hub.stop_hub()
        trouble = alice.page.get_by_role("alert")
        expect(trouble).to_have_text(
            "The hub does not answer just now. Your server is not affected."
        )
        alice.hub.start_hub()
        expect(trouble).to_be_hidden()
        expect(alice.news).to_contain_text("in the queue")
    alice.until_at_server()


def _jobs_of_alice(cluster: EmbeddedCluster) -> str:
    return cluster.run("squeue", "--noheader", "--all", f"--user={account('alice')}")


def _tab_to(guest: Guest, name: str) -> None:
    """Go there as one does without a mouse."""

    def there() -> bool:
        guest.page.keyboard.press("Tab")
        return bool(guest.page.evaluate("document.activeElement.textContent.trim()") == name)

    until(there, what=f"the focus on {name!r}")
