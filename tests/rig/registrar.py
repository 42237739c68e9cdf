"""A registrar's file of three hundred invented students, with the mistakes that such files have.

python -m tests.rig.registrar > roster.csv        writes it as the English one for commas
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

STUDENTS = 300
DOMAIN = "student.example.ca"

ENGLISH: tuple[str, ...] = (
    "#",
    "Student ID",
    "Last Name",
    "First Name",
    "Email Address",
    "CWL",
    "Reg. Status",
)
FRENCH: tuple[str, ...] = (
    "#",
    "No étudiant",
    "Nom de famille",
    "Prénom",
    "Courriel",
    "Identifiant",
    "Statut",
)
WORDS = {
    ENGLISH: {
        "given": "Student",
        "registered": "Registered",
        "left": "Withdrawn",
        "waits": "Waitlisted",
        "title": "Class list: PHYS 101 001, Winter",
        "total": "Total students: {}",
    },
    FRENCH: {
        "given": "Élève",
        "registered": "Inscrit",
        "left": "Abandonné",
        "waits": "En attente",
        "title": "Liste de groupe\N{NO-BREAK SPACE}: PHYS 101 001, hiver",
        "total": "Nombre d\N{RIGHT SINGLE QUOTATION MARK}étudiants\N{NO-BREAK SPACE}: {}",
    },
}


@dataclass
class RegistrarsFile:
    """The bytes of one, and what is to be found in it.

    `students` are the numbers of those who are in it, each once; the lines of the others are in
    `nobody`, by what is wrong with them.
    """

    headings: tuple[str, ...] = ENGLISH
    delimiter: str = ","
    encoding: str = "utf-8"
    lines: list[str] = field(default_factory=list)
    students: list[str] = field(default_factory=list)
    at: dict[str, int] = field(default_factory=dict)
    """The line of each mistake, by its name."""

    @property
    def data(self) -> bytes:
        """The file."""
        return "".join(f"{line}\r\n" for line in self.lines).encode(self.encoding)

    def row(self, cells: Sequence[str], *, trailing: int = 2) -> str:
        """One line, with quotes where they are needed and empty columns at its end."""
        return self.delimiter.join(
            [*(_quoted(cell, self.delimiter) for cell in cells), *[""] * trailing]
        )

    def add(self, line: str, mistake: str = "") -> None:
        """One line more, or several."""
        if mistake:
            self.at[mistake] = len(self.lines) + 1
        self.lines += line.split("\r\n")

    def student(self, which: int, mistake: str = "", **other: str) -> None:
        """A student's line; `other` are cells by what they hold."""
        words = WORDS[self.headings]
        cells = {
            "count": str(len(self.students) + 1),
            "number": number_of(which),
            "family": f"{which:03}",
            "given": words["given"],
            "mail": f"student{which:03}@{DOMAIN}",
            "login": f"stud{which:03}",
            "status": words["registered"],
        }
        self.add(self.row([*(cells | other).values()]), mistake)
        self.students.append(number_of(which))


def number_of(number: int) -> str:
    """The student number of one of them."""
    return f"{number:04}{number * 7919 % 10_000:04}"


def _quoted(cell: str, delimiter: str) -> str:
    if any(sign in cell for sign in (delimiter, '"', "\r", "\n")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def registrars_file(
    headings: tuple[str, ...] = ENGLISH, delimiter: str = ",", encoding: str = "utf-8"
) -> RegistrarsFile:
    """A file with every mistake."""
    file = RegistrarsFile(headings, delimiter, encoding)
    words = WORDS[headings]
    file.add(file.row([words["title"]], trailing=0), "title")
    file.add("")
    file.add(file.row(headings))
    for number in range(1, STUDENTS + 1):
        _one(file, number)
    file.student(290, "twice", mail=f"STUDENT290@{DOMAIN.upper()}", family="290.")
    file.students.pop()
    file.add(file.delimiter * 8, "blank")
    file.add(file.row([words["total"].format(STUDENTS)], trailing=0), "total")
    return file


def _one(file: RegistrarsFile, number: int) -> None:
    """The student of this number, and what is wrong with some of them."""
    words = WORDS[file.headings]
    if number in (20, 21):
        file.student(number, f"same name {number}", family="Twin")
    elif number == 30:
        file.student(number, "formula", family='=HYPERLINK("http://127.0.0.1/";"030")')
    elif number == 31:
        file.student(number, "command", given="@SUM(1+1)*cmd|' /C calc'!A0")
    elif number == 32:
        file.student(number, "script", family="<script>alert(1)</script>")
    elif number in (40, 41):
        file.student(number, f"shared mail {number}", mail=f"family@{DOMAIN}", login="")
    elif number == 50:
        file.student(number, "several lines", family="050\r\nthe second")
    elif number == 60:
        file.student(number, "rounded", number="6.01E+07")
        file.students[-1] = "stud060"
    elif number == 70:
        file.student(number, "as text", number=f'="{number_of(70)}"')
    elif number == 80:
        file.student(number, "no mail", mail="none at all")
    elif number == 90:
        file.student(number, "two mails", mail=f"student090@{DOMAIN}; other090@{DOMAIN}")
    elif number == 100:
        _nobodies(file, words)
        file.student(number)
    elif number == 110:
        _open_quote(file)
    elif number == 150:
        file.add("")
        file.add(file.row(file.headings), "headings again")
        file.student(number)
    else:
        file.student(number)


def _open_quote(file: RegistrarsFile) -> None:
    file.student(110)
    line = file.lines.pop()
    file.add(line.replace(f"{file.delimiter}110", f'{file.delimiter}"110'), "open quote")


def _nobodies(file: RegistrarsFile, words: dict[str, str]) -> None:
    """Lines that are of no student, or of none that can be told from others."""
    for mistake, cells in {
        "nothing": ["", "", "Nobody", words["given"], "", "", words["registered"]],
        "left": ["", "99990001", "Gone", words["given"], f"gone@{DOMAIN}", "", words["left"]],
        "waits": ["", "99990002", "Late", words["given"], f"late@{DOMAIN}", "", words["waits"]],
    }.items():
        file.add(file.row(cells), mistake)
    divided = [
        "",
        "99990003",
        "Divided",
        words["given"],
        "Jr",
        "x@y",
        "stud999",
        "one",
        "more",
        "x",
    ]
    file.add(file.delimiter.join(divided), "divided")


if __name__ == "__main__":
    sys.stdout.buffer.write(registrars_file().data)
