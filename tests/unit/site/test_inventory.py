"""The inventory that follows from each example, to the letter, and what holds of all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from slurmhub_deploy.site.front import front_settings
from slurmhub_deploy.site.init_command import example_names
from slurmhub_deploy.site.inventory import ROLES, inventory
from tests.unit.site.fixtures import HERE, TWO_HUBS, changed, read, site
from tests.unit.site.test_examples import site_of

GOLDEN = HERE / "golden"


def groups(found: dict[str, Any]) -> dict[str, list[str]]:
    return {name: list(group["hosts"]) for name, group in found["all"]["children"].items()}


@pytest.mark.parametrize("name", example_names())
def test_it_is_the_one_beside(name: str) -> None:
    """`SLURMHUB_GOLDEN=write` writes it again, to be read before it is kept."""
    text = json.dumps(inventory(site_of(name)), indent=1, ensure_ascii=False) + "\n"
    file = GOLDEN / f"{name}.json"
    if os.environ.get("SLURMHUB_GOLDEN") == "write":
        file.write_text(text)
    assert file.read_text() == text


@pytest.mark.parametrize("name", example_names())
def test_it_is_plain_data_and_the_same_again(name: str) -> None:
    first = inventory(site_of(name))
    assert json.loads(json.dumps(first)) == first
    assert inventory(site_of(name)) == first


@pytest.mark.parametrize("name", example_names())
def test_every_host_serves_and_every_group_is_of_hosts(name: str) -> None:
    found = inventory(site_of(name))
    hosts = set(found["all"]["hosts"])
    assert set(ROLES) <= set(groups(found))
    assert {host for members in groups(found).values() for host in members} == hosts
    # No host has one: to Ansible a group and a host of one name are a mistake.
    assert all("_" in name for name in groups(found))


def test_groups_follow_from_who_names_a_host() -> None:
    found = groups(inventory(site()))
    assert found["role_hub"] == ["hub"]
    assert found["role_controller"] == found["role_database"] == found["role_directory"] == ["ctl"]
    assert found["role_compute"] == ["c1", "c2", "g1"]
    assert found["role_gpu"] == ["g1"]
    assert found["role_storage"] == ["ctl"]
    assert found["role_monitoring"] == found["role_login"] == []
    assert found["hub_main"] == ["hub"]
    assert found["cluster_main"] == ["hub", "ctl", "c1", "c2", "g1"]


def test_hosts_are_reached_as_the_file_says() -> None:
    found = inventory(
        site(
            ("hub: {address: 192.0.2.10}", "hub: {address: 10.0.0.1, public_address: 192.0.2.1}"),
            ("ctl: {address: 192.0.2.11}", "ctl: {address: 192.0.2.11, ssh_user: root}"),
            ("hosts:\n", "ssh: {user: ops, port: 2222, jump: gate.example.ca}\nhosts:\n"),
        )
    )["all"]["hosts"]
    assert found["hub"]["ansible_host"] == "192.0.2.1"
    assert found["hub"]["slurmhub_address"] == "10.0.0.1"
    assert found["hub"]["ansible_become"] is True
    assert found["hub"]["ansible_ssh_common_args"] == "-J gate.example.ca"
    assert found["ctl"]["ansible_user"] == "root"
    assert "ansible_become" not in found["ctl"]
    assert (found["c2"]["ansible_host"], found["c2"]["ansible_port"]) == ("192.0.2.22", 2222)


def test_a_secret_is_in_it_as_where_it_comes_from() -> None:
    variables = inventory(site_of("campus"))["all"]["vars"]
    assert variables["slurmhub_directory"]["bind_password"] == {
        "from_command": [],
        "vault": "ldap-bind",
    }


def test_two_hubs_have_fronts_of_their_own() -> None:
    loaded = read(TWO_HUBS)
    assert loaded.site is not None, loaded.problems
    one, other = (front_settings(loaded.site, name) for name in ("main", "other"))
    assert one.proxy != other.proxy
    assert one.secret_file != other.secret_file
    assert one.hub_account != other.hub_account
    assert groups(inventory(loaded.site))["role_hub"] == ["hub1", "hub2"]


def test_metadata_beside_the_site_file_is_copied(tmp_path: Path) -> None:
    (tmp_path / "idp.xml").touch()
    found = read(changed(("/etc/slurmhub/idp-metadata.xml", "idp.xml")), folder=tmp_path)
    assert found.site is not None, found.problems
    hub = inventory(found.site)["all"]["vars"]["slurmhub_hubs"]["main"]
    there = "/etc/slurmhub/main/metadata/idp.xml"
    assert hub["front"]["metadata"][0]["file"] == there
    assert hub["front_files"] == [{"src": "idp.xml", "dest": there}]
