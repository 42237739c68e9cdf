"""What a course used, as a real accounting tells it of jobs that ended and jobs that run."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone

from slurmhub.courses.policy import Rates
from slurmhub.courses.use import use_of
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.rig.courses import School, course, running, sbatch, submitted
from tests.rig.hub import until

NAME = "course-phys101"


async def test_hours_of_what_ended_of_what_runs_and_nobody_elses(
    school: School, class_cluster: EmbeddedCluster, people: list[str]
) -> None:
    alice, bob, other = people[:3]
    school.has(course(), alice, bob)
    school.has(course("chem101"), other)
    await school.settled()
    since = datetime.now(timezone.utc) - timedelta(minutes=1)
    ends = submitted(sbatch(class_cluster, alice, NAME))
    submitted(sbatch(class_cluster, bob, NAME))
    submitted(sbatch(class_cluster, other, "course-chem101"))
    until(lambda: running(class_cluster, NAME) == 2, what="two servers")
    # Slurm remembers whole seconds: of a moment it would know nothing.
    await asyncio.sleep(2)
    class_cluster.run("scancel", str(ends))
    until(lambda: running(class_cluster, NAME) == 1, what="the end of one")

    async def told() -> dict[str, float]:
        now = datetime.now(timezone.utc)
        usage = await school.client.usage(NAME, since, now + timedelta(days=1))
        assert {one.cpus for one in usage} <= {2}
        assert {gpu.count for one in usage for gpu in one.gpus} <= {1}
        found = use_of(usage, course(), Rates(cpu_hour=1), until=now)
        ended = {one.user for one in usage if one.end is not None}
        return {who: used.cost for who, used in found.people if who == bob or ended == {alice}}

    seen: dict[str, float] = {}
    for _ in range(60):
        seen = await told()
        if {alice, bob} <= set(seen) and min(seen.values()) > 0:
            break
        await asyncio.sleep(1)
    assert set(seen) == {alice, bob}, "the accounting told of both, and of nobody else's"
    assert all(0 < cost < 2 * 600 / 3600 for cost in seen.values()), "some minutes at most"
