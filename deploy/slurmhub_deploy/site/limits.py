"""What one server may have at most, and what is filled in first."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.texts import Amount, Duration, GpuType, PartitionName

_MANY = 10**6


class Limits(SiteModel):
    """Bounds and defaults of one server, over what the cluster itself allows."""

    partitions: tuple[PartitionName, ...] = Field(
        default=(), description="Partitions that may be chosen; all that are not hidden if absent."
    )
    max_cpus: Annotated[int, Field(ge=1, le=_MANY)] | None = Field(
        default=None, description="Most CPUs."
    )
    max_memory: Amount | None = Field(default=None, description="Most memory.")
    max_gpus: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None, description="Most GPUs."
    )
    max_time: Duration | None = Field(default=None, description="Longest time.")
    default_partition: PartitionName | None = Field(
        default=None, description="Partition that is chosen first; the cluster's if absent."
    )
    default_cpus: Annotated[int, Field(ge=1, le=_MANY)] = Field(
        default=1, description="CPUs that are filled in first."
    )
    default_memory: Amount = Field(default="2G", description="Memory that is filled in first.")
    default_gpus: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=0, description="GPUs that are filled in first."
    )
    default_gpu_type: GpuType | None = Field(
        default=None, description="Type of GPU that is filled in first."
    )
    default_time: Duration | None = Field(
        default=None, description="Time that is filled in first; the partition's if absent."
    )
    servers: Annotated[int, Field(ge=0, le=100)] = Field(
        default=0,
        description="Named servers that a person may have beside the usual one.",
    )
    queue_minutes: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None, description="How long a server may wait in the queue; no limit if absent."
    )
