"""The published schema is the code's, is one, and takes what the code takes."""

from __future__ import annotations

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from slurmhub.yaml_text import read_document
from slurmhub_deploy.site.init_command import EXAMPLES, example_names
from slurmhub_deploy.site.schema import schema_text, site_schema
from slurmhub_deploy.site.shape import all_models
from tests.unit.site.fixtures import HERE, RIGHT

PUBLISHED = HERE.parents[2] / "docs/site.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(site_schema())


def data_of(name: str) -> Any:
    return read_document((EXAMPLES / f"{name}.yml").read_text()).data


def test_the_published_one_is_the_code_s() -> None:
    """`script/docs` writes it."""
    assert PUBLISHED.read_text() == schema_text()


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text()))


@pytest.mark.parametrize("name", example_names())
def test_the_examples_are_valid(name: str) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(data_of(name))] == []


def test_every_part_is_in_it() -> None:
    named = set(site_schema()["$defs"]) | {"Site"}
    assert {model.__name__ for model in all_models()} <= named


@pytest.mark.parametrize(
    "name", ["unknown-setting", "memory-without-unit", "ambiguous-time", "no-such-kind"]
)
def test_an_editor_sees_what_is_wrong_too(name: str) -> None:
    data = read_document((HERE / "wrong" / f"{name}.yml").read_text()).data
    assert list(VALIDATOR.iter_errors(data))
    assert not list(VALIDATOR.iter_errors(read_document(RIGHT).data))


def test_a_hub_may_leave_to_the_defaults_what_it_shares() -> None:
    data = data_of("federation")
    del data["hub_defaults"]["sign_in"]["metadata"]
    assert not list(VALIDATOR.iter_errors(data))
    data["hub_defaults"]["hots"] = "hub"
    assert list(VALIDATOR.iter_errors(data))
