"""A course as a file: the same model in YAML, with its staff and where its roster is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, model_validator
from typing_extensions import Self

from slurmhub.courses.errors import CourseError
from slurmhub.courses.kinds import InnerPath, Username
from slurmhub.courses.mistakes import mistakes, written
from slurmhub.courses.model import Course, CourseModel, Role
from slurmhub.options.refusal import Problem
from slurmhub.yaml_text import LARGEST, Document, Mark, NotReadable, read_document

_People = Annotated[tuple[Username, ...], Field(max_length=200)]
# Ours is YAML 1.2, in which 08 is a number; PyYAML writes 1.1, in which it is none.
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?\Z")


# Ends of lines that are none in every program; in other quotes they would be folded.
_ODD_ENDS = re.compile("[\r\x85\u2028\u2029]")


class Staff(CourseModel):
    """Who teaches, beside the owner, by the names that they have at the hub."""

    instructors: _People = ()
    assistants: _People = ()

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        twice = set(self.instructors) & set(self.assistants)
        if twice:
            raise ValueError(f"names {min(twice)} twice")
        return self

    @property
    def roles(self) -> dict[str, Role]:
        """What each of them is."""
        return {
            **dict.fromkeys(self.assistants, Role.ASSISTANT),
            **dict.fromkeys(self.instructors, Role.INSTRUCTOR),
        }


class CourseFile(Course):
    """What a course file says; `roster` is the registrar's file, in the folder of the course's."""

    staff: Staff = Staff()
    roster: InnerPath | None = None

    @property
    def course(self) -> Course:
        """The course alone."""
        own = {name: getattr(self, name) for name in Course.model_fields}
        return Course.model_validate(own)


@dataclass(frozen=True)
class Placed:
    """One thing that is wrong with a file, with its place; `remedy` is what to do about it."""

    mark: Mark
    problem: Problem
    remedy: str

    def line(self, file: str) -> str:
        """As compilers say it, so that editors find the place."""
        where = f"{file}:{self.mark.line}:{self.mark.column}"
        return f"{where}: {self.problem.line()} {self.remedy}"


class CourseFileWrong(CourseError):
    """A file that is no course, with everything that is wrong with it, in its order."""

    def __init__(self, file: str, problems: tuple[Placed, ...]) -> None:
        super().__init__(
            f"{file} is no course that can be made.",
            remedy="Correct what is named here and give the file again.",
        )
        self.file = file
        self.problems = problems

    def __str__(self) -> str:
        lines = "\n".join(one.line(self.file) for one in self.problems)
        return f"{self.what}\n{lines}\n{self.remedy}"


def load_course(path: FilePath) -> CourseFile:
    """The course in this file; raises CourseFileWrong."""
    try:
        with path.open("rb") as file:
            # No more than is looked at: the file may be any.
            content = file.read(4 * LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        words = f"It cannot be read: {reason}."
        raise _wrong(str(path), Mark(1, 1), words, "Look whether it is there.") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        words = "It is not UTF-8."
        raise _wrong(str(path), Mark(line, 1), words, "Save the file as UTF-8.") from error
    return parse_course(text, str(path))


def parse_course(text: str, file: str) -> CourseFile:
    """The course in this text, which is called `file`; raises CourseFileWrong."""
    try:
        document = read_document(text)
    except NotReadable as error:
        raise _wrong(file, error.mark, error.reason, error.remedy) from error
    if not isinstance(document.data, dict):
        words = "There is no course in it."
        raise _wrong(file, Mark(1, 1), words, "Write the settings, each with a colon.")
    found = [
        Placed(
            mark,
            Problem(written(path), "", "This is there twice."),
            "Keep one of the two.",
        )
        for path, mark in document.twice
    ]
    try:
        course = CourseFile.model_validate(document.data)
    except ValidationError as error:
        found += _placed(error, document)
    if found:
        order = sorted(found, key=lambda one: (one.mark.line, one.mark.column))
        raise CourseFileWrong(file, tuple(order))
    return course


def course_text(course: Course, *, staff: Staff | None = None, roster: str | None = None) -> str:
    """A course as a file, which `parse_course` reads as the same; what is usual is left out."""
    data = course.model_dump(mode="json", exclude_defaults=True)
    for hours in data.get("class_hours", ()):
        hours["start"], hours["end"] = hours["start"][:5], hours["end"][:5]
    if staff is not None and staff != Staff():
        data["staff"] = staff.model_dump(mode="json", exclude_defaults=True)
    if roster is not None:
        data["roster"] = roster
    text: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, indent=2
    )
    return text


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Puts into quotes what YAML 1.2 would take for a number as well, and what ends a line."""

    def represent_str(self, data: str) -> Any:
        style = '"' if _ODD_ENDS.search(data) else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_implicit_resolver("tag:yaml.org,2002:int", _NUMBER, list("-+0123456789"))
_Dumper.add_representer(str, _Dumper.represent_str)


def _placed(error: ValidationError, document: Document) -> list[Placed]:
    found = []
    for path, problem in mistakes(error, CourseFile):
        found.append(Placed(document.mark(path), problem, _remedy(problem)))
    return found


def _remedy(problem: Problem) -> str:
    if problem.choices:
        return "Write what is meant."
    return "Correct it." if problem.value else "Add it."


def _wrong(file: str, mark: Mark, words: str, remedy: str) -> CourseFileWrong:
    return CourseFileWrong(file, (Placed(mark, Problem("file", "", words), remedy),))


def staff_of(members: dict[str, Role]) -> Staff:
    """The staff of a course, to be written into its file, without its owner."""
    return Staff(
        instructors=tuple(sorted(n for n, role in members.items() if role is Role.INSTRUCTOR)),
        assistants=tuple(sorted(n for n, role in members.items() if role is Role.ASSISTANT)),
    )
