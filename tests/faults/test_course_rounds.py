"""A course from the database to the disk and away again, with the real program."""

from __future__ import annotations

import io
import logging
import os
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from slurmhub.courses.exporting import export
from slurmhub.courses.folders.accounts import Accounts
from slurmhub.courses.folders.program import FoldersProgram, FoldersUnusable
from slurmhub.courses.folders.reconciler import FoldersReconciler
from slurmhub.courses.model import Role
from slurmhub.courses.store import Courses, open_courses
from tests.rig.course_folders import (
    ALICE,
    BOB,
    PROF,
    STRANGER,
    TA,
    CourseFolders,
    course_folders,
)
from tests.unit.courses.world import ALICE as OWNER
from tests.unit.courses.world import POLICY, Clock, made

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes folders as root")

UIDS = {"alice": PROF, "ta": TA, "student": ALICE, "other": BOB, "late": STRANGER}


class Known(Accounts):
    """Accounts that this machine need not have."""

    def of(self, names: Iterable[str]) -> dict[str, tuple[str, int]]:
        return {name: (f"u-{name}", UIDS[name]) for name in names if name in UIDS}


@pytest.fixture
def site() -> Iterator[CourseFolders]:
    with course_folders() as found:
        yield found


@pytest.fixture
def courses(tmp_path: Path) -> Iterator[Courses]:
    found = open_courses(f"sqlite:///{tmp_path}/courses.sqlite", POLICY, clock=Clock())
    yield found
    found.close()


def rounds(courses: Courses, site: CourseFolders) -> FoldersReconciler:
    return FoldersReconciler(
        FoldersProgram(site.argv),
        courses.snapshot,
        lambda: courses.policy,
        Known(),
        log=logging.getLogger("slurmhub.tests"),
    )


async def test_the_life_of_a_course(courses: Courses, site: CourseFolders) -> None:
    made(courses, storage={"shared": True, "drop": True})
    courses.members.add(OWNER, "phys101", username="student")
    courses.members.add(OWNER, "phys101", username="other")
    reconciler = rounds(courses, site)
    report = await reconciler.settle()
    assert report.outcomes["phys101"].realised, report
    assert site.can(PROF, "echo read >phys101/shared/me")
    assert site.can(ALICE, "cat phys101/shared/me && echo mine >phys101/drop/u-student/f")
    assert not site.can(BOB, "cat phys101/drop/u-student/f")
    assert not site.can(STRANGER, "cat phys101/shared/me")

    courses.members.add(OWNER, "phys101", username="late")
    courses.members.add(OWNER, "phys101", username="ta", role=Role.ASSISTANT)
    await reconciler.settle()
    assert site.can(STRANGER, "cat phys101/shared/me")
    assert site.can(TA, "cat phys101/drop/u-student/f && echo more >>phys101/shared/me")

    program = FoldersProgram(site.argv)
    data = b"".join([piece async for piece in export(courses, program, OWNER, "phys101")])
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert "phys101/drop/u-student/f" in archive.getnames()

    courses.stages.freeze(OWNER, "phys101")
    assert (await reconciler.settle()).outcomes["phys101"].realised
    assert site.can(ALICE, "cat phys101/drop/u-student/f")
    assert not site.can(ALICE, "echo no >>phys101/drop/u-student/f")

    courses.stages.end(OWNER, "phys101")
    site.set(keep_days=1)
    # Another process, which knows nothing of the rounds before.
    report = await rounds(courses, site).settle()
    assert "are kept until" in str(report.outcomes["phys101"])
    assert not site.can(ALICE, "ls phys101")
    site.set(keep_days=0)
    assert (await reconciler.settle()).outcomes["phys101"].realised
    assert [each.name for each in site.base.iterdir()] == [".slurmhub"]


async def test_what_else_is_there_is_let_be(courses: Courses, site: CourseFolders) -> None:
    site.settled("others1")
    (site.base / "chem101").mkdir()
    (site.base / "chem101" / "f").touch()
    made(courses, "chem101")
    made(courses, "phys101")
    report = await rounds(courses, site).settle()
    assert report.strays == ("others1",)
    assert "was there before" in str(report.outcomes["chem101"])
    assert report.outcomes["phys101"].realised
    assert (site.base / "others1").is_dir()


async def test_a_program_that_is_away_loses_nothing(courses: Courses, site: CourseFolders) -> None:
    made(courses)
    reconciler = rounds(courses, site)
    moved = site.program.rename(site.folder / "away")
    with pytest.raises(FoldersUnusable):
        await reconciler.once()
    moved.rename(site.program)
    assert (await reconciler.settle()).outcomes["phys101"].realised
