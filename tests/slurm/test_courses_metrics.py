"""Every query about courses, asked of a Prometheus that watched a real service at work."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from slurmhub.courses.policy import Policy
from slurmhub.courses.roster.facts import Identifiers
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.rig.accounts import PREFIX
from tests.rig.asked import asked
from tests.rig.course_folders import CourseFolders, course_folders
from tests.rig.courses_service import GROUPS, PROMETHEUS, ServiceUnderTest, service_settings
from tests.rig.hub import HubUnderTest, until
from tests.rig.prometheus import Prometheus, watching
from tests.unit.courses.world import ADMIN, ALICE, POLICY, course

# Queries that this test cannot bring about, and why.
NEVER_HERE = {
    'slurmhub_course_steps_total{outcome="refused"}': "Slurm refuses nothing here",
    'slurmhub_courses_requests_total{status="500"}': "no page fails here",
}
FREE = Policy.model_validate({**POLICY.model_dump(mode="json"), "free": None, "bounds": {}})


def now_held(key: str, **changed: Any) -> Any:
    """A course whose class is held now, and again tomorrow."""
    begins = datetime.now(timezone.utc) - timedelta(minutes=10)
    days = [begins, begins + timedelta(days=1)]
    hours = [
        {
            "weekday": f"{day:%a}".lower(),
            "start": f"{day:%H:%M}",
            "end": f"{day + timedelta(hours=1):%H:%M}",
            "seats": 3,
        }
        for day in days
    ]
    term = {
        "name": "Now",
        "first": str((begins - timedelta(days=3)).date()),
        "last": str((begins + timedelta(days=9)).date()),
    }
    profile = {"partition": "gpu", "cpus": 1, "memory": "1G"}
    return course(
        key, term=term, timezone="UTC", class_hours=hours, profile=profile, seats=5, **changed
    )


@pytest.fixture(scope="module")
def folders() -> Iterator[CourseFolders]:
    """Where courses have their folders; one name is taken already."""
    with course_folders() as made:
        (made.base / "taken1").write_text("Somebody's.")
        yield made


@pytest.fixture(scope="module")
def service(
    ground: Path,
    code: Path,
    proxy_command: list[str],
    class_cluster: EmbeddedCluster,
    folders: CourseFolders,
) -> Iterator[ServiceUnderTest]:
    """The service of a hub with a cluster and folders, and courses at each stage."""
    folder = Path(tempfile.mkdtemp(prefix="s", dir=ground))
    cluster = {
        "bin_dir": str(class_cluster.bin_dir),
        "conf": str(class_cluster.conf),
        "account_prefix": PREFIX,
    }
    settings, port, database = service_settings(
        folder,
        GROUPS,
        policy=FREE.model_dump(mode="json"),
        cluster=cluster,
        folders={"command": folders.argv},
    )
    hub = HubUnderTest(
        folder,
        settings + "c.JupyterHub.authenticate_prometheus = False\n",
        proxy_command,
        code=code,
    )
    running = ServiceUnderTest(hub, database, port)
    courses = running.courses(POLICY)
    courses.create(ADMIN, now_held("held1", storage={"shared": True}), owner="alice")
    courses.create(ADMIN, now_held("taken1", storage={"shared": True}), owner="alice")
    courses.create(ADMIN, course("over1"), owner="alice")
    # Of this term: one that is over would be ended before anybody decides.
    large = course("large1", seats=80, term=now_held("large1").term.model_dump(mode="json"))
    courses.create(ALICE, large, note="It is large.")
    courses.members.add(ADMIN, "held1", username="bob")
    courses.members.add(ADMIN, "held1", identifiers=Identifiers(number="12345678"), name="S")
    try:
        hub.start()
        running.wait()
        yield running
    finally:
        hub.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def prometheus(
    service: ServiceUnderTest, class_cluster: EmbeddedCluster, ground: Path
) -> Iterator[Prometheus]:
    """A Prometheus that has seen the service make what courses need, and people on its pages."""
    place = ground / "courses-prometheus"
    with watching(
        place, service.hub.port, class_cluster, courses=(service.port, PROMETHEUS)
    ) as running:
        jobs = ("slurmhub", "node", "slurm", "slurmhub-courses")
        until(lambda: running.targets() == dict.fromkeys(jobs, "up"), what="all targets")
        assert service.visitor("alice").page("course/held1/").status_code == 200
        refused = 'slurmhub_course_folders_calls_total{verb="ensure",outcome="refused"}'
        until(lambda: running.number(refused) >= 1, what="the folder that is taken")
        until(lambda: running.number("slurmhub_courses_class_places") == 6, what="the classes")
        # Counted once a minute, perhaps just before the course that is over was frozen.
        frozen = 'slurmhub_courses_by_state{state="frozen"}'
        until(lambda: running.number(frozen) == 1, seconds=90, what="the count of what is frozen")
        # So that the last news is scraped, and the rules have seen it.
        time.sleep(3)
        yield running


def test_every_query_of_courses_has_an_answer(prometheus: Prometheus) -> None:
    queries = asked(of_courses=True)
    assert len(queries) > 25
    silent = [query for query in queries if not prometheus.query(query)]
    assert [query for query in silent if not any(name in query for name in NEVER_HERE)] == []
    # Nothing is on that list that has an answer after all.
    assert all(any(name in query for query in silent) for name in NEVER_HERE)
    assert prometheus.rule_errors() == []


def test_what_is_told_is_what_there_is(prometheus: Prometheus) -> None:
    def number(expr: str) -> float:
        return prometheus.number(expr)

    assert number('slurmhub_courses_by_state{state="open"}') == 2
    assert number('slurmhub_courses_by_state{state="frozen"}') == 1
    assert number('slurmhub_courses_by_state{state="waiting"}') == 1
    assert number('slurmhub_courses_stages_total{step="freeze"}') == 1
    assert number("slurmhub_courses_approvals") == 1
    kinds = ("staff", "student", "pending")
    people = {kind: number(f'slurmhub_courses_people{{kind="{kind}"}}') for kind in kinds}
    assert people == {"staff": 2, "student": 1, "pending": 1}
    assert number('slurmhub_courses_classes{when="now"}') == 2
    assert number('slurmhub_courses_classes{when="week"}') >= 2
    assert number("slurmhub_courses_database_up") == 1
    assert number('slurmhub_course_folders_states{state="waiting"}') >= 1


def test_no_label_names_a_person_or_a_course(prometheus: Prometheus) -> None:
    told = str(prometheus.query('{__name__=~"slurmhub_course.*"}'))
    for name in ("alice", "bob", "held1", "taken1", "large1"):
        assert name not in told
