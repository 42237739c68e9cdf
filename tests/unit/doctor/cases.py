"""What can be wrong with a site, one thing at a time, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.unit.doctor.well import DAY, DOMAIN, NOW

Seen = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """What is made wrong, and what is said of it."""

    check: str
    level: str
    where: str
    words: str
    change: Callable[[Seen], None]
    extra: dict[str, Any] | None = None


def put(host: str, look: str, *path: Any) -> Callable[[Seen], None]:
    """A change that sets what is at a path; the last word is the value."""

    def change(seen: Seen) -> None:
        place: Any = seen[host]
        *way, value = (look, *path)
        for step in way[:-1]:
            place = place[step]
        place[way[-1]] = value

    return change


def everywhere(look: str, *path: Any) -> Callable[[Seen], None]:
    """The same on all hosts that have the look."""

    def change(seen: Seen) -> None:
        for host in seen:
            if look in seen[host]:
                put(host, look, *path)(seen)

    return change


CERTIFICATE = ("hub", "certificates", DOMAIN)
HUB = ("hub", "hubs", "main")
NOTHING = put("hub", "backups", {})

CASES = (
    Case("domains-resolve", "error", DOMAIN, "no address", NOTHING, {"domains": {DOMAIN: ()}}),
    Case(
        "certificates-hold", "error", DOMAIN, "nothing answers", put(*CERTIFICATE, "served", False)
    ),
    Case(
        "certificates-hold", "error", DOMAIN, "do not believe", put(*CERTIFICATE, "believed", False)
    ),
    Case("certificates-hold", "warning", DOMAIN, "mode 0644", put(*CERTIFICATE, "key_mode", 0o644)),
    Case(
        "certificates-hold", "warning", DOMAIN, "10 days", put(*CERTIFICATE, "ends", NOW + 10 * DAY)
    ),
    Case("certificates-hold", "error", DOMAIN, "2 days", put(*CERTIFICATE, "ends", NOW + 2 * DAY)),
    Case("certificates-hold", "error", DOMAIN, "has ended", put(*CERTIFICATE, "ends", NOW - DAY)),
    Case(
        "front-is-right",
        "error",
        "hub",
        "Apache finds",
        put("hub", "front", "apache", "right", False),
    ),
    Case(
        "front-is-right",
        "unknown",
        "hub",
        "shibd could",
        put("hub", "front", "shibd", "right", None),
    ),
    Case("metadata-is-there", "error", "hub", "no metadata", put("hub", "front", "metadata", [])),
    Case(
        "metadata-is-there",
        "error",
        "hub",
        "in no metadata",
        put("hub", "front", "provider_known", False),
    ),
    Case(
        "metadata-is-there",
        "error",
        "hub",
        "ended on",
        put("hub", "front", "metadata", 0, "valid_until", "2020-01-01T00:00:00Z"),
    ),
    Case(
        "keys-are-registered",
        "error",
        DOMAIN,
        "no certificate",
        put("hub", "front", "keys", "signing", None),
    ),
    Case(
        "keys-are-registered",
        "error",
        DOMAIN,
        "is not the one",
        put("hub", "front", "keys", "signing", "new"),
    ),
    Case(
        "people-are-let-in",
        "warning",
        DOMAIN,
        "refused 50",
        put(*HUB, "metrics", 'slurmhub_signin_refused_total{why="no-attribute"}', 50.0),
    ),
    Case(
        "clocks-agree", "warning", "c1", "nothing holds", put("c1", "clock", "synchronised", False)
    ),
    Case("clocks-agree", "warning", "c1", "off by -3.0", put("c1", "clock", "offset", -3.0)),
    Case("hubs-answer", "error", DOMAIN, "status 503", put(*HUB, "health", 503)),
    Case("courses-answer", "error", DOMAIN, "refused", put(*HUB, "courses", "Connection refused")),
    Case(
        "courses-have-folders",
        "error",
        DOMAIN,
        "nothing is mounted at /srv",
        put(*HUB, "folders", "nothing is mounted at /srv/slurmhub/homes/main"),
    ),
    Case(
        "helpers-may-run",
        "error",
        DOMAIN,
        "slurmhub-as-user",
        lambda seen: seen["hub"]["hubs"]["main"]["rights"].pop(0),
    ),
    Case(
        "helpers-may-run",
        "error",
        DOMAIN,
        "everything",
        lambda seen: seen["hub"]["hubs"]["main"]["rights"].append("(ALL : ALL) NOPASSWD: ALL"),
    ),
    Case(
        "one-number-everywhere",
        "error",
        "bob",
        "20009 on c2",
        put("c2", "accounts", "users", "bob", "uid", 20009),
    ),
    Case(
        "groups-are-known",
        "error",
        "c3",
        "slurmhub-people-main",
        put("c3", "accounts", "groups", "slurmhub-people-main", None),
    ),
    Case(
        "homes-are-mounted",
        "error",
        "g1",
        "is not mounted",
        put("g1", "homes", "main", "mounted", False),
    ),
    Case(
        "homes-are-mounted",
        "error",
        "g1",
        "is not there",
        put("g1", "homes", "main", {"there": False, "mounted": False, "path": "/home/people"}),
    ),
    Case(
        "homes-are-the-same",
        "error",
        "c4",
        "not those",
        put("c4", "homes", "main", "entries", "alice", 99),
    ),
    Case(
        "quotas-hold", "unknown", "controller", "nothing tells", put("controller", "textfiles", {})
    ),
    Case("munge-is-understood", "error", "c1", "does not work", put("c1", "munge", "works", False)),
    Case(
        "munge-is-understood",
        "error",
        "hub",
        "does not understand",
        put("hub", "munge", "understands", False),
    ),
    Case(
        "controllers-answer",
        "error",
        "c2",
        "slurmctld does not answer",
        put("c2", "slurm", "answers", False),
    ),
    Case(
        "releases-fit",
        "error",
        "c1",
        "24.11.5",
        put("c1", "slurm", "releases", "slurmd", "24.11.5"),
    ),
    Case(
        "releases-fit",
        "warning",
        "c1",
        "21.08.8",
        put("c1", "slurm", "releases", "slurmd", "21.08.8"),
    ),
    Case(
        "hub-is-operator", "error", DOMAIN, "no Operator", put("controller", "slurm", "levels", {})
    ),
    Case(
        "people-have-associations",
        "warning",
        DOMAIN,
        "1 of its 2",
        put("controller", "slurm", "associations", ["alice|main"]),
    ),
    Case(
        "nodes-are-usable",
        "warning",
        "c1",
        "it burns",
        put("controller", "slurm", "nodes", "c1", ["down*", "it burns"]),
    ),
    Case(
        "nodes-are-usable",
        "warning",
        "c1",
        "is idle+drain",
        put("controller", "slurm", "nodes", "c1", ["idle+drain", ""]),
    ),
    Case(
        "nodes-are-usable",
        "error",
        "g2",
        "does not know it",
        lambda seen: seen["controller"]["slurm"]["nodes"].pop("g2"),
    ),
    Case(
        "hosts-know-each-other", "error", "c1", "does not know hub", put("c1", "names", "hub", [])
    ),
    Case(
        "hosts-know-each-other",
        "error",
        "c1",
        "resolves hub to 192.0.2.9",
        put("c1", "names", "hub", ["192.0.2.9"]),
    ),
    Case(
        "ports-are-open",
        "error",
        "c1",
        "does not reach the hub",
        put("c1", "ports", "10.20.0.10:8081", "silent"),
    ),
    Case(
        "ports-are-open",
        "error",
        "hub",
        "servers of people on c1",
        put("hub", "ports", "10.20.0.21:20000", "silent"),
    ),
    Case(
        "ports-are-open",
        "error",
        "hub",
        "nothing listens on port 6817",
        put("hub", "ports", "10.20.0.11:6817", "refused"),
    ),
    Case("jobs-have-jupyter", "error", "c1", "ipykernel", put("c1", "jupyter", "ipykernel", None)),
    Case(
        "releases-agree",
        "warning",
        "c1",
        "JupyterHub 5.3.0",
        put("c1", "jupyter", "jupyterhub", "5.3.0"),
    ),
    Case(
        "probes-succeed",
        "error",
        "main",
        "trial sign-in",
        put("hub", "textfiles", 'slurmhub_probe_success{hub="main"}', 0.0),
    ),
    Case(
        "units-run",
        "error",
        "c1",
        "slurmd.service does not run",
        put("c1", "units", "wanted", "slurmd.service", "active", False),
    ),
    Case(
        "units-run",
        "error",
        "c1",
        "has no slurmd.service",
        put("c1", "units", "wanted", "slurmd.service", "loaded", False),
    ),
    Case(
        "units-run",
        "warning",
        "c1",
        "will not after a restart",
        put("c1", "units", "wanted", "slurmd.service", "enabled", False),
    ),
    Case(
        "units-run",
        "warning",
        "c1",
        "foo.service failed",
        put("c1", "units", "failed", ["foo.service"]),
    ),
    Case(
        "disks-have-room",
        "warning",
        "c1",
        "/home/people has 5% of its room",
        put("c1", "disks", 1, "available", 50 << 30),
    ),
    Case(
        "disks-have-room",
        "error",
        "c1",
        "/home/people has 1% of its inodes",
        put("c1", "disks", 1, "inodes_free", 10),
    ),
    Case(
        "memory-is-free",
        "warning",
        "hub",
        "GiB of memory left",
        put("hub", "system", "memory_available", 1 << 20),
    ),
    Case(
        "timers-are-active",
        "warning",
        "hub",
        "slurmhub-snapshots.timer",
        put("hub", "units", "timers", "slurmhub-snapshots.timer", "active", False),
    ),
    Case(
        "backups-are-recent",
        "warning",
        "controller",
        "3 days old",
        put("controller", "backups", "slurmdbd", "newest", NOW - 3 * DAY),
    ),
    Case(
        "backups-are-recent",
        "warning",
        "controller",
        "no backup in /srv/slurmhub/backup/slurmdbd for 3 days",
        put("controller", "backups", "slurmdbd", {"newest": None, "since": NOW - 3 * DAY}),
    ),
    Case(
        "restarts-are-pending",
        "warning",
        "c1",
        "restart of the host",
        put("c1", "system", "reboot_wanted", True),
    ),
)
