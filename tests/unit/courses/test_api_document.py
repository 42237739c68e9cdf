"""The REST API's table and its OpenAPI document agree, and the published one is this one."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from slurmhub.courses.model import CourseModel
from slurmhub.courses.service.api.openapi import document, document_text
from slurmhub.courses.service.api.operations import Operation
from slurmhub.courses.service.api.table import OPERATIONS
from tests.rig.docs import API


def test_the_published_document_is_that_of_the_table() -> None:
    assert API.read_text() == document_text(), "Run script/docs."


def test_each_operation_is_there_once() -> None:
    names = Counter(one.name for one in OPERATIONS)
    places = Counter((one.method, one.path) for one in OPERATIONS)
    assert {*names.values(), *places.values()} == {1}
    for one in OPERATIONS:
        assert [one.call, one.wait, one.stream].count(None) == 2, one.name


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_nothing_is_taken_beside_what_is_described(operation: Operation) -> None:
    for model in (operation.body, operation.query):
        if model is not None:
            assert issubclass(model, CourseModel)
            assert model.model_config.get("extra") == "forbid"
    assert operation.method == "GET" or operation.query is None
    assert operation.method != "GET" or operation.body is None


def test_every_reference_leads_somewhere() -> None:
    found = document(OPERATIONS)
    references = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(found)))
    assert references == set(found["components"]["schemas"])


def test_errors_are_of_one_shape() -> None:
    paths: dict[str, Any] = document(OPERATIONS)["paths"]
    for path in paths.values():
        for said in path.values():
            for status, answer in said["responses"].items():
                ((_, content),) = answer["content"].items()
                schema = content["schema"]
                assert (schema == {"$ref": "#/components/schemas/ErrorView"}) == (
                    not status.startswith("2")
                )
