"""Slurm's lists of trackable resources."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.slurm.errors import SlurmTextError
from slurmhub.slurm.gres import Gres, gpu_count
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.tres import Tres, parse_tres
from tests.unit.slurm.hostile import meaning


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cpu=1,mem=100M,node=1,billing=1", Tres(1, Memory(100), 1)),
        ("cpu=2,mem=4G,node=1,billing=2", Tres(2, Memory(4096), 1)),
        ("cpu=3,mem=4.50G,node=1,billing=3", Tres(3, Memory(4608), 1)),
        (
            "cpu=4,mem=8G,node=1,billing=4,gres/gpu=4,gres/gpu:h100=4",
            Tres(4, Memory(8192), 1, (Gres("gpu", None, 4), Gres("gpu", "h100", 4))),
        ),
        ("cpu=1,energy=12,fs/disk=3,license/matlab=1,bb/x=2G", Tres(1)),
        ("node=2", Tres(nodes=2)),
        ("", Tres()),
        ("(null)", Tres()),
        ("N/A", Tres()),
    ],
)
def test_reads_what_squeue_prints(text: str, expected: Tres) -> None:
    assert parse_tres(text) == expected


def test_gpus_of_a_list_are_counted_once() -> None:
    assert gpu_count(parse_tres("gres/gpu=4,gres/gpu:h100=4").gres) == 4


@pytest.mark.parametrize(
    "text",
    [
        "cpu",
        "cpu=",
        "=4",
        "cpu=x",
        "cpu=-1",
        "cpu=1,,mem=1G",
        "mem=lots",
        "cpu=\u0664",
        "cpu=" + "9" * 30,
        "gres/gpu:a:b:c=4",
        "x" * 5000,
    ],
)
def test_refuses_everything_else(text: str) -> None:
    with pytest.raises(SlurmTextError):
        parse_tres(text)


@given(
    cpus=st.integers(0, 10**6),
    memory=st.integers(0, 2**40),
    nodes=st.integers(1, 9999),
    count=st.integers(0, 9999),
)
def test_all_parts_are_read(cpus: int, memory: int, nodes: int, count: int) -> None:
    text = f"cpu={cpus},mem={memory}M,node={nodes},billing=7,gres/gpu:h100={count}"
    expected = Tres(cpus, Memory(memory), nodes, (Gres("gpu", "h100", count),))
    assert parse_tres(text) == expected


@given(st.text() | st.text(alphabet="cpumem=,/gres0123G", max_size=40))
def test_any_text_is_a_list_or_refused(text: str) -> None:
    found = meaning(parse_tres, text)
    assert found is None or found.cpus is None or found.cpus >= 0
