"""Groups by rules of the site: data, checked, and nothing that is not said gives one."""

from __future__ import annotations

from typing import Any

import pytest

from slurmhub.auth.assertion import Assertion
from slurmhub.auth.groups import FACTS, GroupRulesWrong, facts, groups_of, read_group_rules

RULES = [
    {"attribute": "affiliation", "equals": "student@Example.ca", "group": "students"},
    {"attribute": "affiliation", "matches": "(faculty|staff)@example\\.ca", "group": "staff"},
    {"attribute": "entitlement", "equals": "urn:gpu", "group": "gpu", "idp": "https://idp"},
    {"attribute": "member-of", "matches": "course:.*", "group": "courses"},
    {"attribute": "mail", "matches": ".*@cs\\.example\\.ca", "group": "cs"},
    {"attribute": "scope", "equals": "example.ca", "group": "example"},
    {"attribute": "idp", "equals": "https://idp", "group": "home"},
]


def assertion(**changes: Any) -> Assertion:
    """Somebody of whom nothing is said but an identifier."""
    said: dict[str, Any] = {
        "idp": "https://other",
        "session": "_1",
        "subject_id": None,
        "pairwise_id": None,
        "eppn": "x@example.org",
        "display_name": None,
        "given_name": None,
        "surname": None,
        "mail": None,
        "affiliations": (),
        "entitlements": (),
        "memberships": (),
        "assurances": (),
        "authenticated": None,
    }
    return Assertion(**{**said, **changes})


@pytest.mark.parametrize(
    ("changes", "groups"),
    [
        ({}, []),
        ({"affiliations": ("student@example.ca", "member@example.ca")}, ["example", "students"]),
        ({"affiliations": ("student@example.org",)}, []),
        ({"affiliations": ("staff@example.ca",)}, ["example", "staff"]),
        ({"affiliations": ("nostaff@example.ca",)}, ["example"]),
        ({"affiliations": ("staff@example.cards",)}, []),
        ({"entitlements": ("urn:gpu",)}, []),
        ({"entitlements": ("urn:gpu",), "idp": "https://idp"}, ["gpu", "home"]),
        ({"memberships": ("course:1", "course:2")}, ["courses"]),
        ({"mail": "a@cs.example.ca"}, ["cs"]),
        ({"mail": "a@cs.example.ca.evil.example"}, []),
        ({"subject_id": "a@example.ca"}, ["example"]),
    ],
)
def test_who_is_in_which(changes: dict[str, Any], groups: list[str]) -> None:
    assert groups_of(assertion(**changes), read_group_rules(RULES)) == groups


def test_every_fact_can_be_asked_for() -> None:
    for name in FACTS:
        assert isinstance(facts(assertion(), name), tuple)
    assert facts(assertion(), "eppn") == ("x@example.org",)
    assert facts(assertion(), "scope") == ("example.org",)


@pytest.mark.parametrize(
    "rule",
    [
        "students",
        {},
        {"attribute": "affiliation", "group": "a"},
        {"attribute": "affiliation", "equals": "x", "matches": "x", "group": "a"},
        {"attribute": "affilliation", "equals": "x", "group": "a"},
        {"attribute": "displayName", "equals": "x", "group": "a"},
        {"attribute": "affiliation", "equals": "", "group": "a"},
        {"attribute": "affiliation", "equals": "x", "group": ""},
        {"attribute": "affiliation", "equals": "x", "group": "a/b"},
        {"attribute": "affiliation", "equals": "x", "group": " a"},
        {"attribute": "affiliation", "equals": 1, "group": "a"},
        {"attribute": "affiliation", "equals": "x", "group": ["a"]},
        {"attribute": "affiliation", "matches": "(", "group": "a"},
        {"attribute": "affiliation", "equals": "x", "group": "a", "groups": "b"},
    ],
)
def test_a_rule_that_is_none_is_named(rule: object) -> None:
    with pytest.raises(GroupRulesWrong, match="Rule 2"):
        read_group_rules([RULES[0], rule])
