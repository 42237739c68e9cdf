"""Join codes: made, read as people type them, and what is said to who gives one.

A code is shown once, to who made it. The database has only what `CodeKey` makes of it, which is of
no use without the service's own secret; who counts seats and tries is the store.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from collections.abc import Mapping
from types import MappingProxyType

from slurmhub.courses.roster.values import cleaned
from slurmhub.errors import SlurmhubError
from slurmhub.options.refusal import Problem

LETTERS = "CDFGHJKMNPQRTVWXY34679"
"""Without those that look like others (B8 I1L O0 S5 Z2), and without vowels, so that no code is a
word."""

_PARTS, _OF_A_PART = 3, 4
LENGTH = _PARTS * _OF_A_PART
BITS = LENGTH * math.log2(len(LETTERS))
"""Of chance in each code: guessing one takes 2 to the 53rd tries."""

MOST_SEATS = 10_000
SHORTEST = 5 * 60
"""Seconds that a code holds at least."""
LONGEST = 366 * 24 * 3600
"""Seconds that a code holds at most."""

SHORTEST_SECRET = 32
"""Bytes."""

_BETWEEN = str.maketrans("", "", " -\u2010\u2011\u2012\u2013\u2014\u2212.")


def make_code() -> str:
    """A new code, such as 7KQM-X4RT-9CWD."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    return shown_code(letters)


def shown_code(letters: str) -> str:
    """A code in parts that can be read aloud."""
    parts = (letters[at : at + _OF_A_PART] for at in range(0, LENGTH, _OF_A_PART))
    return "-".join(parts)


def read_code(text: str) -> str:
    """The letters of a code as somebody typed it; raises CodeRefused where it can be none.

    What can be no code is no try at one, and need not be counted.
    """
    letters = cleaned(text[:200]).upper().translate(_BETWEEN)
    if len(letters) != LENGTH or not set(letters) <= set(LETTERS):
        raise CodeRefused("no-code")
    return letters


class CodeKey:
    """Makes digests of codes. `secret` is the service's own, of at least 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(f"the secret for join codes has fewer than {SHORTEST_SECRET} bytes")
        self._secret = hmac.digest(secret, b"slurmhub join codes", hashlib.sha256)

    def digest(self, letters: str) -> str:
        """What the database has of a code, of 64 characters."""
        return hmac.new(self._secret, letters.encode(), hashlib.sha256).hexdigest()


def code_problems(*, seats: int, expires: float, now: float) -> tuple[Problem, ...]:
    """What stands against making such a code; times are in seconds since the epoch."""
    found = []
    if not 1 <= seats <= MOST_SEATS:
        words = f"A code is for 1 to {MOST_SEATS} students."
        found.append(Problem("seats", str(seats), words, limit=str(MOST_SEATS)))
    if not now + SHORTEST <= expires:
        words = "A code holds for at least five minutes: give a later moment."
        found.append(Problem("expires", "", words))
    elif not expires <= now + LONGEST:
        words = "A code holds for at most a year: give an earlier moment."
        found.append(Problem("expires", "", words))
    return tuple(found)


class CodeRefused(SlurmhubError):
    """A code let nobody in. `why` is one of `REFUSALS`, fit to be a label of a metric."""

    def __init__(self, why: str) -> None:
        what, remedy = REFUSALS[why]
        super().__init__(what, remedy=remedy)
        self.why = why


_ASK = "Ask your instructor for a new one, or to bring you in by name."

REFUSALS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "no-code": (
            "This is no join code.",
            "A code has three parts of four letters and digits, such as 7KQM-X4RT-9CWD.",
        ),
        "unknown": (
            "There is no such join code.",
            "Compare each letter with what your instructor gave you.",
        ),
        "expired": ("This join code holds no more: its time is over.", _ASK),
        "revoked": ("This join code was taken back.", _ASK),
        "used-up": ("All places of this join code are taken.", _ASK),
        "full": (
            "The course is full.",
            "Ask your instructor: the course needs more seats before you can come in.",
        ),
        "taken-out": (
            "You were in this course and are not any more.",
            "A join code does not bring you back; your instructor can.",
        ),
        "closed": (
            "This course is not open.",
            "Ask your instructor when it opens, or which course it is now.",
        ),
        "too-many": (
            "Too many wrong join codes were given.",
            "Wait for an hour, and compare each letter then; or ask your instructor to bring you "
            "in by name.",
        ),
    }
)
"""What is said to who gave a code that let nobody in, by what the store says of it."""
