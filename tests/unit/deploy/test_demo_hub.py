"""The demo's configuration of the hub."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from slurmhub_deploy.cluster import EmbeddedCluster, standard_plan
from slurmhub_deploy.demo import hub as hubs
from slurmhub_deploy.demo.places import Places

PLACES = Places(Path("/cache"), Path("/state"), root=True)
PLAN = hubs.HubPlan(8000, 20001, 20002, ("/jupyter/bin/server",), "/usr/bin/python3", True)
CLUSTER = EmbeddedCluster(standard_plan(Path("/state/cluster")))


class Section(SimpleNamespace):
    """A section of traitlets' configuration, near enough."""

    def __getattr__(self, name: str) -> Any:
        self.__dict__[name] = Section()
        return self.__dict__[name]


def settings(plan: hubs.HubPlan, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the configuration as the hub would."""
    import slurmhub

    monkeypatch.setattr(slurmhub, "configure", lambda c: None, raising=False)
    c = Section()
    text = hubs.configuration(plan, PLACES, CLUSTER)
    exec(compile(text, "jupyterhub_config.py", "exec"), {"c": c})  # noqa: S102 - it is ours
    return c


def test_the_hub_is_reached_from_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    c = settings(PLAN, monkeypatch)
    urls = (c.JupyterHub.bind_url, c.JupyterHub.hub_bind_url, c.ConfigurableHTTPProxy.api_url)
    assert urls == ("http://127.0.0.1:8000", "http://127.0.0.1:20001", "http://127.0.0.1:20002")


def test_the_three_people_and_no_others_may_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    c = settings(PLAN, monkeypatch)
    assert c.Authenticator.allowed_users == {"student", "instructor", "operator"}
    assert c.Authenticator.admin_users == {"operator"}
    assert c.DemoAuthenticator.password_file == "/state/hub/passwords.json"


def test_as_root_each_person_has_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    c = settings(PLAN, monkeypatch)
    assert c.SlurmHubSpawner.unix_account("student") == "slurmhub-demo-student"
    assert c.SlurmHubSpawner.slurm_conf == "/state/cluster/etc/slurm.conf"


def test_otherwise_each_person_has_a_home_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "jo")
    places = replace(PLACES, state=tmp_path, root=False)
    places.homes.mkdir()
    monkeypatch.setitem(globals(), "PLACES", places)
    c = settings(replace(PLAN, own_accounts=False), monkeypatch)
    assert c.SlurmHubSpawner.unix_account("student") == "jo"
    spawner = SimpleNamespace(user=SimpleNamespace(name="student"))
    c.Spawner.pre_spawn_hook(spawner)
    home = tmp_path / "homes" / "student"
    assert home.is_dir()
    assert spawner.working_directory == str(home)
    assert f"export HOME={home}" in spawner.prologue
    assert "127.0.1.13" in spawner.prologue


def test_a_server_binds_to_its_own_node() -> None:
    assert hubs.bind_to_node(CLUSTER).splitlines() == [
        'case "$SLURMD_NODENAME" in',
        "    n1) export SLURMHUB_BIND_ADDRESS=127.0.1.11 ;;",
        "    n2) export SLURMHUB_BIND_ADDRESS=127.0.1.12 ;;",
        "    g1) export SLURMHUB_BIND_ADDRESS=127.0.1.13 ;;",
        "esac",
    ]


def test_the_configuration_holds_no_secret() -> None:
    token = hubs.new_token()
    assert token not in hubs.configuration(PLAN, PLACES, CLUSTER)
    assert hubs.environment(PLACES, token)["CONFIGPROXY_AUTH_TOKEN"] == token
