"""A whole Slurm cluster on this machine, from the distribution's packages, beside any other.

Controller, compute nodes and munge run as ordinary child processes of one account, with their own
ports, sockets, keys and folders; nothing in /etc/slurm or /run/munge is read or written.
"""

from __future__ import annotations

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import (
    ClusterPlan,
    NodePlan,
    PartitionPlan,
    scratch_root,
    standard_plan,
)

__all__ = [
    "ClusterPlan",
    "EmbeddedCluster",
    "NodePlan",
    "PartitionPlan",
    "scratch_root",
    "standard_plan",
]
