"""Data against the models: every mistake in plain words, and a site for the cross checks.

A mistake in one place must not hide those of others. So what is wrong is set aside, the rest is
read with something possible in its place, and what the cross checks then say of such a place, or
because of it, is not told.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticUndefined

from slurmhub_deploy.site.model import VERSION, Path, Site
from slurmhub_deploy.site.shape import (
    elsewhere,
    field_at,
    kinds_at,
    known_at,
    nearest,
    stand_in,
    tag_of,
)

_ROUNDS = 6
_STAND_IN = "stand-in"
_PAGE = "See docs/operators/site.md."
_TYPES = {
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a mapping: names, each with a colon",
    "model_type": "must be a mapping: names, each with a colon",
    "model_attributes_type": "must be a mapping: names, each with a colon",
    "tuple_type": "must be a list",
    "path_type": "must be the path of a file or folder",
}


@dataclass(frozen=True)
class Mistake:
    """Something that a model refuses; of an unknown setting, the one that was `meant`."""

    path: Path
    rule: str
    reason: str
    remedy: str
    meant: str | None = None


@dataclass(frozen=True)
class Validated:
    """A site, if one can be read; the mistakes; and the places that are not as they stand there."""

    site: Site | None
    mistakes: tuple[Mistake, ...]
    set_aside: frozenset[Path]


def validate(data: object) -> Validated:
    """This data against the models. `hub_defaults` must be in the hubs already."""
    mistakes: list[Mistake] = []
    set_aside: set[Path] = set()
    data = copy.deepcopy(data)
    for _ in range(_ROUNDS):
        try:
            return Validated(Site.model_validate(data), tuple(mistakes), frozenset(set_aside))
        except ValidationError as error:
            found = list(_errors(error, data))
        mistyped = {(*one.path[:-1], one.meant) for one in found if one.meant}
        for one in found:
            if one.rule == "missing" and one.path in mistyped:
                continue
            if not _within(one.path, set_aside):
                mistakes.append(one)
        # Deeper places first: what is around them may be mended by it.
        for one in sorted(found, key=lambda each: -len(each.path)):
            places = _mend(data, one)
            if not places:
                return Validated(None, tuple(mistakes), frozenset(set_aside))
            set_aside |= places
    return Validated(None, tuple(mistakes), frozenset(set_aside))


def _within(path: Path, places: set[Path]) -> bool:
    return any(path[: len(place)] == place for place in places)


def _errors(error: ValidationError, data: object) -> Iterator[Mistake]:
    told = set()
    found = error.errors(include_url=False, include_input=False)
    paths = [_path(each["loc"], data) for each in found]
    for each, path in zip(found, paths, strict=True):
        # A list with something wrong in it counts as too short.
        if each["type"] == "too_short" and any(
            len(other) > len(path) and other[: len(path)] == path for other in paths
        ):
            continue
        # A value that may be of several types has an error for each of them.
        if path in told:
            continue
        told.add(path)
        yield _mistake(path, each["type"], each["msg"], each.get("ctx", {}), data)


def _path(loc: tuple[int | str, ...], data: object) -> Path:
    """Pydantic's place as one of the file, without the words by which it tells types apart."""
    path: list[str | int] = []
    value: Any = data
    arrived = True
    for number, part in enumerate(loc):
        last = number == len(loc) - 1
        # The word of one of several kinds may be the name of a setting as well.
        tag, arrived = arrived and not last and part in _words(tuple(path), data), False
        if tag:
            continue
        if _has(value, part):
            value = value[part]
        elif not (last and isinstance(value, dict) and part in known_at(tuple(path), data)):
            continue
        path.append(part)
        arrived = True
    return tuple(path)


def _has(value: object, part: int | str) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value


def _words(path: Path, data: object) -> list[str]:
    """The words by which the kinds of what is at this path are told apart."""
    kinds = kinds_at(path, data)
    return [tag[1] for kind in kinds if (tag := tag_of(kind))] if len(kinds) > 1 else []


def _mistake(path: Path, kind: str, message: str, context: dict[str, Any], data: object) -> Mistake:
    meaning = _meaning(path, data)
    if path == ("version",):
        return Mistake(
            path,
            "version",
            "is not a version of the site file that this slurmhub reads",
            f"Write `version: {VERSION}`, or use the slurmhub that the file was written for.",
        )
    if kind == "extra_forbidden":
        return _unknown(path, data)
    if kind == "missing":
        return Mistake(path, "missing", "is missing", f"Add it. {meaning or _PAGE}")
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        name = str(context["discriminator"]).strip("'")
        allowed = context.get("expected_tags") or ", ".join(_tags(path, data))
        there = kind == "union_tag_invalid"
        return Mistake(
            (*path, name),
            "kind" if there else "missing",
            "is not one that there is" if there else "is missing",
            f"Write one of {allowed}.",
        )
    return Mistake(path, *_refused(kind, message, context, meaning))


def _meaning(path: Path, data: object) -> str:
    """What the setting there is for; of an item, what the list or mapping is for."""
    for end in range(len(path), 0, -1):
        field = field_at(path[:end], data)
        if field is not None:
            return field.description or ""
    return ""


def _refused(
    kind: str, message: str, context: dict[str, Any], meaning: str
) -> tuple[str, str, str]:
    """Rule, reason and remedy where a value is of the wrong kind, or out of its bounds."""
    remedy = f"This setting: {meaning}" if meaning else _PAGE
    if kind == "value_error":
        return "value", str(context["error"]), remedy
    if kind == "literal_error":
        return "choice", f"must be one of {context['expected']}", remedy
    if kind == "string_pattern_mismatch":
        return "value", "has characters that cannot be there", remedy
    if kind in _TYPES:
        quotes = " If it is one, put it in quotes." if kind == "string_type" else ""
        return "type", _TYPES[kind], remedy + quotes
    if kind == "too_short":
        return "value", "must not be empty", remedy
    return "value", message.replace("Input should be", "must be"), remedy


def _unknown(path: Path, data: object) -> Mistake:
    known = known_at(path[:-1], data)
    told = elsewhere(path, data)
    near = nearest(str(path[-1]), known)
    if told is not None:
        remedy = told
    elif near is not None:
        remedy = f"Did you mean `{near}`?"
    else:
        remedy = f"Take it out. What may be here: {', '.join(known)}."
    return Mistake(path, "unknown", "is not a setting", remedy, near)


def _tags(path: Path, data: object) -> list[str]:
    return [f"'{tag[1]}'" for model in kinds_at(path, data) if (tag := tag_of(model))]


def _mend(data: Any, mistake: Mistake) -> set[Path]:
    """Put something possible in place of this; the places that were changed, none if it failed."""
    path = mistake.path
    if mistake.rule == "unknown":
        _remove(data, path)
        return {path}
    for end in range(len(path), 0, -1):
        place = path[:end]
        field = field_at(place, data)
        if field is None:
            if end == len(path) and isinstance(_at(data, place[:-1]), dict):
                return _without_entry(data, place)
            continue
        if not field.is_required():
            _remove(data, place)
            return {place}
        value = stand_in(field)
        if value is not PydanticUndefined:
            _put(data, place, value)
            return {place}
    return set()


def _without_entry(data: Any, path: Path) -> set[Path]:
    """The others of a mapping can be without this one; the only one gets another name."""
    around = _at(data, path[:-1])
    value = around.pop(path[-1], None)
    if around:
        return {path}
    around[_STAND_IN] = value
    return {path, (*path[:-1], _STAND_IN)}


def _at(data: Any, path: Path) -> Any:
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def _remove(data: Any, path: Path) -> None:
    around = _at(data, path[:-1])
    if isinstance(around, dict):
        around.pop(path[-1], None)


def _put(data: Any, path: Path, value: object) -> None:
    around = _at(data, path[:-1])
    if isinstance(around, dict):
        around[path[-1]] = copy.deepcopy(value)
