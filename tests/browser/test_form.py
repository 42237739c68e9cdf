"""The form by way of a link, and after a refusal; for the default server and a named one."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.conftest import GuestMaker
from tests.rig import queue

SERVERS = pytest.mark.parametrize("server", ["", "work"], ids=["default", "named"])
USUAL = {"partition": "cpu", "cpus": "1", "memory": "2", "hours": "1"}
GPU = {"partition": "gpu", "gpus": "0", "gpu_type": ""}


@SERVERS
def test_a_link_fills_in_the_form_and_starts_nothing(
    guest: GuestMaker, cluster: EmbeddedCluster, server: str
) -> None:
    alice = guest("alice-links")
    before = queue.jobs(cluster, "all")
    for query, filled_in in {
        "?opt-partition=gpu&opt-gpus=1": USUAL | GPU | {"gpus": "1", "gpu_type": "h100"},
        "?partition=gpu": USUAL | GPU,
        "?opt-cpus=3&opt-hours=0.5": USUAL | {"cpus": "3", "hours": "0.5"},
        "?colour=blue": USUAL,
        "?opt-colour=blue&opt-cpus=2": USUAL | {"cpus": "2"},
        "?cpus=400": USUAL | {"cpus": "400"},
    }.items():
        alice.open_form(server, query)
        assert alice.filled_in() == filled_in, query
        note = alice.page.locator("#slurmhub-problems")
        if "colour" in query:
            expect(note).to_contain_text("“colour”: There is no such option. It was left out.")
        elif "400" in query:
            expect(alice.problem("cpus")).to_contain_text("at most 8 CPUs")
        else:
            expect(note).to_have_count(0)
    assert alice.hub.visitor(alice.name).status(server)["step"] == "none"
    assert queue.jobs(cluster, "all") == before


def test_a_link_for_everybody_survives_the_sign_in(guest: GuestMaker) -> None:
    alice = guest("alice-new", signed_in=False)
    alice.visit("/hub/spawn?opt-partition=gpu&opt-cpus=5")
    alice.sign_in()
    alice.expect_form()
    assert alice.filled_in() == USUAL | GPU | {"cpus": "5"}


def test_a_refusal_comes_back_filled_in(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    alice = guest("alice-refused")
    asked = {
        "": {"partition": "cpu", "cpus": "400", "memory": "64", "hours": "7"},
        "work": {"partition": "cpu", "cpus": "300", "memory": "3", "hours": "0.5"},
    }
    for server, values in asked.items():
        alice.open_form(server)
        alice.fill(**values)
        # Chromium would not send this many CPUs; whoever does not look at the limits would.
        alice.page.evaluate("document.getElementById('spawn_form').noValidate = true")
        alice.press_start()
        expect(alice.problem("cpus")).to_contain_text("One job in partition cpu can have at most 8")
        assert alice.filled_in() == values, "what was typed for this very server"
        heading = alice.page.get_by_role("heading", level=1)
        expect(heading).to_have_text(f"Start your server{f' “{server}”' if server else ''}")
        expect(alice.problem("memory")).to_have_count(1 if server == "" else 0)
        described = alice.field("cpus").get_attribute("aria-describedby") or ""
        assert "slurmhub-cpus-error" in described.split()
    assert not queue.jobs(cluster)

    alice.fill(cpus="2")
    alice.press_start()
    alice.until_at_server("work")
    alice.open_form()
    assert alice.filled_in() == USUAL, "what was refused is not offered again"


def test_chromium_itself_knows_the_limits(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    alice = guest("alice-limits")
    alice.open_form()
    too_many = "input => !input.validity.valid"
    alice.fill(cpus="9")
    assert alice.field("cpus").evaluate(too_many)
    alice.press_start()
    assert not queue.jobs(cluster)
    alice.fill(partition="gpu", cpus="8", gpus="5")
    assert not alice.field("cpus").evaluate(too_many)
    assert alice.field("gpus").evaluate(too_many)
