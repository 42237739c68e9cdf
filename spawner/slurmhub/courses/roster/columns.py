"""Which column of a roster holds what: by its heading, or by what stands in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from slurmhub.courses.roster.dividing import Record
from slurmhub.courses.roster.headings import Field, meaning, plain
from slurmhub.courses.roster.remarks import Done, Remark, RosterUnreadable
from slurmhub.options.refusal import shown

# So many records at the beginning may be titles and the like.
_FIRST = 25
_SAMPLE = 200
# A column is taken for what most of it looks like.
_MOST = 0.8

# Of these somebody may have several; a second number is a number of something else.
_MANY = (Field.MAIL, Field.LOGIN, Field.EPPN)

_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NUMBER = re.compile(r"[A-Za-z]{0,3}[0-9]{5,12}|[A-Z]{4}[0-9]{8}")
_LOGIN = re.compile(r"[a-z][a-z0-9_.-]{1,31}")
_NAME = re.compile(r"[^\W\d_].*", re.DOTALL)


@dataclass(frozen=True)
class Columns:
    """The columns that are used, by what they hold; `names` are shown in this order.

    `others` are second columns of the same meaning: they count where the first is empty.
    """

    used: Mapping[Field, int]
    names: tuple[int, ...] = ()
    others: Mapping[Field, tuple[int, ...]] = field(default_factory=dict)
    headings: tuple[str, ...] = ()
    begins: int = 0
    """The first record of students."""

    @property
    def identifying(self) -> bool:
        """Whether there is one that tells one person from another."""
        return any(each.identifies for each in self.used)


def known_headings(cells: Sequence[str]) -> int:
    """How many kinds of fields the cells of a record name."""
    if any("@" in cell for cell in cells):
        return 0
    found = (meaning(cell) for cell in cells)
    return len({one[0] for one in found if one is not None})


def find_columns(records: Sequence[Record]) -> tuple[Columns, list[Remark]]:
    """What the columns hold, and what is to be said of it. Raises RosterUnreadable."""
    at = _heading(records)
    if at is None:
        columns, remarks = _by_what_is_there(records)
    else:
        columns, remarks = _by_headings(records, at)
    if not columns.identifying:
        first = columns.headings or (records[0].cells if records else ())
        listed = ", ".join(f"“{shown(cell)}”" for cell in first[:10] if cell)
        raise RosterUnreadable(
            f"No column tells one student from another. These are the columns: {listed}",
            remedy="Bring a file with a column of student numbers, logins or mail addresses, "
            "under a heading such as “Student ID”, “Login” or “Email”.",
        )
    return columns, remarks


def _heading(records: Sequence[Record]) -> int | None:
    """The record of headings: the first that names two kinds of fields, or one that identifies."""
    counts = [known_headings(record.cells) for record in records[:_FIRST]]
    for at, count in enumerate(counts):
        if count > 1:
            return at
    for at, record in enumerate(records[:_FIRST]):
        means = [one[0] for one in map(meaning, record.cells) if one is not None]
        if counts[at] and means[0].identifies and _may_be_headings(record, records[at + 1 :]):
            return at
    return None


def _may_be_headings(record: Record, below: Sequence[Record]) -> bool:
    """ "Email" over one column; but a title such as "Student ID list" stands over several."""
    cells = [cell for cell in record.cells if cell]
    several = bool(below) and len(below[0].cells) > 1
    return several == (len(cells) > 1) and not any(c.isdigit() for cell in cells for c in cell)


def _by_headings(records: Sequence[Record], at: int) -> tuple[Columns, list[Remark]]:
    headings = records[at].cells
    found: dict[Field, list[tuple[int, int]]] = {}
    for place, heading in enumerate(headings):
        means = meaning(heading)
        if means is not None:
            found.setdefault(means[0], []).append((means[1], place))
    below = records[at + 1 :]
    remarks = _titles(records[:at])
    counters = {place for _, place in found.get(Field.NUMBER, []) if _counts(below, place)}
    if counters:
        found[Field.NUMBER] = [one for one in found[Field.NUMBER] if one[1] not in counters]
        for place in sorted(counters):
            message = (
                f"The column “{shown(headings[place])}” only counts the lines; it is not used."
            )
            remarks.append(Remark(message, Done.LEFT, records[at].line))
    places = {kind: [place for _, place in sorted(ones)] for kind, ones in found.items() if ones}
    used = {kind: ones[0] for kind, ones in places.items()}
    others = {kind: tuple(ones[1:]) for kind, ones in places.items() if kind in _MANY}
    remarks += _unused(headings, set().union(*map(set, places.values())) | counters, below, at)
    for kind, ones in others.items():
        for place in ones:
            message = f"“{shown(headings[used[kind]])}” is taken before “{shown(headings[place])}”."
            remarks.append(Remark(message, Done.NOTED, records[at].line))
    return Columns(used, _names(used), others, headings, at + 1), remarks


def _names(used: Mapping[Field, int]) -> tuple[int, ...]:
    """Given and family name in this order, or the whole name."""
    if Field.GIVEN in used and Field.FAMILY in used:
        return used[Field.GIVEN], used[Field.FAMILY]
    for kind in (Field.NAME, Field.FAMILY, Field.GIVEN):
        if kind in used:
            return (used[kind],)
    return ()


def _titles(records: Sequence[Record]) -> list[Remark]:
    message = "This stands before the headings; it was not read as a student."
    return [
        Remark(message, Done.SKIPPED, record.line, next(filter(None, record.cells)))
        for record in records
    ]


def _counts(records: Sequence[Record], place: int) -> bool:
    """Whether a column is 1, 2, 3 and so on."""
    cells = [_cell(record, place) for record in records[:_SAMPLE]]
    numbers = [int(cell) for cell in cells if cell.isascii() and cell.isdigit() and len(cell) < 6]
    return len(numbers) > 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _unused(
    headings: Sequence[str], used: set[int], below: Sequence[Record], at: int
) -> list[Remark]:
    """Columns that have a heading nobody knows, or something and no heading."""
    remarks = []
    unknown = [
        heading
        for place, heading in enumerate(headings)
        if heading and place not in used and any(_cell(record, place) for record in below)
    ]
    if unknown:
        listed = ", ".join(f"“{shown(heading)}”" for heading in unknown[:20])
        remarks.append(Remark(f"These columns are not used: {listed}", Done.NOTED))
    return remarks


def _by_what_is_there(records: Sequence[Record]) -> tuple[Columns, list[Remark]]:
    """Without headings: mail addresses and numbers are plain to see, and names by their letters."""
    sample = records[:_SAMPLE]
    width = max((len(record.cells) for record in sample), default=0)
    used: dict[Field, int] = {}
    names: list[int] = []
    for place in range(width):
        cells = [cell for cell in (_cell(record, place) for record in sample) if cell]
        if not cells or _counts(sample, place):
            continue
        for kind, form in ((Field.MAIL, _MAIL), (Field.NUMBER, _NUMBER), (Field.LOGIN, _LOGIN)):
            if kind not in used and _mostly(form, cells) and _differ(cells):
                used[kind] = place
                break
        else:
            if _mostly(_NAME, cells):
                names.append(place)
    remarks = [Remark("The file has no headings that are known.", Done.NOTED)]
    for kind, place in used.items():
        message = f"Column {place + 1} was taken for {_CALLED[kind]}."
        remarks.append(Remark(message, Done.TAKEN, None, _cell(sample[0], place)))
    return Columns(used, tuple(names[:2])), remarks


_CALLED = {
    Field.MAIL: "mail addresses",
    Field.NUMBER: "student numbers",
    Field.LOGIN: "logins",
}


def _mostly(form: re.Pattern[str], cells: Sequence[str]) -> bool:
    return sum(form.fullmatch(cell) is not None for cell in cells) >= _MOST * len(cells)


def _differ(cells: Sequence[str]) -> bool:
    """What identifies people differs from line to line; what says their programme does not."""
    return len({cell.casefold() for cell in cells}) >= _MOST * len(cells)


def is_heading_again(record: Record, columns: Columns) -> bool:
    """Whether the headings stand here once more, as on each page of a printed list."""
    own = [plain(heading) for heading in columns.headings]
    cells = [plain(cell) for cell in record.cells]
    return bool(own) and [cell for cell in cells if cell] == [one for one in own if one]


def _cell(record: Record, place: int) -> str:
    return record.cells[place] if place < len(record.cells) else ""
