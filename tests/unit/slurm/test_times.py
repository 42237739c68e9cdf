"""Slurm's grammar of time limits and time stamps."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.slurm.errors import SlurmTextError
from slurmhub.slurm.times import UNLIMITED, TimeLimit, parse_timestamp
from tests.unit.slurm.hostile import meaning

LONGEST = 2**31 - 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90 * 60),
        ("1", 60),
        ("0", 0),
        ("30:00", 30 * 60),
        ("90:00", 90 * 60),
        ("0:30", 30),
        ("0:00", 0),
        ("8:00:00", 8 * 3600),
        ("1:29:58", 3600 + 29 * 60 + 58),
        ("1-0", 86400),
        ("1-12", 36 * 3600),
        ("1-12:30", 36 * 3600 + 30 * 60),
        ("2-00:00:00", 2 * 86400),
        ("1-11:59:57", 86400 + 11 * 3600 + 59 * 60 + 57),
        ("365-0", 365 * 86400),
        (" 5 ", 300),
    ],
)
def test_reads_the_grammar_of_sbatch(text: str, seconds: int) -> None:
    assert TimeLimit.parse(text).seconds == seconds


@pytest.mark.parametrize("text", ["UNLIMITED", "unlimited", "INFINITE", "infinite", "-1"])
def test_reads_every_word_for_no_limit(text: str) -> None:
    assert TimeLimit.parse(text) == UNLIMITED
    assert TimeLimit.parse(text).minutes is None
    assert TimeLimit.parse(text).unlimited


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "abc",
        "1:2:3:4",
        "1-2-3",
        "-5",
        "--1",
        "-1-1",
        "1-",
        "-1:00",
        ":",
        "1:",
        ":30",
        "1.5",
        "1e3",
        "+5",
        "0x10",
        "5\n",
        "5\n#SBATCH --uid=0",
        "5\x00",
        "\u0663\u0660",
        "\uff13\uff10",
        "\u00b2",
        "1_000",
        "99999999999999999999",
        "9" * 5000,
        "INVALID",
        "NOT_SET",
        "Partition_Limit",
        "NONE",
        "2147483648",
    ],
)
def test_refuses_everything_else(text: str) -> None:
    with pytest.raises(SlurmTextError):
        TimeLimit.parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00"),
        (59, "00:59"),
        (30 * 60, "30:00"),
        (3600, "01:00:00"),
        (86399, "23:59:59"),
        (86400, "1-00:00:00"),
        (36 * 3600, "1-12:00:00"),
    ],
)
def test_writes_what_slurm_writes(seconds: int, text: str) -> None:
    assert str(TimeLimit.of_seconds(seconds)) == text


def test_writes_no_limit() -> None:
    assert str(UNLIMITED) == "UNLIMITED"


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 0), (1, 1), (60, 1), (61, 2), (3600, 60)])
def test_minutes_are_rounded_up(seconds: int, minutes: int) -> None:
    assert TimeLimit.of_seconds(seconds).minutes == minutes


@pytest.mark.parametrize("seconds", [-1, LONGEST + 1])
def test_out_of_range_is_refused(seconds: int) -> None:
    with pytest.raises(SlurmTextError):
        TimeLimit.of_seconds(seconds)


def test_unlimited_is_the_longest() -> None:
    day, longest = TimeLimit.of_minutes(24 * 60), TimeLimit.of_seconds(LONGEST)
    assert day < longest < UNLIMITED
    assert longest < UNLIMITED
    assert TimeLimit(None) >= UNLIMITED
    assert max(UNLIMITED, day) is UNLIMITED
    assert not UNLIMITED < UNLIMITED


@given(st.integers(0, LONGEST))
def test_what_is_written_is_read_back(seconds: int) -> None:
    limit = TimeLimit.of_seconds(seconds)
    assert TimeLimit.parse(str(limit)) == limit


@given(st.integers(0, LONGEST), st.integers(0, LONGEST))
def test_order_is_that_of_the_seconds(one: int, other: int) -> None:
    assert (TimeLimit(one) < TimeLimit(other)) == (one < other)


@given(st.integers(0, 20000), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_all_parts_count(days: int, hours: int, minutes: int, seconds: int) -> None:
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    assert TimeLimit.parse(f"{days}-{hours}:{minutes}:{seconds}").seconds == total
    assert TimeLimit.parse(f"{days * 24 + hours}:{minutes}:{seconds}").seconds == total


@given(st.text() | st.text(alphabet="0123456789:-", max_size=24))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    limit = meaning(TimeLimit.parse, text)
    assert limit is None or TimeLimit.parse(str(limit)) == limit


def test_reads_seconds_since_1970() -> None:
    expected = datetime(2026, 11, 21, 12, 10, 51, tzinfo=timezone.utc)
    assert parse_timestamp("1795263051") == expected


def test_reads_the_standard_form_as_local_time() -> None:
    # Built from the same numbers by another way, so that it holds in any time zone.
    local = datetime(2026, 1, 31, 23, 59, 58).timestamp()
    found = parse_timestamp("2026-01-31T23:59:58")
    assert found is not None
    assert found.timestamp() == local
    assert found.tzinfo is timezone.utc


@pytest.mark.parametrize("text", ["N/A", "Unknown", "None", "NONE", "(null)", "", "0"])
def test_no_such_time_is_none(text: str) -> None:
    assert parse_timestamp(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-01-31",
        "2026-13-31T00:00:00",
        "2026-02-30T00:00:00",
        "2026-01-31 23:59:59",
        "2026-01-31T23:59:5x",
        "9" * 30,
        "9" * 6000,
        "-1",
        "1.5",
        "\u0661\u0667",
    ],
)
def test_other_stamps_are_refused(text: str) -> None:
    with pytest.raises(SlurmTextError):
        parse_timestamp(text)


@given(st.integers(1, 2**32 - 1))
def test_every_moment_of_slurm_is_read(seconds: int) -> None:
    found = parse_timestamp(str(seconds))
    assert found is not None
    assert found.timestamp() == seconds


@given(st.text() | st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\Z"))
def test_any_text_is_a_stamp_or_refused(text: str) -> None:
    found = meaning(parse_timestamp, text)
    assert found is None or found.tzinfo is timezone.utc
