"""Monitoring as code: Prometheus's rules, Grafana's dashboards, a runbook page for each alert.

`rules/` is for Prometheus's `rule_files`, `dashboards/` for Grafana's provisioning. Both expect the
hubs in a job named "slurmhub", the services of their courses in one named "slurmhub-courses",
hosts in one named "node" and clusters in one named "slurm".
"""

from __future__ import annotations

from pathlib import Path

RULES = Path(__file__).parent / "rules"
DASHBOARDS = Path(__file__).parent / "dashboards"
HUB_JOB = "slurmhub"
COURSES_JOB = "slurmhub-courses"
HOST_JOB = "node"
CLUSTER_JOB = "slurm"
