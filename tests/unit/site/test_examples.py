"""The examples can be used as they are, and say the same to whoever reads YAML otherwise."""

from __future__ import annotations

import pytest
import yaml

from slurmhub_deploy.site.clusters import MadeCluster
from slurmhub_deploy.site.init_command import EXAMPLES, example_names
from slurmhub_deploy.site.load import load_site
from slurmhub_deploy.site.model import Site


def site_of(name: str) -> Site:
    loaded = load_site(EXAMPLES / f"{name}.yml")
    assert loaded.problems == ()
    assert loaded.site is not None
    return loaded.site


def test_there_are_four() -> None:
    assert example_names() == ["campus", "department", "federation", "teaching"]


@pytest.mark.parametrize("name", example_names())
def test_nothing_is_wrong_with_it(name: str) -> None:
    assert site_of(name).version == 1


@pytest.mark.parametrize("name", example_names())
def test_it_is_yaml_for_others_as_well(name: str) -> None:
    text = (EXAMPLES / f"{name}.yml").read_text()
    assert set(yaml.safe_load(text)) >= {"version", "institution", "hosts", "hubs"}


def test_they_are_what_they_say() -> None:
    assert len(site_of("teaching").machines) == 1
    department = site_of("department").clusters["main"]
    assert isinstance(department, MadeCluster)
    assert [len(nodes.names) for nodes in department.nodes] == [4, 2]
    assert sum(sum(each.gpus.values()) * len(each.names) for each in department.nodes) == 2
    assert {cluster.kind for cluster in site_of("campus").clusters.values()} == {"made", "existing"}
    assert len(site_of("federation").hubs) >= 3
