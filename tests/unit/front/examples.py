"""Settings of two fronts, and the certificates that stand for theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slurmhub_deploy.front.settings import FrontSettings, check_settings

GOLDEN = Path(__file__).parent / "golden"

ONE: dict[str, Any] = {
    "domain": "hub.example.ca",
    "proxy": "unix:/run/slurmhub/proxy.sock",
    "institution": "Example University",
    "name": {"en": "Example hub", "fr": "Le hub d'exemple"},
    "description": {"en": "Notebooks on a cluster.", "fr": "Des carnets sur une grappe."},
    "information_url": "https://hub.example.ca/hub/about",
    "privacy_url": "https://www.example.ca/privacy?a=1&b=2",
    "support": {"name": "Help desk", "mail": "help@example.ca"},
    "technical": {"name": "Research computing", "mail": "rc@example.ca"},
    "security": {"name": "Security team", "mail": "csirt@example.ca"},
    "entity_id": "https://hub.example.ca/shibboleth",
    "provider": "https://idp.example.ca/idp/shibboleth",
    "metadata": [{"kind": "file", "file": "/etc/slurmhub/idp-metadata.xml"}],
    "tls_certificate": "/etc/letsencrypt/live/hub.example.ca/fullchain.pem",
    "tls_key": "/etc/letsencrypt/live/hub.example.ca/privkey.pem",
    "key_folder": "/srv/slurmhub/front-keys",
}

FEDERATION: dict[str, Any] = {
    **ONE,
    "domain": "jupyter.example.org",
    "base_url": "/notebooks/",
    "proxy": "http://127.0.0.1:8000",
    "https_port": 8443,
    "http_port": 8080,
    "acme_folder": "/var/lib/acme/challenges",
    "hsts_days": 0,
    "support_url": "https://help.example.org/hub",
    "logo": {"url": "https://www.example.org/logo.png", "width": 200, "height": 80},
    "entity_id": "https://jupyter.example.org/shibboleth",
    "provider": None,
    "discovery": "built-in",
    "metadata": [
        {
            "kind": "url",
            "url": "https://federation.example.org/metadata.xml",
            "signing_certificate": "/etc/slurmhub/federation.pem",
            "max_validity_days": 14,
            "exclude": ["https://idp.left.example.org/idp"],
        },
        {
            "kind": "mdq",
            "base_url": "https://mdq.example.org/",
            "signing_certificate": "/etc/slurmhub/mdq.pem",
            "include": ["https://idp.one.example.org/idp", "urn:mace:example.org:two"],
        },
        {
            "kind": "file",
            "file": "/etc/slurmhub/test-idp.xml",
            "signing_certificate": "/etc/slurmhub/test-idp.pem",
        },
    ],
    "subject": "any",
    "required": ["eppn", "affiliation"],
    "wanted": ["displayName", "mail", "entitlement", "isMemberOf"],
    "session_hours": 8,
    "shibboleth_folder": "/srv/shibboleth",
    "shibboleth_log_folder": "/srv/log",
}

EXAMPLES = {"one": ONE, "federation": FEDERATION}
CERTIFICATES = [{"signing": "U0lHTklORw==", "encrypt": "RU5DUllQVElPTg=="}]


def settings(**changes: object) -> FrontSettings:
    """The front with one provider, with these settings changed."""
    return check_settings({**ONE, **changes}, "the test's settings")
