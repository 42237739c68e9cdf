"""slurmhub_slurm_return, with lines as sinfo of Slurm 22.05 writes them."""

from __future__ import annotations

import pytest

from tests.unit.ansible.modules import load

module = load("slurmhub_slurm_return")

GPUS = "gres/gpu count reported lower than configured (0 < 2)"
MEMORY = "Low RealMemory (reported:24105 < 100.00% of configured:30720)"


@pytest.mark.parametrize("state", ["drained", "draining"])
@pytest.mark.parametrize("reason", [GPUS, MEMORY])
def test_what_slurm_missed_and_has_now_is_over(state: str, reason: str) -> None:
    line = f"{state}\x1fslurm\x1f{reason}\n"
    assert module.drained_for(line * 2) == reason


@pytest.mark.parametrize(
    "line",
    [
        f"inval\x1fslurm\x1f{GPUS}",
        f"drained*\x1fslurm\x1f{GPUS}",
        "drained\x1froot\x1fnew memory",
        f"drained\x1froot\x1f{GPUS}",
        "drained\x1fslurm\x1fKill task failed",
        "idle\x1fUnknown\x1fnone",
        "",
    ],
)
def test_any_other_node_stays_as_it_is(line: str) -> None:
    assert module.drained_for(f"{line}\n") == ""
