"""Join codes: hard to guess, easy to read, and of no use to who reads the database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.courses.roster.codes import (
    BITS,
    LETTERS,
    REFUSALS,
    CodeKey,
    CodeRefused,
    code_problems,
    make_code,
    read_code,
)

KEY = CodeKey(b"k" * 32)
NOW = 1_800_000_000.0


def test_a_code_cannot_be_guessed_or_misread() -> None:
    assert BITS >= 50
    assert len(set(LETTERS)) == len(LETTERS)
    assert not set(LETTERS) & set("B8I1LO0S5Z2AEU")
    codes = {make_code() for _ in range(200)}
    assert len(codes) == 200
    for code in codes:
        assert [len(part) for part in code.split("-")] == [4, 4, 4]
        assert set(code) <= {*LETTERS, "-"}


def test_all_letters_are_used() -> None:
    assert set("".join(make_code() for _ in range(300))) == {*LETTERS, "-"}


@pytest.mark.parametrize(
    "typed",
    [
        "7KQM-X4RT-9CWD",
        "7kqm x4rt 9cwd",
        " 7KQMX4RT9CWD\n",
        "7KQM\u2013X4RT\u20139CWD\u200b",
        "7kqm.x4rt.9cwd",
    ],
)
def test_as_people_type_it(typed: str) -> None:
    assert read_code(typed) == "7KQMX4RT9CWD"


@pytest.mark.parametrize(
    "typed", ["", "7KQM-X4RT-9CW", "7KQM-X4RT-9CWDD", "7KQM-X4RT-9CW0", "' OR 1=1 --", "é" * 12]
)
def test_what_is_no_code(typed: str) -> None:
    with pytest.raises(CodeRefused, match="This is no join code") as refused:
        read_code(typed)
    assert refused.value.why == "no-code"


def readable(text: str) -> bool:
    try:
        return set(read_code(text)) <= set(LETTERS)
    except CodeRefused:
        return True


@given(st.one_of(st.text(), st.text(alphabet=LETTERS + "- \u0131\u017f", min_size=10, max_size=16)))
def test_any_text_is_a_code_or_refused(text: str) -> None:
    assert readable(text)


def test_the_database_has_nothing_of_a_code() -> None:
    letters = read_code(make_code())
    digest = KEY.digest(letters)
    assert len(digest) == 64
    assert digest == CodeKey(b"k" * 32).digest(letters)
    assert digest != CodeKey(b"l" * 32).digest(letters)
    with pytest.raises(ValueError, match="32 bytes"):
        CodeKey(b"short")


@pytest.mark.parametrize(
    ("seats", "expires", "fields"),
    [
        (30, NOW + 3600, []),
        (1, NOW + 300, []),
        (0, NOW + 3600, ["seats"]),
        (10_001, NOW + 3600, ["seats"]),
        (30, NOW + 299, ["expires"]),
        (30, NOW + 367 * 86400, ["expires"]),
        (30, float("nan"), ["expires"]),
        (-1, float("inf"), ["seats", "expires"]),
    ],
)
def test_limits_of_a_code(seats: int, expires: float, fields: list[str]) -> None:
    found = code_problems(seats=seats, expires=expires, now=NOW)
    assert [problem.field for problem in found] == fields


def test_each_refusal_says_what_to_do() -> None:
    for why in REFUSALS:
        refused = CodeRefused(why)
        assert refused.what.endswith(".")
        assert refused.remedy.endswith(".")
