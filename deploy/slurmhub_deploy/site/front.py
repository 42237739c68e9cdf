"""From the site to the settings of a hub's front."""

from __future__ import annotations

from typing import Any

from slurmhub_deploy.front.settings import FrontSettings
from slurmhub_deploy.site.hubs import Hub, account_of
from slurmhub_deploy.site.metadata import placed
from slurmhub_deploy.site.model import Site

SIGN_IN = frozenset(
    {
        "entity_id",
        "provider",
        "discovery",
        "subject",
        "required",
        "wanted",
        "session_hours",
        "key_folder",
    }
)
"""Settings of the front that a hub's `sign_in` has under the same name."""

# A hub has ports of its own on its host's loopback, by its place in the file.
_NOTIFY = 8449


def front_settings(site: Site, name: str) -> FrontSettings:
    """The front of a hub of this site, which was checked."""
    return FrontSettings.model_validate(front_data(site, name, site.hubs[name]))


def front_data(site: Site, name: str, hub: Hub) -> dict[str, Any]:
    """The front's settings before they are checked."""
    institution = site.institution
    certificate = f"/etc/slurmhub/{name}/tls"
    neighbours = [each for each, other in site.hubs.items() if other.host == hub.host]
    data: dict[str, Any] = {
        "domain": hub.domain,
        "base_url": hub.base_url,
        "proxy": f"unix:/run/slurmhub-{name}/proxy.sock",
        "notify_port": _NOTIFY + neighbours.index(name),
        "institution": institution.name,
        "name": hub.title,
        "description": hub.description,
        "information_url": institution.information_url,
        "privacy_url": institution.privacy_url,
        "support": institution.support,
        "technical": institution.technical or institution.support,
        "security": institution.security or institution.support,
        "support_url": institution.support_url,
        "logo": institution.logo,
        "tls_certificate": f"{certificate}/fullchain.pem",
        "tls_key": f"{certificate}/privkey.pem",
        "acme_folder": "/var/lib/slurmhub/acme" if site.tls_of(hub)[1].kind == "acme" else None,
        "hub_account": account_of(name),
        "secret_file": f"/etc/slurmhub/{name}/front-secret",
    }
    data["metadata"] = placed(hub.sign_in.metadata, metadata_folder(name))
    return data | {setting: getattr(hub.sign_in, setting) for setting in sorted(SIGN_IN)}


def metadata_folder(name: str) -> str:
    """Where files beside the site file are on the hub's host."""
    return f"/etc/slurmhub/{name}/metadata"
