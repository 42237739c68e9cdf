"""Metrics of a site that the hub itself does not tell: of slurm_exporter, and of hosts' timers."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

from slurmhub_deploy.monitoring.textfiles import TEXTFILES

EXPORTER = (
    Path(__file__).parents[2] / "ansible/roles/slurm_exporter/files/slurmhub_slurm_exporter.py"
)
_LABELS = {
    **dict.fromkeys(("nodes", "cpus", "memory_bytes", "gpus", "jobs"), ("partition", "state")),
    "pending_jobs": ("partition", "reason"),
    "node_unusable": ("node", "state"),
    **dict.fromkeys(("rpcs_total", "rpc_seconds_total"), ("type",)),
}


@cache
def exporter() -> ModuleType:
    """The exporter as a module; as a program it runs on hosts that have nothing else of ours."""
    spec = importlib.util.spec_from_file_location("slurmhub_slurm_exporter", EXPORTER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def site_metrics() -> Iterator[tuple[str, Sequence[str], str, str]]:
    """Name, labels, meaning, and the role that tells it."""
    for name, (_kind, meaning) in exporter().METRICS.items():
        labels = _LABELS.get(name.removeprefix("slurmhub_slurm_"), ())
        yield name, labels, meaning, "slurm_exporter"
    for told in TEXTFILES:
        yield told.name, told.labels, told.meaning, told.role
