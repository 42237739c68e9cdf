"""Nodes, courses and what Slurm has, made by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

from slurmhub.courses.model import Course, Profile, Term
from slurmhub.courses.slurm.actual import Actual
from slurmhub.courses.slurm.desired import Each, Occurrence, Reservation
from slurmhub.slurm.gres import Gres
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.records import ClusterFacts, NodeRecord, PartitionRecord
from slurmhub.slurm.times import UNLIMITED
from slurmhub.slurm.version import SlurmVersion

NOW = datetime(2026, 10, 5, 9, 0, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
EACH = Each(cpus=2, memory=2048, gpus=1, gpu_type=None, lasts=2 * HOUR)


def course(key: str = "phys101", **changes: Any) -> Course:
    """A course whose servers have a GPU, two cores and 2 GB for two hours."""
    values: dict[str, Any] = {
        "key": key,
        "title": "Physics",
        "term": Term(name="Autumn", first=date(2026, 9, 1), last=date(2026, 12, 20)),
        "timezone": "America/Vancouver",
        "profile": Profile(partition="gpu", cpus=2, memory="2G", gpus=1, hours=2),
        "seats": 30,
    }
    return Course(**{**values, **changes})


def node(name: str, gpus: int = 8, *, gpus_used: int = 0, **changes: Any) -> NodeRecord:
    """A node of the partition gpu with 32 cores and 64 GB."""
    values: dict[str, Any] = {
        "name": name,
        "address": name,
        "state": "idle",
        "usable": True,
        "cpus": 32,
        "cpus_idle": 32,
        "memory": Memory(65536),
        "memory_allocated": Memory(0),
        "gres": (Gres("gpu", "h100", gpus),) if gpus else (),
        "gres_used": (Gres("gpu", "h100", gpus_used),) if gpus else (),
        "features": (),
        "partitions": ("gpu",),
    }
    return NodeRecord(**{**values, **changes})


def partition(**changes: Any) -> PartitionRecord:
    """The partition gpu, open to all."""
    values: dict[str, Any] = {
        "name": "gpu",
        "default": True,
        "hidden": False,
        "up": True,
        "exclusive": False,
        "max_time": UNLIMITED,
        "default_time": None,
        "allow_groups": None,
        "allow_accounts": None,
        "deny_accounts": (),
        "allow_qos": None,
        "deny_qos": (),
        "nodes": (),
        "max_cpus_per_node": None,
        "max_memory_per_node": None,
        "max_memory_per_cpu": None,
        "default_memory_per_node": None,
        "default_memory_per_cpu": None,
    }
    return PartitionRecord(**{**values, **changes})


def reservation(*parts: tuple[datetime, datetime], seats: int = 30) -> Reservation:
    """Room for these classes of phys101."""
    return Reservation(
        name="course-phys101-20261005-0900",
        account="course-phys101",
        partition="gpu",
        parts=tuple(Occurrence(start=start, end=end, seats=seats) for start, end in parts),
        each=EACH,
    )


def actual(**changes: Any) -> Actual:
    """A cluster of four nodes with nothing of any course."""
    facts = ClusterFacts(
        taken_at=NOW,
        version=SlurmVersion.parse("slurm 22.05.8"),
        cluster_name="c",
        partitions=(partition(),),
        nodes=tuple(node(f"g{n}") for n in range(1, 5)),
    )
    values: dict[str, Any] = {
        "facts": facts,
        "organizations": {"root": "root"},
        "accounts": {},
        "members": {},
        "qos": {},
        "reservations": {},
        "jobs": {},
        "claims": (),
    }
    return Actual(**{**values, **changes})
