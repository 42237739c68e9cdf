"""Every state that Slurm names for a job, and what the hub makes of it.

The first table is the section "JOB STATE CODES" of squeue's manual, which names the same
states in 22.05, 24.11 and 26.05; the second has the flags that only Slurm's page on job state
codes lists.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.slurm.states import JobState, Phase, phase_of, plain_state

MANUAL = [
    ("BF", "BOOT_FAIL", "gone"),
    ("CA", "CANCELLED", "gone"),
    ("CD", "COMPLETED", "gone"),
    ("CF", "CONFIGURING", "pending"),
    ("CG", "COMPLETING", "ending"),
    ("DL", "DEADLINE", "gone"),
    ("F", "FAILED", "gone"),
    ("NF", "NODE_FAIL", "gone"),
    ("OOM", "OUT_OF_MEMORY", "gone"),
    ("PD", "PENDING", "pending"),
    ("PR", "PREEMPTED", "gone"),
    ("R", "RUNNING", "running"),
    ("RD", "RESV_DEL_HOLD", "pending"),
    ("RF", "REQUEUE_FED", "pending"),
    ("RH", "REQUEUE_HOLD", "pending"),
    ("RQ", "REQUEUED", "pending"),
    ("RS", "RESIZING", "running"),
    ("RV", "REVOKED", "gone"),
    ("SI", "SIGNALING", "running"),
    ("SE", "SPECIAL_EXIT", "pending"),
    ("SO", "STAGE_OUT", "ending"),
    ("ST", "STOPPED", "running"),
    ("S", "SUSPENDED", "running"),
    ("TO", "TIMEOUT", "gone"),
]
ONLY_FLAGS = [
    ("EXPEDITING", "pending"),
    ("LAUNCH_FAILED", "gone"),
    ("POWER_UP_NODE", "pending"),
    ("RECONFIG_FAIL", "gone"),
]


@pytest.mark.parametrize(("code", "name", "phase"), MANUAL, ids=[row[1] for row in MANUAL])
def test_state_of_the_manual(code: str, name: str, phase: str) -> None:
    state = JobState.parse(name)
    assert state is not None
    assert str(state) == name
    assert phase_of(state) is Phase(phase)
    assert JobState.parse(code) is state


@pytest.mark.parametrize(("name", "phase"), ONLY_FLAGS, ids=[row[0] for row in ONLY_FLAGS])
def test_flag_that_squeue_does_not_list(name: str, phase: str) -> None:
    state = JobState.parse(name)
    assert state is not None
    assert phase_of(state) is Phase(phase)


def test_the_tables_above_are_complete() -> None:
    named = {row[1] for row in MANUAL} | {row[0] for row in ONLY_FLAGS}
    assert {state.value for state in JobState} == named


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("RUNNING+SIGNALING", "SIGNALING"),
        ("RUNNING+COMPLETING", "COMPLETING"),
        ("RUNNING+CONFIGURING", "CONFIGURING"),
        ("RUNNING+POWER_UP_NODE", "POWER_UP_NODE"),
        ("RUNNING+CONFIGURING+POWER_UP_NODE", "CONFIGURING"),
        ("PENDING+REQUEUED", "REQUEUED"),
        ("PENDING+EXPEDITING", "EXPEDITING"),
        ("PENDING,REQUEUE_HOLD", "REQUEUE_HOLD"),
        ("CANCELLED+COMPLETING", "COMPLETING"),
        ("COMPLETED+STAGE_OUT", "STAGE_OUT"),
        ("PREEMPTED+COMPLETING+REQUEUED", "REQUEUED"),
        # A launch that failed leaves a job in the queue: the flag alone ends nothing.
        ("PENDING+LAUNCH_FAILED", "PENDING"),
        ("RUNNING+RECONFIG_FAIL", "RUNNING"),
        ("FAILED+LAUNCH_FAILED", "LAUNCH_FAILED"),
        ("TIMEOUT+SIGNALING", "TIMEOUT"),
        ("COMPLETED+UPDATE_DB", "COMPLETED"),
        ("RUNNING+UPDATE_DB", "RUNNING"),
        ("CANCELLED+", "CANCELLED"),
        ("RUNNING, SUSPENDED+", None),
        ("running", "RUNNING"),
        (" RUNNING ", "RUNNING"),
    ],
)
def test_states_with_flags(text: str, name: str | None) -> None:
    found = JobState.parse(text)
    assert (found.value if found else None) == name


@pytest.mark.parametrize(
    "text",
    ["", "?", "+", "NEW_STATE", "COMPLETED+NEW_STATE", "CANCELLED by 1000", "UPDATE_DB", "GONE"],
)
def test_what_is_not_known_is_never_gone(text: str) -> None:
    assert JobState.parse(text) is None
    assert phase_of(JobState.parse(text)) is Phase.UNKNOWN


@pytest.mark.parametrize("base", ["PENDING", "RUNNING", "SUSPENDED"])
@pytest.mark.parametrize("flag", [row[1] for row in MANUAL] + [row[0] for row in ONLY_FLAGS])
def test_no_flag_makes_a_living_job_gone(base: str, flag: str) -> None:
    if flag != "REVOKED":
        assert phase_of(JobState.parse(f"{base}+{flag}")) is not Phase.GONE


@pytest.mark.parametrize("name", [row[1] for row in MANUAL] + [row[0] for row in ONLY_FLAGS])
def test_every_state_has_a_sentence_of_its_own(name: str) -> None:
    sentence = plain_state(JobState(name))
    assert sentence.endswith(".")
    assert name not in sentence
    assert [other for other in JobState if plain_state(other) == sentence] == [JobState(name)]


def test_an_unknown_state_has_a_sentence() -> None:
    assert plain_state(None).endswith(".")


@given(st.text())
def test_any_text_is_a_state_or_unknown(text: str) -> None:
    state = JobState.parse(text)
    assert phase_of(state) is not Phase.GONE or state is not None
