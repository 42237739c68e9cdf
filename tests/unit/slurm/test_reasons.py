"""The reasons a job waits, in plain words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.slurm.reasons import plain_reason

REASONS = [
    line
    for line in (Path(__file__).parent / "recorded_answers" / "reasons.txt")
    .read_text()
    .splitlines()
    if not line.startswith("#")
]


def test_the_list_of_reasons_is_read() -> None:
    assert len(REASONS) > 200


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_a_sentence(reason: str) -> None:
    sentence = plain_reason(reason)
    assert sentence.endswith(".")
    assert reason not in sentence.split()
    assert "Slurm's reason is" not in sentence


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (
            "QOSMaxCpuPerUserLimit",
            "You have in use all the CPUs that the QOS allows one person. It starts when one of "
            "your other jobs has ended. If you have none, stop it and ask for less.",
        ),
        (
            "AssocGrpGRES",
            "All people of your account together have in use all the GPUs or other special "
            "resources that it allows. It starts when other jobs there have ended.",
        ),
        (
            "AssocGrpCPUMinutesLimit",
            "The CPU time that your account may use is used up. It starts when there is more "
            "of it.",
        ),
        (
            "QOSMaxWallDurationPerJobLimit",
            "The job asks for more time than the QOS allows one job. It cannot start as it is: "
            "stop it and ask for less.",
        ),
        (
            "QOSMaxMemoryPerNode",
            "The job asks for more memory on one node than the QOS allows one job. It cannot "
            "start as it is: stop it and ask for less.",
        ),
        (
            "QOSGrpJobsLimit",
            "All people of the QOS together have as many running jobs as it allows. It starts "
            "when other jobs there have ended.",
        ),
    ],
)
def test_limits_say_whose_and_of_what(reason: str, expected: str) -> None:
    assert plain_reason(reason) == expected


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("ReqNodeNotAvail, UnavailableNodes:n1", "not available"),
        ("ReqNodeNotAvail, Reserved for maintenance", "maintenance"),
        ("ReqNodeNotAvail, May be reserved for other job", "reserved"),
        ("(ReqNodeNotAvail, UnavailableNodes:n[1-2])", "not available"),
        (
            "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority "
            "partitions",
            "out of service",
        ),
        ("Nodes_required_for_job_are_DOWN,_DRAINED_or_reserved", "out of service"),
        ("launch failed requeued held", "could not be started"),
        ("launch_failed_requeued_held", "could not be started"),
        ("job requeued in special exit state", "after an error"),
        ("job requeued in held state", "held"),
        ("Prolog error", "could not be prepared"),
        ("Prolog failed on node n1", "could not be prepared"),
        ("RaisedSignal:9(Killed)", "signal"),
        ("", "within moments"),
        ("None", "within moments"),
    ],
)
def test_sentences_of_slurm_itself(reason: str, word: str) -> None:
    assert word in plain_reason(reason)


def test_a_new_reason_is_given_as_it_is() -> None:
    assert plain_reason("MoonPhase") == "Slurm's reason is: MoonPhase"


@given(st.text())
def test_any_text_has_a_short_answer(reason: str) -> None:
    assert 0 < len(plain_reason(reason)) < 400
