"""Settings that describe no front are refused in words that name the setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from slurmhub_deploy.front.errors import FrontError
from slurmhub_deploy.front.settings import load_settings
from tests.unit.front.examples import EXAMPLES, ONE, settings

URL = {"kind": "url", "url": "https://f.example/m.xml", "signing_certificate": "/etc/f.pem"}
MDQ = {"kind": "mdq", "base_url": "https://f.example/", "signing_certificate": "/etc/f.pem"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"domain": "Hub.example.ca"}, "domain: must be a host name"),
        ({"domain": "hub.example.ca\nServerAlias x"}, "domain: must be a host name"),
        ({"base_url": "/jupyter"}, "base_url: must begin and end with /"),
        ({"base_url": "/a//b/"}, "base_url: must begin and end with /"),
        ({"proxy": "http://10.0.0.1:8000"}, "go round the front"),
        ({"proxy": "http://hub.example.ca:8000"}, "go round the front"),
        ({"proxy": "https://127.0.0.1:8000"}, "proxy: must begin with http://"),
        ({"proxy": "unix:run/proxy.sock"}, "proxy: must be an absolute path"),
        ({"proxy": 'unix:/run/p" x'}, "proxy: must be an absolute path"),
        ({"tls_key": "/etc/../shadow"}, "tls_key: must be an absolute path"),
        ({"tls_key": "/etc/${HOME}"}, "tls_key: must be an absolute path"),
        ({"key_folder": "keys"}, "key_folder: must be an absolute path"),
        ({"support": {"name": "x", "mail": "nobody"}}, "support.mail: must be a mail address"),
        ({"support": {"name": "a\nb", "mail": "a@b.ca"}}, "support.name: must be one line"),
        ({"institution": " "}, "institution: must be one line of words"),
        ({"privacy_url": "http://x.example/"}, "privacy_url: must begin with https://"),
        ({"privacy_url": "https://u:p@x.example/"}, "privacy_url: must begin with https://"),
        ({"privacy_url": "https://[/"}, "privacy_url: must"),
        ({"entity_id": "hub"}, "entity_id: must be a URL or a URN"),
        ({"provider": None}, "either `provider`"),
        ({"discovery": "built-in"}, "either `provider`"),
        ({"discovery": "elsewhere", "provider": None}, "discovery: must"),
        ({"discovery": "built-in", "provider": None, "metadata": [MDQ]}, "which MDQ does not give"),
        ({"metadata": []}, "metadata: "),
        ({"metadata": [{"kind": "url", "url": "https://f.example/"}]}, "signing_certificate"),
        ({"metadata": [{**URL, "max_validity_days": 400}]}, "max_validity_days"),
        (
            {"metadata": [{**URL, "include": ["urn:a:b"], "exclude": ["urn:a:c"]}]},
            "`include` or `exclude`",
        ),
        ({"required": ["shoe-size"]}, "must be one of subject-id"),
        ({"subject": "none"}, "`required` must contain eppn"),
        ({"http_port": 443}, "must differ"),
        ({"key_account": "root;id"}, "key_account"),
        ({"second_key_folder": ONE["key_folder"]}, "another folder than key_folder"),
        ({"domian": "x"}, "domian: "),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, Any], words: str) -> None:
    """What is wrong, with the setting's name, and where it is explained."""
    with pytest.raises(FrontError) as refused:
        settings(**change)
    assert words in refused.value.what
    assert "docs/operators/shibboleth.md" in refused.value.remedy


def test_every_wrong_setting_is_named_at_once() -> None:
    """Nobody has to correct one to hear of the next."""
    with pytest.raises(FrontError) as refused:
        settings(domain="-", base_url="x", institution="")
    for name in ("domain", "base_url", "institution"):
        assert f"  {name}: " in refused.value.what


def test_a_value_is_not_repeated() -> None:
    """What was written where it does not belong may be a secret."""
    with pytest.raises(FrontError) as refused:
        settings(domain="sEcReT!")
    assert "sEcReT" not in str(refused.value)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_file_is_read(tmp_path: Path, name: str) -> None:
    """YAML, as an operator writes it."""
    path = tmp_path / "front.yaml"
    path.write_text(yaml.safe_dump(EXAMPLES[name]))
    assert load_settings(path).domain == EXAMPLES[name]["domain"]


@pytest.mark.parametrize("text", ["a: [", "- 1", "", "!!python/object/apply:os.system [id]"])
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, text: str) -> None:
    """Also one that would have code run."""
    path = tmp_path / "front.yaml"
    path.write_text(text)
    with pytest.raises(FrontError):
        load_settings(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(FrontError, match=r"missing\.yaml cannot be read"):
        load_settings(tmp_path / "missing.yaml")


def test_addresses_follow_from_settings() -> None:
    """A usual port is not written, another is; the handler is below the base URL."""
    assert settings().origin == "https://hub.example.ca"
    moved = settings(base_url="/j/", https_port=8443)
    assert moved.origin == "https://hub.example.ca:8443"
    assert moved.handler == "/j/hub/Shibboleth.sso"
    assert moved.discovery_url is None
    assert ONE["provider"] == moved.provider
