"""The OpenAPI document of the REST API, made of the table of its operations.

Source: OpenAPI Specification 3.1.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from slurmhub.courses.kinds import KEY as KEY_PATTERN
from slurmhub.courses.service.api.models import ErrorView
from slurmhub.courses.service.api.operations import JSON, KEY, NUMBER, Operation
from slurmhub.courses.service.api.table import OPERATIONS

_REF = "#/components/schemas/{model}"
_IN_PATH = {
    KEY: {"type": "string", "pattern": KEY_PATTERN},
    NUMBER: {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
}
_MEANS = {
    400: "What was sent cannot be read.",
    401: "Nothing says who asks.",
    403: "Whoever asks may not do this.",
    404: "There is no such thing, or it is not for whoever asks to know of it.",
    409: "It cannot be done as things are now.",
    415: "What was sent is not JSON.",
    422: "What was sent is wrong, field by field.",
    429: "Too often.",
    503: "The database, the hub or Slurm is away.",
}
_ABOUT = """\
Courses on this hub, as its pages have them. Send a token of your own (the hub's token page makes
them; the scope access:services!service=courses is enough) as `Authorization: Bearer TOKEN`.
Everything is checked as on the pages: a token can do what its owner may.
"""


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The whole document."""
    table = tuple(operations)
    refs, schemas = _schemas(table)
    paths: dict[str, dict[str, Any]] = {}
    for one in table:
        paths.setdefault(f"/{one.path}", {})[one.method.lower()] = _operation(one, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Courses", "version": "1", "description": _ABOUT},
        "servers": [{"url": "/services/courses/api"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def document_text() -> str:
    """The document as it is published: of the whole table, in an order that does not change."""
    return json.dumps(document(OPERATIONS), indent=2, ensure_ascii=False) + "\n"


_Model = tuple[type[BaseModel], JsonSchemaMode]
_Refs = dict[_Model, dict[str, Any]]


def _schemas(table: tuple[Operation, ...]) -> tuple[_Refs, dict[str, Any]]:
    wanted: dict[_Model, None] = {(ErrorView, "serialization"): None}
    for one in table:
        if one.stream is None:
            wanted[(one.answer, "serialization")] = None
        if one.body is not None:
            wanted[(one.body, "validation")] = None
    refs, found = models_json_schema(list(wanted), ref_template=_REF)
    return {one: refs[one] for one in wanted}, found.get("$defs", {})


def _operation(one: Operation, refs: _Refs) -> dict[str, Any]:
    errors = {401, 503, *one.errors}
    said: dict[str, Any] = {"operationId": one.name, "summary": one.summary}
    if one.about:
        said["description"] = one.about
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _IN_PATH[name]}
        for name in re.findall(r"\{(\w+)\}", one.path)
    ]
    if one.query is not None:
        errors |= {422}
        for name, schema in one.query.model_json_schema()["properties"].items():
            parameters.append({"name": name, "in": "query", "schema": schema})
    if parameters:
        said["parameters"] = parameters
    if one.body is not None:
        errors |= {400, 415, 422}
        content = {JSON: {"schema": refs[(one.body, "validation")]}}
        said["requestBody"] = {"required": True, "content": content}
    answer = refs.get((one.answer, "serialization"), {})
    if one.stream is not None:
        answer = {"type": "string", "contentMediaType": one.media}
    responses = {str(one.status): _response("As asked.", answer, one.media)}
    wrong = refs[(ErrorView, "serialization")]
    for status in sorted(errors):
        responses[str(status)] = _response(_MEANS[status], wrong)
    said["responses"] = responses
    return said


def _response(words: str, schema: dict[str, Any], media: str = JSON) -> dict[str, Any]:
    return {"description": words, "content": {media: {"schema": schema}}}
