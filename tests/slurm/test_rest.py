"""What a hub asks of Slurm's controller while nothing happens, whatever the number of servers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from slurmhub.slurm.client import SlurmClient
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import ClusterPlan, NodePlan, PartitionPlan
from tests.conftest import PEOPLE, HubMaker, running_cluster
from tests.rig.hub import HubUnderTest, until
from tests.rig.queue import jobs

FEW, MANY = 1, 100
# Until the last look that a start or a stop has brought forward is over, in seconds.
SETTLING = 35
WINDOW = 60


@dataclass(frozen=True)
class Place:
    """A cluster and the one hub that uses it."""

    cluster: EmbeddedCluster
    hub: HubUnderTest


def wide_plan(root: Path, **_: object) -> ClusterPlan:
    """One node with room for everybody: it claims 200 CPUs."""
    return ClusterPlan(
        root=root,
        name="wide",
        nodes=(NodePlan("n1", "127.0.1.11", cpus=200, memory=400_000),),
        partitions=(PartitionPlan("cpu", ("n1",), default=True, default_time="1:00:00"),),
    )


@pytest.fixture
def places(
    ground: Path, accounts: dict[str, str], make_hub: HubMaker
) -> Iterator[tuple[Place, Place]]:
    """Two clusters with a hub each: one for a few servers, one for many."""
    with ExitStack() as stack:
        clusters = [stack.enter_context(running_cluster(ground, wide_plan)) for _ in range(2)]
        first, second = (Place(cluster, make_hub(cluster)) for cluster in clusters)
        yield first, second


def start(place: Place, number: int) -> None:
    """Start this many servers, of several people, and wait until all are routed."""
    visitors = [place.hub.visitor(name) for name in PEOPLE]

    def ask(index: int) -> None:
        visitor = visitors[index % len(visitors)]
        answer = visitor.start(f"s{index}", partition="cpu", memory="100M", hours=1)
        assert answer.status_code in (201, 202), answer.text[:500]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(number)))

    def all_routed() -> bool:
        return sum(path.startswith("/user/") for path in place.hub.routes()) == number

    until(all_routed, seconds=150, what=f"{number} servers\n{place.hub.news}")


async def queries(place: Place) -> dict[str, int]:
    """What clients asked in one minute, by type; nodes report by themselves in MESSAGE_ types."""
    client = SlurmClient(place.cluster.bin_dir, place.cluster.conf)
    await client.reset_rpc_counts()
    await asyncio.sleep(WINDOW)
    counts = await client.rpc_counts()
    return {
        name: count
        for name, count in counts.items()
        if name.startswith("REQUEST_") and name != "REQUEST_STATS_INFO"
    }


async def test_a_hub_at_rest_asks_as_little_for_many_servers_as_for_one(
    places: tuple[Place, Place],
) -> None:
    for place, number in zip(places, (FEW, MANY), strict=True):
        await asyncio.to_thread(start, place, number)
    await asyncio.sleep(SETTLING)
    asked = await asyncio.gather(*(queries(place) for place in places))
    few, many = (sum(counts.values()) for counts in asked)
    assert [len(jobs(place.cluster)) for place in places] == [FEW, MANY]
    # The hub still watches: silence would be no merit.
    assert few > 0
    assert many > 0
    assert max(few, many) * 60 / WINDOW <= 20, asked
    assert abs(few - many) <= 2, asked
