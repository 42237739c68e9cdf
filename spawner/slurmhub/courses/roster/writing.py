"""Lists of people as CSV that spreadsheets open and never compute."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from slurmhub.courses.roster.values import COMPUTING


def write_csv(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """UTF-8 with its mark, without which Excel spoils accents; every field in quotes.

    A text that a spreadsheet would compute has an apostrophe before it, which marks it as text;
    `reading` takes it off again.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([safe_cell(heading) for heading in headings])
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return file.getvalue().encode("utf-8-sig", errors="replace")


def safe_cell(value: object) -> str:
    """Any value as a text of one line that no spreadsheet computes."""
    if value is None:
        return ""
    if isinstance(value, (int, float)):
        return str(value)
    text = "".join(c if c.isprintable() else " " for c in str(value)).strip()
    return f"'{text}" if text.startswith(COMPUTING) else text
