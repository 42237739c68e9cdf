"""The form and the one door against a cluster's truth: accounts, QOS, features, reservations."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import ClusterPlan, NodePlan, PartitionPlan, standard_plan
from tests.conftest import HubMaker, running_cluster
from tests.rig.accounts import account
from tests.rig.hub import HubUnderTest, Visitor, until

FORM_SECONDS = 30


def rich_plan(root: Path, **changes: Any) -> ClusterPlan:
    """Nodes with features, one with two kinds of MIG slices, one with shards."""
    plan = standard_plan(
        root,
        accounting=True,
        extra_lines=(
            "AccountingStorageEnforce=associations,limits,qos",
            "AccountingStorageTRES=gres/gpu",
        ),
        **changes,
    )
    return replace(
        plan,
        nodes=(
            NodePlan("n1", "127.0.1.11", features=("avx512", "ib")),
            NodePlan("n2", "127.0.1.12", cpus=4, features=("ib",)),
            NodePlan(
                "g1", "127.0.1.13", gpus=(("a100_1g.5gb", 2), ("a100_3g.20gb", 1)), features=("ib",)
            ),
            NodePlan("g2", "127.0.1.14", gpus=(("h100", 2),), shards=8, features=("ib",)),
        ),
        partitions=(
            PartitionPlan("cpu", ("n1", "n2"), default=True, max_time="8:00:00"),
            PartitionPlan("gpu", ("g1", "g2"), max_time="1-00:00:00"),
            PartitionPlan("chem", ("n2",), settings=("AllowAccounts=chem",)),
            PartitionPlan("staff", ("n1",), settings=("AllowGroups=root",)),
        ),
    )


def somebodys_rights(cluster: EmbeddedCluster) -> None:
    """Alice has two accounts and a reservation, bob one account; g2 is to have a maintenance."""
    alice, bob = account("alice"), account("bob")

    def manage(*words: str) -> None:
        cluster.run("sacctmgr", "-i", *words)

    manage("add", "qos", "long", "MaxWall=6:00:00", "MaxTRESPerJob=cpu=3")
    manage("modify", "qos", "normal", "set", "MaxWall=2:00:00")
    for name in ("physics", "chem"):
        manage("add", "account", name)
    manage("add", "user", alice, "account=physics,chem", "DefaultAccount=physics")
    manage("modify", "user", alice, "where", "account=chem", "set", "qos=normal,long")
    manage("add", "user", bob, "account=physics")
    cluster.run(
        *("scontrol", "create", "reservation", "reservationname=class", "starttime=now"),
        *("duration=5:00:00", f"users={alice}", "nodes=n1", "flags=ignore_jobs"),
    )
    cluster.run(
        *("scontrol", "create", "reservation", "reservationname=upgrade", "users=root"),
        *("starttime=now+90minutes", "duration=60", "nodes=g2", "flags=maint,ignore_jobs"),
    )


@pytest.fixture(scope="module")
def cluster(ground: Path, accounts: dict[str, str]) -> Iterator[EmbeddedCluster]:
    """A cluster on which people differ in what they may use."""
    with running_cluster(ground, rich_plan) as running:
        somebodys_rights(running)
        yield running


@pytest.fixture(scope="module")
def hub(make_shared_hub: Any, cluster: EmbeddedCluster) -> HubUnderTest:
    """A hub on that cluster."""
    made: HubUnderTest = make_shared_hub(cluster)
    return made


def form(visitor: Visitor) -> str:
    """The options form as this person gets it, once the hub knows the cluster."""
    pages: list[str] = []

    def there() -> bool:
        pages.append(visitor.get("/hub/spawn").text)
        return 'id="slurmhub-offer"' in pages[-1]

    until(there, seconds=FORM_SECONDS, what="a form with what the cluster has")
    return pages[-1]


def names_in(page: str, field: str) -> list[str]:
    """The values of a list, or of a group of boxes, on the form."""
    select = re.search(rf'<select[^>]*name="{field}".*?</select>', page, re.DOTALL)
    if select:
        return re.findall(r'<option value="([^"]*)"', select[0])
    return re.findall(rf'<input type="checkbox"[^>]*name="{field}" value="([^"]*)"', page)


def refused(visitor: Visitor, **options: Any) -> str:
    """What the hub says to options that it must refuse."""
    answer = visitor.start(**options)
    assert answer.status_code == 400, answer.text[:500]
    return str(answer.json()["message"])


def test_the_form_has_what_this_person_may_use(hub: HubUnderTest) -> None:
    page = form(hub.visitor("alice"))
    assert names_in(page, "partition") == ["cpu", "gpu", "chem"]
    assert names_in(page, "account") == ["", "chem", "physics"]
    assert "The usual one (physics)" in page
    assert names_in(page, "qos") == ["", "long", "normal"]
    assert names_in(page, "reservation") == ["", "class"]
    assert names_in(page, "features") == ["avx512"], "every node has ib"
    assert names_in(page, "gpu_type") == ["", "a100_1g.5gb", "a100_3g.20gb", "h100", "shard"]
    assert re.search(r'data-slurmhub-partition="cpu"><strong>cpu</strong>: 4 of 12 CPUs free', page)
    assert "8 of 8 GPU shards free" in page


def test_who_has_no_choice_is_asked_nothing(hub: HubUnderTest) -> None:
    page = form(hub.visitor("bob"))
    assert names_in(page, "partition") == ["cpu", "gpu"]
    for field in ("account", "qos", "reservation"):
        assert names_in(page, field) == []


def test_every_refusal_names_field_value_limit_and_choices(hub: HubUnderTest) -> None:
    alice, bob = hub.visitor("alice"), hub.visitor("bob")
    form(alice), form(bob)
    said = refused(alice, partition="cpu", account="biology")
    assert "account = “biology”: You have no such account for partition cpu." in said
    assert "choices: physics, chem" in said
    said = refused(alice, partition="cpu", qos="long")
    assert "qos = “long”: Account physics has no such QOS in partition cpu." in said
    assert "choices: normal" in said
    said = refused(alice, partition="cpu", account="chem", qos="long", cpus=4)
    assert "cpus = “4”: With QOS long, one job in partition cpu can have at most 3 CPUs." in said
    assert "limit: 3" in said
    said = refused(alice, partition="cpu", hours=3)
    assert "hours = “3 hours”: With QOS normal, a job in partition cpu can run for at most" in said
    assert "limit: 2 hours" in said
    said = refused(alice, partition="cpu", features="avx512", cpus=2, reservation="secret")
    assert "reservation = “secret”: There is no such reservation for you in partition cpu." in said
    assert "choices: class" in said
    said = refused(alice, partition="chem", features="avx512")
    assert "features = “avx512”: No node of partition chem has this feature." in said
    assert "choices: ib" in said
    said = refused(bob, partition="chem")
    assert "partition = “chem”: Partition chem takes no jobs at the moment:" in said
    assert "it is not for your accounts" in said
    said = refused(alice, partition="staff")
    assert "it is for other groups of people" in said


def test_times_end_before_the_maintenance(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice = hub.visitor("alice")
    form(alice)
    # The other node of the partition has no maintenance, but no h100 either.
    said = refused(alice, partition="gpu", gpu_type="h100", gpus=1, hours=2)
    found = re.search(
        r"Maintenance of the nodes that have this begins at (\S+ \S+): a job of now can run "
        r"there for at most 1 hour 2?\d minutes\. \(limit: .*; choices: (\S+)\)",
        said,
    )
    assert found, said
    answer = alice.start(partition="gpu", gpu_type="h100", gpus=1, hours=found[2])
    assert answer.status_code in (201, 202), answer.text[:500]
    alice.wait_ready()
    assert queued(cluster)[0]["NODELIST"] == "g2"
    alice.stop()
    alice.wait_for("ended")
    assert refused(alice, partition="gpu", hours=2.5).startswith("These options"), "QOS normal"


def test_the_job_has_what_was_asked_for(hub: HubUnderTest, cluster: EmbeddedCluster) -> None:
    alice = hub.visitor("alice")
    form(alice)
    asked = {
        "partition": "cpu",
        "account": "chem",
        "qos": "long",
        "reservation": "class",
        "features": ["avx512", "ib"],
        "cpus": "3",
        "memory": "1",
        "hours": "3",
    }
    answer = alice.post("/hub/spawn", asked)
    assert answer.status_code == 200, answer.text[-500:]
    alice.wait_ready()
    (job,) = queued(cluster)
    assert job == {
        "ACCOUNT": "chem",
        "QOS": "long",
        "RESERVATION": "class",
        "FEATURES": "avx512&ib",
        "PARTITION": "cpu",
        "CPUS": "3",
        "NODELIST": "n1",
        "TIME_LIMIT": "3:00:00",
    }
    facts = dict(alice.status()["facts"])
    assert facts["You asked for"] == (
        "3 CPUs and 1 GB of memory for 3 hours, in partition cpu, charged to account chem, "
        "with QOS long, in reservation class, on nodes with avx512 and ib"
    )
    alice.stop()
    alice.wait_for("ended")
    page = form(alice)
    for field, value in (("account", "chem"), ("qos", "long"), ("reservation", "class")):
        assert re.search(rf'name="{field}".*?<option value="{value}" selected', page, re.DOTALL)
    assert re.search(r'name="features" value="avx512" checked', page)


@pytest.mark.parametrize(
    ("gpu_type", "number", "gres"),
    [("a100_1g.5gb", 2, "gpu:a100_1g.5gb:2"), ("shard", 3, "shard:3")],
)
def test_parts_of_gpus(
    hub: HubUnderTest, cluster: EmbeddedCluster, gpu_type: str, number: int, gres: str
) -> None:
    bob = hub.visitor("bob")
    form(bob)
    answer = bob.start(partition="gpu", gpu_type=gpu_type, gpus=number, hours=1)
    assert answer.status_code in (201, 202), answer.text[:500]
    bob.wait_ready()
    shown = cluster.run("squeue", "--noheader", "--Format=tres-per-node:60").strip()
    assert shown.removeprefix("gres/").removeprefix("gres:") == gres
    bob.stop()
    bob.wait_for("ended")


def test_more_shards_than_a_gpu_has(hub: HubUnderTest) -> None:
    bob = hub.visitor("bob")
    form(bob)
    said = refused(bob, partition="gpu", gpu_type="shard", gpus=5, hours=1)
    assert "gpus = “5”: With QOS normal, one job in partition gpu can have at most 4 GPU" in said
    assert "limit: 4" in said


def test_slurmdbd_away_leaves_what_is_known(
    make_hub: HubMaker, cluster: EmbeddedCluster, hub: HubUnderTest
) -> None:
    form(hub.visitor("alice"))
    cluster.accounting_stop()
    try:
        page = form(hub.visitor("alice"))
        assert names_in(page, "account") == ["", "chem", "physics"]
        other = make_hub(cluster, "c.SlurmHubSpawner.slurm_timeout = 3")
        begun = time.monotonic()
        page = form(other.visitor("alice"))
        assert time.monotonic() - begun < FORM_SECONDS
        assert names_in(page, "account") == []
        assert "accounting has not answered yet" in page
    finally:
        cluster.accounting_start()


def queued(cluster: EmbeddedCluster) -> list[dict[str, str]]:
    """What squeue shows of all jobs, each as its columns by name."""
    columns = {
        "ACCOUNT": "Account",
        "QOS": "QOS",
        "RESERVATION": "Reservation",
        "FEATURES": "Feature",
        "PARTITION": "Partition",
        "CPUS": "NumCPUs",
        "NODELIST": "NodeList",
        "TIME_LIMIT": "TimeLimit",
    }
    formats = ",".join(f"{name}:60" for name in columns.values())
    lines = cluster.run("squeue", "--noheader", f"--Format={formats}").splitlines()
    return [dict(zip(columns, line.split(), strict=True)) for line in lines]
