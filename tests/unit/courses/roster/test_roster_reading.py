"""A registrar's file is read, whatever it is written with and whatever is wrong in it."""

from __future__ import annotations

import codecs
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slurmhub.courses.roster.decoding import ENCODINGS
from slurmhub.courses.roster.facts import Identifiers
from slurmhub.courses.roster.reading import MOST_BYTES, Reading, read_roster, sentences
from slurmhub.courses.roster.remarks import MOST_REMARKS, Done, Remark, RosterUnreadable
from tests.rig.registrar import (
    DOMAIN,
    ENGLISH,
    FRENCH,
    STUDENTS,
    RegistrarsFile,
    number_of,
    registrars_file,
)


def remark_at(found: Reading, line: int) -> Remark:
    remarks = [remark for remark in found.remarks if remark.line == line]
    assert len(remarks) == 1, (line, remarks)
    return remarks[0]


@pytest.mark.parametrize(
    ("headings", "delimiter", "encoding", "said"),
    [
        (ENGLISH, ",", "utf-8", "UTF-8"),
        (ENGLISH, ";", "utf-8-sig", "UTF-8"),
        (FRENCH, ";", "cp1252", "Windows-1252"),
        (FRENCH, "\t", "utf-16", "UTF-16"),
        (FRENCH, "\t", "utf-16-le", "UTF-16"),
        (FRENCH, "\t", "utf-16-be", "UTF-16"),
        (FRENCH, ",", "utf-8", "UTF-8"),
        (ENGLISH, "|", "ascii", "UTF-8"),
    ],
)
def test_three_hundred_with_mistakes(
    headings: tuple[str, ...], delimiter: str, encoding: str, said: str
) -> None:
    file = registrars_file(headings, delimiter, encoding)
    found = read_roster(file.data)
    assert (found.encoding, found.delimiter) == (said, delimiter)
    assert found.headings == headings
    # The student who is in it twice is one for `matching`, and two rows here.
    assert len(found.rows) == STUDENTS + 1
    seen = {row.identifiers.number or row.identifiers.login for row in found.rows}
    assert seen == set(file.students)
    assert found.unread == 2
    accents = "Élève 017" if headings is FRENCH else "Student 017"
    assert next(row.name for row in found.rows if row.identifiers.login == "stud017") == accents
    _check_mistakes(file, found)


def _check_mistakes(file: RegistrarsFile, found: Reading) -> None:
    expected = {
        "title": (Done.SKIPPED, "before the headings"),
        "formula": (Done.TAKEN, "would compute"),
        "command": (Done.TAKEN, "would compute"),
        "several lines": (Done.TAKEN, "read as one"),
        "rounded": (Done.LEFT, "rounded"),
        "no mail": (Done.LEFT, "no mail address"),
        "two mails": (Done.TAKEN, "the first is taken"),
        "open quote": (Done.TAKEN, "quotes of this line"),
        "nothing": (Done.SKIPPED, "Nothing here tells"),
        "left": (Done.SKIPPED, "not in the course"),
        "waits": (Done.SKIPPED, "wait for a place"),
        "divided": (Done.SKIPPED, "more fields than there are headings"),
        "headings again": (Done.SKIPPED, "stand here again"),
        "total": (Done.SKIPPED, "sums up"),
    }
    for mistake, (done, words) in expected.items():
        remark = remark_at(found, file.at[mistake])
        assert (remark.done, words in remark.message) == (done, True), (mistake, remark)
    for mistake in ("as text", "same name 20", "same name 21", "shared mail 40", "blank"):
        assert not [one for one in found.remarks if one.line == file.at[mistake]], mistake
    by_line = {row.line: row for row in found.rows}
    assert by_line[file.at["as text"]].identifiers.number == number_of(70)
    assert by_line[file.at["several lines"]].name.endswith(" 050 the second")
    assert by_line[file.at["two mails"]].identifiers.mail == f"student090@{DOMAIN}"
    assert by_line[file.at["open quote"]].identifiers == Identifiers(
        login="stud110", mail=f"student110@{DOMAIN}", number=number_of(110)
    )
    assert by_line[file.at["script"]].name.endswith("<script>alert(1)</script>")
    assert by_line[file.at["twice"]].identifiers.mail == f"student290@{DOMAIN}"


ONE = Identifiers(mail=f"student017@{DOMAIN}", number="10000017")


@pytest.mark.parametrize(
    "text",
    [
        f"Student ID,Email\n10000017,student017@{DOMAIN}\n",
        f"No étudiant;Courriel\n10000017;student017@{DOMAIN}",
        f"NO. D'ÉTUDIANT\tADRESSE DE COURRIEL\r\n10000017\tStudent017@{DOMAIN.upper()}\r\n",
        f"N° étudiant;Adresse électronique\n10000017;<student017@{DOMAIN}>\n",
        f"Matricule|Courriel de l\u2019étudiant(e)\n1000 0017|student017@{DOMAIN}",
        f"Student #,E-mail Address (official)\n1000-0017,mailto:student017@{DOMAIN}\n",
        f"sep=;\nOrgDefinedId;Email\n#10000017;student017@{DOMAIN}\n",
        f'"sep=|"\nStudent Number|e-mail\n10000017|student017@{DOMAIN}\n',
        f"Email,SIS User ID\rstudent017@{DOMAIN},10000017\r",
        f'"Student ID,""Email"""\n"10000017,""student017@{DOMAIN}"""\n'
        f'"10000018,""student018@{DOMAIN}"""\n',
        f"Acme University Student ID,Acme Email\n10000017.0,student017@{DOMAIN}.\n",
        f"\n\nA course\n\nSection;;\nStudent ID;Email;Term\n10000017;student017@{DOMAIN};1",
        f"Advisor Email,Student ID,Primary Email\nprof@{DOMAIN},10000017,student017@{DOMAIN}\n",
        f"Student ID,Email,Preferred Email\n10000017,,student017@{DOMAIN}\n",
        f"No,Student ID,Email\n1,\u200e10000017\u00a0, student017@{DOMAIN}\u200b\n",
        f"10000017,student017@{DOMAIN}\n10000018,student018@{DOMAIN}\n",
        f"Student 017;student017@{DOMAIN};10000017;PHYS\n"
        f"Student 018;student018@{DOMAIN};10000018;PHYS",
    ],
)
def test_headings_and_manners_of_writing(text: str) -> None:
    assert read_roster(text.encode()).rows[0].identifiers == ONE


STUDENT = Identifiers(login="stud017", mail=f"student017@{DOMAIN}", number="10000017")


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        # Canvas: gradebook; Brightspace: grades; Blackboard; Moodle in French; Banner; PeopleSoft.
        (
            "Student,ID,SIS User ID,SIS Login ID,Section,Exercise 1 (4711)\n"
            "    Points Possible,,,,,10\n"
            "Student 017,8123,10000017,stud017,PHYS 101,7\n",
            {"mail"},
        ),
        (
            "OrgDefinedId,Username,Last Name,First Name,Email,End-of-Line Indicator\n"
            f"#10000017,#stud017,017,Student,student017@{DOMAIN},#\n",
            set(),
        ),
        (
            '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Last Access"\t"Availability"\n'
            '"017"\t"Student"\t"stud017"\t"10000017"\t"2026-01-05 09:00:00"\t"Yes"\n',
            {"mail"},
        ),
        (
            "Prénom;Nom de famille;Numéro d\u2019identification;Adresse de courriel;Rôles;Groupes\n"
            f"Student;017;10000017;student017@{DOMAIN};Étudiant;A\n"
            f"Teacher;One;20000001;teacher@{DOMAIN};Enseignant;A\n",
            {"login"},
        ),
        (
            "Record Number,Student Name,ID,Reg Status,Level,Email\n"
            f'1,"017, Student",10000017,**Registered**,UG,student017@{DOMAIN}\n'
            f'2,"018, Student",10000018,**Web Dropped**,UG,student018@{DOMAIN}\n',
            {"login"},
        ),
        ("Notify,ID,Name,Grade Basis,Units\n,10000017,017 Student,GRD,3\n", {"login", "mail"}),
        (
            "Matricule;Code permanent;Nom;Prénom;Programme;Courriel\n"
            f"10000017;XXXX01019900;017;Student;PHYS;student017@{DOMAIN}\n",
            {"login"},
        ),
    ],
)
def test_exports_of_other_systems(text: str, lacks: set[str]) -> None:
    rows = read_roster(text.encode()).rows
    expected = replace(STUDENT, **dict.fromkeys(lacks))
    assert [row.identifiers for row in rows] == [expected]


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("First Name,Last Name", "Student 017"),
        ("Prénom,Nom", "Student 017"),
        ("Given Names,SURNAME", "Student 017"),
        ("Ignored,Nom", "017"),
        ("Student,Program", "Student"),
    ],
)
def test_names(heading: str, name: str) -> None:
    text = f"{heading},Email\nStudent,017,student017@{DOMAIN}\n"
    assert read_roster(text.encode()).rows[0].name == name


def test_a_column_of_anything_by_itself() -> None:
    assert read_roster(b"Email\na@example.ca\nb@example.ca").rows[1].line == 3
    assert read_roster(b"a@example.ca\nb@example.ca").rows[0].identifiers.mail == "a@example.ca"
    logins = read_roster(b"CWL\r\nstud017\r\nstud018\r\n")
    assert [row.identifiers.login for row in logins.rows] == ["stud017", "stud018"]


def test_an_address_for_a_login_is_a_principal_name() -> None:
    found = read_roster(b"Username,Name\nstud017@Example.ca,Student 017\n")
    assert found.rows[0].identifiers == Identifiers(eppn="stud017@example.ca")
    assert [remark.done for remark in found.remarks] == [Done.TAKEN]


def test_columns_that_are_not_used_are_told() -> None:
    found = read_roster(
        b"#,Student ID,Shoe size,Email,\n1,10000017,43,a@example.ca,\n2,10000018,,,\n"
    )
    assert sentences(found.remarks) == (
        "These columns are not used: “Shoe size”",
        "Line 1: The column “#” only counts the lines; it is not used.",
    )


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("cp1252", "Windows-1252"),
        ("iso8859-15", "ISO 8859-15"),
        ("mac-roman", "Mac Roman"),
        ("cp850", "DOS 850"),
    ],
)
def test_old_encodings_are_told_by_what_looks_like_names(encoding: str, said: str) -> None:
    names = ["Éléonore", "Zoé", "ÉLÉONORE", "cœur", "François", "Noël"]
    if encoding == "cp850":
        names.remove("cœur")
    lines = [f"{name},{number}0000" for number, name in enumerate(names, 10)]
    found = read_roster("\n".join(["Prénom,Matricule", *lines]).encode(encoding))
    assert found.encoding == said
    assert [row.name for row in found.rows] == names
    assert f"It was read as {said}" in found.remarks[0].message


def test_the_encoding_can_be_chosen() -> None:
    data = "Name,Matricule\nZoé,100017\n".encode("cp1252")
    chosen = {name: read_roster(data, encoding=name) for name in ("Windows-1252", "DOS 850")}
    assert {name: found.rows[0].name for name, found in chosen.items()} == {
        "Windows-1252": "Zoé",
        "DOS 850": "ZoÚ",
    }
    with pytest.raises(RosterUnreadable, match="no such encoding"):
        read_roster(data, encoding="rot13")


def test_some_letters_of_windows_in_utf8() -> None:
    lines = ["Nom;Courriel", "Élève 017;a@example.ca", "Noël;b@example.ca"]
    data = "\n".join(lines).encode() + "\nZoé;c@example.ca\n".encode("cp1252")
    found = read_roster(data)
    assert [row.name for row in found.rows] == ["Élève 017", "Noël", "Zoé"]
    assert (found.encoding, found.remarks[0].line) == ("UTF-8", 4)


def test_what_was_spoilt_before_is_told() -> None:
    twice = "Élève 017".encode().decode("cp1252")
    found = read_roster(f"Name,Email\n{twice},a@example.ca\n".encode())
    assert "twice" in remark_at(found, 2).message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (codecs.BOM_UTF8 + b"\n\n", "empty"),
        (codecs.BOM_UTF16_LE, "empty"),
        (b"PK\x03\x04" + b"x" * 100, "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel"),
        (b"%PDF-1.7", "PDF"),
        (b"\n<!DOCTYPE html><html>", "page of the web"),
        (bytes(range(32)) * 4, "no text"),
        (b"Name,Shoe size\nStudent 017,43\n", "These are the columns: “Name”, “Shoe size”"),
        (b"Name,Email\n", "no student"),
        (b"Name,Email\nStudent 017,\n", "no student"),
        (b"a" * (MOST_BYTES + 1), "more than 2 MB"),
        (b"a@example.ca\n" * 6000, "more than 5000 lines"),
        (b"\n" * 30_000 + b"a", "more than 20000 lines"),
    ],
)
def test_what_is_no_roster(data: bytes, words: str) -> None:
    with pytest.raises(RosterUnreadable) as refused:
        read_roster(data)
    assert words in str(refused.value)


def test_a_file_of_nothing_but_mistakes_is_told_in_part() -> None:
    lines = [f"{number}0001,x y" for number in range(100, 100 + MOST_REMARKS + 50)]
    found = read_roster("\n".join(["Student ID,Email", *lines]).encode())
    assert (len(found.remarks), found.more) == (MOST_REMARKS, 50)


@pytest.mark.parametrize(
    "data",
    [
        b'"' * MOST_BYTES,
        b'"\n' * 19_999,
        b'a,"\n' * 19_000,
        b"," * MOST_BYTES,
        b"a" * (MOST_BYTES - 1) + b"\xff",
        b"\xff" * MOST_BYTES,
        b"\xc3\xa9" * (MOST_BYTES // 2),
        ("Email\n" + "<" * 9000 + "\n" + " " * 9000).encode(),
        ("Email\n" + "a;" * 4900 + "\n" + "@" * 9000).encode(),
        (("x " * 40 + ",") * 100 + "\n").encode() * 200,
    ],
)
def test_a_hostile_file_costs_little(data: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(RosterUnreadable):
        read_roster(data)
    assert time.process_time() - begun < 5


def read_or_refused(data: bytes, encoding: str | None) -> Reading | RosterUnreadable:
    try:
        return read_roster(data, encoding=encoding)
    except RosterUnreadable as refused:
        return refused


LIKELY = st.sampled_from(
    [
        *[
            b'"',
            b",",
            b";",
            b"\t",
            b"\n",
            b"\r",
            b"\0",
            b"=",
            b"@",
            b"Email",
            b"Student ID",
            b"sep=",
        ],
        *[
            b"a@b.ca",
            b"10000017",
            b"\xe9",
            b"\xc3\xa9",
            b"\xff\xfe",
            b"\xef\xbb\xbf",
            b"\xed\xa0\x80",
        ],
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    data=st.one_of(st.binary(max_size=400), st.lists(LIKELY, max_size=60).map(b"".join)),
    encoding=st.one_of(st.none(), st.sampled_from(sorted(ENCODINGS))),
)
def test_any_bytes_are_read_or_refused_in_words(data: bytes, encoding: str | None) -> None:
    for each in (data, b"Student ID,Email,Name\n" + data):
        found = read_or_refused(each, encoding)
        if isinstance(found, RosterUnreadable):
            assert found.what.isprintable()
            assert found.remedy
            continue
        assert found.rows
        for row in found.rows:
            assert row.identifiers
            assert row.name.isprintable()
            assert all(value.isprintable() and value for _, value in row.identifiers)
        assert all(line.isprintable() for line in sentences(found.remarks))
