"""From the sign-in page to a cell that has run, and back: what every student does."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.conftest import GuestMaker
from tests.rig import queue
from tests.rig.accounts import account
from tests.rig.hub import until

ASKED = {
    "partition": "gpu",
    "cpus": "2",
    "memory": "4",
    "gpus": "1",
    "gpu_type": "h100",
    "hours": "3",
}
CELL = """import os
print("job", os.environ["SLURM_JOB_ID"], "with GPU", os.environ["CUDA_VISIBLE_DEVICES"])"""


def test_a_student_works_in_jupyterlab(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    alice = guest("alice")
    page = alice.page
    page.wait_for_url("**/hub/spawn")
    assert alice.choices("partition") == ["cpu", "gpu"]
    assert "h100" in alice.choices("gpu_type")
    alice.fill(**ASKED)
    alice.picture("form")
    with queue.full(cluster):
        blockers = set(queue.jobs(cluster))
        alice.press_start()
        alice.until_waiting()
        page.evaluate("window.sameDocument = true")
        expect(alice.news).to_contain_text("It is next; what it asks for is in use")
        expect(page.locator("#slurmhub-facts")).to_contain_text(
            "2 CPUs, 4 GB of memory and 1 h100 GPU for 3 hours, in partition gpu"
        )
        expect(page.locator("[aria-current=step]")).to_contain_text("The job waits in the queue")
        assert page.evaluate("window.sameDocument"), "the page tells news without loading again"
        (job,) = set(queue.jobs(cluster, "PENDING")) - blockers
        alice.picture("waiting")
    alice.until_at_server()
    assert _run_cell(page) == f"job {job} with GPU {_gpu(cluster, job)}"
    assert _squeue(cluster, job) == f"{account('alice')} gpu 2 4G gres:gpu:h100:1 3:00:00"
    alice.picture("jupyterlab")

    alice.visit("/hub/home")
    page.get_by_role("button", name="Stop My Server").click()
    expect(page.get_by_role("button", name="Start My Server")).to_be_visible()
    until(lambda: job not in queue.jobs(cluster), what="the end of the job")
    page.get_by_role("button", name="Start My Server").click()
    alice.expect_form()
    assert alice.filled_in() == ASKED
    alice.press_start()
    alice.until_at_server()
    (again,) = queue.jobs(cluster, "RUNNING")
    assert again != job


def _run_cell(page: Page) -> str:
    """Open a notebook, run one cell in it, and read what it prints."""
    page.locator('.jp-LauncherCard[data-category="Notebook"]').first.click()
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible()
    page.locator(".jp-Notebook .cm-content").first.click()
    page.keyboard.insert_text(CELL)
    page.keyboard.press("Shift+Enter")
    output = page.locator(".jp-OutputArea-output pre").first
    expect(output).to_be_visible()
    return output.inner_text().strip()


def _squeue(cluster: EmbeddedCluster, job: int) -> str:
    return cluster.run("squeue", "--noheader", f"--jobs={job}", "--format=%u %P %C %m %b %l")


def _gpu(cluster: EmbeddedCluster, job: int) -> str:
    """The index of the GPU that the controller gave the job."""
    found = re.search(r"IDX:(\d+)", cluster.run("scontrol", "--details", "show", "job", str(job)))
    assert found
    return found[1]
