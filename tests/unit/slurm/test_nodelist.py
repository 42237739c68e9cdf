"""Slurm's short form for lists of nodes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.slurm.errors import SlurmTextError
from slurmhub.slurm.nodelist import compress, expand
from tests.unit.slurm.hostile import meaning

NAME = st.from_regex(r"\A[a-z][a-z0-9.-]{0,12}[0-9]{0,5}\Z")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("n1", ["n1"]),
        ("n[1-3,07-09],x", ["n1", "n2", "n3", "n07", "n08", "n09", "x"]),
        ("n[1-2]", ["n1", "n2"]),
        ("n[5]", ["n5"]),
        ("n[08-11]", ["n08", "n09", "n10", "n11"]),
        ("n[8-11]", ["n8", "n9", "n10", "n11"]),
        ("r[1-2]n[01-02]", ["r1n01", "r1n02", "r2n01", "r2n02"]),
        ("gpu-[1-2]-ib,login", ["gpu-1-ib", "gpu-2-ib", "login"]),
        ("a,b,c", ["a", "b", "c"]),
        ("", []),
        ("(null)", []),
        ("None assigned", []),
    ],
)
def test_expands(text: str, names: list[str]) -> None:
    assert expand(text) == names


@pytest.mark.parametrize(
    "text",
    [
        ",",
        "n1,",
        ",n1",
        "n[",
        "n]",
        "n[]",
        "n[1",
        "n[1-]",
        "n[-1]",
        "n[2-1]",
        "n[a-b]",
        "n[1,]",
        "n[1-2-3]",
        "n[[1]]",
        "n[1-9999999]",
        "n[0-99999]m[0-99999]",
        "n[1-" + "9" * 30 + "]",
        "n[\u0661]",
        "a b",
        "n1\n",
        "n1\x00",
    ],
)
def test_refuses_everything_else(text: str) -> None:
    with pytest.raises(SlurmTextError):
        expand(text)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["n1"], "n1"),
        (["n3", "n1", "n2"], "n[1-3]"),
        (["n1", "n2", "n4"], "n[1-2,4]"),
        (["n08", "n09", "n10"], "n[08-09],n10"),
        (["x", "n1"], "x,n1"),
        (["n1", "n1"], "n1"),
        (["n0", "n1"], "n[0-1]"),
    ],
)
def test_compresses(names: list[str], text: str) -> None:
    assert sorted(expand(compress(names))) == sorted(set(names))
    assert len(compress(names)) <= len(text)


@given(st.lists(NAME, max_size=40))
def test_what_is_compressed_expands_again(names: list[str]) -> None:
    assert sorted(expand(compress(names))) == sorted(set(names))


@given(st.integers(0, 500), st.integers(0, 50), st.integers(1, 5))
def test_a_range_has_all_its_numbers(first: int, more: int, width: int) -> None:
    low, high = f"{first:0{width}}", f"{first + more:0{width}}"
    found = expand(f"n[{low}-{high}]")
    assert found == [f"n{number:0{width}}" for number in range(first, first + more + 1)]


@given(st.text() | st.text(alphabet="n0123,[]- ", max_size=20))
def test_any_text_is_a_list_or_refused(text: str) -> None:
    names = meaning(expand, text)
    assert names is None or (all(names) and len(names) <= 200_000)
