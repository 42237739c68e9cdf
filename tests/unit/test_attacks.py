"""The table of attacks that ends a run: what it names exists, and it says what came of it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.rig.attacks import ATTACKS, Attack, outcomes
from tests.rig.course_attacks import ATTACKS_ON_COURSES

_PROJECT = Path(__file__).parents[2]
_FIRST = ATTACKS[0]


@pytest.mark.parametrize(
    "attack", [*ATTACKS, *ATTACKS_ON_COURSES], ids=lambda attack: str(attack.tried)
)
def test_every_test_that_is_named_exists(attack: Attack) -> None:
    assert attack.tests
    for name in attack.named:
        module, _, function = name.partition("::")
        tree = ast.parse((_PROJECT / module).read_text())
        kinds = ast.FunctionDef | ast.AsyncFunctionDef
        assert function in {node.name for node in tree.body if isinstance(node, kinds)}


def test_every_attack_on_the_front_is_in_the_table() -> None:
    named = {name for attack in ATTACKS for name in attack.named}
    for module in ("forged_requests", "saml_responses", "saml_signatures", "saml_documents"):
        path = f"tests/shibboleth/test_{module}.py"
        tree = ast.parse((_PROJECT / path).read_text())
        found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        tests = {f"{path}::{name}" for name in found if name.startswith("test_")}
        assert tests - named <= {
            "tests/shibboleth/test_forged_requests.py::test_only_its_own_name_is_served",
            "tests/shibboleth/test_forged_requests.py::test_where_the_client_is_is_said_by_the_front",
        }


def test_what_was_not_tried_is_not_told() -> None:
    assert outcomes(["tests/unit/test_jobs.py::test_silence_is_not_news"], []) == []
    # What works beside an attack is no attempt at it.
    assert outcomes(_FIRST.works, []) == []


def test_attempts_are_counted_and_a_failure_is_told() -> None:
    first, second = _FIRST.tests[0], _FIRST.tests[1]
    (held,) = outcomes([first, f"{second}[one]", f"{second}[two]", *_FIRST.works], [])
    assert (held.held, held.fell, held.works, held.broken) == (3, 0, 1, 0)
    assert held.line.startswith("HELD")
    assert "3 tried" in held.line
    (fell,) = outcomes([first], [f"{second}[one]"])
    assert fell.line.startswith("FELL")
    (broken,) = outcomes([first], _FIRST.works)
    assert broken.line.startswith("BROKEN")
