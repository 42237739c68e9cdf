"""From a site to what is looked at on each of its hosts: a pure function."""

from __future__ import annotations

from typing import Any

from slurmhub_deploy.site.inventory import Inventory

JOB_PORT = 20000
"""The first port that servers in jobs listen on: nothing need listen, but nobody may drop it."""
TEXTFILES = "/var/lib/prometheus/node-exporter"
BACKUPS = "/srv/slurmhub/backup"
SERVED_HOMES = "/srv/slurmhub/homes"

Tasks = dict[str, dict[str, Any]]


def tasks_of(inventory: Inventory) -> Tasks:
    """What the probe is to look at, by host, as `probe.LOOKS` names it."""
    return {host: _task(inventory["all"], host) for host in inventory["all"]["hosts"]}


def roles_of(inventory: Inventory, host: str) -> set[str]:
    """What a host is: `hub`, `compute` ..."""
    groups = inventory["all"]["children"]
    return {
        name.removeprefix("role_")
        for name, group in groups.items()
        if name.startswith("role_") and host in group["hosts"]
    }


def _task(site: dict[str, Any], host: str) -> dict[str, Any]:
    variables = site["vars"]
    roles = roles_of({"all": site}, host)
    hubs = {name: hub for name, hub in variables["slurmhub_hubs"].items() if hub["host"] == host}
    wanted: dict[str, Any] = {
        "system": None,
        "clock": None,
        "disks": None,
        "units": _units(variables, roles, hubs),
        "accounts": _accounts(variables),
        "names": sorted({*variables["slurmhub_addresses"], *_domains(variables)}),
        "ports": _ports(variables, host, roles, hubs),
        "textfiles": TEXTFILES,
        "backups": BACKUPS,
    }
    if roles & {"hub", "controller", "compute", "login", "database"}:
        wanted["munge"] = ""
        wanted["slurm"] = {"controller": "controller" in roles}
    if "controller" in roles:
        wanted["work"] = None
    if "monitoring" in roles:
        wanted["alerts"] = "127.0.0.1:9090"
    if roles & {"hub", "compute", "login", "storage"}:
        wanted["homes"] = [
            {"name": name, "path": _homes_path(host, name, homes)}
            for name, homes in variables["slurmhub_homes"].items()
            if host in homes["hosts"] or host == homes["server"]
        ]
    if "compute" in roles:
        of_site = {hub["jupyter"] for hub in variables["slurmhub_hubs"].values()}
        wanted["jupyter"] = {"python": f"{sorted(of_site)[0]}/bin/python3"}
    if hubs:
        wanted["hubs"] = [_hub(variables, name, hub) for name, hub in hubs.items()]
        wanted["certificates"] = [_certificate(variables, name, hub) for name, hub in hubs.items()]
        wanted["front"] = _front(next(iter(hubs.values())))
    return wanted


def _units(variables: dict[str, Any], roles: set[str], hubs: dict[str, Any]) -> list[str]:
    by_role = {
        "hub": [
            *(f"slurmhub-{name}{part}.service" for name in hubs for part in ("", "-proxy")),
            *(f"slurmhub-{name}-courses.service" for name, hub in hubs.items() if "courses" in hub),
            *("apache2.service", "shibd.service"),
        ],
        "controller": ["slurmctld.service", "munge.service"],
        "database": ["slurmdbd.service", "mariadb.service"],
        "compute": ["slurmd.service", "munge.service"],
        "monitoring": ["prometheus.service", "prometheus-alertmanager.service"],
    }
    if variables["slurmhub_directory"]["kind"] == "made":
        by_role["directory"] = ["slapd.service"]
    found = [unit for role, units in by_role.items() if role in roles for unit in units]
    if variables["slurmhub_directory"]["kind"] != "files":
        found.append("sssd.service")
    return [*dict.fromkeys(found), "nftables.service"]


def _accounts(variables: dict[str, Any]) -> dict[str, list[str]]:
    hubs = variables["slurmhub_hubs"].values()
    made = any(each["kind"] == "made" for each in variables["slurmhub_clusters"].values())
    users = {*(admin for hub in hubs for admin in hub["admins"])}
    return {
        "users": sorted(users | ({"slurm", "munge"} if made else set())),
        "groups": sorted({hub["accounts"]["group"] for hub in hubs}),
    }


def _domains(variables: dict[str, Any]) -> list[str]:
    return [hub["domain"] for hub in variables["slurmhub_hubs"].values()]


def _ports(
    variables: dict[str, Any], host: str, roles: set[str], hubs: dict[str, Any]
) -> list[list[Any]]:
    addresses = variables["slurmhub_addresses"]
    found: list[list[Any]] = []
    for name, cluster in variables["slurmhub_clusters"].items():
        if cluster["kind"] != "made":
            continue
        controller, nodes = addresses[cluster["controller"]], cluster["nodes"]
        of_cluster = [hub for hub in hubs.values() if hub["cluster"] == name]
        if of_cluster or host in nodes:
            found.append([controller, 6817])
        if of_cluster:
            found += [[addresses[node], port] for node in nodes for port in (6818, JOB_PORT)]
            found.append([addresses[cluster["database"]], 6819])
        if host == cluster["controller"]:
            found += [[addresses[node], 6818] for node in nodes]
        if host in nodes:
            found += [
                [addresses[hub["host"]], hub["ports"]["hub"]]
                for hub in variables["slurmhub_hubs"].values()
                if hub["cluster"] == name
            ]
    directory = variables["slurmhub_directory"]
    if directory["kind"] == "made" and directory["host"] != host:
        found.append([addresses[directory["host"]], 636])
    return [each for number, each in enumerate(found) if each not in found[:number]]


def _homes_path(host: str, name: str, homes: dict[str, Any]) -> str:
    """Where they are there: a host that only serves them has them where their disks are."""
    return str(homes["path"]) if host in homes["hosts"] else f"{SERVED_HOMES}/{name}"


def _hub(variables: dict[str, Any], name: str, hub: dict[str, Any]) -> dict[str, Any]:
    courses = hub.get("courses") or {}
    folders = courses.get("settings", {}).get("folders") or {}
    health = f"{hub['base_url']}services/courses/health"
    return {
        "name": name,
        "courses": f"{courses['url']}{health}" if courses else None,
        "folders": folders.get("command"),
        "address": variables["slurmhub_addresses"][hub["host"]],
        "port": hub["ports"]["hub"],
        "base_url": hub["base_url"],
        "account": hub["unix_account"],
        "token_file": hub["config"]["services"]["prometheus"]["token_file"],
        "python": "/opt/slurmhub/hub/bin/python3",
    }


def _certificate(variables: dict[str, Any], name: str, hub: dict[str, Any]) -> dict[str, Any]:
    front = hub["front"]
    return {
        "name": name,
        "domain": hub["domain"],
        "address": variables["slurmhub_addresses"][hub["host"]],
        "port": front["https_port"],
        "certificate": front["tls_certificate"],
        "key": front["tls_key"],
        # What the test account trusts beside the system's authorities.
        "authority": f"/etc/slurmhub/{name}/probe-trust.pem"
        if hub["probe"] is not None and hub["probe"]["trust"]
        else None,
    }


def _front(hub: dict[str, Any]) -> dict[str, Any]:
    front = hub["front"]
    files = [each["file"] for each in front["metadata"] if each["kind"] == "file"]
    # shibd keeps what it fetched here.
    fetched = [f"{front['shibboleth_cache']}/*.xml"] if len(files) < len(front["metadata"]) else []
    return {
        "metadata": [*files, *fetched],
        "provider": front["provider"],
        "key_folder": front["key_folder"],
    }
