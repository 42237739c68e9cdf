"""What is known of jobs, nodes and partitions, as typed facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from slurmhub.slurm.gres import Gres
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.reservations import ReservationRecord
from slurmhub.slurm.states import JobState, Phase, phase_of
from slurmhub.slurm.times import TimeLimit
from slurmhub.slurm.version import SlurmVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """One job as the controller describes it now.

    A field is None, or an empty tuple, where Slurm has no value for it or where its text is
    not understood. `name` and `comment` can be changed by the job's owner at any time.
    `started` and `ends` are facts of a job that has started; `expected_start` is Slurm's
    estimate for one that has not. All moments are in UTC.
    """

    job_id: int
    uid: int
    user: str
    name: str
    comment: str
    state: JobState | None
    raw_state: str
    reason: str
    partition: str
    account: str
    qos: str
    reservation: str
    batch_host: str | None
    node_list: tuple[str, ...]
    cpus: int
    memory: Memory | None
    gres: tuple[Gres, ...]
    time_limit: TimeLimit | None
    time_left: TimeLimit | None
    submitted: datetime | None
    started: datetime | None
    expected_start: datetime | None
    ends: datetime | None
    restarts: int
    exit_code: int | None
    exit_signal: int | None
    priority: int | None

    @property
    def phase(self) -> Phase:
        """What the job's state means for the hub."""
        return phase_of(self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRecord:
    """One node; `usable` says whether Slurm may start a job on it now or later by itself."""

    name: str
    address: str
    state: str
    usable: bool
    cpus: int
    cpus_idle: int
    memory: Memory
    memory_allocated: Memory
    gres: tuple[Gres, ...]
    gres_used: tuple[Gres, ...]
    features: tuple[str, ...]
    partitions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionRecord:
    """One partition and its limits; None in a list of names means that all are allowed.

    `qos` is the QOS whose limits every job there has, empty where there is none.
    """

    name: str
    default: bool
    hidden: bool
    up: bool
    exclusive: bool
    max_time: TimeLimit
    default_time: TimeLimit | None
    allow_groups: tuple[str, ...] | None
    allow_accounts: tuple[str, ...] | None
    deny_accounts: tuple[str, ...]
    allow_qos: tuple[str, ...] | None
    deny_qos: tuple[str, ...]
    nodes: tuple[str, ...]
    max_cpus_per_node: int | None
    max_memory_per_node: Memory | None
    max_memory_per_cpu: Memory | None
    default_memory_per_node: Memory | None
    default_memory_per_cpu: Memory | None
    qos: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """The cluster at one moment, in UTC: what a form may offer and a request must fit."""

    taken_at: datetime
    version: SlurmVersion
    cluster_name: str
    partitions: tuple[PartitionRecord, ...]
    nodes: tuple[NodeRecord, ...]
    reservations: tuple[ReservationRecord, ...] = ()
