"""nbgrader itself with what a course's job tells it, in folders that no person made."""

from __future__ import annotations

import json
import pwd
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from slurmhub.courses.model import Role
from slurmhub.courses.nbgrader import nbgrader_files
from slurmhub_deploy.demo.environment import locked_environment, plain_workshop
from tests.rig.accounts import account, unix_accounts
from tests.rig.course_folders import CourseFolders, course_folders

LOCK = Path(__file__).parents[2] / "requirements" / "nbgrader.lock"
# Accounts of their own: those of other tests may be there.
ROLES = {
    "nb-prof": ("phys101", Role.OWNER),
    "nb-ta": ("phys101", Role.ASSISTANT),
    "nb-alice": ("phys101", Role.STUDENT),
    "nb-bob": ("phys101", Role.STUDENT),
    "nb-other": ("chem205", Role.INSTRUCTOR),
}
SECRET = "the answer is 42"
_CELL: dict[str, Any] = {
    "cell_type": "code",
    "execution_count": None,
    "metadata": {
        "nbgrader": {
            "grade": True,
            "grade_id": "one",
            "locked": False,
            "points": 1,
            "schema_version": 3,
            "solution": True,
            "task": False,
        }
    },
    "outputs": [],
    "source": f"### BEGIN SOLUTION\n# {SECRET}\n### END SOLUTION",
}
NOTEBOOK = {"cells": [_CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}


@dataclass
class Class:
    """Two courses, and people with nbgrader in their jobs."""

    site: CourseFolders
    environment: Path
    homes: Path

    def run(self, name: str, *argv: str, where: str = "") -> subprocess.CompletedProcess[str]:
        """A command in somebody's job, in a folder of their home."""
        entry = pwd.getpwnam(account(name))
        return subprocess.run(
            argv,
            cwd=self.homes / name / where,
            user=entry.pw_uid,
            group=entry.pw_gid,
            extra_groups=[],
            umask=0o022,
            env={
                "HOME": entry.pw_dir,
                "USER": entry.pw_name,
                "PATH": f"{self.environment}/bin:/usr/bin:/bin",
                "JUPYTER_CONFIG_PATH": str(self.job_of(name)),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def nbgrader(self, name: str, *words: str, where: str = "") -> str:
        """What nbgrader says; it must end well."""
        done = self.run(name, "nbgrader", *words, where=where)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def job_of(self, name: str) -> Path:
        """The folder that the launcher makes in the job."""
        return self.homes / f"job-{name}"

    def prepare(self, name: str) -> None:
        """What the launcher writes there."""
        key, role = ROLES[name]
        folder = self.job_of(name)
        for file, text in nbgrader_files(key, str(self.site.base), role).items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text)


@pytest.fixture
def people(ground: Path) -> Iterator[Class]:
    """Their folders are made as the courses service has them made."""
    homes = ground / "nbgrader"
    homes.mkdir(mode=0o711)
    environment = locked_environment(plain_workshop(), "nbgrader", LOCK)
    with unix_accounts(homes, *ROLES) as accounts, course_folders() as site:
        for key in ("phys101", "chem205"):
            mine = {name: role for name, (theirs, role) in ROLES.items() if theirs == key}
            ids = {name: pwd.getpwnam(accounts[name]).pw_uid for name in mine}
            staff = {accounts[name]: ids[name] for name, role in mine.items() if role.staff}
            students = {accounts[name]: ids[name] for name, role in mine.items() if not role.staff}
            site.settled(key, folders=["exchange"], staff=staff, students=students)
        made = Class(site, environment, homes)
        for name in ROLES:
            made.prepare(name)
        yield made


def test_released_fetched_submitted_collected(people: Class) -> None:
    source = people.homes / "nb-prof" / "course" / "source" / "ps1"
    source.mkdir(parents=True)
    (source / "p1.ipynb").write_text(json.dumps(NOTEBOOK))
    subprocess.run(["chown", "-R", account("nb-prof"), str(source.parents[1])], check=True)
    people.nbgrader("nb-prof", "generate_assignment", "ps1", where="course")
    people.nbgrader("nb-prof", "release_assignment", "ps1", where="course")

    # Staff of another course, and whoever is in it, see nothing of all this.
    assert "phys101 ps1" in people.nbgrader("nb-alice", "list")
    assert "ps1" not in people.nbgrader("nb-other", "list")
    assert people.run("nb-other", "ls", str(people.site.base / "phys101")).returncode != 0

    people.nbgrader("nb-alice", "fetch_assignment", "ps1")
    mine = people.homes / "nb-alice" / "phys101" / "ps1" / "p1.ipynb"
    assert SECRET not in mine.read_text()
    answered = mine.read_text().replace("# YOUR CODE HERE", "# forty-two")
    assert "forty-two" in answered
    mine.write_text(answered)
    people.nbgrader("nb-alice", "submit", "ps1")

    inbound = people.site.base / "phys101" / "exchange" / "phys101" / "inbound"
    (submission,) = inbound.iterdir()
    assert submission.name.startswith(f"{account('nb-alice')}+ps1+")
    assert " UTC+" in submission.name
    for nobody in ("nb-bob", "nb-other"):
        assert people.run(nobody, "ls", str(inbound)).returncode != 0, nobody
        assert account("nb-alice") not in people.nbgrader(nobody, "list", "--inbound"), nobody
        look = f"cat '{inbound}'/*/p1.ipynb"
        assert people.run(nobody, "sh", "-c", look).returncode != 0, nobody
    assert people.run("nb-other", "cat", str(submission / "p1.ipynb")).returncode != 0

    # Somebody else of the staff collects, without any right beside the course's.
    (people.homes / "nb-ta" / "course").mkdir()
    subprocess.run(["chown", account("nb-ta"), str(people.homes / "nb-ta" / "course")], check=True)
    people.nbgrader("nb-ta", "collect", "ps1", where="course")
    collected = (
        people.homes / "nb-ta" / "course" / "submitted" / account("nb-alice") / "ps1" / "p1.ipynb"
    )
    assert "forty-two" in collected.read_text()
