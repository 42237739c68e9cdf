"""What the role front has rendered on the control host, and where it puts it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from ansible.errors import AnsibleFilterError

from slurmhub_deploy.front.keys import new_pair
from slurmhub_deploy.site.inventory import inventory
from tests.rig.role_docs import ROLES
from tests.unit.site.fixtures import site

SITE = "/etc/apache2/sites-available/slurmhub.conf"
SETTINGS = inventory(site())["all"]["vars"]["slurmhub_hubs"]["main"]["front"]


@pytest.fixture(scope="module")
def plugin() -> ModuleType:
    file = ROLES.parent / "filter_plugins/slurmhub_front.py"
    spec = importlib.util.spec_from_file_location("slurmhub_front", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_file_has_its_place(plugin: ModuleType) -> None:
    files = plugin.front_files(SETTINGS, SITE)
    assert "ServerName https://hub.example.ca" in files[SITE]
    assert SETTINGS["entity_id"] in files["/etc/shibboleth/shibboleth2.xml"]
    assert "/etc/apache2/slurmhub/pages/unavailable.html" in files
    folders = ("/etc/apache2/", "/etc/shibboleth/")
    assert all(path.startswith(folders) for path in files)


def test_the_registration_has_both_certificates(plugin: ModuleType) -> None:
    (_, signing), (_, encryption) = (new_pair("hub.example.ca", "https://x/y") for _ in range(2))
    metadata = plugin.front_registration(SETTINGS, signing, encryption)["sp-metadata.xml"]
    for certificate in (signing, encryption):
        assert "".join(certificate.splitlines()[1:-1]) in metadata
    with pytest.raises(AnsibleFilterError, match="not PEM"):
        plugin.front_registration(SETTINGS, "nothing", encryption)


def test_wrong_settings_are_told(plugin: ModuleType) -> None:
    with pytest.raises(AnsibleFilterError, match="proxy: must be unix:"):
        plugin.front_files({**SETTINGS, "proxy": "http://192.0.2.1:8000"}, SITE)


def test_what_is_copied_is_beside_the_site_file(plugin: ModuleType) -> None:
    copied = {"src": "idp.xml", "dest": "/etc/slurmhub/main/metadata/idp.xml"}
    folder = str(Path("/srv/site"))
    assert plugin.beside(copied, folder)["src"] == "/srv/site/idp.xml"
