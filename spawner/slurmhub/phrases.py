"""Sentences with {placeholders}, found again in what was made of them.

Python code says "Job 12 waits in the queue. It is next." in one string; a catalogue knows
"Job {job_id} waits in the queue. {plain_reason}". Matching takes linear time, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_NUMBER = re.compile(r"\d[\d.,]*")
_WORD = re.compile(r"\S+")
# A placeholder of this name, with or without a digit after it, stands for such a text only.
_ONLY = {"number": _NUMBER, "word": _WORD}


@dataclass(frozen=True)
class Phrase:
    """A sentence with placeholders: `literals` are the texts before, between and after `names`."""

    text: str
    literals: tuple[str, ...]
    names: tuple[str, ...]

    @cached_property
    def longest(self) -> str:
        """The longest fixed text, which every match holds."""
        return max(self.literals, key=len)

    @cached_property
    def fixed(self) -> int:
        """How much of it is fixed, in characters."""
        return sum(map(len, self.literals))

    def match(self, sentence: str) -> dict[str, str] | None:
        """What the placeholders stand for in `sentence`, or None if it is another one."""
        first, *rest = self.literals
        if not sentence.startswith(first):
            return None
        found: dict[str, str] = {}
        at = len(first)
        for index, (name, literal) in enumerate(zip(self.names, rest, strict=True)):
            if index == len(rest) - 1:
                end = len(sentence) - len(literal)
                fits = end >= at and sentence.endswith(literal)
            else:
                end = sentence.find(literal, at)
                fits = end >= 0
            value = sentence[at:end]
            only = _ONLY.get(name.rstrip("0123456789"))
            if not fits or (only and not only.fullmatch(value)):
                return None
            found[name] = value
            at = end + len(literal)
        return found


def phrase(text: str) -> Phrase | None:
    """`text` taken apart; None when it has no placeholder, or nothing but placeholders."""
    parts = _PLACEHOLDER.split(text)
    literals, names = tuple(parts[::2]), tuple(parts[1::2])
    if not names or not any(letter.isalpha() or letter == "\u00d7" for letter in "".join(literals)):
        return None
    return Phrase(text, literals, names)


def phrases_of(texts: Iterable[str]) -> tuple[Phrase, ...]:
    """The phrases among `texts`, those with most fixed text first."""
    found = (phrase(text) for text in texts)
    return tuple(
        sorted(
            (one for one in found if one is not None),
            key=lambda one: (-one.fixed, one.text),
        )
    )


def matches(phrases: Iterable[Phrase], sentence: str) -> Iterator[tuple[Phrase, Mapping[str, str]]]:
    """Each phrase that `sentence` may have been made from, the most particular first."""
    for one in phrases:
        if one.longest in sentence:
            values = one.match(sentence)
            if values is not None:
                yield one, values
