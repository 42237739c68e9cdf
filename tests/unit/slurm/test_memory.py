"""Slurm's grammar of memory sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.slurm.errors import SlurmTextError
from slurmhub.slurm.memory import Memory
from tests.unit.slurm.hostile import meaning

LARGEST = 2**44


@pytest.mark.parametrize(
    ("text", "mebibytes"),
    [
        ("4000", 4000),
        ("0", 0),
        ("4000M", 4000),
        ("4G", 4096),
        ("4g", 4096),
        ("4GB", 4096),
        ("4096MB", 4096),
        ("4.5G", 4608),
        ("4.50G", 4608),
        ("1T", 2**20),
        ("2P", 2**31),
        ("1024K", 1),
        ("512K", 1),
        ("1025K", 2),
        ("0.1M", 1),
        ("1500Mc", 1500),
        ("16Gn", 16384),
        ("4Gc", 4096),
        (" 8G ", 8192),
    ],
)
def test_reads_what_sbatch_takes_and_squeue_prints(text: str, mebibytes: int) -> None:
    assert Memory.parse(text) == Memory(mebibytes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "G",
        "GB",
        "B",
        "c",
        "4B",
        "4X",
        "4 G",
        "-4G",
        "+4G",
        "4e3",
        "4.G",
        ".5G",
        "4..5G",
        "4,5G",
        "4G\n",
        "4G\n#SBATCH --uid=0",
        "4G\x00",
        "\u0664G",
        "\uff14G",
        "0x10",
        "inf",
        "nan",
        "UNLIMITED",
        "4GGB",
        "4GiB",
        "9" * 5000,
        "99999999999P",
    ],
)
def test_refuses_everything_else(text: str) -> None:
    with pytest.raises(SlurmTextError):
        Memory.parse(text)


@pytest.mark.parametrize("mebibytes", [-1, LARGEST + 1])
def test_out_of_range_is_refused(mebibytes: int) -> None:
    with pytest.raises(SlurmTextError):
        Memory(mebibytes)


def test_is_ordered() -> None:
    assert Memory.parse("4000M") < Memory.parse("4G") < Memory.parse("4.5G")


@pytest.mark.parametrize(
    ("mebibytes", "plain"),
    [
        (0, "0 MB"),
        (512, "512 MB"),
        (1024, "1 GB"),
        (4096, "4 GB"),
        (4608, "4.5 GB"),
        (2**20, "1 TB"),
        (3 * 2**19, "1.5 TB"),
    ],
)
def test_is_written_for_people(mebibytes: int, plain: str) -> None:
    assert Memory(mebibytes).plain() == plain


def test_is_written_for_slurm() -> None:
    assert str(Memory.of_gibibytes(4)) == "4096M"


@given(st.integers(0, LARGEST))
def test_what_is_written_is_read_back(mebibytes: int) -> None:
    assert Memory.parse(str(Memory(mebibytes))) == Memory(mebibytes)


@given(st.integers(0, 2**30), st.integers(0, 99))
def test_a_fraction_is_never_less_than_asked_for(whole: int, hundredths: int) -> None:
    found = Memory.parse(f"{whole}.{hundredths:02}G").mebibytes
    exact = (whole * 100 + hundredths) * 1024
    assert exact <= found * 100 < exact + 200


@given(st.text() | st.from_regex(r"\A[0-9]{0,12}\.?[0-9]{0,4}[KMGTPkmgtpBbcnx]{0,3}\Z"))
def test_any_text_is_a_size_or_refused(text: str) -> None:
    size = meaning(Memory.parse, text)
    assert size is None or Memory.parse(str(size)) == size
