"""From what was seen of the hosts to what one screen says: pure functions."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from slurmhub_deploy.doctor.facts import Alert, Facts
from slurmhub_deploy.doctor.nodes import is_unusable
from slurmhub_deploy.doctor.tasks import SERVED_HOMES

LOOKS = frozenset({"hubs", "certificates", "slurm", "work", "disks", "textfiles", "alerts"})
"""What is looked at for it."""

_PROBE = "slurmhub_probe_timestamp_seconds"
_SUCCESS = "slurmhub_probe_success"
_NOT_SEEN = "it was not looked at"


@dataclass(frozen=True)
class HubStatus:
    """One hub. What is None is not known; `days_left` are those of its certificate.

    `courses` is whether their service answers, None also where there are none.

    `people` are those who were active within a day; `smoke` is how the last trial sign-in ended,
    `smoke_at` when, in seconds since the epoch.
    """

    name: str
    domain: str
    up: bool | None
    said: str
    version: str | None
    jupyterhub: str | None
    people: int | None
    servers: int | None
    days_left: float | None
    smoke: bool | None
    smoke_at: float | None
    courses: bool | None = None


@dataclass(frozen=True)
class ClusterStatus:
    """One cluster: nodes that start jobs and those that do not, jobs by state, reservations."""

    name: str
    up: bool | None
    said: str
    version: str | None
    nodes: int | None
    unusable: tuple[str, ...]
    jobs: dict[str, int] | None
    reservations: dict[str, tuple[str, str]] | None


@dataclass(frozen=True)
class HomesStatus:
    """Homes: bytes in all and left; None where they are not mounted or on no host of the site."""

    name: str
    path: str
    server: str
    size: int | None
    available: int | None


@dataclass(frozen=True)
class Status:
    """The whole site. `alerts` are None where nothing watches it, or Prometheus did not answer."""

    hubs: tuple[HubStatus, ...]
    clusters: tuple[ClusterStatus, ...]
    homes: tuple[HomesStatus, ...]
    alerts: tuple[Alert, ...] | None
    unreachable: dict[str, str]

    @property
    def well(self) -> bool:
        """Whether hubs and controllers answer and nothing for somebody who is woken is raised."""
        alarmed = any(each.severity == "page" for each in self.alerts or ())
        parts = [*(each.up for each in self.hubs), *(each.up for each in self.clusters)]
        parts += [each.courses for each in self.hubs if each.courses is not None]
        return all(parts) and not alarmed and not self.unreachable

    def as_data(self) -> dict[str, Any]:
        """For programs."""
        alerts = None if self.alerts is None else [each.model_dump() for each in self.alerts]
        return {
            "well": self.well,
            "hubs": [asdict(each) for each in self.hubs],
            "clusters": [asdict(each) for each in self.clusters],
            "homes": [asdict(each) for each in self.homes],
            "alerts": alerts,
            "unreachable": self.unreachable,
        }


def summary(facts: Facts) -> Status:
    """How the site is, from what was seen."""
    alerts = next((found for _host, found in facts.seen("alerts")), None)
    return Status(
        hubs=tuple(_hub(facts, name, hub) for name, hub in facts.hubs.items()),
        clusters=tuple(_cluster(facts, name, one) for name, one in facts.made_clusters.items()),
        homes=tuple(
            _homes(facts, name, each) for name, each in facts.site["slurmhub_homes"].items()
        ),
        alerts=alerts,
        unreachable={
            host: each.unreachable for host, each in facts.hosts.items() if each.unreachable
        },
    )


def _hub(facts: Facts, name: str, hub: dict[str, Any]) -> HubStatus:
    looks = facts.of(hub["host"])
    seen = (looks.hubs or {}).get(name)
    certificate = (looks.certificates or {}).get(hub["domain"])
    ends = certificate.ends if certificate else None
    metrics = (seen.metrics or {}) if seen else {}
    smoke_at, smoke = _smoke(facts, name)
    people = metrics.get('jupyterhub_active_users{period="24h"}')
    servers = metrics.get("jupyterhub_running_servers")
    said = _NOT_SEEN if seen is None else f"status {seen.health}" if seen.health else seen.said
    return HubStatus(
        name=name,
        domain=hub["domain"],
        up=None if seen is None else seen.health == 200,
        said="" if seen is not None and seen.health == 200 else said,
        version=(seen.releases or {}).get("slurmhub") if seen else None,
        jupyterhub=seen.version if seen else None,
        people=None if people is None else int(people),
        servers=None if servers is None else int(servers),
        days_left=None if ends is None else (ends - facts.now) / 86400,
        smoke=smoke,
        smoke_at=smoke_at,
        courses=None if seen is None or seen.courses is None else not seen.courses,
    )


def _smoke(facts: Facts, hub: str) -> tuple[float | None, bool | None]:
    """When the newest trial sign-in was, and whether it succeeded; whichever host made it."""
    when, how = (f'{name}{{hub="{hub}"}}' for name in (_PROBE, _SUCCESS))
    told = [figures for _host, figures in facts.seen("textfiles") if when in figures]
    if not told:
        return None, None
    newest = max(told, key=lambda figures: (figures[when], -figures.get(how, 0.0)))
    return newest[when], newest.get(how) == 1


def _cluster(facts: Facts, name: str, cluster: dict[str, Any]) -> ClusterStatus:
    looks = facts.of(cluster["controller"])
    slurm, work = looks.slurm, looks.work
    nodes = slurm.nodes if slurm and slurm.answers else {}
    return ClusterStatus(
        name=name,
        up=slurm.answers if slurm else None,
        said="" if slurm and slurm.answers else slurm.said if slurm else _NOT_SEEN,
        version=slurm.releases.get("slurmctld") if slurm else None,
        nodes=len(nodes) if slurm and slurm.answers else None,
        unusable=tuple(node for node, (state, _) in nodes.items() if is_unusable(state)),
        jobs=dict(Counter(work.jobs)) if work else None,
        reservations=dict(work.reservations) if work else None,
    )


def _homes(facts: Facts, name: str, homes: dict[str, Any]) -> HomesStatus:
    server = str(homes["server"])
    disks = facts.of(server).disks or ()
    # A host that only serves them has them where its disks are mounted, and not at their path.
    places = (homes["path"], f"{SERVED_HOMES}/{name}")
    mine = next((disk for disk in disks if disk.path in places), None)
    return HomesStatus(
        name=name,
        path=homes["path"],
        server=server,
        size=mine.size if mine else None,
        available=mine.available if mine else None,
    )
