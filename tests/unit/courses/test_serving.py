"""What a course's server asks for, runs in and opens; and when there is none."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from traitlets.config.loader import PyFileConfigLoader

from slurmhub.courses.model import Role, State
from slurmhub.courses.people import Member, Source
from slurmhub.courses.serving import CourseServer, CourseServerRefused, server_of
from slurmhub.courses.stored import Enrolment, Stored
from slurmhub.job.policy import ScriptPolicy
from slurmhub.options.limits import SiteLimits
from slurmhub.options.offer import Offer
from slurmhub.options.refusal import Refusal
from tests.unit.courses.world import POLICY, course
from tests.unit.options.conftest import make_facts

SITE = ScriptPolicy(
    account="research", qos="long", reservation="monday", modules=("python",), prologue="umask 27"
)


@pytest.fixture
def offer() -> Offer:
    return Offer.from_facts(make_facts(), SiteLimits())


def enrolment(role: Role = Role.STUDENT, state: State = State.OPEN, **changed: Any) -> Enrolment:
    stored = Stored(course(**changed), 1, state, "alice", 0.0, 0.0)
    return Enrolment(stored, Member("phys101", role, Source.NAME, 0.0, username="bob"))


def server(**changed: Any) -> CourseServer:
    found = server_of([enrolment(**changed)], "phys101", policy=POLICY, qos="teaching")
    assert found is not None
    return found


def test_it_asks_for_what_the_course_has(offer: Offer) -> None:
    asked = server().request(offer).stored()
    assert asked == {
        "partition": "cpu",
        "account": "course-phys101",
        "qos": "teaching",
        "cpus": 2,
        "memory": "4096M",
        "gpu_type": "",
        "gpus": 0,
        "hours": "03:00:00",
    }


def test_what_the_cluster_cannot_give_is_said_to_a_student(offer: Offer) -> None:
    with pytest.raises(CourseServerRefused) as caught:
        server(profile={"cpus": 4096}).request(offer)
    assert caught.value.what == "The server of this course cannot be started."
    assert "CPU" in caught.value.message()
    with pytest.raises(CourseServerRefused, match="no such partition"):
        server(profile={"partition": "gone"}).request(offer)


def test_a_cluster_that_is_not_known_yet_is_asked_again() -> None:
    with pytest.raises(Refusal, match="Try again in a moment"):
        server().request(None)


def test_time_is_lowered_to_what_there_is(offer: Offer) -> None:
    longest = offer.partition("cpu")
    assert longest is not None
    request = server(profile={"hours": 700}).request(offer)
    assert request.time <= longest.max_time


def test_the_sites_account_is_not_that_of_courses() -> None:
    own = server().script(SITE)
    assert (own.account, own.qos, own.reservation) == (None, None, None)
    assert (own.modules, own.prologue) == (("python",), "umask 27")


def test_an_environment_has_its_own_modules_and_comes_after_the_sites_lines() -> None:
    made = server(profile={"environment": "python"})
    assert made.environment is not None
    made = replace(
        made,
        environment=made.environment.model_copy(
            update={"modules": ("julia",), "prologue": "export A=1"}
        ),
    )
    own = made.script(SITE)
    assert own.modules == ("julia",)
    assert own.prologue == "umask 27\nexport A=1"


@pytest.mark.parametrize("there", ["", "link", "folder"])
def test_a_job_links_the_courses_folders_into_the_home(tmp_path: Path, there: str) -> None:
    place, home = tmp_path / "all courses", tmp_path / "home"
    (place / "phys101" / "shared").mkdir(parents=True)
    own = home / "courses" / "phys101"
    if there:
        own.parent.mkdir(parents=True)
    if there == "link":
        own.symlink_to(tmp_path)
    elif there == "folder":
        own.mkdir()
    lines = server().script(ScriptPolicy(), str(place)).prologue
    for _ in range(2):
        done = subprocess.run(
            ["/bin/bash", "-euc", lines],
            env={"HOME": str(home), "PATH": os.environ["PATH"]},
            check=False,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (own / "shared").is_dir() == (there != "folder"), "what somebody has made stays"
    assert not list(place.rglob("phys101/phys101"))


def test_an_environment_that_is_gone_starts_nothing() -> None:
    with pytest.raises(CourseServerRefused, match="environment old is not there any more"):
        server(profile={"environment": "old"})


def test_a_repository_is_opened_where_the_course_says() -> None:
    materials: dict[str, Any] = {
        "repository": {"url": "https://git.example.ca/phys.git", "branch": "winter"},
        "open": "week 1/é.ipynb",
    }
    parts = urlsplit(server(materials=materials).landing())
    assert parts.path == "/slurmhub/materials"
    assert {name: one[0] for name, one in parse_qs(parts.query).items()} == {
        "repo": "https://git.example.ca/phys.git",
        "branch": "winter",
        "targetpath": "phys101",
        "urlpath": "lab/tree/phys101/week%201/%C3%A9.ipynb",
    }
    materials["repository"]["folder"] = "mechanics"
    del materials["open"]
    parts = urlsplit(server(materials=materials).landing())
    assert parse_qs(parts.query)["urlpath"] == ["lab/tree/mechanics"]


@pytest.mark.parametrize("role", [Role.STUDENT, Role.ASSISTANT])
def test_nbgrader_is_told_of_the_exchange_that_was_asked_for(tmp_path: Path, role: Role) -> None:
    assert server(role=role).files("/courses") == {}
    made = server(role=role, storage={"exchange": True})
    assert made.files("") == {}, "a hub without folders"
    files = made.files("/courses/")
    (tmp_path / "nbgrader_config.py").write_text(files["nbgrader_config.py"])
    assert PyFileConfigLoader("nbgrader_config.py", str(tmp_path)).load_config() == {
        "CourseDirectory": {"course_id": "phys101", "groupshared": True},
        "Exchange": {"root": "/courses/phys101/exchange", "path_includes_course": True},
    }
    hidden = json.loads(files.get("labconfig/page_config.json", "{}")).get("disabledExtensions", {})
    assert ("@jupyter/nbgrader:formgrader" in hidden) is (role is Role.STUDENT)
    assert "@jupyter/nbgrader:assignment-list" not in hidden


def test_without_a_repository_the_shared_folder_is_opened() -> None:
    made = server(materials={"open": "start.ipynb"})
    assert made.landing() == "/lab/tree/courses/phys101/shared/start.ipynb"
    assert server().landing() == ""
    made = server(materials={"open": "start.ipynb"}, storage={"shared": False})
    assert made.landing() == ""


@pytest.mark.parametrize("role", list(Role))
def test_everybody_in_a_course_has_its_server(role: Role) -> None:
    found = server_of([enrolment(role)], "phys101", policy=POLICY)
    assert found is not None
    assert (found.account, found.qos) == ("course-phys101", None)


@pytest.mark.parametrize("state", [one for one in State if one is not State.OPEN])
def test_a_course_that_is_not_open_starts_nothing(state: State) -> None:
    with pytest.raises(CourseServerRefused) as caught:
        server_of([enrolment(state=state)], "phys101", policy=POLICY)
    assert caught.value.status == 400


@pytest.mark.parametrize("name", ["", "work", "phys1012", "PHYS101"])
def test_other_servers_are_no_courses(name: str) -> None:
    assert server_of([enrolment()], name, policy=POLICY) is None
    assert server_of(None, name, policy=POLICY) is None


def test_what_was_a_courses_server_is_nobody_elses() -> None:
    with pytest.raises(CourseServerRefused, match="not in the course phys101") as caught:
        server_of([], "phys101", policy=POLICY, belonged=True)
    assert caught.value.status == 400
    with pytest.raises(CourseServerRefused, match="cannot look") as caught:
        server_of(None, "phys101", policy=POLICY, belonged=True)
    assert caught.value.status == 503
