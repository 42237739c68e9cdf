"""From the text of a file to its records: delimiters, quotes, and what is wrong with them.

RFC 4180 says what CSV is; what Excel and registrars' systems write differs in each point of it.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from slurmhub.courses.roster.remarks import Done, Remark, RosterUnreadable

DELIMITERS = (",", ";", "\t", "|")
"""What may stand between fields."""

MOST_LINES = 20_000
MOST_RECORDS = 5_000
MOST_CELLS = 200
LONGEST_LINE = 10_000
"""Characters."""

# A field in quotes may go on over so many lines; if it goes on longer, a quote is lost.
_LONGEST_RECORD = 6
_SAMPLE = 40
_MOST_REMARKS = 200
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
# As Python's reader calls it.
_UNCLOSED = re.compile("unexpected end of data")
_SEP = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Record:
    """The fields of one record, without spaces around them, and the line where it begins."""

    line: int
    cells: tuple[str, ...]


@dataclass
class Divided:
    """The records that are not blank, and what is between their fields."""

    delimiter: str
    records: list[Record] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    skipped: int = 0
    """Lines that could not be read at all."""

    def say(self, message: str, done: Done, line: int | None, value: str = "") -> None:
        """A remark; a file of nothing else has enough of them."""
        if len(self.remarks) < _MOST_REMARKS:
            self.remarks.append(Remark(message, done, line, value))


def divide(text: str, known: Callable[[Sequence[str]], int]) -> Divided:
    """The records of a text. `known` says how many of a record's fields are known headings.

    Raises RosterUnreadable for more lines or records than a course has students.
    """
    lines = _lines(text)
    first = 1
    said = _SEP.fullmatch(lines[0]) if lines else None
    if said:
        lines, first = lines[1:], 2
    delimiter = said[1] if said and said[1] in DELIMITERS else _delimiter(lines, known)
    wrapped = _unwrapped(lines)
    divided = Divided(delimiter if wrapped is None else _delimiter(wrapped, known))
    if wrapped is not None:
        message = "Each line stands in quotes as a whole; they were taken off."
        divided.say(message, Done.TAKEN, None)
        lines = wrapped
    for line, cells in _records(lines, divided, first):
        if len(divided.records) == MOST_RECORDS:
            raise _too_many(f"The file has more than {MOST_RECORDS} lines that are not blank.")
        divided.records.append(Record(line, cells))
    return divided


def _lines(text: str) -> list[str]:
    """With their ends. Only what CSV calls one: Python also divides at what stands in names."""
    found: list[str] = []
    for line in _LINE.finditer(text):
        if len(found) == MOST_LINES:
            raise _too_many(f"The file has more than {MOST_LINES} lines.")
        found.append(line[0])
    return found


def _too_many(what: str) -> RosterUnreadable:
    return RosterUnreadable(
        what, remedy="Bring the list of one course; if it is one, ask the support of this hub."
    )


def _delimiter(lines: Sequence[str], known: Callable[[Sequence[str]], int]) -> str:
    """The one under which headings are known, or else most lines have the same fields."""
    sample = [line for line in lines[: 4 * _SAMPLE] if line.strip()][:_SAMPLE]
    points: dict[str, tuple[int, float, int]] = {}
    for delimiter in DELIMITERS:
        rows = [cells for _, cells in _records(sample, Divided(delimiter), 1)]
        widths = Counter(len(_filled(cells)) for cells in rows)
        width, often = max(
            ((width, often) for width, often in widths.items() if width > 1),
            key=lambda one: (one[1], one[0]),
            default=(0, 0),
        )
        headings = max((known(cells) for cells in rows), default=0)
        points[delimiter] = (headings if width else 0, often / max(1, len(rows)), width)
    return max(DELIMITERS, key=lambda delimiter: points[delimiter])


def _filled(cells: Sequence[str]) -> Sequence[str]:
    """Without the empty ones at the end."""
    last = max((place for place, cell in enumerate(cells) if cell), default=-1)
    return cells[: last + 1]


def _unwrapped(lines: Sequence[str]) -> list[str] | None:
    """The lines without the quotes around each, where that makes fields of them; else None."""
    filled = [line.strip() for line in lines if line.strip()]
    within = [line for line in filled if _is_wrapped(line)]
    if len(within) < 2 or len(within) * 10 < len(filled) * 8:
        return None
    if not any(sign in line for line in within[:_SAMPLE] for sign in DELIMITERS):
        return None
    return [_inner(line) if _is_wrapped(line.strip()) else line for line in lines]


def _is_wrapped(line: str) -> bool:
    inner = line[1:-1].replace('""', "")
    return len(line) > 2 and line[0] == line[-1] == '"' and '"' not in inner


def _inner(line: str) -> str:
    return line.strip()[1:-1].replace('""', '"') + "\n"


def _records(
    lines: Sequence[str], divided: Divided, first: int
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Each record that is not blank, with the line where it begins."""
    at = 0
    while at < len(lines):
        line, cells, used = at + first, None, 1
        if len(lines[at]) > LONGEST_LINE:
            message = f"The line is longer than {LONGEST_LINE} characters; it was skipped."
            divided.say(message, Done.SKIPPED, line)
            divided.skipped += 1
        else:
            cells, used = _record(lines, at, divided, line)
        at += used
        if cells is not None and len(_filled(cells)) > MOST_CELLS:
            message = f"The line has more than {MOST_CELLS} fields; it was skipped."
            divided.say(message, Done.SKIPPED, line)
            divided.skipped += 1
        elif cells is not None and any(cells):
            yield line, tuple(_filled(cells))


def _record(lines: Sequence[str], at: int, divided: Divided, line: int) -> tuple[list[str], int]:
    """One record and how many lines it takes."""
    for used in range(1, min(_LONGEST_RECORD, len(lines) - at) + 1):
        if len(lines[at + used - 1]) > LONGEST_LINE:
            break
        try:
            cells = _cells(lines[at : at + used], divided.delimiter, strict=True)
        except csv.Error as error:
            if _UNCLOSED.search(str(error)):
                continue
            break
        if used > 1:
            last = line + used - 1
            message = (
                f"This line and those after it to line {last} were read as one: a field in quotes "
                "goes on over them."
            )
            divided.say(message, Done.TAKEN, line)
        return cells, used
    message = (
        "The quotes of this line are not closed, or end within a field; it was read by itself."
    )
    divided.say(message, Done.TAKEN, line)
    return _cells(lines[at : at + 1], divided.delimiter, strict=False), 1


def _cells(lines: Sequence[str], delimiter: str, *, strict: bool) -> list[str]:
    if strict:
        reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
        cells = next(reader, [])
    else:
        cells = [cell.strip(' "') for cell in lines[0].rstrip("\r\n").split(delimiter)]
    return [cell.strip() for cell in cells]
