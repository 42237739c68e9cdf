"""Slurm's spellings of generic resources."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.slurm.errors import SlurmTextError
from slurmhub.slurm.gres import Gres, gpu_count, gpus, parse_gres, without_totals
from tests.unit.slurm.hostile import meaning

WORD = st.from_regex(r"\A[a-z][a-z0-9_.+-]{0,20}\Z")
# A name that is a number with one of Slurm's multiples would be read as a count.
TYPE = st.none() | WORD


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gpu:4", [("gpu", None, 4)]),
        ("gpu", [("gpu", None, 1)]),
        ("gpu:h100", [("gpu", "h100", 1)]),
        ("gpu:h100:4", [("gpu", "h100", 4)]),
        ("gpu:h100:4(S:0-1)", [("gpu", "h100", 4)]),
        ("gpu:h100:2(IDX:0-1)", [("gpu", "h100", 2)]),
        ("gpu:h100:2(IDX:0,2)", [("gpu", "h100", 2)]),
        ("gpu:h100:0(IDX:N/A)", [("gpu", "h100", 0)]),
        ("gpu:a100_3g.20gb:2", [("gpu", "a100_3g.20gb", 2)]),
        ("gpu:1080:2", [("gpu", "1080", 2)]),
        ("gpu:2080ti", [("gpu", "2080ti", 1)]),
        ("shard:8", [("shard", None, 8)]),
        ("gres:gpu:2", [("gpu", None, 2)]),
        ("gres:gpu", [("gpu", None, 1)]),
        ("gres:gpu:h100:2", [("gpu", "h100", 2)]),
        ("gres/gpu:2", [("gpu", None, 2)]),
        ("gres/gpu", [("gpu", None, 1)]),
        ("gres/gpu:h100", [("gpu", "h100", 1)]),
        ("gres/gpu=4", [("gpu", None, 4)]),
        ("gres/gpu:h100=4", [("gpu", "h100", 4)]),
        ("gres/gpu:h100:2", [("gpu", "h100", 2)]),
        ("gpu:0,shard:0", [("gpu", None, 0), ("shard", None, 0)]),
        (
            "gpu:(null):0(IDX:N/A),shard:(null):0(0/2,0/2,0/2,0/2)",
            [("gpu", None, 0), ("shard", None, 0)],
        ),
        (
            "gpu:h100:2(IDX:0-1),gpu:a100_3g.20gb:1(IDX:4),shard:0",
            [("gpu", "h100", 2), ("gpu", "a100_3g.20gb", 1), ("shard", None, 0)],
        ),
        (
            "gres:gpu:h100:1,gres:gpu:a100_3g.20gb:1",
            [("gpu", "h100", 1), ("gpu", "a100_3g.20gb", 1)],
        ),
        ("cpu:2,gres/gpu:1", [("gpu", None, 1)]),
        (
            "gpu:tesla:2,bandwidth:lustre:no_consume:4G",
            [
                ("gpu", "tesla", 2),
                ("bandwidth", "lustre", 4 * 2**30),
            ],
        ),
        ("bandwidth:4K", [("bandwidth", None, 4096)]),
        ("(null)", []),
        ("N/A", []),
        ("", []),
        ("none", []),
    ],
)
def test_reads_every_spelling(text: str, expected: list[tuple[str, str | None, int]]) -> None:
    assert [(one.name, one.type, one.count) for one in parse_gres(text)] == expected


@pytest.mark.parametrize(
    "text",
    [
        ",",
        "gpu,",
        ":4",
        "gpu:",
        "gpu::4",
        "gpu:a:b:4",
        "gpu:h100:x",
        "gpu:-1",
        "gpu:h100:4(S:0-1",
        "gpu:h100:4)",
        "gpu:2\n#SBATCH --uid=0",
        "gpu:2\x00",
        "gpu: 2",
        "gpu:$(id):2",
        "gpu:h100;reboot:2",
        "gpu:\u0662",
        "gpu:h\u2019:1",
        "gpu:" + "9" * 400,
        "x" * 5000,
    ],
)
def test_refuses_everything_else(text: str) -> None:
    with pytest.raises(SlurmTextError):
        parse_gres(text)


@pytest.mark.parametrize(
    ("resource", "directive"),
    [(Gres("gpu", "h100", 2), "gpu:h100:2"), (Gres("gpu", None, 2), "gpu:2")],
)
def test_directive(resource: Gres, directive: str) -> None:
    assert resource.directive() == directive


@pytest.mark.parametrize(
    ("name", "type_", "count"),
    [
        ("", None, 1),
        ("gpu", "", 1),
        ("gpu", "a b", 1),
        ("gpu", "a\nb", 1),
        ("gpu", "a,b", 1),
        ("gpu", "a:b", 1),
        ("gpu", "a=b", 1),
        ("gpu", "`id`", 1),
        ("gpu", "$HOME", 1),
        ("gpu", None, -1),
        ("gpu", "\u00e4", 1),
        ("g(pu", None, 1),
        ("gpu", "x" * 300, 1),
        ("gpu", None, 2**64),
    ],
)
def test_nothing_else_can_be_made(name: str, type_: str | None, count: int) -> None:
    with pytest.raises(SlurmTextError):
        Gres(name, type_, count)


def test_gpus_are_told_from_the_rest() -> None:
    found = parse_gres("gpu:h100:4,shard:8,gpu:2")
    assert gpus(found) == (Gres("gpu", "h100", 4), Gres("gpu", None, 2))


@pytest.mark.parametrize(
    ("text", "all_types", "h100"),
    [
        ("gpu:4", 4, 0),
        ("gpu:h100:4", 4, 4),
        ("gres/gpu=4,gres/gpu:h100=4", 4, 4),
        ("gres/gpu=6,gres/gpu:h100=4,gres/gpu:a100=2", 6, 4),
        ("shard:8", 0, 0),
        ("", 0, 0),
    ],
)
def test_gpus_are_counted_once(text: str, all_types: int, h100: int) -> None:
    assert gpu_count(parse_gres(text)) == all_types
    assert gpu_count(parse_gres(text), "h100") == h100


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("gres/gpu=4,gres/gpu:h100=4", ["gpu:h100:4"]),
        ("gres/gpu=6,gres/gpu:h100=4,gres/gpu:a100=2", ["gpu:h100:4", "gpu:a100:2"]),
        ("gres/gpu=4", ["gpu:4"]),
        ("gpu:h100:4,gpu:2", ["gpu:h100:4", "gpu:2"]),
    ],
)
def test_totals_beside_types_are_dropped(text: str, left: list[str]) -> None:
    assert [one.directive() for one in without_totals(parse_gres(text))] == left


@given(st.builds(Gres, WORD, TYPE, st.integers(0, 2**40)))
def test_what_is_written_is_read_back(resource: Gres) -> None:
    assert parse_gres(resource.directive()) == (resource,)


@given(st.lists(st.builds(Gres, WORD, WORD, st.integers(0, 999)), min_size=1, max_size=6))
def test_lists_keep_their_order(resources: list[Gres]) -> None:
    text = ",".join(f"{one.directive()}(IDX:0,2-3)" for one in resources)
    assert parse_gres(text) == tuple(resources)


@given(st.text() | st.text(alphabet="gpuh10:,=()/N[] ", max_size=40))
def test_any_text_is_a_list_or_refused(text: str) -> None:
    found = meaning(parse_gres, text)
    for one in found or ():
        assert "\n" not in one.directive()
        assert one.directive().isascii()
