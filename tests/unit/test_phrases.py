"""Sentences are found in what was made of them, whatever else a text holds."""

from __future__ import annotations

import time

import pytest

from slurmhub.phrases import matches, phrase, phrases_of


def values(text: str, sentence: str) -> dict[str, str] | None:
    found = phrase(text)
    assert found is not None
    return found.match(sentence)


@pytest.mark.parametrize(
    ("text", "sentence", "expected"),
    [
        ("Job {id} waits. {reason}", "Job 12 waits. It is next.", ["12", "It is next."]),
        ("Job {id} waits. {reason}", "Job 12 waits. ", ["12", ""]),
        ("Job {id} waits. {reason}", "Job 12 runs. It is next.", None),
        ("The job runs{where}; it starts.", "The job runs; it starts.", [""]),
        ("{number} hours", "1.5 hours", ["1.5"]),
        ("{number} hours", "many hours", None),
        ("{word} is pending {word2}", "alice: is pending stop", ["alice:", "stop"]),
        ("{word} is pending {word2}", "Your job is pending again", None),
        ("{a} of {b} free", "3 of 8 CPUs free", ["3", "8 CPUs"]),
        ("aa{x}aa", "aaa", None),
    ],
)
def test_what_placeholders_stand_for(text: str, sentence: str, expected: list[str] | None) -> None:
    found = values(text, sentence)
    assert (list(found.values()) if found is not None else None) == expected


def test_texts_without_words_or_placeholders_are_no_phrases() -> None:
    assert phrase("Nothing to fill in.") is None
    assert phrase("{a}: {b}") is None


def test_the_most_particular_phrase_comes_first() -> None:
    known = phrases_of(["{a} of {b}", "{a} of memory", "None"])
    assert [one.text for one, _ in matches(known, "4 GB of memory")] == [
        "{a} of memory",
        "{a} of {b}",
    ]


def test_a_hostile_text_costs_no_more_than_its_length() -> None:
    found = phrase("a{x}a{y}a{z}a{w}b")
    assert found is not None
    begun = time.process_time()
    assert found.match("a" * 100_000) is None
    assert time.process_time() - begun < 0.5
