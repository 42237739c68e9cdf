"""Whether the hub itself is well."""

from __future__ import annotations

from slurmhub_deploy.monitoring.panels import Dashboard, Panel, Query
from slurmhub_deploy.monitoring.queries import OF_HUB, now, quantiles, total

HUB = Dashboard(
    "slurmhub-hub",
    "slurmhub: the hub",
    "Whether the hub itself is well: its answers, its view of its jobs, its memory of them.",
    (
        Panel(
            "Up",
            "Whether Prometheus reaches the hub.",
            (Query(f'up{{job="slurmhub",{OF_HUB}}}', "{{instance}}"),),
            kind="stat",
            width=6,
        ),
        Panel(
            "Running servers",
            "As JupyterHub counts them.",
            (Query(f"jupyterhub_running_servers{{{OF_HUB}}}", "{{instance}}"),),
            kind="stat",
            width=6,
        ),
        Panel(
            "Taken up again",
            "Since the hub's start: jobs of the hub before it, and jobs found by their tag.",
            (Query(f"sum by (instance, how) (slurmhub_adoptions_total{{{OF_HUB}}})", "{{how}}"),),
            kind="stat",
            width=6,
        ),
        Panel(
            "Orphans",
            "Jobs of this hub that no server has. None is good.",
            (now("slurmhub_orphans", "kind"),),
            kind="stat",
            width=6,
        ),
        Panel(
            "Age of what is known of the jobs",
            "Stays below a minute while Slurm answers.",
            (
                Query(
                    f"time() - (slurmhub_watch_last_success_timestamp_seconds{{{OF_HUB}}} > 0)",
                    "{{instance}}",
                ),
            ),
            unit="s",
        ),
        Panel(
            "Looks at the jobs",
            "One look serves all servers: how often, and how often in vain.",
            (
                Query(
                    f"sum by (outcome) (rate(slurmhub_watch_looks_total{{{OF_HUB}}}[5m]))",
                    "{{outcome}}",
                ),
            ),
            unit="ops",
        ),
        Panel(
            "How long a look takes",
            "Half of them, and 95 of 100.",
            quantiles("slurmhub_watch_seconds", "", 0.5, 0.95, within="15m"),
            unit="s",
        ),
        Panel(
            "Jobs by state",
            "Unknown is what Slurm does not say; ending that lasts is a cancel unconfirmed.",
            (now("slurmhub_jobs", "state"),),
        ),
        Panel(
            "Left undone",
            "Cancels not confirmed by Slurm, and entries of the ledger not written. 0 is good.",
            (
                Query(f"slurmhub_unconfirmed_cancels{{{OF_HUB}}}", "cancels"),
                Query(f"slurmhub_ledger_unwritten{{{OF_HUB}}}", "ledger"),
            ),
        ),
        Panel(
            "Submissions",
            "In the last hour, by what became of them.",
            (total("slurmhub_submissions_total", "outcome"),),
        ),
        Panel(
            "Messages from jobs that were refused",
            "In the last hour, by reason.",
            (total("slurmhub_announcements_refused_total", "reason"),),
        ),
        Panel(
            "The event loop",
            "99 of 100 turns are no later than this. Above a second every page is slow.",
            quantiles("jupyterhub_event_loop_interval_seconds", "", 0.99, within="5m"),
            unit="s",
        ),
        Panel(
            "Answers of the hub",
            "95 of 100 are given within this, by HTTP status.",
            quantiles("jupyterhub_request_duration_seconds", "code", 0.95, within="5m"),
            unit="s",
        ),
        Panel(
            "Memory of the hub's process",
            "What it holds now.",
            (Query(f'process_resident_memory_bytes{{job="slurmhub",{OF_HUB}}}', "{{instance}}"),),
            unit="bytes",
        ),
        Panel(
            "CPU of the hub's process",
            "Of one CPU: the hub cannot use more than that.",
            (
                Query(
                    f'rate(process_cpu_seconds_total{{job="slurmhub",{OF_HUB}}}[5m])',
                    "{{instance}}",
                ),
            ),
            unit="percentunit",
        ),
    ),
)
