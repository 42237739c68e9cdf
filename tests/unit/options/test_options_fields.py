"""The grammar of each field, whatever way its value came."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from slurmhub.options.fields import (
    NotReadable,
    read_cpus,
    read_gpu_type,
    read_gpus,
    read_hours,
    read_memory,
    read_partition,
    single,
)
from slurmhub.options.words import hours_typed, memory_plain, memory_typed, time_plain
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import UNLIMITED, TimeLimit


@pytest.mark.parametrize(
    ("given", "minutes"),
    [
        ("2", 120),
        (2, 120),
        (0.5, 30),
        ("1.5", 90),
        (" 8 ", 480),
        ("0.001", 1),
        ("1.51", 91),
        ("1,5", 90),
        ("0,25", 15),
        ("30:00", 30),
        ("30:01", 31),
        ("1:30:00", 90),
        ("1-0", 1440),
        ("1-12", 2160),
        ("0-0:1", 1),
        ("90:00", 90),
        (1e-5, 1),
    ],
)
def test_hours_are_hours_unless_written_as_slurm_does(given: object, minutes: int) -> None:
    assert read_hours(given) == TimeLimit.of_minutes(minutes)


@pytest.mark.parametrize(
    "given",
    [
        "UNLIMITED",
        "INFINITE",
        "-1",
        "-1:00",
        "",
        "0",
        "0:00",
        0,
        "1,500",
        "1e3",
        "٢",
        "1:2:3:4",
        "9999999999",
        "99999999-0",
        "2\n",
        "2\n#SBATCH --time=1",
        "2h",
        True,
        None,
        float("nan"),
        float("inf"),
        pytest.param(10**5000, id="huge"),
        b"2",
        {"hours": 2},
    ],
)
def test_what_is_no_time_is_refused(given: object) -> None:
    with pytest.raises(NotReadable):
        read_hours(given)


@pytest.mark.parametrize(
    ("given", "mebibytes"),
    [
        ("4", 4096),
        (4, 4096),
        (4.5, 4608),
        ("4.5", 4608),
        ("4000M", 4000),
        ("4000 MB", 4000),
        ("4G", 4096),
        ("4GiB", 4096),
        ("4gb", 4096),
        ("1T", 1024**2),
        ("1K", 1),
        ("512K", 1),
        ("0.001", 2),
    ],
)
def test_memory_is_gigabytes_unless_a_unit_is_written(given: object, mebibytes: int) -> None:
    assert read_memory(given) == Memory(mebibytes)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "0",
        "0M",
        "-4",
        "4Gc",
        "4Gn",
        "4 gigs",
        "4,500",
        "1e3",
        "٤",
        "9" * 100,
        "999999999T",
        True,
        "4G\n",
        "4G;reboot",
        [],
        {},
        float("nan"),
        10**400,
    ],
)
def test_what_is_no_memory_is_refused(given: object) -> None:
    with pytest.raises(NotReadable):
        read_memory(given)


@pytest.mark.parametrize(("given", "number"), [("4", 4), (4, 4), (4.0, 4), (" 4", 4), ("04", 4)])
def test_whole_numbers(given: object, number: int) -> None:
    assert read_cpus(given) == number
    assert read_gpus(given) == number


@pytest.mark.parametrize("given", ["4.5", 4.5, "-1", -1, "+4", "٤", "²", "1_0", "1000001", True])
@pytest.mark.parametrize("read", [read_cpus, read_gpus])
def test_what_is_no_whole_number_is_refused(read: Callable[[object], int], given: object) -> None:
    with pytest.raises(NotReadable):
        read(given)


def test_no_gpu_may_be_asked_for_but_no_cpu_may_not() -> None:
    assert read_gpus("0") == 0
    assert read_gpus("") == 0
    with pytest.raises(NotReadable, match="at least 1 CPU"):
        read_cpus("0")


def test_types_of_gpu() -> None:
    assert read_gpu_type("a100_3g.20gb") == "a100_3g.20gb"
    assert read_gpu_type("") is None
    assert read_gpu_type("None") is None
    for bad in ("h100:4", "h100,a100", "h 100", "h100\n", "x" * 65, 4, b"h100", "{{7}}"):
        with pytest.raises(NotReadable):
            read_gpu_type(bad)


def test_names_of_partitions() -> None:
    assert read_partition("gpu-long.2") == "gpu-long.2"
    for bad in ("", "a,b", "a b", "-gpu", "gpu\n", "gpu\x00", "é", "x" * 129, 4, "a=b", "$(x)"):
        with pytest.raises(NotReadable):
            read_partition(bad)


def test_a_field_has_one_value() -> None:
    assert single(["4"]) == "4"
    assert single("4") == "4"
    for bad in ([], ["4", "5"], ()):
        with pytest.raises(NotReadable, match="once"):
            single(bad)


@pytest.mark.parametrize("minutes", [1, 3, 7, 30, 59, 60, 61, 90, 100, 1440, 2880, 525600])
def test_hours_typed_are_read_back(minutes: int) -> None:
    time = TimeLimit.of_minutes(minutes)
    assert read_hours(hours_typed(time)) == time


@pytest.mark.parametrize("mebibytes", [1, 512, 1000, 1024, 1536, 4000, 4096, 16000, 10**6])
def test_memory_typed_is_read_back(mebibytes: int) -> None:
    assert read_memory(memory_typed(Memory(mebibytes))) == Memory(mebibytes)


@pytest.mark.parametrize("mebibytes", [1024, 1025, 1999, 15999, 16000, 257_777])
def test_memory_that_is_said_to_be_there_can_be_asked_for(mebibytes: int) -> None:
    assert read_memory(memory_plain(Memory(mebibytes))) <= Memory(mebibytes)


def test_words() -> None:
    said = {t: time_plain(TimeLimit.parse(t)) for t in ("8:00:00", "90", "100", "7-0", "45", "1-0")}
    assert said == {
        "8:00:00": "8 hours",
        "90": "1.5 hours",
        "100": "1 hour 40 minutes",
        "7-0": "7 days",
        "45": "45 minutes",
        "1-0": "24 hours",
    }
    assert time_plain(TimeLimit.of_minutes(60)) == "1 hour"
    assert time_plain(UNLIMITED) == "no time limit"
    assert hours_typed(TimeLimit.of_minutes(90)) == "1.5"
    assert hours_typed(TimeLimit.of_minutes(600)) == "10"
    assert memory_typed(Memory(4096)) == "4"
    assert memory_typed(Memory(4000)) == "4000M"
    assert memory_plain(Memory(16000)) == "15.6 GB"
