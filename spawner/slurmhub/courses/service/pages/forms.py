"""A course as a form in a browser: what is typed, kept as it was typed, and the course it means.

Fields are named as the model names what they hold, class_hours[0].start, so that what is wrong with
a course is said beside the field that it came from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slurmhub.courses.changes import Document, document_of
from slurmhub.courses.mistakes import read_course
from slurmhub.courses.model import MOST_CLASSES, Course
from slurmhub.options.fields import NotReadable, read_hours, read_memory
from slurmhub.options.refusal import Problem
from slurmhub.options.words import hours_typed, memory_typed
from slurmhub.slurm.errors import SlurmTextError
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit

Typed = Mapping[str, str]
"""What stands in each field, by its name; of a box that is ticked `yes`."""

LONGEST = 4000
"""Characters of one field that are read."""

CLASSES = "class_hours"
OF_A_CLASS = ("weekday", "start", "end", "seats", "without")
BOXES = ("storage.shared", "storage.data", "storage.drop", "storage.exchange")
TICKED = "yes"

_CLASS_FIELD = re.compile(rf"class_hours\[(\d{{1,4}})\]\.({'|'.join(OF_A_CLASS)})")
_PLACE = re.compile(r"class_hours\[(\d+)\]")
_BETWEEN_DAYS = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Kind:
    """How one kind of value is written in a field, and read from it."""

    shown: Callable[[Any], str]
    read: Callable[[str], object]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _memory(value: Any) -> str:
    try:
        return "" if value is None else memory_typed(Memory.parse(str(value)))
    except SlurmTextError:
        return str(value)


def _read_memory(text: str) -> object:
    try:
        mebibytes = read_memory(text).mebibytes
    except NotReadable:
        return text
    return f"{mebibytes}M" if mebibytes % 1024 else f"{mebibytes // 1024}G"


def _hours(value: Any) -> str:
    if not isinstance(value, (int, float)):
        return _text(value)
    return hours_typed(TimeLimit.of_minutes(round(value * 60)))


def _read_hours(text: str) -> object:
    try:
        return (read_hours(text).minutes or 0) / 60
    except NotReadable:
        return text


def _days(value: Any) -> str:
    return ", ".join(map(str, value or ()))


def _read_days(text: str) -> object:
    return [day for day in _BETWEEN_DAYS.split(text) if day]


LINE = Kind(_text, lambda text: text)
TEXT = Kind(_text, lambda text: text.replace("\r\n", "\n"))
MEMORY = Kind(_memory, _read_memory)
HOURS = Kind(_hours, _read_hours)
CLOCK = Kind(lambda value: _text(value)[:5], lambda text: text)
DAYS = Kind(_days, _read_days)

FIELDS: Mapping[str, Kind] = {
    "key": LINE,
    "title": LINE,
    "description": TEXT,
    "term.name": LINE,
    "term.first": LINE,
    "term.last": LINE,
    "timezone": LINE,
    "profile.partition": LINE,
    "profile.cpus": LINE,
    "profile.memory": MEMORY,
    "profile.gpus": LINE,
    "profile.gpu_type": LINE,
    "profile.hours": HOURS,
    "profile.environment": LINE,
    "storage.quota": MEMORY,
    "materials.repository.url": LINE,
    "materials.repository.branch": LINE,
    "materials.repository.folder": LINE,
    "materials.open": LINE,
    "joining.group": LINE,
    "seats": LINE,
    "running": LINE,
}
"""Every field but boxes and those of classes."""

_OF_CLASS: Mapping[str, Kind] = {
    "weekday": LINE,
    "start": CLOCK,
    "end": CLOCK,
    "seats": LINE,
    "without": DAYS,
}
# Where nothing is typed: what the model has by itself. Of all others an empty text is a mistake.
_WITHOUT: Mapping[str, object] = {
    "description": "",
    "profile.gpus": 0,
    "profile.gpu_type": None,
    "profile.environment": "",
    "storage.quota": None,
    "materials.repository.branch": "main",
    "materials.repository.folder": None,
    "materials.open": None,
    "joining.group": None,
    "running": None,
}


def typed_of(document: Document) -> dict[str, str]:
    """What the form shows of a course as JSON, whether or not it is one that can be."""
    typed = {name: kind.shown(_inside(document, name)) for name, kind in FIELDS.items()}
    typed |= {name: TICKED for name in BOXES if _inside(document, name)}
    for place, hours in enumerate(document.get(CLASSES, ())):
        for name, kind in _OF_CLASS.items():
            typed[f"{CLASSES}[{place}].{name}"] = kind.shown(hours.get(name))
    return typed


def typed_in(sent: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """What was typed, of all that a browser sent: fields of the form alone, the first of each.

    Classes in which nothing stands are left out, and the others numbered anew.
    """
    first = {name: next(iter(values), "")[:LONGEST].strip() for name, values in sent.items()}
    typed = {name: first[name] for name in FIELDS if name in first}
    typed |= {name: TICKED for name in BOXES if first.get(name)}
    rows: dict[int, dict[str, str]] = {}
    for name, value in first.items():
        found = _CLASS_FIELD.fullmatch(name)
        if found:
            rows.setdefault(int(found[1]), {})[found[2]] = value
    written = [row for _, row in sorted(rows.items()) if any(row.values())]
    for place, row in enumerate(written[: MOST_CLASSES + 1]):
        typed |= {f"{CLASSES}[{place}].{name}": row.get(name, "") for name in OF_A_CLASS}
    return typed


def classes_in(typed: Typed) -> int:
    """How many classes there are in the form."""
    places = [int(found[1]) for name in typed if (found := _PLACE.match(name))]
    return max(places, default=-1) + 1


def read_form(typed: Typed, before: Course | None = None) -> Course:
    """The course that is meant; raises CourseRefused with each problem at its field.

    `before` is the course that the form showed: what was left as it stood stays as it is, and so
    does what the form has no field for. Its key is no field of the form.
    """
    old = {} if before is None else document_of(before)
    shown = typed_of(old) if before is not None else {}
    document: dict[str, Any] = {}
    for name in FIELDS:
        value = _value(name, typed, old, shown)
        if value is not _MISSING:
            _put(document, name, value)
    for name in BOXES:
        _put(document, name, name in typed)
    if before is not None:
        document["key"] = before.key
    _drop_empty_repository(document)
    document[CLASSES] = [_class(place, typed, old, shown) for place in range(classes_in(typed))]
    return read_course(document)


_MISSING = object()


def _value(name: str, typed: Typed, old: Document, shown: Typed) -> object:
    text = typed.get(name)
    if text is None or (text and old and text == shown.get(name)):
        kept = _inside(old, name)
        return _WITHOUT.get(name, _MISSING) if kept is None else kept
    if not text:
        # What is missing is said to be missing, not to be no number.
        return _WITHOUT.get(name, _MISSING)
    return FIELDS[name].read(text)


def _class(place: int, typed: Typed, old: Document, shown: Typed) -> dict[str, Any]:
    before = old.get(CLASSES, ())
    found: dict[str, Any] = {}
    for name, kind in _OF_CLASS.items():
        field = f"{CLASSES}[{place}].{name}"
        text = typed.get(field, "")
        if place < len(before) and text == shown.get(field):
            found[name] = before[place].get(name)
        elif text:
            found[name] = kind.read(text)
    return found


def _drop_empty_repository(document: dict[str, Any]) -> None:
    """Without an address there is no repository, unless somebody named a folder for it."""
    materials = document["materials"]
    repository = materials["repository"]
    if "url" not in repository and repository["folder"] is None:
        materials["repository"] = None


def _inside(document: Document, path: str) -> Any:
    here: Any = document
    for part in path.split("."):
        if not isinstance(here, Mapping):
            return None
        here = here.get(part)
    return here


def _put(document: dict[str, Any], path: str, value: object) -> None:
    *above, last = path.split(".")
    here = document
    for part in above:
        here = here.setdefault(part, {})
    here[last] = value


def beside(problems: Iterable[Problem], typed: Typed) -> dict[str, list[Problem]]:
    """Problems by the field of the form at which they are said, the others under an empty name."""
    drawn = {*FIELDS, *BOXES, *typed}
    found: dict[str, list[Problem]] = {}
    for one in problems:
        field = field_of(one)
        found.setdefault(field if field in drawn else "", []).append(one)
    return found


def field_of(problem: Problem) -> str:
    """The field of the form to which a problem belongs: of a whole class, its day."""
    field = re.sub(r"\.without\[\d+\]$", ".without", problem.field)
    if _PLACE.fullmatch(field):
        return f"{field}.weekday"
    return _PARTS.get(field, field)


_PARTS = {"term": "term.last", "profile": "profile.gpu_type", CLASSES: f"{CLASSES}[0].weekday"}
