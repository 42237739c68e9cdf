"""A server while it runs: what it uses, more time for it, its log, and starting it again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import standard_plan
from tests.attack.announcing import bearing
from tests.attack.trespass import ticket_of
from tests.conftest import HubMaker, bind_prologue, running_cluster
from tests.rig import queue
from tests.rig.accounts import PREFIX, account
from tests.rig.hub import HubUnderTest, Visitor, until
from tests.rig.hub_account import installed_hub_account

SETTINGS = """
c.SlurmHubSpawner.unix_account = lambda name: {prefix!r} + name.partition("-")[0]
c.SlurmHubSpawner.prologue = {prologue!r}
c.SlurmHubSpawner.usage_interval = 15
c.SlurmHubSpawner.extend_by = "0:30:00"
c.SlurmHubSpawner.max_extension = "1:15:00"


def _qos(spawner):
    if spawner.user.name.endswith("-qos"):
        spawner.qos = "brief"


c.Spawner.pre_spawn_hook = _qos
"""
# Four GPUs, as the node has them; the job is given some.
NVIDIA_SMI = """#!/bin/sh
for gpu in 0 1 2 3; do echo "$gpu, GPU-aaaa-$gpu, $((gpu + 40)), $((gpu * 1024 + 512))"; done
"""


@pytest.fixture(scope="module")
def cluster(ground: Path, accounts: dict[str, str]) -> Iterator[EmbeddedCluster]:
    """A cluster with accounting that keeps limits, and everybody in one account."""
    enforce = "AccountingStorageEnforce=associations,limits,qos"
    with running_cluster(ground, standard_plan, accounting=True, extra_lines=(enforce,)) as running:
        running.run("sacctmgr", "-i", "add", "account", "class")
        for name in (*accounts.values(), "root"):
            running.run("sacctmgr", "-i", "add", "user", name, "account=class")
        running.run("sacctmgr", "-i", "add", "qos", "brief", "MaxWall=1:10:00")
        for name in accounts.values():
            running.run(
                *("sacctmgr", "-i", "modify", "user", "where", f"name={name}"),
                *("set", "qos+=brief"),
            )
        yield running


@pytest.fixture(scope="module")
def hub_account(cluster: EmbeddedCluster, accounts: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The hub's account: an Operator, and not root."""
    with installed_hub_account(cluster, accounts) as made:
        cluster.run(
            *("sacctmgr", "-i", "add", "user", account("hub"), "account=class"),
            "adminlevel=operator",
        )
        yield made


@pytest.fixture(scope="module")
def hub(
    cluster: EmbeddedCluster,
    hub_account: dict[str, Any],
    make_shared_hub: HubMaker,
    ground: Path,
) -> HubUnderTest:
    """One hub for all; each test has hub users of its own."""
    programs = ground / "nvidia"
    programs.mkdir()
    (programs / "nvidia-smi").write_text(NVIDIA_SMI)
    (programs / "nvidia-smi").chmod(0o755)
    prologue = f"{bind_prologue(cluster)}\nexport PATH={programs}:$PATH"
    settings = SETTINGS.format(prefix=PREFIX, prologue=prologue)
    return make_shared_hub(cluster, settings, account=hub_account)


@pytest.fixture(autouse=True)
def _nothing_is_left(cluster: EmbeddedCluster) -> Iterator[None]:
    yield
    queue.clear(cluster)


def started(hub: HubUnderTest, name: str, **options: Any) -> tuple[Visitor, int]:
    """A ready server of somebody, and its job."""
    visitor = hub.visitor(name)
    answer = visitor.start(**{"partition": "cpu", "hours": 1, **options})
    assert answer.status_code in (201, 202), answer.text
    return visitor, int(visitor.wait_ready()["job_id"])


def session(visitor: Visitor) -> dict[str, Any]:
    """What the hub tells of a server while it runs."""
    return dict(visitor.api("GET", f"/slurmhub/session/{visitor.name}").json())


def extend(visitor: Visitor, limit: int | None = None) -> requests.Response:
    """Ask for more time, as a person who saw this limit."""
    body = {} if limit is None else {"limit": limit}
    return visitor.api("POST", f"/slurmhub/session/{visitor.name}", body)


def limit_of(cluster: EmbeddedCluster, job: int) -> str:
    """The job's time limit, as squeue has it."""
    return cluster.run("squeue", "--noheader", "--format=%l", f"--jobs={job}").strip()


def test_home_shows_what_a_server_uses(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice, job = started(hub, "alice-use", partition="gpu", gpus=2, memory="4G")
    told = until(lambda: session(alice).get("use"), what="the first use")
    words = {one["name"]: one["words"] for one in told}
    assert set(words) == {"cpu", "memory", "gpu0", "gpu1"}
    assert words["gpu1"] == "GPU 1: 41 %, 1.5 GB of memory"
    assert words["memory"].endswith("of 4 GB")
    answer = alice.get("/hub/home")
    page = answer.text
    assert answer.status_code == 200, hub.news
    for each in (*words.values(), f"Job {job}", "g1", "minutes left"):
        assert each in page, each


def test_more_time_is_given_once_and_within_bounds(
    hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    alice, job = started(hub, "alice-more")
    until(lambda: session(alice)["more"] == "30 minutes", what="the offer")
    assert "30 minutes more" in alice.get("/hub/home").text
    with ThreadPoolExecutor(4) as pool:
        both = list(pool.map(lambda _: extend(alice, 60).status_code, range(4)))
    assert sorted(both) == [200, 409, 409, 409]
    assert limit_of(cluster, job) == "1:30:00"
    assert session(alice)["limit"] == 90
    # By the form of the page, without JavaScript.
    answer = alice.post(f"/hub/slurmhub/extend/{alice.name}", {"limit": "90"})
    assert answer.url.endswith("/hub/home")
    assert "The server has 30 minutes more." in answer.text
    assert limit_of(cluster, job) == "2:00:00"
    # A quarter of an hour is left of what the site gives.
    assert session(alice)["more"] == "15 minutes"
    assert extend(alice, 120).status_code == 200
    assert limit_of(cluster, job) == "2:15:00"
    beyond = extend(alice, 135)
    assert beyond.status_code == 409
    assert "1 hour 15 minutes" in beyond.json()["message"]
    assert session(alice)["more"] == ""
    for odd in ("soon", "-1", "9" * 30, ["60"]):
        assert alice.api("POST", f"/slurmhub/session/{alice.name}", {"limit": odd}).status_code == (
            400
        )
    assert limit_of(cluster, job) == "2:15:00"
    # What the hub granted is no alteration by the owner, also after a restart of hub and job.
    hub.restart()
    cluster.run("scontrol", "requeue", str(job))
    alice.wait_for("queued")
    cluster.run("scontrol", "release", str(job), check=False)
    assert alice.wait_ready(seconds=200)["job_id"] == job


def test_the_cluster_bounds_more_time(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice, job = started(hub, "alice-bound", hours="7:50:00")
    until(lambda: session(alice)["more"] == "10 minutes", what="what the partition leaves")
    assert extend(alice).status_code == 200
    assert limit_of(cluster, job) == "8:00:00"
    full = extend(alice)
    assert (full.status_code, "Partition cpu" in full.json()["message"]) == (409, True)
    # The other one: its node is reserved soon after its end.
    bob, other = started(hub, "bob-bound")
    node = bob.status()["node"]
    cluster.run(
        *("scontrol", "create", "reservation", "ReservationName=exam", "StartTime=now+64minutes"),
        *("Duration=60", "Users=root", f"Nodes={node}", "Flags=IGNORE_JOBS"),
    )
    try:
        refused = extend(bob, 60)
        assert refused.status_code == 409
        assert "exam" in refused.json()["message"]
        assert session(bob)["more"] == ""
        assert limit_of(cluster, other) == "1:00:00"
    finally:
        cluster.run("scontrol", "delete", "ReservationName=exam")


def test_a_qos_bounds_more_time(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice, job = started(hub, "alice-qos")
    assert extend(alice).status_code == 200
    assert limit_of(cluster, job) == "1:10:00"
    refused = extend(alice)
    assert (refused.status_code, "QOS brief" in refused.json()["message"]) == (409, True)


def test_a_job_that_is_gone_gets_no_time(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice, job = started(hub, "alice-gone")
    cluster.run("scancel", str(job))
    until(lambda: job not in queue.jobs(cluster), what="the job's end")
    refused = extend(alice, 60)
    assert refused.status_code == 409
    assert "run" in refused.json()["message"]


def test_while_slurm_is_away_nothing_is_promised(
    hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    alice, job = started(hub, "alice-away")
    cluster.controller_stop()
    try:
        refused = extend(alice, 60)
        assert refused.status_code == 503
        assert "Slurm does not answer" in refused.json()["message"]
    finally:
        cluster.controller_start()
    answers: list[str] = []

    def given() -> bool:
        answer = extend(alice, 60)
        answers.append(answer.text)
        # Slurm may have done it without the hub hearing of it: it is given once in any case.
        return answer.status_code == 200 or limit_of(cluster, job) == "1:30:00"

    try:
        until(given, seconds=120, what="Slurm again")
    except AssertionError as error:
        raise AssertionError(f"{error}: {sorted(set(answers))}") from None
    assert limit_of(cluster, job) == "1:30:00"


def test_the_servers_own_token_opens_its_own_session_only(
    hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    alice, job = started(hub, "alice-token")
    bob, others = started(hub, "bob-token")
    token = ticket_of(cluster, job).token

    def ask(name: str, method: str = "GET") -> requests.Response:
        return requests.request(
            method,
            f"{hub.url}/hub/api/slurmhub/session/{name}",
            headers=bearing(token),
            json={"limit": 60} if method == "POST" else None,
            timeout=30,
        )

    assert ask(alice.name).json()["job_id"] == job
    assert ask(alice.name, "POST").status_code == 200
    for method in ("GET", "POST"):
        assert ask(bob.name, method).status_code in (403, 404)
        assert ask("nobody", method).status_code in (403, 404)
    assert limit_of(cluster, others) == "1:00:00"
    # Neither does a person get at another's.
    for answer in (
        alice.api("GET", f"/slurmhub/session/{bob.name}"),
        alice.api("POST", f"/slurmhub/session/{bob.name}", {"limit": 60}),
        alice.post(f"/hub/slurmhub/extend/{bob.name}", {"limit": "60"}),
        alice.get(f"/hub/slurmhub/log/{bob.name}"),
    ):
        assert answer.status_code in (403, 404)
    assert limit_of(cluster, others) == "1:00:00"
    bare = requests.post(f"{hub.url}/hub/slurmhub/extend/{bob.name}", timeout=30)
    assert bare.status_code == 403


def test_the_log_is_shown_from_the_queue_to_the_end(
    hub: HubUnderTest, cluster: EmbeddedCluster
) -> None:
    alice = hub.visitor("alice-log")
    page = f"/hub/slurmhub/log/{alice.name}"
    assert alice.get(page).status_code == 404
    with queue.full(cluster):
        alice.start(partition="cpu", hours=1)
        alice.wait_for("queued")
        assert "There is no log yet." in alice.get(page).text
    alice.wait_ready()
    shown = alice.get(page).text
    assert "the stub listens" in shown
    assert "jupyter-" in shown
    alice.stop()
    alice.wait_for("ended")
    assert "the stub listens" in alice.get(page).text
    # It is alice's account as well, but another user of the hub; the admin is not shown it either.
    for other in ("alice-other", "admin"):
        assert hub.visitor(other).get(page).status_code in (403, 404)


def test_it_starts_again_with_the_same_options(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice, first = started(
        hub, "alice-again", partition="cpu", cpus=3, memory="3G", hours="0:40:00"
    )
    alice.stop()
    alice.wait_for("ended")
    until(lambda: first not in queue.jobs(cluster), what="its end")
    home = alice.get("/hub/home").text
    assert "Start again with the same options" in home
    # Reading that page, or a link to its button, starts nothing.
    alice.get(f"/hub/spawn/{alice.name}")
    assert not queue.jobs(cluster)
    alice.post(f"/hub/spawn/{alice.name}", {})
    again = int(alice.wait_ready()["job_id"])
    assert again != first
    asked = cluster.run("squeue", "--noheader", "--format=%C %m %l %P", f"--jobs={again}")
    assert asked.split() == ["3", "3G", "40:00", "cpu"]


def test_a_hub_without_the_right_says_so(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    # The last test of this file: the hub keeps what it learnt of its right for ten minutes.
    alice, job = started(hub, "alice-right")
    until(lambda: session(alice)["more"], what="the offer")
    level = ("sacctmgr", "-i", "modify", "user", "where", f"name={account('hub')}", "set")
    cluster.run(*level, "adminlevel=none")
    try:
        until(lambda: _level_in_slurm(cluster) == "None", what="the news in the controller")
        refused = extend(alice)
        assert refused.status_code == 403, refused.text
        assert refused.json()["message"] == "This hub may not give servers more time."
        assert session(alice)["more"] == ""
        assert "slurmhub/extend" not in alice.get("/hub/home").text
        assert job in queue.jobs(cluster)
    finally:
        cluster.run(*level, "adminlevel=operator")


def _level_in_slurm(cluster: EmbeddedCluster) -> str:
    """What the controller holds the hub's account for."""
    shown = cluster.run("scontrol", "--oneliner", "show", "assoc_mgr", "flags=users")
    (line,) = (one for one in shown.splitlines() if f"UserName={account('hub')}(" in one)
    return line.partition("AdminLevel=")[2].split()[0]
