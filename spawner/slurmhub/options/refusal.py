"""What is said when a request cannot be granted: which field, what was given, what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slurmhub.errors import SlurmhubError

SHOWN_LENGTH = 80
"""Characters of a given value that are repeated to the reader, at most."""

GENERAL = "options"
"""The field of a problem that belongs to no single field of the form."""


def shown(value: object) -> str:
    """Any value as one short line that is safe in a log, a header and a page.

    Control, format and other unprintable characters are written as escapes, and the result has
    at most `SHOWN_LENGTH` characters. Never raises; containers are named, not opened.
    """
    if isinstance(value, str):
        text = value
    elif value is None:
        text = "nothing"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int):
        # Python refuses to write out integers of thousands of digits.
        text = str(value) if value.bit_length() < 256 else "a very large number"
    elif isinstance(value, float):
        text = repr(value)
    elif isinstance(value, (bytes, bytearray)):
        text = "bytes"
    elif isinstance(value, (list, tuple)):
        text = f"a list of {len(value)}"
    elif isinstance(value, dict):
        text = "a mapping"
    else:
        text = f"a value of type {type(value).__name__}"
    return _one_line(text)


def _one_line(text: str) -> str:
    cut = text[: SHOWN_LENGTH + 1]
    safe = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)
    return safe if len(safe) <= SHOWN_LENGTH else safe[: SHOWN_LENGTH - 1] + "…"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a request.

    `field` is the field's name on the form, in a link and in REST, or `GENERAL`: a closed set, fit
    to be a label of a metric. `value` is what was given (kept only as `shown`); `message` is a
    plain sentence; `limit` is the bound that was crossed, with its unit; `choices` are the values
    that would do.
    """

    field: str
    value: str
    message: str
    limit: str | None = None
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", _one_line(self.value))

    def details(self) -> str:
        """The limit and the choices as one short text, empty when there are none."""
        parts = []
        if self.limit is not None:
            parts.append(f"limit: {self.limit}")
        if self.choices:
            parts.append(f"choices: {', '.join(self.choices)}")
        return "; ".join(parts)

    def line(self) -> str:
        """The whole problem on one line: field, value, message, limit, choices."""
        start = f"{self.field} = “{self.value}”: " if self.value else f"{self.field}: "
        details = self.details()
        return f"{start}{self.message}{f' ({details})' if details else ''}"

    def as_json(self) -> dict[str, object]:
        """The problem for a REST answer."""
        return {
            "field": self.field,
            "value": self.value,
            "message": self.message,
            "limit": self.limit,
            "choices": list(self.choices),
        }


class Refusal(SlurmhubError):
    """A request that is not granted, with every problem found in it."""

    def __init__(
        self,
        problems: Iterable[Problem],
        *,
        what: str = "These options cannot be used.",
        remedy: str = "Change what is named here and start again.",
    ) -> None:
        super().__init__(what, remedy=remedy)
        self.problems = tuple(problems)

    def message(self) -> str:
        """One line for each problem."""
        return "\n".join(problem.line() for problem in self.problems)

    def __str__(self) -> str:
        return f"{self.what}\n{self.message()}\n{self.remedy}"
