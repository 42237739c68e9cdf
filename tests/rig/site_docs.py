"""The settings of the site file as tables, from the models themselves."""

from __future__ import annotations

import json
import types
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from slurmhub.courses.model import CourseModel
from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.model import Site
from slurmhub_deploy.site.shape import all_models, inner, models_in, tag_of

# What stands in place of a name that the site chooses.
_NAMED = {
    "hosts": "HOST",
    "clusters": "CLUSTER",
    "homes": "HOMES",
    "hubs": "HUB",
    "partitions": "PARTITION",
    "environments": "ENVIRONMENT",
}
# The front's own models are explained on the front's page.
_EXPLAINED = (SiteModel, CourseModel)


def site_settings() -> str:
    """A section with a table for each part of the file, in the file's order."""
    places = _places()
    sections = []
    for model in all_models():
        if not issubclass(model, _EXPLAINED):
            continue
        tag = tag_of(model)
        kind = f" with `{tag[0]}: {tag[1]}`" if tag and len(_alike(model)) > 1 else ""
        where = ", ".join(f"`{place}`" for place in places[model])
        title = f"### {where}{kind}" if where else "### The file"
        sections.append(f"{title}\n\n{_sentence(model)}\n\n{_table(model)}")
    return "\n" + "\n".join(sections) + "\n"


def _sentence(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _table(model: type[BaseModel]) -> str:
    rows: list[Sequence[str]] = [("Setting", "Default", "Meaning"), ("---", "---", "---")]
    for name, field in model.model_fields.items():
        rows.append((f"`{name}`", _default(field), _meaning(field)))
    return "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.default
    if value is None or value in ((), {}, ""):
        return ""
    if isinstance(value, BaseModel):
        return (
            "see there" if isinstance(value, _EXPLAINED) else f"`{value.model_dump(mode='json')}`"
        )
    if isinstance(value, tuple):
        return f"`{json.dumps(list(value))}`"
    return f"`{json.dumps(value) if isinstance(value, bool) else value}`"


def _meaning(field: FieldInfo) -> str:
    words = field.description or ""
    choices = [] if words == f"`{_only(field)}`." else _choices(field.annotation)
    if len(choices) > 1 and not all(f"`{choice}`" in words for choice in choices):
        words += " One of " + ", ".join(f"`{choice}`" for choice in choices) + "."
    return words


def _only(field: FieldInfo) -> str:
    choices = _choices(field.annotation)
    return choices[0] if len(choices) == 1 else ""


def _choices(annotation: Any) -> list[str]:
    origin = get_origin(annotation)
    if origin is Literal:
        return [str(each) for each in get_args(annotation)]
    if origin in (Union, types.UnionType, Annotated):
        return [choice for each in get_args(annotation) for choice in _choices(each)]
    return []


def _alike(model: type[BaseModel]) -> list[type[BaseModel]]:
    """The models that stand where this one does: the kinds of one thing."""
    places = _places()
    return [other for other in places if set(places[other]) & set(places[model])]


def _places() -> dict[type[BaseModel], list[str]]:
    """Each model and the paths at which it stands, as people write them."""
    found: dict[type[BaseModel], list[str]] = {Site: []}

    def visit(annotation: Any, path: str, name: str) -> None:
        items = inner(annotation)
        if items is not None:
            many = get_origin(_bare(annotation)) is tuple
            visit(items, f"{path}[]" if many else f"{path}.{_NAMED.get(name, 'NAME')}", "")
            return
        for model in models_in(annotation):
            known = found.setdefault(model, [])
            # A model in itself, or one that many have: a few places are enough to find it.
            if path in known or len(known) > 3:
                continue
            known.append(path)
            fields(model, path)

    def fields(model: type[BaseModel], path: str) -> None:
        for name, field in model.model_fields.items():
            visit(field.annotation, f"{path}.{name}" if path else name, name)

    fields(Site, "")
    return found


def _bare(annotation: Any) -> Any:
    return _bare(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation
