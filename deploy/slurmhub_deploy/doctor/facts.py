"""What was seen of the hosts, typed; what was not seen is absent, and a trouble says why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from slurmhub_deploy.doctor.tasks import roles_of
from slurmhub_deploy.site.inventory import Inventory


class Seen(BaseModel):
    """A part of what the probe tells; it may tell more than this toolkit knows of."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class System(Seen):
    """The machine. Memory in bytes."""

    release: str
    kernel: str
    python: str
    up_seconds: float
    reboot_wanted: bool
    memory: int
    memory_available: int


class Clock(Seen):
    """What holds the clock; `offset` in seconds."""

    synchronised: bool
    offset: float | None


class Disk(Seen):
    """A file system, in bytes."""

    path: str
    kind: str
    size: int
    available: int
    inodes: int
    inodes_free: int


class Unit(Seen):
    """A unit of systemd."""

    loaded: bool
    active: bool
    enabled: bool
    ran: str = ""


class Units(Seen):
    """Units that failed, those that have to run, and our timers."""

    failed: tuple[str, ...]
    wanted: Mapping[str, Unit]
    timers: Mapping[str, Unit]


class User(Seen):
    """An account."""

    uid: int
    gid: int
    home: str


class Group(Seen):
    """A group."""

    gid: int
    members: tuple[str, ...]


class Accounts(Seen):
    """Accounts and groups by name; None for one that is not known."""

    users: Mapping[str, User | None]
    groups: Mapping[str, Group | None]


class Munge(Seen):
    """munge on a host; `understands` is of the controller's credential, None if none was shown."""

    works: bool
    said: str
    understands: bool | None


class Slurm(Seen):
    """Slurm on one host. Nodes are by name, with state and reason; what is None was not asked."""

    releases: Mapping[str, str]
    answers: bool
    said: str
    nodes: Mapping[str, tuple[str, str]]
    levels: Mapping[str, str] | None
    associations: tuple[str, ...] | None


class Certificate(Seen):
    """What is served for a domain; `ends` in seconds since the epoch."""

    served: bool
    believed: bool
    said: str
    ends: float | None
    key_mode: int | None = None


class Verdict(Seen):
    """What a program says of its own configuration; None if it could not be run."""

    right: bool | None
    said: str


class Metadata(Seen):
    """A file of metadata."""

    path: str
    changed: float
    valid_until: str | None
    provider: bool


class Front(Seen):
    """Apache and shibd of a host. Keys are by use, as the certificates' SHA-256."""

    apache: Verdict
    shibd: Verdict
    metadata: tuple[Metadata, ...]
    provider_known: bool | None
    keys: Mapping[str, str | None]


class HubSeen(Seen):
    """A hub, asked on its own host; `courses` is what their service said instead of answering.

    `folders` is what was said instead by who keeps the courses' folders. Both are empty where there
    was an answer, and None where there are none.
    """

    courses: str | None = None
    folders: str | None = None
    health: int | None
    version: str | None
    metrics: Mapping[str, float] | None
    releases: Mapping[str, str | None] | None
    rights: tuple[str, ...]
    said: str = ""


class HomesSeen(Seen):
    """Homes on one host, in their place there; entries are folders with their inode numbers."""

    path: str
    there: bool
    mounted: bool
    entries: Mapping[str, int] = {}


class Backups(Seen):
    """A folder of backups: when the newest was written, if there is any; since when it is so."""

    newest: float | None
    since: float


class Work(Seen):
    """Jobs by state, and when each reservation begins and ends, in Slurm's words."""

    jobs: Mapping[str, int]
    reservations: Mapping[str, tuple[str, str]]


class Alert(Seen):
    """What Prometheus raises."""

    name: str
    severity: str
    summary: str
    since: str


class Looks(Seen):
    """Everything that can be looked at; None where it was not, or the look failed."""

    system: System | None = None
    clock: Clock | None = None
    disks: tuple[Disk, ...] | None = None
    units: Units | None = None
    accounts: Accounts | None = None
    munge: Munge | None = None
    slurm: Slurm | None = None
    work: Work | None = None
    alerts: tuple[Alert, ...] | None = None
    ports: Mapping[str, str] | None = None
    names: Mapping[str, tuple[str, ...]] | None = None
    certificates: Mapping[str, Certificate] | None = None
    front: Front | None = None
    hubs: Mapping[str, HubSeen] | None = None
    jupyter: Mapping[str, str | None] | None = None
    homes: Mapping[str, HomesSeen] | None = None
    textfiles: Mapping[str, float] | None = None
    backups: Mapping[str, Backups] | None = None


@dataclass(frozen=True)
class HostFacts:
    """One host. `unreachable` says why nothing was seen; times are in seconds since the epoch.

    The host's clock said `host_time` between `asked` and `answered` of this machine's.
    """

    looks: Looks = field(default_factory=Looks)
    troubles: Mapping[str, str] = field(default_factory=dict)
    unreachable: str = ""
    asked: float = 0.0
    answered: float = 0.0
    host_time: float = 0.0


@dataclass(frozen=True)
class Facts:
    """The site as it should be, and its hosts as they were seen at `now`.

    `domains` are the hubs' domains with their addresses as this machine resolves them;
    `registered` the SHA-256 of the certificates in the metadata that was registered, by hub.
    """

    inventory: Inventory
    hosts: Mapping[str, HostFacts]
    now: float
    domains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    registered: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def site(self) -> dict[str, Any]:
        """The site's own variables."""
        return dict(self.inventory["all"]["vars"])

    @property
    def hubs(self) -> dict[str, Any]:
        """The hubs by name."""
        return dict(self.site["slurmhub_hubs"])

    @property
    def made_clusters(self) -> dict[str, Any]:
        """The clusters that are made, by name."""
        clusters = self.site["slurmhub_clusters"].items()
        return {name: each for name, each in clusters if each["kind"] == "made"}

    def seen(self, look: str, *roles: str) -> Iterator[tuple[str, Any]]:
        """Hosts, with what a look saw there; only hosts with one of the roles, if there are any."""
        for host, facts in self.hosts.items():
            found = getattr(facts.looks, look)
            if found is not None and (not roles or set(roles) & roles_of(self.inventory, host)):
                yield host, found

    def of(self, host: str) -> Looks:
        """What was seen of a host; nothing for one that was not looked at."""
        return self.hosts[host].looks if host in self.hosts else Looks()
