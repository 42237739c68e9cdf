"""From a site to the configuration of one of its hubs, as data.

A pure function: the settings by `Class.trait`, and the services with an API token of their own.
slurmhub.from_file reads it on the hub's host. It names the files of secrets and holds none.
"""

from __future__ import annotations

from typing import Any

from slurmhub_deploy.site.clusters import ExistingCluster
from slurmhub_deploy.site.course_folders import seen_at
from slurmhub_deploy.site.courses import Courses
from slurmhub_deploy.site.front import front_settings
from slurmhub_deploy.site.homes import NfsHomes
from slurmhub_deploy.site.hubs import Hub, account_of
from slurmhub_deploy.site.model import Site
from slurmhub_deploy.site.pages import Idle

VERSION = 1
HUB_PORT = 8081
PROXY_PORT = 8001
"""The hub's port on the cluster's network and that of its proxy's interface on loopback, of the
first hub of a host; the others count up, by their place in the file."""

COURSES_PORT = 8061
"""That of the service of courses, likewise."""

METRICS, OPERATORS = "prometheus", "operators"
"""Services of the hub: who scrapes it, and the verbs of the `slurmhub` command."""

_SCOPES = {
    METRICS: ["read:metrics"],
    # Announcements ask for admin-ui, which alone changes nothing else.
    OPERATORS: [
        *("admin-ui", "read:hub", "read:servers", "list:users"),
        *("read:users:name", "read:users:groups", "read:users:activity"),
    ],
}


def ports_of(site: Site, name: str) -> tuple[int, int]:
    """The hub's own port, and that of its proxy's interface."""
    host = site.hubs[name].host
    place = [each for each, hub in site.hubs.items() if hub.host == host].index(name)
    return HUB_PORT + place, PROXY_PORT + place


def courses_url(site: Site, name: str) -> str:
    """Where the service of the hub's courses listens: on loopback, unless Prometheus asks it."""
    address = "127.0.0.1"
    if site.monitoring is not None:
        address = site.machines[site.hubs[name].host].address
    return f"http://{address}:{COURSES_PORT + ports_of(site, name)[0] - HUB_PORT}"


def hub_config(site: Site, name: str) -> dict[str, Any]:
    """What slurmhub.from_file reads, of a hub of a site that was checked."""
    secrets = f"/etc/slurmhub/{name}/secrets"
    found: dict[str, Any] = {
        "version": VERSION,
        "settings": {**site.hubs[name].settings, **own_settings(site, name)},
        "services": {
            each: {"token_file": f"{secrets}/{each}-token", "scopes": scopes}
            for each, scopes in _SCOPES.items()
        },
    }
    if site.hubs[name].courses is not None:
        found["courses"] = {
            "url": courses_url(site, name),
            "token_file": f"{secrets}/courses-token",
        }
    return found


def own_settings(site: Site, name: str) -> dict[str, Any]:
    """The settings that follow from the site, without what a hub's `settings` adds to them."""
    hub = site.hubs[name]
    return {**_hub(site, name, hub), **_sign_in(site, name, hub), **_spawner(site, name, hub)}


def database_urls(name: str, hub: Hub) -> tuple[str, str]:
    """The SQLAlchemy URLs of JupyterHub's database and of the ledger."""
    if hub.database == "sqlite":
        folder = f"sqlite:////var/lib/slurmhub/{name}"
        return f"{folder}/jupyterhub.sqlite", f"{folder}/ledger.sqlite"
    # The account of the hub is the database's as well, which asks the kernel who it is (peer).
    server = "postgresql+psycopg:///{}?host=/var/run/postgresql"
    account = account_of(name)
    return server.format(account), server.format(f"{account}-ledger")


def courses_database_url(name: str, hub: Hub) -> str:
    """The SQLAlchemy URL of the courses, which both the hub and their service open."""
    if hub.database == "sqlite":
        return f"sqlite:////var/lib/slurmhub-courses/{name}/courses.sqlite"
    return f"postgresql+psycopg:///{account_of(name)}-courses?host=/var/run/postgresql"


def courses_qos_of(site: Site, hub: Hub, courses: Courses) -> str:
    """The QOS of courses' servers; empty: the usual one of their account."""
    if isinstance(site.clusters[hub.cluster], ExistingCluster):
        return courses.slurm_qos or ""
    # The account above those of courses has one of its own name.
    return courses.slurm_parent


def _hub(site: Site, name: str, hub: Hub) -> dict[str, Any]:
    port, proxy = ports_of(site, name)
    here = f"http://{site.machines[hub.host].address}:{port}"
    return {
        "JupyterHub.base_url": hub.base_url,
        "JupyterHub.hub_bind_url": here,
        "JupyterHub.hub_connect_url": here,
        "JupyterHub.public_url": f"https://{hub.domain}{hub.base_url}",
        "JupyterHub.db_url": database_urls(name, hub)[0],
        "JupyterHub.cookie_secret_file": f"/etc/slurmhub/{name}/secrets/cookie-secret",
        "JupyterHub.allow_named_servers": hub.limits.servers > 0,
        "JupyterHub.named_server_limit_per_user": hub.limits.servers,
        "ConfigurableHTTPProxy.should_start": False,
        "ConfigurableHTTPProxy.api_url": f"http://127.0.0.1:{proxy}",
    }


def _sign_in(site: Site, name: str, hub: Hub) -> dict[str, Any]:
    signing_in, accounts = hub.sign_in, hub.accounts
    front, support = front_settings(site, name), site.institution.support
    hours = signing_in.hub_session_hours or signing_in.session_hours
    found: dict[str, Any] = {
        "front_secret_file": str(front.secret_file),
        "auth_state_key_file": f"/etc/slurmhub/{name}/secrets/auth-state-key",
        "allow_all": not signing_in.allowed_groups,
        "admin_users": list(hub.admins),
        "session_lifetime": hours * 3600.0,
        "support_contact": f"{support.name}, {support.mail}",
        "idp_scopes": {idp: list(scopes) for idp, scopes in signing_in.scopes.items()},
        "required_attributes": list(signing_in.required),
        "group_rules": [rule.as_rule() for rule in signing_in.groups],
        "allowed_groups": list(signing_in.allowed_groups),
        "end_servers_at_sign_out": hub.end_servers_at_sign_out,
        "account_source": accounts.source,
        "account_rule": [
            rule.model_dump(mode="json", exclude_defaults=True) for rule in accounts.rules
        ],
        "account_full_names": accounts.full_names,
    }
    if accounts.source == "made":
        found["lowest_uid"] = accounts.lowest_uid
    elif not isinstance(site.homes[hub.homes], NfsHomes):
        # Homes on another's file server are made there.
        found["make_homes"] = True
    if signing_in.discovery == "built-in":
        found["discovery_feed"] = f"http://127.0.0.1:{front.notify_port}/institutions"
    if hub.terms is not None:
        found["terms_of_use"] = hub.terms.model_dump(mode="json")
    settings = {f"ShibbolethAuthenticator.{trait}": value for trait, value in found.items()}
    return {"JupyterHub.authenticator_class": "shibboleth", **settings}


def _spawner(site: Site, name: str, hub: Hub) -> dict[str, Any]:
    found: dict[str, Any] = {
        "cmd": [f"{hub.jupyter}/bin/jupyterhub-singleuser"],
        "default_url": "/lab",
        "launcher_python": f"{hub.jupyter}/bin/python3",
        "hub_name": name,
        "ledger_url": database_urls(name, hub)[1],
        "key_file": f"/etc/slurmhub/{name}/secrets/key",
        "profiles": [profile.as_data() for profile in hub.profiles],
        "everything": hub.everything if isinstance(hub.everything, bool) else list(hub.everything),
        "hidden_fields": list(hub.hidden_fields),
        "idle_policies": idle_policies(hub),
        "default_language": hub.pages.language,
        "files_page": hub.pages.files,
        "show_scripts": hub.pages.scripts,
        "show_logs": hub.pages.logs,
        **_limits(hub),
        **_cluster(site, name, hub),
        **_courses(site, name, hub),
    }
    return {f"SlurmHubSpawner.{trait}": value for trait, value in found.items()}


def _courses(site: Site, name: str, hub: Hub) -> dict[str, Any]:
    """What starts a course's server; nothing where there are no courses."""
    if hub.courses is None:
        return {}
    folders = seen_at(site, name)
    return {
        "courses_url": courses_database_url(name, hub),
        "courses_policy": hub.courses.policy.model_dump(mode="json", exclude_defaults=True),
        "courses_shared_qos": courses_qos_of(site, hub, hub.courses),
        **({} if folders is None else {"course_folders": folders}),
    }


def _limits(hub: Hub) -> dict[str, Any]:
    limits = hub.limits.model_dump(mode="json", exclude_none=True)
    limits.pop("servers")
    minutes = limits.pop("queue_minutes", None)
    if minutes is not None:
        limits["queue_timeout"] = minutes * 60
    return limits


def _cluster(site: Site, name: str, hub: Hub) -> dict[str, Any]:
    """Where Slurm is, and whether the hub puts people into the Slurm account of theirs."""
    cluster, own = site.clusters[hub.cluster], hub.accounts.slurm_account
    if not isinstance(cluster, ExistingCluster):
        return {"slurm_account": own or name, "enrol": True}
    found: dict[str, Any] = {"enrol": cluster.account is not None}
    if cluster.slurm_conf is not None:
        found["slurm_conf"] = str(cluster.slurm_conf)
    # Where its operators add people, each has an account of their own there already.
    if own is not None or cluster.account is not None:
        found["slurm_account"] = own or name
    return found


def idle_policies(hub: Hub) -> dict[str, dict[str, str]]:
    """As `c.SlurmHubSpawner.idle_policies` has them."""
    said = {"": hub.idle} | {each.name: each.idle for each in hub.profiles if each.idle is not None}
    found = {name: _idle(idle) for name, idle in said.items()}
    return {name: parts for name, parts in found.items() if name or parts}


def _idle(idle: Idle) -> dict[str, str]:
    minutes = {"server": idle.server_minutes, "gpu": idle.gpu_minutes}
    if not any(minutes.values()):
        return {}
    minutes["warning"] = idle.warning_minutes
    return {name: f"{value // 60}:{value % 60:02}:00" for name, value in minutes.items() if value}
