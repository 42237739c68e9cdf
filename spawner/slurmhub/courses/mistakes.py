"""Data that is to be a course, from page, file or REST: the course, or what is wrong with it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from slurmhub.courses.errors import CourseRefused
from slurmhub.courses.model import Course
from slurmhub.options.refusal import Problem, shown
from slurmhub.yaml_text import Path

M = TypeVar("M", bound=BaseModel)

_WORDS = {
    "missing": "This is missing.",
    "extra_forbidden": "There is no such setting.",
    "string_type": "It must be a text.",
    "string_unicode": "It has characters that cannot be there.",
    "string_pattern_mismatch": "It has characters that cannot be there.",
    "int_type": "It must be a whole number.",
    "int_parsing": "It must be a whole number.",
    "int_parsing_size": "It must be a whole number.",
    "int_from_float": "It must be a whole number.",
    "float_type": "It must be a number.",
    "float_parsing": "It must be a number.",
    "finite_number": "It must be a number.",
    "bool_type": "It must be true or false.",
    "bool_parsing": "It must be true or false.",
    "tuple_type": "It must be a list.",
    "model_type": "It must have settings of its own, each with its name.",
    "model_attributes_type": "It must have settings of its own, each with its name.",
    "dict_type": "It must have settings of its own, each with its name.",
    "literal_error": "It is none of those that there are.",
}
_BY_BEGINNING = {
    "date": "It must be a day such as 2026-01-31.",
    "time": "It must be a time such as 09:00.",
}
_KEY = (
    "It must be 3 to 30 small letters, digits and hyphens, a letter first, and no hyphen at "
    "the end."
)
# So near is a setting to what was written that it is named.
_NEAR = 0.7
_EMPTY = "It must not be empty."


def read_course(data: object) -> Course:
    """The course in this data; raises CourseRefused."""
    return read_as(Course, data)


def read_as(model: type[M], data: object) -> M:
    """What this data is, as one of our models; raises CourseRefused."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise CourseRefused([one for _, one in mistakes(error, model)]) from error


def mistakes(
    error: ValidationError, model: type[BaseModel] = Course
) -> tuple[tuple[Path, Problem], ...]:
    """Every mistake that pydantic found, with where it is."""
    found = []
    for one in error.errors(include_url=False):
        path: Path = tuple(one["loc"])
        context: Mapping[str, Any] = one.get("ctx", {})
        message = _message(path, one["type"], context)
        choices = tuple(_choices(path, one["type"], context, model))
        # Of what is missing pydantic gives the whole around it.
        value = "" if one["type"] == "missing" else shown(one["input"])
        found.append((path, Problem(written(path), value, message, choices=choices)))
    meant = {(*path[:-1], one.choices[0]) for path, one in found if _is_unknown(one)}
    return tuple(
        (path, one)
        for path, one in found
        if not (one.message == _WORDS["missing"] and path in meant)
    )


def _is_unknown(problem: Problem) -> bool:
    return problem.message == _WORDS["extra_forbidden"] and bool(problem.choices)


def written(path: Path) -> str:
    """A path as people write it: class_hours[0].end."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def _message(path: Path, kind: str, context: Mapping[str, Any]) -> str:
    if kind == "value_error":
        return f"It {context['error']}."
    if kind == "string_pattern_mismatch" and path[-1:] == ("key",):
        return _KEY
    if kind in _WORDS:
        return _WORDS[kind]
    if kind in ("string_too_short", "too_short"):
        return _EMPTY
    for beginning, words in _BY_BEGINNING.items():
        if kind.startswith(beginning):
            return words
    return _bounded(kind, context)


def _bounded(kind: str, context: Mapping[str, Any]) -> str:
    if kind == "greater_than_equal":
        return f"It must be at least {context['ge']}."
    if kind == "greater_than":
        return f"It must be more than {context['gt']}."
    if kind == "less_than_equal":
        return f"It must be at most {context['le']}."
    if kind == "string_too_long":
        return f"It must have at most {context['max_length']} characters."
    if kind == "too_long":
        return f"There are more than {context['max_length']}."
    return "It cannot be this."


def _choices(
    path: Path, kind: str, context: Mapping[str, Any], model: type[BaseModel]
) -> Sequence[str]:
    if kind == "literal_error":
        # Pydantic has them as 'mon', 'tue' or 'wed'.
        return re.findall(r"'([^']*)'", str(context["expected"]))
    if kind == "extra_forbidden" and isinstance(path[-1], str):
        return difflib.get_close_matches(path[-1], _settings(path[:-1], model), n=1, cutoff=_NEAR)
    return ()


def _settings(path: Path, model: type[BaseModel]) -> list[str]:
    """The settings that there may be at this path."""
    here: Any = model
    for part in path:
        if isinstance(part, int):
            continue
        field = here.model_fields.get(part)
        here = None if field is None else _model_in(field.annotation)
        if here is None:
            return []
    return list(here.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_in(part)
        if found is not None:
            return found
    return None
