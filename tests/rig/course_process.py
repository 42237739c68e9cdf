"""A process that looks after courses once: for tests that end it, or run it as somebody else.

Standard input has, in JSON, where Slurm is, whose right is used, and the courses. Each step is said
on standard output before it is done; the last lines are the outcomes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from slurmhub.courses.model import Course, State
from slurmhub.courses.slurm.desired import ClusterSite, CourseOnCluster, Occurrence
from slurmhub.courses.slurm.reconciler import Reconciler
from slurmhub.slurm.managing import ManagingClient


def as_json(one: CourseOnCluster) -> dict[str, Any]:
    """A course as this process is told of it."""
    return {
        "course": one.course.model_dump(mode="json"),
        "state": one.state.value,
        "members": sorted(one.members),
        "occurrences": [
            [each.start.isoformat(), each.end.isoformat(), each.seats] for each in one.occurrences
        ],
        "roster": one.roster,
    }


def _course(told: dict[str, Any]) -> CourseOnCluster:
    return CourseOnCluster(
        course=Course.model_validate_json(json.dumps(told["course"])),
        state=State(told["state"]),
        members=frozenset(told["members"]),
        occurrences=tuple(
            Occurrence(
                start=datetime.fromisoformat(start), end=datetime.fromisoformat(end), seats=seats
            )
            for start, end, seats in told["occurrences"]
        ),
        roster=told["roster"],
    )


async def main() -> None:
    """One settled round."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    told = json.load(sys.stdin)
    courses = tuple(map(_course, told["courses"]))

    async def source() -> Sequence[CourseOnCluster]:
        return courses

    client = ManagingClient(Path(told["bin_dir"]), Path(told["conf"]))
    site = ClusterSite(**told["site"])
    report = await Reconciler(client, source, site, log=logging.getLogger("rig")).settle()
    for key, outcome in report.outcomes.items():
        logging.info("OUTCOME %s %s", key, outcome)


if __name__ == "__main__":
    asyncio.run(main())
