"""A course that is made over REST is in Slurm soon after, and what Slurm cannot give is said."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.rig.accounts import PREFIX
from tests.rig.courses import people_of, reserved
from tests.rig.courses_service import GROUPS, ServiceUnderTest, service_settings
from tests.rig.hub import HubUnderTest, until
from tests.unit.courses.world import POLICY


@pytest.fixture
def service(
    ground: Path, code: Path, proxy_command: list[str], class_cluster: EmbeddedCluster
) -> Iterator[ServiceUnderTest]:
    """The service of a hub, for a cluster with accounting."""
    folder = Path(tempfile.mkdtemp(prefix="s", dir=ground))
    policy = POLICY.model_copy(update={"free": None})
    cluster = {
        "bin_dir": str(class_cluster.bin_dir),
        "conf": str(class_cluster.conf),
        "account_prefix": PREFIX,
    }
    settings, port, database = service_settings(
        folder, GROUPS, policy=policy.model_dump(mode="json"), cluster=cluster
    )
    hub = HubUnderTest(folder, settings, proxy_command, code=code)
    try:
        hub.start()
        running = ServiceUnderTest(hub, database, port)
        running.wait()
        yield running
    finally:
        hub.stop()
        shutil.rmtree(folder, ignore_errors=True)


def a_course(seats: int) -> dict[str, Any]:
    """One with a class that begins in about an hour, in UTC."""
    begins = datetime.now(timezone.utc).replace(second=0, microsecond=0) + timedelta(hours=1)
    ends = begins + timedelta(minutes=50)
    return {
        "key": "phys101",
        "title": "Mechanics",
        "term": {
            "name": "Now",
            "first": (begins.date() - timedelta(days=1)).isoformat(),
            "last": (begins.date() + timedelta(days=5)).isoformat(),
        },
        "timezone": "UTC",
        "profile": {"partition": "gpu", "cpus": 2, "memory": "2G", "gpus": 1, "hours": 2},
        "class_hours": [
            {
                "weekday": f"{begins:%a}".lower(),
                "start": f"{begins:%H:%M}",
                "end": f"{ends:%H:%M}",
                "seats": seats,
            }
        ],
        "seats": 60,
    }


def test_a_course_comes_into_slurm_and_goes(
    service: ServiceUnderTest, class_cluster: EmbeddedCluster
) -> None:
    token = service.visitor("alice").token()
    headers = {"Authorization": f"Bearer {token}"}

    def ask(method: str, path: str, json: Any = None) -> Any:
        answer = requests.request(
            method, f"{service.url}/api/{path}", json=json, headers=headers, timeout=60
        )
        assert answer.ok, answer.text
        return answer.json()

    # There are forty GPUs.
    (why,) = ask("POST", "check", {"course": a_course(60)})["capacity"]
    assert "There is room for 40 of 60 servers." in why
    assert ask("POST", "check", {"course": a_course(8)})["capacity"] == []
    course = a_course(8)
    ask("POST", "courses", {"course": course})
    ask("POST", "courses/phys101/members", {"username": "bob"})

    def settled() -> bool:
        details = ask("GET", "courses/phys101")["details"]
        return details["realised"] is not None and not details["waiting"]

    until(settled, what="Slurm has the course")
    everybody = {f"{PREFIX}alice", f"{PREFIX}bob"}
    until(lambda: people_of(class_cluster, "course-phys101") == everybody, what="its people")
    assert len(reserved(class_cluster)) == 1
    began = time.monotonic()
    ask("POST", "courses/phys101/end")
    until(lambda: not reserved(class_cluster), what="the reservation is gone")
    until(lambda: not people_of(class_cluster, "course-phys101"), what="its people are gone")
    # At once, and not when the next minute is over.
    assert time.monotonic() - began < 25
