"""What differs between two forms of a course, and both changes of two people in one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from slurmhub.courses.model import Course

Document = Mapping[str, Any]
"""A course as JSON."""


@dataclass(frozen=True)
class Difference:
    """One value that differs; `path` is as people write it, profile.cpus or class_hours[0].end.

    None is a value that is not there.
    """

    path: str
    before: Any
    after: Any


def document_of(course: Course) -> dict[str, Any]:
    """A course as JSON, whole."""
    return course.model_dump(mode="json")


def differences(before: Document, after: Document) -> tuple[Difference, ...]:
    """Every value that differs, in the order of the model."""
    return tuple(_differing("", before, after))


def changed_fields(before: Document, after: Document) -> dict[str, Any]:
    """The fields of a course that differ, with what they are in `after`."""
    return {name: value for name, value in after.items() if before.get(name) != value}


@dataclass(frozen=True)
class Merged:
    """Both changes in one, or the fields that both changed; `course` is None if it cannot be."""

    course: Course | None
    conflicts: tuple[str, ...] = ()


def merged(base: Document, theirs: Document, mine: Document) -> Merged:
    """What two people made of the same course, as one; field by field."""
    by_them, by_me = changed_fields(base, theirs), changed_fields(base, mine)
    both = tuple(name for name in by_me if name in by_them and by_me[name] != by_them[name])
    if both:
        return Merged(None, both)
    try:
        return Merged(Course.model_validate({**theirs, **by_me}))
    except ValidationError as error:
        # Each change alone was right: the term is one's, the class hours are the other's.
        names = dict.fromkeys(str(one["loc"][0]) for one in error.errors() if one["loc"])
        return Merged(None, tuple(names) or tuple(by_me))


def _differing(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*after, *before]):
            inner = f"{path}.{name}" if path else str(name)
            yield from _differing(inner, before.get(name), after.get(name))
    elif isinstance(before, list) and isinstance(after, list):
        for place in range(max(len(before), len(after))):
            one = before[place] if place < len(before) else None
            other = after[place] if place < len(after) else None
            yield from _differing(f"{path}[{place}]", one, other)
    elif before != after or type(before) is not type(after):
        yield Difference(path, before, after)
