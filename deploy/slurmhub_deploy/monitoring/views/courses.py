"""The courses of a hub: how their service does, what there is, what each had and used."""

from __future__ import annotations

from slurmhub_deploy.monitoring.panels import Dashboard, Panel, Query
from slurmhub_deploy.monitoring.queries import OF_HUB, hours, quantiles, share, total
from slurmhub_deploy.monitoring.views.course_service import SERVICE

COURSES = Dashboard(
    "slurmhub-courses",
    "slurmhub: the courses",
    "How the service of courses does, and what each course had and used. What servers that are no "
    "course's had is by the profile that they were started with.",
    (
        *SERVICE,
        Panel(
            "CPU hours given, by course",
            "In the last day: CPUs times hours, as Slurm gave them.",
            (hours("slurmhub_cpu_allocated_seconds_total", "course"),),
            unit="h",
        ),
        Panel(
            "Part of them that was used",
            "In the last day. A small part means that courses could ask for less.",
            (
                share(
                    "slurmhub_cpu_used_seconds_total",
                    "slurmhub_cpu_allocated_seconds_total",
                    "course",
                ),
            ),
            unit="percentunit",
        ),
        Panel(
            "GPU hours given, by course",
            "In the last day.",
            (hours("slurmhub_gpu_allocated_seconds_total", "course"),),
            unit="h",
        ),
        Panel(
            "GPU hours in which they were busy",
            "In the last day, as the jobs told it.",
            (hours("slurmhub_gpu_used_seconds_total", "course"),),
            unit="h",
        ),
        Panel(
            "Part of the memory that was used, by course",
            "In the last day.",
            (
                share(
                    "slurmhub_memory_used_byte_seconds_total",
                    "slurmhub_memory_allocated_byte_seconds_total",
                    "course",
                ),
            ),
            unit="percentunit",
        ),
        Panel(
            "From Start to a server, by course",
            "Half of them, and nine of ten, within the last hour.",
            quantiles("slurmhub_ready_seconds", "profile", 0.5, 0.9),
            unit="s",
        ),
        Panel(
            "Servers that became ready, by course",
            "In the last hour.",
            (total("slurmhub_ready_seconds_count", "profile"),),
        ),
        Panel(
            "In the queue, by course",
            "Nine of ten start within this.",
            quantiles("slurmhub_queue_seconds", "profile", 0.9),
            unit="s",
        ),
        Panel(
            "CPU hours by account and partition",
            "In the last day, as Slurm gave them: what the accounts of Slurm are charged.",
            (
                Query(
                    "sum by (account, partition) (increase("
                    f"slurmhub_cpu_allocated_seconds_total{{{OF_HUB}}}[1d])) / 3600"
                ),
            ),
            unit="h",
            kind="table",
        ),
        Panel(
            "GPU hours by account and partition",
            "In the last day, as Slurm gave them.",
            (
                Query(
                    "sum by (account, partition) (increase("
                    f"slurmhub_gpu_allocated_seconds_total{{{OF_HUB}}}[1d])) / 3600"
                ),
            ),
            unit="h",
            kind="table",
        ),
    ),
)
