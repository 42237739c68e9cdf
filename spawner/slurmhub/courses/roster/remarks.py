"""What is said of a file to the person who brought it: where, what is odd, what was done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from slurmhub.courses.roster.values import cleaned
from slurmhub.errors import SlurmhubError
from slurmhub.options.refusal import shown

MOST_REMARKS = 500
"""How many are kept of one file; of the others only the number."""


class Done(Enum):
    """What became of what is remarked on."""

    NOTED = "noted"
    """It was read as it is, and is worth a look."""
    TAKEN = "taken"
    """It was read otherwise than it is written."""
    LEFT = "left"
    """This value is not used; the student is."""
    SKIPPED = "skipped"
    """The line was not read as a student."""


@dataclass(frozen=True)
class Remark:
    """One plain sentence about one line, counted from 1, or about the whole file.

    `value` is what stood there, kept only as one short line that is safe to show.
    """

    message: str
    done: Done
    line: int | None = None
    value: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", shown(cleaned(self.value)))

    def as_json(self) -> dict[str, object]:
        """For REST."""
        return {
            "message": self.message,
            "done": self.done.value,
            "line": self.line,
            "value": self.value,
        }


class Remarks:
    """Those of one file, the first `MOST_REMARKS` of them; `more` is how many others there were."""

    def __init__(self) -> None:
        self._kept: list[Remark] = []
        self.more = 0

    def add(self, message: str, done: Done, line: int | None = None, value: str = "") -> None:
        """One more."""
        self.take([Remark(message, done, line, value)])

    def take(self, remarks: Iterable[Remark]) -> None:
        """Others', in their order."""
        for remark in remarks:
            if len(self._kept) < MOST_REMARKS:
                self._kept.append(remark)
            else:
                self.more += 1

    def __iter__(self) -> Iterator[Remark]:
        return iter(sorted(self._kept, key=lambda remark: remark.line or 0))


class RosterUnreadable(SlurmhubError):
    """A file that cannot be read as a list of students at all."""
