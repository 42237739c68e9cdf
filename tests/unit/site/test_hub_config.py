"""The configuration of a hub that follows from a site."""

from __future__ import annotations

from typing import Any

from slurmhub.auth.groups import read_group_rules
from slurmhub.auth.terms import read_terms
from slurmhub.from_file import check_names
from slurmhub.idle.policy import read_policies
from slurmhub_deploy.site.hub_config import database_urls, hub_config, ports_of
from tests.unit.site.fixtures import RIGHT, read, site


def changed(text: str) -> Any:
    """The right site with more in its hub."""
    lines = "".join(f"    {line}\n" for line in text.strip().splitlines())
    loaded = read(RIGHT.rstrip("\n") + "\n" + lines)
    assert loaded.problems == ()
    assert loaded.site is not None
    return loaded.site


def settings(found: Any) -> dict[str, Any]:
    return dict(hub_config(found, "main")["settings"])


def test_every_setting_is_one_that_there_is() -> None:
    more = changed(
        """
idle: {server_minutes: 240, gpu_minutes: 45}
terms: {version: "1", text: {en: Be kind.}}
limits: {max_cpus: 4, default_gpus: 1, default_gpu_type: a100, queue_minutes: 30, servers: 2}
"""
    )
    for found in (site(), more):
        check_names(settings(found), "the test")


def test_the_hub_listens_on_its_own_address_alone() -> None:
    found = settings(site())
    assert found["JupyterHub.hub_bind_url"] == "http://192.0.2.10:8081"
    assert found["JupyterHub.hub_connect_url"] == found["JupyterHub.hub_bind_url"]
    assert found["ConfigurableHTTPProxy.api_url"] == "http://127.0.0.1:8001"
    assert found["ConfigurableHTTPProxy.should_start"] is False
    assert ports_of(site(), "main") == (8081, 8001)


def test_no_secret_is_in_it() -> None:
    config = hub_config(site(), "main")
    files = [value for name, value in config["settings"].items() if name.endswith("_file")]
    assert all(file.startswith("/etc/slurmhub/main/") for file in files)
    services = config["services"]
    assert services["prometheus"]["scopes"] == ["read:metrics"]
    assert not {"admin:servers", "admin:users", "self"} & set(services["operators"]["scopes"])


def test_everybody_is_allowed_unless_groups_are_named() -> None:
    assert settings(site())["ShibbolethAuthenticator.allow_all"] is True
    some = settings(site((METADATA, f"{METADATA}\n{STAFF}")))
    assert some["ShibbolethAuthenticator.allow_all"] is False
    assert some["ShibbolethAuthenticator.allowed_groups"] == ["staff"]
    assert read_group_rules(some["ShibbolethAuthenticator.group_rules"])


METADATA = "      metadata: [{kind: file, file: /etc/slurmhub/idp-metadata.xml}]"
STAFF = """\
      groups: [{attribute: affiliation, equals: staff@example.ca, group: staff}]
      allowed_groups: [staff]"""


def test_idle_times_and_terms_are_read_by_the_hub() -> None:
    found = settings(
        changed(
            """
idle: {server_minutes: 240, gpu_minutes: 45, warning_minutes: 15}
profiles:
  - {name: lab, title: Lab, fields: {partition: cpu}, idle: {server_minutes: 60}}
  - {name: long, title: Long, fields: {partition: cpu}, idle: {}}
terms: {version: 2031-09, text: {en: Be kind., fr: Soyez gentils.}}
"""
        )
    )
    policies = found["SlurmHubSpawner.idle_policies"]
    assert policies[""] == {"server": "4:00:00", "gpu": "0:45:00", "warning": "0:15:00"}
    assert policies["long"] == {}
    read = read_policies(policies, ["lab", "long"])
    assert read["lab"].server == 3600
    assert read[""].gpu == 2700
    assert "idle" not in found["SlurmHubSpawner.profiles"][0]
    assert read_terms(found["ShibbolethAuthenticator.terms_of_use"]).version == "2031-09"


def test_settings_of_the_site_are_added() -> None:
    found = settings(changed("settings: {JupyterHub.active_server_limit: 100}"))
    assert found["JupyterHub.active_server_limit"] == 100


def test_a_wait_in_minutes_is_one_in_seconds() -> None:
    found = settings(changed("limits: {queue_minutes: 30, servers: 2}"))
    assert found["SlurmHubSpawner.queue_timeout"] == 1800
    assert found["JupyterHub.allow_named_servers"] is True
    assert found["JupyterHub.named_server_limit_per_user"] == 2
    assert "SlurmHubSpawner.servers" not in found


def test_databases() -> None:
    hub = site().hubs["main"]
    assert database_urls("main", hub)[1] == "sqlite:////var/lib/slurmhub/main/ledger.sqlite"
    postgresql = changed("database: postgresql").hubs["main"]
    urls = database_urls("main", postgresql)
    assert urls[0] != urls[1]
    assert all(url.startswith("postgresql+psycopg:///slurmhub-main") for url in urls)
