"""A hub's configuration from a file of data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from slurmhub.from_file import SettingsUnusable, configure_from

TOKEN = "0f" * 32


def file_of(folder: Path, **parts: Any) -> Path:
    path = folder / "hub.json"
    data = {"version": 1, "settings": {}, "services": {}} | parts
    path.write_text(json.dumps(data))
    return path


def token_in(folder: Path, text: str = TOKEN, mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_text(f"{text}\n")
    path.chmod(mode)
    return path


def service(path: Path) -> dict[str, Any]:
    return {"prometheus": {"token_file": str(path), "scopes": ["read:metrics"]}}


def test_its_settings_go_before_those_of_configure(tmp_path: Path) -> None:
    c = Config()
    settings = {
        "JupyterHub.concurrent_spawn_limit": 7,
        "SlurmHubSpawner.cmd": ["/opt/x"],
        "ShibbolethAuthenticator.allow_all": True,
    }
    configure_from(c, file_of(tmp_path, settings=settings))
    assert c.JupyterHub.concurrent_spawn_limit == 7
    assert c.JupyterHub.spawner_class == "slurmhub"
    assert c.JupyterHub.extra_handlers
    assert c.SlurmHubSpawner.cmd == ["/opt/x"]
    assert c.ShibbolethAuthenticator.allow_all is True


def test_a_service_has_its_token_and_its_scopes(tmp_path: Path) -> None:
    c = Config()
    configure_from(c, file_of(tmp_path, services=service(token_in(tmp_path, mode=0o640))))
    assert c.JupyterHub.services == [{"name": "prometheus", "api_token": TOKEN}]
    (role,) = c.JupyterHub.load_roles
    assert (role["services"], role["scopes"]) == (["prometheus"], ["read:metrics"])


def test_the_service_of_courses_has_what_it_registers_for(tmp_path: Path) -> None:
    c = Config()
    token = token_in(tmp_path)
    courses = {"url": "http://127.0.0.1:8061", "token_file": str(token)}
    configure_from(c, file_of(tmp_path, services=service(token), courses=courses))
    first, second = c.JupyterHub.services
    assert first["name"] == "prometheus"
    assert (second["name"], second["url"], second["api_token"]) == (
        "courses",
        "http://127.0.0.1:8061",
        TOKEN,
    )
    roles = {role["name"]: role["scopes"] for role in c.JupyterHub.load_roles}
    assert "access:services!service=courses" in roles["user"]
    assert not {"access:servers", "groups", "admin:servers"} & set(roles["service-courses"])


@pytest.mark.parametrize(
    ("setting", "remedy"),
    [
        ("SlurmHubSpawner.max_cpu", "Did you mean SlurmHubSpawner.max_cpus?"),
        ("Nothing.at_all", "JupyterHub's manual"),
        ("JupyterHub", "See the settings|Did you mean"),
    ],
)
def test_a_setting_that_there_is_not(tmp_path: Path, setting: str, remedy: str) -> None:
    with pytest.raises(SettingsUnusable, match=setting) as raised:
        configure_from(Config(), file_of(tmp_path, settings={setting: 1}))
    assert any(part in raised.value.remedy for part in remedy.split("|"))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2, "settings": {}, "services": {}}'])
def test_a_file_that_is_not_one_of_settings(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hub.json"
    path.write_text(text)
    with pytest.raises(SettingsUnusable, match=r"hub\.json") as raised:
        configure_from(Config(), path)
    assert "slurmhub up" in raised.value.remedy


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsUnusable, match="cannot be read"):
        configure_from(Config(), tmp_path / "hub.json")


def test_tokens_that_are_not_kept_well(tmp_path: Path) -> None:
    for path, words in (
        (tmp_path / "absent", "cannot be read"),
        (token_in(tmp_path, mode=0o644), "every account"),
    ):
        with pytest.raises(SettingsUnusable, match=words):
            configure_from(Config(), file_of(tmp_path, services=service(path)))
    with pytest.raises(SettingsUnusable, match="shorter"):
        configure_from(Config(), file_of(tmp_path, services=service(token_in(tmp_path, "short"))))
