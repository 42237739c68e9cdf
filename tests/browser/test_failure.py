"""A person whose job failed sees what happened, the end of its log, and what to do."""

from __future__ import annotations

from playwright.sync_api import expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.conftest import GuestMaker
from tests.rig import queue


def test_a_job_that_dies_at_once(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    alice = guest("alice-dies")
    page = alice.page
    alice.open_form()
    with queue.full(cluster):
        alice.press_start()
        alice.until_waiting()
    alice.until_ended("The server in this job ended by itself (exit code 3).")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your server did not start")
    expect(page.get_by_role("region", name="The end of its log")).to_contain_text(
        "the stub has no licence to run"
    )
    expect(page.get_by_role("heading", name="What you can do")).to_be_visible()
    expect(page.locator("#slurmhub-remedy")).not_to_be_empty()
    alice.picture("failed")
    # For as long as it matters: also by the address of the server.
    alice.visit(f"/user/{alice.name}/lab")
    alice.until_ended("The server in this job ended by itself (exit code 3).")
    alice.start_again.click()
    alice.expect_form()


def test_a_job_that_is_killed_while_it_is_used(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    alice = guest("alice-killed")
    alice.open_form()
    alice.press_start()
    alice.until_at_server()
    (job,) = queue.jobs(cluster, "RUNNING")
    cluster.run("scancel", str(job))
    queue.until_empty(cluster)
    alice.hub.visitor(alice.name).wait_for("ended")
    alice.visit(f"/user/{alice.name}/lab")
    print(alice.page.url, alice.page.content())
    alice.picture("killed")


def test_a_request_that_was_refused_is_not_taken_for_the_last_job(guest: GuestMaker) -> None:
    alice = guest("alice-refused-later")
    alice.open_form()
    alice.page.evaluate("document.getElementById('spawn_form').noValidate = true")
    alice.fill(cpus="400")
    alice.press_start()
    expect(alice.problem("cpus")).to_be_visible()
    alice.visit(f"/user/{alice.name}/lab")
    alice.until_ended("One job in partition cpu can have at most 8 CPUs")
