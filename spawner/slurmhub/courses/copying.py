"""A course once more, in another term."""

from __future__ import annotations

from dataclasses import dataclass

from slurmhub.courses.model import Course, Joining, Term


@dataclass(frozen=True)
class Copied:
    """The new course, and sentences about what of the old one is not in it."""

    course: Course
    left_out: tuple[str, ...]


def copied(course: Course, key: str, term: Term, *, title: str | None = None) -> Copied:
    """The same course in another term; raises pydantic.ValidationError for a key that is none.

    Students, join codes, days without class and the group that brings students in are those of
    one term, and are left behind; files are not copied either, materials come anew.
    """
    left_out = ["Students and join codes are not copied."]
    if any(hours.without for hours in course.class_hours):
        left_out.append("Days without class are not copied: give those of the new term.")
    if course.joining.group is not None:
        left_out.append("The group that brings students in is not copied: give the new one.")
    if course.storage.folders:
        left_out.append("Files in the folders of the course are not copied.")
    document = {
        **course.model_dump(mode="json"),
        "key": key,
        "title": course.title if title is None else title,
        "term": term.model_dump(mode="json"),
        "class_hours": [
            {**hours.model_dump(mode="json"), "without": []} for hours in course.class_hours
        ],
        "joining": Joining().model_dump(mode="json"),
    }
    return Copied(Course.model_validate(document), tuple(left_out))
