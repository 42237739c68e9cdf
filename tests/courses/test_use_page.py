"""The page of use and cost: numbers of sacct as plots and tables, for whom, and without Slurm.

Commands that answer as Slurm's stand in for them; tests/slurm/test_courses_use.py asks a real one.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.courses.test_pages import make, text_of
from tests.rig.courses_service import GROUPS, ServiceUnderTest, service_settings
from tests.rig.hub import HubUnderTest
from tests.unit.courses.world import ALICE, POLICY
from tests.unit.slurm.fake_commands import Fakes

RATES = {"unit": "CAD", "cpu_hour": 0.5, "gpu_hour": {"h100": 3.0}}


@pytest.fixture(scope="module")
def folder(ground: Path) -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="u", dir=ground))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def slurm(folder: Path) -> Fakes:
    """Slurm's commands; what they say is set by each test."""
    fakes = Fakes(folder / "slurm")
    for name in ("squeue", "sinfo", "scontrol", "sacctmgr", "sacct"):
        fakes.add(name)
    return fakes


@pytest.fixture(scope="module")
def service(
    folder: Path, slurm: Fakes, code: Path, proxy_command: list[str]
) -> Iterator[ServiceUnderTest]:
    """A service whose cluster is what those commands say."""
    policy = POLICY.model_dump(mode="json") | {"rates": RATES}
    settings, port, database = service_settings(
        folder, GROUPS, policy=policy, cluster={"bin_dir": str(slurm.folder)}
    )
    hub = HubUnderTest(folder, settings, proxy_command, code=code)
    try:
        hub.start()
        running = ServiceUnderTest(hub, database, port)
        running.wait()
        yield running
    finally:
        hub.stop()


def row(number: int, user: str, ago: int, hours: int) -> str:
    """A job that began so many hours ago and lasted so long."""
    start = int(time.time()) - ago * 3600
    tres = "billing=4,cpu=4,gres/gpu:h100=1,gres/gpu=1,mem=8G,node=1"
    return f"{number}|{user}|course-used1|{start}|{start + hours * 3600}|00:00:00|{tres}\n"


def test_what_was_used_is_drawn_and_written(service: ServiceUnderTest, slurm: Fakes) -> None:
    alice = service.visitor("alice")
    make(alice, "used1")
    slurm.add("sacct", row(1, "student", 1, 1))
    page = alice.page("course/used1/use")
    words = text_of(page)
    assert "Hours of CPUs 4.0" in words
    assert "Hours of GPUs 1.0" in words
    assert "Cost 5.0 CAD" in words
    assert "student 1.0 4.0 1.0 5.0" in words
    assert page.text.count("<svg") == 4
    assert re.search(r"<rect [^>]*><title>\d{4}-\d\d-\d\d: 4.0 CPU hours</title>", page.text)
    asked = [argv for name, argv, _ in slurm.calls() if name == "sacct"]
    assert asked
    assert all("--accounts=course-used1" in argv for argv in asked)


def test_who_decides_on_courses_sees_sums_and_no_names(
    service: ServiceUnderTest, slurm: Fakes
) -> None:
    make(service.visitor("alice"), "used1")
    slurm.add("sacct", row(1, "student", 1, 1))
    page = service.visitor("carol").page("course/used1/use")
    assert "Cost 5.0 CAD" in text_of(page)
    assert ">student<" not in page.text
    assert ">student<" in service.visitor("alice").page("course/used1/use").text


def test_students_and_strangers_do_not_see_it(service: ServiceUnderTest) -> None:
    make(service.visitor("alice"), "used1")
    service.courses().members.add(ALICE, "used1", username="student")
    assert service.visitor("student").page("course/used1/use").status_code == 403
    assert service.visitor("bob").page("course/used1/use").status_code == 404


def test_without_slurm_the_page_says_so(service: ServiceUnderTest, slurm: Fakes) -> None:
    alice = service.visitor("alice")
    make(alice, "used1")
    slurm.add("sacct", stderr="sacct: error: slurm_persist_conn_open_without_init", status=1)
    page = alice.page("course/used1/use")
    assert page.status_code == 503
    assert "Traceback" not in page.text
    assert 'role="alert"' in page.text
