"""From a site to the service of a hub's courses, as data: its account, its place, its settings."""

from __future__ import annotations

from typing import Any

from slurmhub.courses.service.settings import ClusterSettings, FolderSettings, ServiceSettings
from slurmhub_deploy.site.clusters import ExistingCluster
from slurmhub_deploy.site.course_folders import asking, kept
from slurmhub_deploy.site.courses import Courses
from slurmhub_deploy.site.hub_config import (
    courses_database_url,
    courses_qos_of,
    courses_url,
    ports_of,
)
from slurmhub_deploy.site.hubs import courses_account_of, courses_number_of
from slurmhub_deploy.site.model import Site

STATE = "/var/lib/slurmhub-courses"


def courses_service(site: Site, name: str, courses: Courses) -> dict[str, Any]:
    """What the roles `courses` and `course_folders` take, of a hub of a site that was checked."""
    return {
        "folders": kept(site, name),
        "unix_account": courses_account_of(name),
        "unix_uid": courses_number_of(name, courses),
        "url": courses_url(site, name),
        "hub_api_url": f"{_hub_url(site, name)}hub/api",
        "settings": service_settings(site, name, courses).model_dump(
            mode="json", exclude_defaults=True
        ),
    }


def service_settings(site: Site, name: str, courses: Courses) -> ServiceSettings:
    """What the service reads; its token is in a file of its own."""
    hub = site.hubs[name]
    cluster = site.clusters[hub.cluster]
    conf = cluster.slurm_conf if isinstance(cluster, ExistingCluster) else None
    return ServiceSettings.model_validate(
        {
            "hub": name,
            "database": courses_database_url(name, hub),
            "policy": courses.policy,
            "cluster": ClusterSettings(conf=conf, shared_qos=courses_qos_of(site, hub, courses)),
            "folders": None if kept(site, name) is None else FolderSettings(command=asking(name)),
            "mail": _mail(site, name, courses),
            "language": hub.pages.language,
            "token_file": f"/etc/slurmhub/{name}/courses-token",
            "secret_file": f"{STATE}/{name}/secret",
        }
    )


def _mail(site: Site, name: str, courses: Courses) -> dict[str, Any] | None:
    mail, hub = courses.mail, site.hubs[name]
    if mail is None:
        return None
    return {
        "relay": mail.relay,
        "sender": mail.sender or site.institution.support.mail,
        "tls": mail.tls,
        "pages": f"https://{hub.domain}{hub.base_url}services/courses/",
    }


def _hub_url(site: Site, name: str) -> str:
    hub = site.hubs[name]
    return f"http://{site.machines[hub.host].address}:{ports_of(site, name)[0]}{hub.base_url}"
