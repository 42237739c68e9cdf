"""A site that is well: everything that could be looked at, and nothing wrong with it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from slurmhub_deploy.doctor.facts import Facts, HostFacts, Looks
from slurmhub_deploy.doctor.tasks import tasks_of

NOW = 1_800_000_000.0
DAY = 86400.0
GOLDEN = Path(__file__).parents[1] / "site/golden/department.json"
INVENTORY: dict[str, Any] = json.loads(GOLDEN.read_text())
DOMAIN = "hub.example.ca"
UNIT = {"loaded": True, "active": True, "enabled": True, "ran": ""}


def seen_by_host() -> dict[str, dict[str, Any]]:
    """What the probe told of each host, to be changed by a test."""
    return {host: _seen(host, task) for host, task in tasks_of(INVENTORY).items()}


def facts(seen: dict[str, dict[str, Any]], **changes: Any) -> Facts:
    """The facts of what was seen."""
    hosts = {
        host: HostFacts(
            Looks.model_validate(each), asked=NOW - 1, answered=NOW, host_time=NOW - 0.5
        )
        for host, each in seen.items()
    }
    given: dict[str, Any] = {
        "inventory": INVENTORY,
        "hosts": hosts,
        "now": NOW,
        "domains": {DOMAIN: ("192.0.2.10",)},
        "registered": {"main": frozenset({"sign", "crypt"})},
    }
    return Facts(**(given | changes))


def _seen(host: str, task: dict[str, Any]) -> dict[str, Any]:
    everything: dict[str, Any] = {
        "system": {
            "release": "debian 12",
            "kernel": "6.1",
            "python": "3.11.2",
            "up_seconds": 1000.0,
            "reboot_wanted": False,
            "memory": 16 << 30,
            "memory_available": 8 << 30,
        },
        "clock": {"synchronised": True, "offset": 0.0001},
        "disks": [_disk("/"), _disk("/home/people")],
        "units": {
            "failed": [],
            "wanted": {name: dict(UNIT) for name in task["units"]},
            "timers": {"slurmhub-snapshots.timer": dict(UNIT)},
        },
        "accounts": {
            "users": {"alice": _user(20001), "bob": _user(20002), "slurm": _user(64030)},
            "groups": {"slurmhub-people-main": {"gid": 20000, "members": ["alice", "bob"]}},
        },
        "ports": {f"{address}:{port}": _answer(port) for address, port in task["ports"]},
        "names": {
            **{name: [at] for name, at in INVENTORY["all"]["vars"]["slurmhub_addresses"].items()},
            DOMAIN: ["192.0.2.10"],
        },
        "munge": {"works": True, "said": "", "understands": True},
        "slurm": _slurm(host),
        "work": {"jobs": {"running": 3}, "reservations": {}},
        "homes": {
            "main": {
                "path": "/home/people",
                "there": True,
                "mounted": True,
                "entries": {"alice": 11, "bob": 12},
            }
        },
        "jupyter": {"jupyterhub": "6.1.1", "jupyterlab": "4.4", "ipykernel": "6.29"},
        "hubs": {"main": _hub()},
        "certificates": {
            DOMAIN: {
                "served": True,
                "believed": True,
                "said": "",
                "ends": NOW + 60 * DAY,
                "key_mode": 0o600,
            }
        },
        "front": _front(),
        "textfiles": {
            'slurmhub_homes_size_bytes{homes="main"}': 1e12,
            'slurmhub_probe_success{hub="main"}': 1.0,
            'slurmhub_probe_timestamp_seconds{hub="main"}': NOW - 600,
        },
        "backups": {"slurmdbd": {"newest": NOW - 3600, "since": NOW - 3600}},
        "alerts": [],
    }
    return copy.deepcopy({look: everything[look] for look in task})


def _disk(path: str) -> dict[str, Any]:
    return {
        "path": path,
        "kind": "ext4",
        "size": 1000 << 30,
        "available": 500 << 30,
        "inodes": 1000,
        "inodes_free": 900,
    }


def _user(uid: int) -> dict[str, Any]:
    return {"uid": uid, "gid": 20000, "home": "/home/x"}


def _answer(port: int) -> str:
    # Nobody's server runs.
    return "refused" if port == 20000 else "open"


def _slurm(host: str) -> dict[str, Any]:
    nodes = INVENTORY["all"]["vars"]["slurmhub_clusters"]["main"]["nodes"]
    head = host == "controller"
    return {
        "releases": {"sinfo": "22.05.8", **({"slurmctld": "22.05.8"} if head else {})},
        "answers": True,
        "said": "",
        "nodes": {name: ["idle", ""] for name in nodes} if head else {},
        "levels": {"slurmhub-main": "Operator", "alice": "None"} if head else None,
        "associations": ["alice|main", "bob|main"] if head else None,
    }


def _hub() -> dict[str, Any]:
    return {
        "health": 200,
        "version": "6.1.1",
        "metrics": {
            "slurmhub_signins_total": 40.0,
            'slurmhub_signin_refused_total{why="no-attribute"}': 1.0,
            "jupyterhub_running_servers": 7.0,
            'jupyterhub_active_users{period="24h"}': 12.0,
        },
        "releases": {"slurmhub": "0.1", "jupyterhub": "6.1.1"},
        "rights": [
            "(%slurmhub-people-main) NOPASSWD: /usr/local/libexec/slurmhub/slurmhub-as-user",
            '(root) NOPASSWD: /usr/local/libexec/slurmhub/slurmhub-account ""',
        ],
    }


def _front() -> dict[str, Any]:
    return {
        "apache": {"right": True, "said": ""},
        "shibd": {"right": True, "said": ""},
        "metadata": [
            {
                "path": "/etc/slurmhub/idp-metadata.xml",
                "changed": NOW - DAY,
                "valid_until": "2099-01-01T00:00:00Z",
                "provider": True,
            }
        ],
        "provider_known": True,
        "keys": {"signing": "sign", "encrypt": "crypt"},
    }
