"""The models behind each place of a site file: what is known there, and what would do."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from slurmhub_deploy.site.model import Path, Site


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model that a value of this type can be itself, not those inside it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from models_in(each)
    elif get_origin(annotation) is Annotated:
        yield from models_in(get_args(annotation)[0])


def inner(annotation: Any) -> Any:
    """The type of the items of a mapping or a tuple; None where there are none."""
    if get_origin(annotation) is Annotated:
        return inner(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        found = [inner(each) for each in get_args(annotation)]
        return next((each for each in found if each is not None), None)
    if get_origin(annotation) is dict:
        return get_args(annotation)[1]
    if get_origin(annotation) is tuple:
        return get_args(annotation)[0]
    return None


def all_models(model: type[BaseModel] = Site) -> list[type[BaseModel]]:
    """This model and every one that it is made of, in the order of the file, each once."""
    found: list[type[BaseModel]] = []

    def visit(annotation: Any) -> None:
        for each in models_in(annotation):
            if each not in found:
                found.append(each)
                for field in each.model_fields.values():
                    visit(field.annotation)
        items = inner(annotation)
        if items is not None:
            visit(items)

    visit(model)
    return found


def tag_of(model: type[BaseModel]) -> tuple[str, str] | None:
    """The field by which this one of several kinds is known, and its word; None without."""
    for name in ("kind", "backend"):
        field = model.model_fields.get(name)
        if field is not None:
            return name, str(get_args(field.annotation)[0])
    return None


def models_at(path: Path, data: object) -> list[type[BaseModel]]:
    """The models that describe what is at this path of the data: of several kinds the one meant."""
    return _walk(path, data, narrowed=True)


def kinds_at(path: Path, data: object) -> list[type[BaseModel]]:
    """All models that could describe what is at this path."""
    return _walk(path, data, narrowed=False)


def _walk(path: Path, data: object, *, narrowed: bool) -> list[type[BaseModel]]:
    annotation: Any = Site
    value = data
    for part in path:
        models = _meant(list(models_in(annotation)), value)
        fields = [model.model_fields[str(part)] for model in models if part in model.model_fields]
        annotation = fields[0].annotation if fields else (None if models else inner(annotation))
        value = _inside(value, part)
    found = list(models_in(annotation))
    return _meant(found, value) if narrowed else found


def field_at(path: Path, data: object) -> FieldInfo | None:
    """The setting at this path, if it is one of a model."""
    if not path:
        return None
    for model in models_at(path[:-1], data):
        if path[-1] in model.model_fields:
            return model.model_fields[str(path[-1])]
    return None


def known_at(path: Path, data: object) -> list[str]:
    """The names of the settings that may be at this path."""
    return [name for model in models_at(path, data) for name in model.model_fields]


def elsewhere(path: Path, data: object) -> str | None:
    """Where this unknown setting is, or why it is not, if people are known to look for it here."""
    for model in models_at(path[:-1], data):
        told: Mapping[str, str] = getattr(model, "not_here", {})
        if path[-1] in told:
            return told[str(path[-1])]
    return None


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that somebody may have meant."""
    found = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def stand_in(field: FieldInfo) -> Any:
    """A value that this setting could have; PydanticUndefined where there is none to show."""
    return field.examples[0] if field.examples else PydanticUndefined


def _meant(models: list[type[BaseModel]], value: object) -> list[type[BaseModel]]:
    if len(models) > 1 and isinstance(value, Mapping):
        tagged = [each for each in models if (tag := tag_of(each)) and value.get(tag[0]) == tag[1]]
        return tagged or models
    return models


def _inside(value: object, part: str | int) -> object:
    if isinstance(value, Mapping):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None
