"""What hubs have in common is written once, and told of once."""

from __future__ import annotations

from slurmhub_deploy.site.load import with_defaults
from slurmhub_deploy.site.problems import written
from tests.unit.site.fixtures import TWO_HUBS, changed, read


def test_mappings_are_joined_and_all_else_is_taken_whole() -> None:
    data = with_defaults(
        {
            "hub_defaults": {"limits": {"max_cpus": 4, "max_gpus": 1}, "admins": ["a"]},
            "hubs": {"x": {"limits": {"max_cpus": 8}, "admins": ["b"]}, "y": None},
        }
    )
    assert data["hubs"]["x"] == {"limits": {"max_cpus": 8, "max_gpus": 1}, "admins": ["b"]}
    assert data["hubs"]["y"] == {"limits": {"max_cpus": 4, "max_gpus": 1}, "admins": ["a"]}


def test_another_kind_shares_nothing() -> None:
    given = {"kind": "given", "certificate": "x.pem"}
    data = with_defaults(
        {"hub_defaults": {"tls": {"kind": "acme", "mail": "a@b.ca"}}, "hubs": {"x": {"tls": given}}}
    )
    assert data["hubs"]["x"]["tls"] == given


def test_what_is_wrong_for_all_is_said_once_where_it_is_written() -> None:
    loaded = read(
        TWO_HUBS.replace(
            "hubs:\n", "hub_defaults:\n  limits: {default_cpus: 9, max_cpus: 2}\nhubs:\n"
        )
    )
    assert [(each.path, each.line) for each in loaded.problems] == [
        ("hub_defaults.limits.default_cpus", 27)
    ]


def test_what_one_hub_makes_wrong_is_said_of_it() -> None:
    text = TWO_HUBS.replace("hubs:\n", "hub_defaults:\n  limits: {max_cpus: 2}\nhubs:\n")
    loaded = read(text + "    limits: {default_cpus: 9}\n")
    assert [each.path for each in loaded.problems] == ["hubs.other.limits.default_cpus"]


def test_a_mistake_does_not_hide_others_and_brings_no_false_ones() -> None:
    """The controller's name is wrong, so nothing is said because of it; the rest is."""
    loaded = read(
        changed(
            ("controller: ctl", "controller: C T L"),
            ("quota: 10G", "quota: 1M"),
            ("cpus: 16, memory: 60G", "cpus: lots, memory: 60G"),
        )
    )
    assert [each.path for each in loaded.errors] == [
        "clusters.main.controller",
        "clusters.main.nodes[0].cpus",
        "homes.main.quota",
    ]


def test_paths_are_written_as_people_write_them() -> None:
    assert written(("hubs", "main", "profiles", 0, "name")) == "hubs.main.profiles[0].name"
