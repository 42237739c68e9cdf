"""A registrar's file of students: from its bytes to rows, with everything that is odd about it.

Nothing in a file is ever computed or trusted: fields are texts, and what is shown of them is short
and without what cannot be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slurmhub.courses.roster.columns import (
    Columns,
    find_columns,
    is_heading_again,
    known_headings,
)
from slurmhub.courses.roster.decoding import decode
from slurmhub.courses.roster.dividing import Record, divide
from slurmhub.courses.roster.facts import Identifiers, Kind
from slurmhub.courses.roster.headings import Field, has_left, is_of_staff, is_total, waits
from slurmhub.courses.roster.remarks import Done, Remark, Remarks, RosterUnreadable
from slurmhub.courses.roster.values import Value, read_name, read_value

MOST_BYTES = 2 * 1024 * 1024
"""Bytes of a file; a roster of a thousand has a tenth of it."""

_FIELDS = {Kind[field.name]: field for field in Field if field.identifies}


@dataclass(frozen=True)
class Row:
    """One student as a file has them: `name` is as it is written there, and may be empty."""

    line: int
    name: str
    identifiers: Identifiers


@dataclass(frozen=True)
class Reading:
    """What a file was read as.

    `encoding` and `delimiter` are for people and for reading it again. `unread` is how many lines
    may have been students and could not be read; `more` is how many remarks are not kept.
    """

    rows: tuple[Row, ...]
    remarks: tuple[Remark, ...]
    encoding: str
    delimiter: str
    headings: tuple[str, ...]
    unread: int
    more: int


def read_roster(data: bytes, *, encoding: str | None = None) -> Reading:
    """The students of a file. `encoding` is one of those of `decoding`, None to find it.

    Raises RosterUnreadable where it is no such file, or has no student.
    """
    if len(data) > MOST_BYTES:
        raise RosterUnreadable(
            f"The file has more than {MOST_BYTES // (1024 * 1024)} MB.",
            remedy="Bring the list of one course, with no more columns than are needed.",
        )
    decoded = decode(data, encoding)
    divided = divide(decoded.text, known_headings)
    columns, of_columns = find_columns(divided.records)
    remarks = Remarks()
    remarks.take([*decoded.remarks, *divided.remarks, *of_columns])
    reader = _Reader(columns, remarks, unread=divided.skipped)
    rows = tuple(row for record in divided.records if (row := reader.row(record)) is not None)
    if not rows:
        raise RosterUnreadable(
            "There is no student in the file whom anything tells from others.",
            remedy="Check that it is the right file, and that it has student numbers, logins or "
            "mail addresses.",
        )
    return Reading(
        rows,
        tuple(remarks),
        decoded.encoding,
        divided.delimiter,
        columns.headings,
        reader.unread,
        remarks.more,
    )


class _Reader:
    """Reads one record after the other, and remarks on them."""

    def __init__(self, columns: Columns, remarks: Remarks, *, unread: int) -> None:
        self._columns = columns
        self._remarks = remarks
        self._seen = 0
        self.unread = unread

    def row(self, record: Record) -> Row | None:
        """The student of a record; None if it is of none."""
        self._seen += 1
        if self._seen <= self._columns.begins or self._is_of_nobody(record):
            return None
        values = {kind: self._value(record, field) for kind, field in _FIELDS.items()}
        values = self._address_as_login(record, values)
        found = Identifiers(**{kind.value: value.text for kind, value in values.items()})
        name = self._name(record)
        if self._is_shifted(record, values):
            return None
        self._say(record, values)
        if not found:
            self._nobody(record, name)
            return None
        return Row(record.line, name, found)

    def _is_of_nobody(self, record: Record) -> bool:
        if is_heading_again(record, self._columns):
            self._skip(record, "The headings stand here again; skipped.")
            return True
        status = self._cell(record, Field.STATUS)
        if has_left(status):
            self._skip(record, "By the status in this line they are not in the course; skipped.")
            return True
        if waits(status):
            self._skip(record, "By the status in this line they still wait for a place; skipped.")
            return True
        if is_of_staff(self._cell(record, Field.ROLE)):
            message = "By the role in this line this is no student; skipped. Add staff by name."
            self._skip(record, message)
            return True
        named = {Field.EPPN, Field.MAIL, Field.LOGIN}
        if is_total(next(filter(None, record.cells), "")) and not any(
            read_value(field, self._cell(record, field)).text for field in named
        ):
            self._skip(record, "This line sums up or ends the list; it was not read as a student.")
            return True
        return False

    def _skip(self, record: Record, message: str) -> None:
        said = " ".join(filter(None, record.cells))
        self._remarks.add(message, Done.SKIPPED, record.line, said)

    def _value(self, record: Record, field: Field) -> Value:
        """Of the best column that has one; what was wrong with the first that has none."""
        places = [self._columns.used[field]] if field in self._columns.used else []
        places += self._columns.others.get(field, ())
        first: Value | None = None
        for place in places:
            value = read_value(field, _cell(record, place))
            if value.text is not None:
                return value
            first = first if first is not None and first.message else value
        return first or Value(None)

    def _address_as_login(self, record: Record, values: dict[Kind, Value]) -> dict[Kind, Value]:
        """Where people sign in with an address, it is a principal name in the wrong column."""
        cell = self._cell(record, Field.LOGIN)
        if "@" not in cell or values[Kind.EPPN].text is not None:
            return values
        taken = read_value(Field.EPPN, cell)
        if taken.text is None:
            return values
        message = "An address stands for the login; it was taken for a principal name."
        return {**values, Kind.EPPN: Value(taken.text, message), Kind.LOGIN: Value(None)}

    def _is_shifted(self, record: Record, values: dict[Kind, Value]) -> bool:
        """More fields than headings: one of them was divided, and those after it moved."""
        width = len(self._columns.headings)
        if not width or len(record.cells) <= width:
            return False
        wrong = any(
            value.text is None and self._cell(record, _FIELDS[kind])
            for kind, value in values.items()
        )
        if not wrong:
            message = "This line has more fields than there are headings; check it."
            self._remarks.add(message, Done.NOTED, record.line, record.cells[width])
            return False
        message = (
            "This line has more fields than there are headings, so what stands in which column "
            "cannot be told; skipped. Perhaps a name has the delimiter in it: put it in quotes."
        )
        self._skip(record, message)
        self.unread += 1
        return True

    def _name(self, record: Record) -> str:
        parts = []
        for place in self._columns.names:
            value = read_name(_cell(record, place))
            if value.message:
                self._remarks.add(value.message, Done.TAKEN, record.line, _cell(record, place))
            parts.append(value.text or "")
        return " ".join(filter(None, parts))

    def _say(self, record: Record, values: dict[Kind, Value]) -> None:
        for kind, value in values.items():
            if value.message:
                done = Done.LEFT if value.text is None else Done.TAKEN
                said = self._cell(record, _FIELDS[kind]) or value.text or ""
                self._remarks.add(value.message, done, record.line, said)

    def _nobody(self, record: Record, name: str) -> None:
        message = (
            "Nothing here tells this student from others; skipped. Give a number, a login or a "
            "mail address."
            if name
            else "This line names nobody; skipped."
        )
        self._skip(record, message)
        self.unread += bool(name)

    def _cell(self, record: Record, field: Field) -> str:
        place = self._columns.used.get(field)
        return "" if place is None else _cell(record, place)


def _cell(record: Record, place: int) -> str:
    return record.cells[place] if place < len(record.cells) else ""


def sentences(remarks: Sequence[Remark]) -> tuple[str, ...]:
    """Each remark as one line of plain English, for a terminal."""
    return tuple(
        (f"Line {remark.line}: " if remark.line else "")
        + remark.message
        + (f" (“{remark.value}”)" if remark.value else "")
        for remark in remarks
    )
