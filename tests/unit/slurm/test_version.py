"""Releases of Slurm, and what differs between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.slurm.dialect import JOB_FIELDS, NODE_FIELDS, exit_status, takes_whole_nodes
from slurmhub.slurm.version import SlurmVersion, support_warning
from tests.unit.slurm.hostile import meaning


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("slurm-wlm 22.05.8\n", (22, 5, 8)),
        ("slurm-wlm 24.11.5\n", (24, 11, 5)),
        ("slurm-wlm 26.05.5\n", (26, 5, 5)),
        ("slurm 24.11.5-1", (24, 11, 5)),
        ("slurm 25.05.0rc1", (25, 5, 0)),
        ("slurm 23.11.0-0rc1", (23, 11, 0)),
        ("23.02.7", (23, 2, 7)),
        ("slurm 26.11", (26, 11, 0)),
    ],
)
def test_reads_a_version(text: str, parts: tuple[int, int, int]) -> None:
    assert SlurmVersion.parse(text) == SlurmVersion(*parts)


@pytest.mark.parametrize("text", ["", "slurm", "slurm x.y", "torque 6.1.1", "\u0662\u0662.05.8"])
def test_refuses_other_text(text: str) -> None:
    assert meaning(SlurmVersion.parse, text) is None


def test_is_ordered_and_written() -> None:
    assert SlurmVersion(22, 5, 8) < SlurmVersion(24, 11, 5) < SlurmVersion(26, 5, 0)
    assert str(SlurmVersion(22, 5, 8)) == "22.05.8"


@pytest.mark.parametrize("text", ["22.05.8", "23.02.1", "24.11.5", "26.05.5"])
def test_no_warning_inside_the_range(text: str) -> None:
    assert support_warning(SlurmVersion.parse(text)) is None


@pytest.mark.parametrize("text", ["20.11.9", "21.08.8", "26.11.0", "27.05.1"])
def test_a_warning_outside_the_range(text: str) -> None:
    warning = support_warning(SlurmVersion.parse(text))
    assert warning is not None
    assert text in warning


@given(st.text())
def test_any_text_is_a_version_or_refused(text: str) -> None:
    version = meaning(SlurmVersion.parse, text)
    assert version is None or SlurmVersion.parse(str(version)) == version


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("0", (0, 0)),
        ("1792", (7, 0)),
        ("9", (0, 9)),
        ("15", (0, 15)),
        ("139", (0, 11)),
        ("35072", (137, 0)),
        ("7:0", (7, 0)),
        ("0:9", (0, 9)),
        ("0:0", (0, 0)),
        ("1:15", (1, 15)),
    ],
)
def test_exit_status_of_both_forms(text: str, status: tuple[int, int]) -> None:
    assert exit_status(text) == status


@pytest.mark.parametrize("text", ["", ":", "x", "1:", "N/A"])
def test_exit_status_of_other_text(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        exit_status(text)


@pytest.mark.parametrize(
    ("words", "whole"),
    [
        ({"OverSubscribe": "EXCLUSIVE"}, True),
        ({"OverSubscribe": "NO", "Exclusive": "NODE"}, True),
        ({"OverSubscribe": "NO"}, False),
        ({"OverSubscribe": "NO", "Exclusive": "USER"}, False),
        ({"OverSubscribe": "NO", "Exclusive": "NO"}, False),
    ],
)
def test_whole_nodes_in_both_forms(words: dict[str, str], whole: bool) -> None:
    assert takes_whole_nodes(words) is whole


@pytest.mark.parametrize("fields", [JOB_FIELDS, NODE_FIELDS])
def test_no_field_twice(fields: tuple[str, ...]) -> None:
    assert len(set(fields)) == len(fields)
