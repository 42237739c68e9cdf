"""Files that are made of a roster: no spreadsheet computes what is in them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.courses.roster.reading import read_roster
from slurmhub.courses.roster.values import cleaned, read_name
from slurmhub.courses.roster.writing import safe_cell, write_csv


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Student 017", "Student 017"),
        ('=HYPERLINK("http://127.0.0.1/")', '\'=HYPERLINK("http://127.0.0.1/")'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'=1"),
        ("\r\n@x", "'@x"),
        ("a\n=1", "a =1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        (-1, "-1"),
        (1.5, "1.5"),
        (None, ""),
        ("a\ud800b", "a b"),
    ],
)
def test_a_cell_is_a_text(value: object, written: str) -> None:
    assert read_cells(write_csv(["A"], [[value]]))[1] == [written]


def read_cells(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@given(st.text(max_size=60))
def test_any_text_is_safe_and_comes_back(text: str) -> None:
    safe = safe_cell(text)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert len(safe.splitlines()) <= 1
    name = cleaned(text)
    if not name.startswith(("'", '="')):
        data = write_csv(["Name", "Email"], [[name, "a@example.ca"]])
        assert read_roster(data).rows[0].name == (read_name(name).text or "")


def test_it_is_written_for_excel() -> None:
    data = write_csv(["Prénom", "Matricule"], [['Zoé; "a"', "0017"]])
    assert data == '\ufeff"Prénom","Matricule"\r\n"Zoé; ""a""","0017"\r\n'.encode()
