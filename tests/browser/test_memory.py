"""Jobs that the kernel holds to their memory: what they use, and what happens when it runs out.

The cluster uses control groups (cgroups(7)) as sites do: task/cgroup with ConstrainRAMSpace.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import ClusterPlan, NodePlan, PartitionPlan
from tests.browser.conftest import GuestMaker
from tests.browser.test_endings import JARGON, begin, keep_text
from tests.browser.test_home import card
from tests.conftest import hub_settings, running_cluster
from tests.rig import queue
from tests.rig.accounts import PREFIX
from tests.rig.hub import HubUnderTest, until
from tests.rig.jupyterlab import new_notebook

EAT = "x = []\nwhile True: x.append(bytearray(20_000_000)); import time; time.sleep(.02)"
# Its parent is gone, so that no list of the server's descendants has it.
APART = "import os, time\nx = bytearray(200_000_000)\nwhile True: pass"
SETTINGS = """
_SERVERS = {servers!r}


def _server(spawner):
    kind = spawner.user.name.partition("-")[2]
    if kind == "lab":
        spawner.cmd = [{jupyter!r}]
        spawner.default_url = "/lab"
        spawner.environment = {{"JUPYTER_CONFIG_PATH": {config!r}}}
    elif kind in _SERVERS:
        spawner.cmd = _SERVERS[kind]


c.Spawner.pre_spawn_hook = _server
c.SlurmHubSpawner.unix_account = lambda name: {prefix!r} + name.partition("-")[0]
c.SlurmHubSpawner.watch_interval = 8
c.SlurmHubSpawner.usage_interval = 15
"""


def held_plan(root: Path) -> ClusterPlan:
    """One node; its name is that of its control groups, which all programs here can see."""
    node = f"m{os.urandom(3).hex()}"
    return ClusterPlan(
        root=root,
        name="held",
        nodes=(NodePlan(node, "127.0.1.21", memory=8000),),
        partitions=(PartitionPlan("cpu", (node,), default=True, default_time="1:00:00"),),
        memory_held=True,
        kill_wait=3,
    )


@pytest.fixture(scope="module")
def cluster(ground: Path, accounts: dict[str, str]) -> Iterator[EmbeddedCluster]:
    """A cluster that keeps each job to its memory."""
    with running_cluster(ground, held_plan) as running:
        yield running


@pytest.fixture(scope="module")
def hub(
    cluster: EmbeddedCluster,
    ground: Path,
    stub: Path,
    jupyter: Path,
    jupyter_config: Path,
    proxy_command: list[str],
    code: Path,
) -> Iterator[HubUnderTest]:
    """Its hub, where everybody has asked for half a GiB."""
    folder = Path(tempfile.mkdtemp(prefix="h", dir=ground))
    serve = f"exec /usr/bin/python3 {stub}"
    lines = {
        "gulps": f"exec /usr/bin/python3 -c '{EAT}'",
        "later": f"export STUB_EATS_AFTER=18; {serve}",
        "child": f"export STUB_DIES_AFTER=7; (sleep 2; /usr/bin/python3 -c '{EAT}') & {serve}",
        "apart": f"(setsid /usr/bin/python3 -c '{APART}' &); {serve}",
    }
    servers = {kind: ["/bin/sh", "-c", line] for kind, line in lines.items()}
    extra = SETTINGS.format(
        servers=servers, jupyter=str(jupyter), config=str(jupyter_config), prefix=PREFIX
    )
    hub = HubUnderTest(folder, hub_settings(cluster, stub, extra), proxy_command, code=code)
    try:
        hub.start()
        # At once, since what a job uses is told for the first time after fifteen seconds.
        for kind in servers:
            begin(hub.visitor(f"alice-{kind}"), memory="0.5")
        yield hub
    finally:
        hub.stop()
        shutil.rmtree(folder, ignore_errors=True)


ENDS = {
    # It is killed before it is ready, or while it is used: Slurm calls the job OUT_OF_MEMORY.
    "gulps": (
        "Your server did not start",
        ("ran out of memory|more memory than it had asked for",),
    ),
    "later": ("Your server has ended", ("ran out of memory|more memory than it had asked for",)),
    # Only a program beside the server is: Slurm calls that the same, and we do not.
    "child": (
        "Your server has ended",
        (r"ended by itself \(exit code 5\)\. Before that its job had run out of memory",),
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_page_of_a_job_that_ran_out_of_memory(
    name: str, guest: GuestMaker, hub: HubUnderTest, cluster: EmbeddedCluster, album: Path | None
) -> None:
    alice = guest(f"alice-{name}")
    job = int(hub.visitor(alice.name).wait_for("ended")["job_id"])
    until(lambda: queue.state(cluster, job) == "OUT_OF_MEMORY", what="Slurm's own word")
    alice.visit(alice.path("spawn-pending"))
    expect(alice.start_again).to_be_visible()
    keep_text(album, f"memory-{name}", alice)
    heading, (says,) = ENDS[name]
    expect(alice.page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(alice.news).to_contain_text(re.compile(says))
    if name != "child":
        # The peak is the kernel's own figure: the server had been measured long before, or never.
        expect(alice.news).to_contain_text("It had asked for 512 MB. It used 512 MB at its peak.")
    remedy = alice.page.locator("#slurmhub-remedy")
    expect(remedy).to_contain_text("Start it again with more memory")
    words = f"{alice.news.inner_text()} {remedy.inner_text()}"
    assert not JARGON.search(words.replace("512 MB", "")), words
    alice.page.get_by_text("About this job, for your support").click()
    facts = alice.page.locator("#slurmhub-facts")
    expect(facts).to_contain_text(re.compile(r"Programs ended for want of memory\s*1"))
    alice.page.get_by_role("button", name="Start with 1 GB of memory").click()
    alice.expect_form()
    expect(alice.field("memory")).to_have_value("1")


def test_home_shows_what_the_control_group_counts(guest: GuestMaker, hub: HubUnderTest) -> None:
    alice = guest("alice-apart")

    def busy() -> bool:
        alice.visit("/hub/home")
        cpu = re.search(r"CPU (\d+) %", card(alice).inner_text())
        return cpu is not None and int(cpu[1]) >= 10

    until(busy, what="the use of CPU")
    words = card(alice).inner_text()
    memory = re.search(r"Memory (\d+) MB of 512 MB", words)
    # The server has 20 MB and does nothing: the rest is of a program that left it.
    assert memory, words
    assert 200 <= int(memory[1]) < 300, words


def test_a_kernel_alone_is_killed_and_the_person_is_told(
    guest: GuestMaker, hub: HubUnderTest, album: Path | None
) -> None:
    visitor = hub.visitor("alice-lab")
    visitor.start(partition="cpu", memory="0.5", hours=1)
    visitor.wait_ready()
    alice = guest("alice-lab")
    alice.visit("/user/alice-lab/lab")
    page = alice.page
    new_notebook(page)
    page.keyboard.insert_text("x = []\nwhile True: x.append(bytearray(20_000_000))")
    page.keyboard.press("Shift+Enter")
    # JupyterLab knows that it died, and not of what.
    expect(page.get_by_role("dialog")).to_contain_text("appears to have died")
    alice.picture("lab-kernel-died")

    def told() -> bool:
        alice.visit("/hub/home")
        return "Memory ran out: a program of this server was ended" in card(alice).inner_text()

    until(told, what="the want of memory")
    expect(card(alice)).to_contain_text("Running")
    alice.picture("home-memory-ran-out")
    visitor.stop()
    visitor.wait_for("ended")
    alice.visit(alice.path("spawn-pending"))
    expect(alice.news).to_have_text("You stopped this server.")
    keep_text(album, "memory-kernel", alice)
    expect(alice.page.get_by_role("button", name="Start with 1 GB of memory")).to_be_visible()
