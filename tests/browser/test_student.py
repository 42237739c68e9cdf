"""From the sign-in page to a cell that has run, and back: what every student does."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.conftest import GuestMaker
from tests.rig import queue
from tests.rig.accounts import account
from tests.rig.hub import until
from tests.rig.jupyterlab import new_notebook, open_empty

ASKED = {
    "partition": "gpu",
    "cpus": "2",
    "memory": "4",
    "gpus": "1",
    "gpu_type": "h100",
    "hours": "3",
}
QUEUE = "%8i %10P %5C %8m %16b %10l %N"
CELLS = (
    """import os
print("job", os.environ["SLURM_JOB_ID"])
print("GPU", os.environ["CUDA_VISIBLE_DEVICES"])""",
    f'!squeue --me -o "{QUEUE}"',
)


def test_a_student_works_in_jupyterlab(guest: GuestMaker, cluster: EmbeddedCluster) -> None:
    bob = guest("bob")
    page = bob.page
    page.wait_for_url("**/hub/spawn")
    assert bob.choices("partition") == ["cpu", "gpu"]
    assert "h100" in bob.choices("gpu_type")
    bob.fill(**ASKED)
    bob.picture("form")
    with queue.full(cluster):
        blockers = set(queue.jobs(cluster))
        bob.press_start()
        bob.until_waiting()
        page.evaluate("window.sameDocument = true")
        expect(bob.news).to_contain_text("It is next; what it asks for is in use")
        expect(page.locator("#slurmhub-facts")).to_contain_text(
            "2 CPUs, 4 GB of memory and 1 h100 GPU for 3 hours, in partition gpu"
        )
        expect(page.locator("[aria-current=step]")).to_contain_text("The job waits in the queue")
        assert page.evaluate("window.sameDocument"), "the page tells news without loading again"
        (job,) = set(queue.jobs(cluster, "PENDING")) - blockers
        bob.picture("waiting")
    bob.until_at_server()
    of_job, of_queue = _run_cells(page)
    assert of_job == f"job {job}\nGPU {_gpu(cluster, job)}"
    assert f"{job} " in of_queue
    assert "gpu:h100:1" in of_queue
    assert of_queue == cluster.run("squeue", f"--user={account('bob')}", "-o", QUEUE)
    page.set_viewport_size({"width": 1100, "height": 440})
    bob.picture("jupyterlab")

    bob.visit("/hub/home")
    page.get_by_role("button", name="Stop").click()
    until(lambda: job not in queue.jobs(cluster), what="the end of the job")
    bob.visit("/hub/home")
    page.get_by_role("link", name="Choose other options").click()
    bob.expect_form()
    assert bob.filled_in() == ASKED
    bob.press_start()
    bob.until_at_server()
    (again,) = queue.jobs(cluster, "RUNNING")
    assert again != job


def _run_cells(page: Page) -> list[str]:
    """Open a notebook, run the cells in it, and read what each prints."""
    # JupyterLab brings back what an earlier test of this account had open.
    open_empty(page)
    new_notebook(page)
    outputs = page.locator(".jp-OutputArea-output pre")
    for number, cell in enumerate(CELLS, start=1):
        page.keyboard.insert_text(cell)
        # Runs it, and goes to the next.
        page.keyboard.press("Shift+Enter")
        expect(outputs).to_have_count(number)
    return [output.inner_text().strip("\n") for output in outputs.all()]


def _gpu(cluster: EmbeddedCluster, job: int) -> str:
    """The index of the GPU that the controller gave the job."""
    found = re.search(r"IDX:(\d+)", cluster.run("scontrol", "--details", "show", "job", str(job)))
    assert found
    return found[1]
