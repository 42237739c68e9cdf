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
    # For as long as it matters: also by the address of the server.
    alice.visit(f"/user/{alice.name}/lab")
    alice.until_ended("The server in this job ended by itself (exit code 3).")
    alice.start_again.click()
    alice.expect_form()


def test_a_job_that_dies_within_a_second_has_the_same_page(guest: GuestMaker) -> None:
    alice = guest("alice-dies")
    alice.open_form()
    alice.press_start()
    alice.until_ended("The server in this job ended by itself (exit code 3).")
    expect(alice.page.locator("#slurmhub-log")).to_contain_text("no licence to run")


def test_a_new_start_is_not_taken_for_the_end_of_the_last(
    guest: GuestMaker, cluster: EmbeddedCluster
) -> None:
    alice = guest("alice-slow")
    alice.open_form()
    with queue.full(cluster):
        alice.press_start()
        alice.until_waiting()
        expect(alice.page.locator("#slurmhub-facts")).to_contain_text("Job")
        alice.press_cancel()
        alice.until_ended("You stopped this server.")
    alice.start_again.click()
    alice.expect_form()
    alice.press_start()
    alice.until_waiting()
    expect(alice.news).to_have_text("The hub is preparing your server.")
    alice.until_at_server()


def test_a_job_that_is_cancelled_while_it_is_used(
    guest: GuestMaker, cluster: EmbeddedCluster
) -> None:
    alice = guest("alice-cut")
    heading = alice.page.get_by_role("heading", level=1)
    alice.open_form()
    alice.press_start()
    alice.until_at_server()
    (job,) = queue.jobs(cluster, "RUNNING")
    cluster.run("scancel", str(job))
    alice.hub.visitor(alice.name).wait_for("ended")
    alice.visit(f"/user/{alice.name}/lab")
    alice.until_ended("The job was cancelled, but not by you")
    expect(heading).to_have_text("Your server has ended")
    expect(alice.page.locator("#slurmhub-remedy")).to_contain_text("start it again")

    # What is refused later is not taken for the end of that job.
    alice.start_again.click()
    alice.expect_form()
    alice.page.evaluate("document.getElementById('spawn_form').noValidate = true")
    alice.fill(cpus="400")
    alice.press_start()
    expect(alice.problem("cpus")).to_be_visible()
    alice.visit(f"/user/{alice.name}/lab")
    alice.until_ended("One job in partition cpu can have at most 8 CPUs")
    expect(heading).to_have_text("Your server did not start")
    expect(alice.page.get_by_role("heading", name="How its last job ended")).to_be_visible()


def test_a_start_that_fails_before_it_has_a_job(guest: GuestMaker) -> None:
    # Nobody has made a Unix account for this person.
    ghost = guest("ghost")
    ghost.open_form()
    ghost.press_start()
    ghost.until_ended("There is no account")
    expect(ghost.page.get_by_role("heading", level=1)).to_have_text("Your server did not start")
    expect(ghost.page.get_by_role("heading", name="What you can do")).to_be_visible()
    expect(ghost.news).not_to_contain_text("support")
    expect(ghost.page.locator("#slurmhub-remedy")).to_contain_text("ask your support")
    # What is not ours has the same shape, with the little that is known.
    alice = guest("alice-breaks")
    alice.open_form()
    alice.press_start()
    alice.until_ended("The hub could not start it.")
    expect(alice.page.locator("#slurmhub-remedy")).to_contain_text("show this page to your support")


def test_a_failure_within_a_second_is_told_where_the_focus_is(guest: GuestMaker) -> None:
    alice = guest("alice-stumbles")
    alice.open_form()
    alice.press_start()
    said = alice.page.get_by_role("alert")
    expect(said).to_contain_text("Error")
    expect(said).to_be_focused()
