"""The demo's configuration of the hub."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from slurmhub.courses.hours import current
from slurmhub.courses.model import Course, Role, State
from slurmhub.courses.policy import Policy
from slurmhub.courses.rights import Person
from slurmhub.courses.store import open_courses
from slurmhub_deploy.cluster import EmbeddedCluster, standard_plan
from slurmhub_deploy.demo import courses
from slurmhub_deploy.demo import hub as hubs
from slurmhub_deploy.demo.places import Places

PLACES = Places(Path("/cache"), Path("/state"), root=True)
PLAN = hubs.HubPlan(8000, 20001, 20002, ("/jupyter/bin/server",), "/usr/bin/python3", True, 20003)
CLUSTER = EmbeddedCluster(standard_plan(Path("/state/cluster")))


class Section(SimpleNamespace):
    """A section of traitlets' configuration, near enough."""

    def __getattr__(self, name: str) -> Any:
        self.__dict__[name] = Section()
        return self.__dict__[name]

    def get(self, name: str, default: Any) -> Any:
        """What is set, as a configuration has it."""
        return self.__dict__.get(name, default)


def settings(plan: hubs.HubPlan, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the configuration as the hub would."""
    import slurmhub

    monkeypatch.setattr(slurmhub, "configure", lambda c: None, raising=False)
    monkeypatch.setenv(courses.TOKEN, "t" * 64)
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


def test_there_is_a_course_and_a_service_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    places = replace(PLACES, state=tmp_path)
    places.hub.mkdir()
    courses.write_settings(places)
    courses.make(courses.settings_file(places))
    monkeypatch.setitem(globals(), "PLACES", places)
    c = settings(PLAN, monkeypatch)
    (service,) = c.JupyterHub.services
    assert service["url"] == "http://127.0.0.1:20003"
    assert service["api_token"] == "t" * 64
    store = open_courses(c.SlurmHubSpawner.courses_url, Policy.model_validate(courses.POLICY))
    (mine,) = store.all_for("student")
    assert mine.stored.course.title == "Introduction to computing"
    assert mine.stored.state is State.OPEN
    (theirs,) = store.all_for("instructor")
    assert theirs.role is Role.OWNER
    people = store.members.of(Person("instructor"), courses.KEY)
    assert sum(one.pending for one in people) == 1
    store.close()


@pytest.mark.parametrize("hour", [0, 23])
def test_the_courses_hours_hold_at_every_hour(hour: int) -> None:
    now = datetime(2026, 11, 22, hour, 59, tzinfo=timezone.utc)
    course = Course.model_validate(courses.document(now))
    held = current(course, now)
    assert held is not None
    assert held.at(now)


def test_with_shibboleth_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    c = settings(replace(PLAN, public_port=8443), monkeypatch)
    assert "courses_url" not in vars(c.SlurmHubSpawner)
    assert "services" not in vars(c.JupyterHub)


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
