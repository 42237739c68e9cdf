"""Schemathesis, which knows the REST API by its OpenAPI document alone, tries all of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from slurmhub.courses.rights import Person
from tests.rig.courses_service import GROUPS, PREFIX, ServiceUnderTest
from tests.unit.courses.world import course

ALICE = Person("alice", frozenset(GROUPS["alice"]))

# What no schema says: that a time zone is one, that a term ends after it begins, that whole
# courses are within the institution's bounds. All of this is refused, with 422.
_NOT_ASKED = "positive_data_acceptance"


@pytest.mark.parametrize(
    ("who", "phases"), [("admin", "coverage,fuzzing"), ("alice", "fuzzing"), ("student", "fuzzing")]
)
def test_the_api_does_as_it_is_described(
    service: ServiceUnderTest, who: str, phases: str, tmp_path: Path
) -> None:
    courses = service.courses()
    for key in (f"for-{who}", f"too-{who}"):
        courses.create(ALICE, course(key))
        courses.members.add(ALICE, key, username="student")
    token = service.visitor(who).token("access:services!service=courses")
    done = subprocess.run(
        [
            *("schemathesis", "run"),
            f"{service.hub.url}{PREFIX}api/openapi.json",
            f"--header=Authorization: Bearer {token}",
            *("--checks=all", f"--exclude-checks={_NOT_ASKED}", "--continue-on-failure"),
            *(
                f"--phases={phases}",
                "--max-examples=10",
                "--seed=1",
                "--generation-database=none",
                "--no-color",
            ),
            "--suppress-health-check=all",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:] + service.hub.news
    assert "Traceback" not in service.hub.log
    courses.close()
