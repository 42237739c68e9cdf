"""What it means to people when a service restarts, reloads or stops: a table.

Of each unit the pattern of its name, and a sentence for each act. HUB stands for the name of any
hub of the site. `{servers}` are the running servers of the hubs in question, `{hub}` is the hub's
address. systemd's own words: systemctl(1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Literal

Act = Literal["restart", "reload", "stop"]
_ACTS: Mapping[str, Act] = {"restarted": "restart", "reloaded": "reload", "stopped": "stop"}


@dataclass(frozen=True)
class Consequence:
    """What happens to people, by act; an act that is not there touches nobody."""

    unit: str
    restart: str
    stop: str
    reload: str = ""


TABLE = (
    Consequence(
        "slurmhub-HUB-proxy",
        restart="open pages lose their connection for seconds; {servers} go on",
        stop="nobody reaches {hub}; {servers} go on",
    ),
    Consequence(
        "slurmhub-HUB",
        restart="people cannot sign in or start servers for some seconds; {servers} go on",
        stop="nobody signs in at {hub} or starts a server there; {servers} go on",
    ),
    Consequence(
        "apache2|httpd",
        restart="open pages lose their connection for seconds; {servers} go on",
        reload="nobody notices; connections end in their own time",
        stop="nobody reaches {hub}; {servers} go on",
    ),
    Consequence(
        "shibd",
        restart="nobody can sign in for some seconds; people who are signed in stay",
        stop="nobody can sign in; people who are signed in stay",
    ),
    Consequence(
        "slurmctld",
        restart="no job starts for some seconds; queued and running jobs go on",
        reload="jobs go on",
        stop="no job starts or is cancelled; running jobs go on",
    ),
    Consequence(
        "slurmd",
        restart="running jobs on the node go on",
        reload="jobs go on",
        stop="running jobs on the node go on, and no other starts there",
    ),
    Consequence(
        "slurmdbd",
        restart="accounting is told later; jobs go on",
        reload="jobs go on",
        stop="accounting is told once it is back; new people get no association until then",
    ),
    Consequence(
        "munge",
        restart="Slurm refuses commands for a moment; jobs go on",
        stop="Slurm refuses every command; running jobs go on",
    ),
    Consequence(
        "mariadb|mysql",
        restart="accounting is told later; jobs go on",
        stop="accounting stops; jobs go on",
    ),
    Consequence(
        "postgresql*",
        restart="the hub of this host waits for its database for some seconds",
        reload="nobody notices",
        stop="the hub of this host does not answer",
    ),
    Consequence(
        "slapd",
        restart="hosts answer from what they know for some seconds",
        stop="hosts answer from what they know; no new account is made",
    ),
    Consequence(
        "sssd",
        restart="names of accounts are looked up again",
        stop="people of the directory are not known on the host",
    ),
    Consequence(
        "nfs-*|nfs",
        restart="homes do not answer for some seconds; programs wait",
        reload="nobody notices",
        stop="homes do not answer; programs that use them wait",
    ),
    Consequence(
        "nftables",
        restart="connections that are open stay",
        reload="connections that are open stay",
        stop="the host has no firewall",
    ),
    Consequence(
        "ssh|sshd",
        restart="sessions that are open stay",
        reload="sessions that are open stay",
        stop="nobody reaches the host with ssh",
    ),
    Consequence(
        "prometheus|prometheus-alertmanager|grafana-server",
        restart="measurements and alerts pause for some seconds",
        stop="nothing is measured, and no alert is sent",
    ),
    Consequence(
        "systemd-*|chrony|cron",
        restart="nobody notices",
        reload="nobody notices",
        stop="nobody notices at once",
    ),
    Consequence(
        "slurmhub-*-probe.timer",
        restart="nobody notices",
        stop="the hub is no longer tried with its test account",
    ),
    Consequence(
        "slurmhub-*.timer|slurmhub-*-backup",
        restart="nobody notices",
        stop="no backup, snapshot or measure is taken by it",
    ),
    Consequence(
        "slurmhub-slurm-exporter|prometheus-node-exporter",
        restart="nobody notices",
        stop="Prometheus learns nothing more of the host",
    ),
    Consequence(
        "*.mount|*.automount",
        restart="what lies there is away for a moment, and programs that use it fail",
        stop="what lies there is away, and programs that use it fail",
    ),
)


def act_of(state: str) -> Act | None:
    """What systemd does to come into this state, as Ansible names states; None if nothing ends."""
    return _ACTS.get(state)


def consequence(unit: str, act: Act, hubs: Iterable[str] = ()) -> str:
    """The sentence for this unit and act; empty where none is known. `hubs` are the site's."""
    name = _general(unit.removesuffix(".service"), hubs)
    for each in TABLE:
        if any(fnmatch(name, pattern) for pattern in each.unit.split("|")):
            return str(getattr(each, act))
    return ""


def _general(unit: str, hubs: Iterable[str]) -> str:
    hub = hub_of_unit(unit, hubs)
    return unit if hub is None else unit.replace(f"slurmhub-{hub}", "slurmhub-HUB", 1)


def hub_of_unit(unit: str, hubs: Iterable[str]) -> str | None:
    """The hub that a unit is the hub or the proxy of."""
    name = unit.removesuffix(".service")
    for hub in hubs:
        if name in (f"slurmhub-{hub}", f"slurmhub-{hub}-proxy"):
            return hub
    return None
