"""Slurm's refusals of a course's server, as 22.05 wrote them."""

from __future__ import annotations

import pytest

from slurmhub.courses.slurm.refusals import refused

AND = (
    "\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit"
    " limit, user's size and/or time limits)"
)
FAILED = "sbatch: error: Batch job submission failed: "


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("sbatch: error: QOSGrpSubmitJobsLimit" + AND, "course-full"),
        ("sbatch: error: AssocGrpSubmitJobsLimit" + AND, "course-full"),
        ("sbatch: error: AssocMaxSubmitJobLimit" + AND, "course-second"),
        ("sbatch: error: QOSMaxSubmitJobPerUserLimit" + AND, "course-second"),
        ("sbatch: error: QOSMaxGRESPerUser" + AND, "course-large"),
        ("sbatch: error: AssocMaxGRESPerJob" + AND, "course-large"),
        ("sbatch: error: QOSMaxMemoryPerUser" + AND, "course-large"),
        ("sbatch: error: QOSMaxWallDurationPerJobLimit" + AND, "course-large"),
        (FAILED + "Invalid account or account/partition combination specified", "course-unknown"),
        (FAILED + "Invalid qos specification", "course-unknown"),
        (FAILED + "Unable to contact slurm controller (connect failure)", "unreachable"),
    ],
)
def test_each_has_words(said: str, kind: str) -> None:
    found = refused(said)
    assert found.kind == kind
    assert found.plain
    assert found.remedy
