"""What students meet: from a press on Start to a notebook."""

from __future__ import annotations

from slurmhub_deploy.monitoring.panels import Dashboard, Panel, Query
from slurmhub_deploy.monitoring.queries import OF_HUB, now, quantiles, total

STUDENTS = Dashboard(
    "slurmhub-students",
    "slurmhub: what students meet",
    "From a press on Start to a notebook: how long, how often it fails, and why.",
    (
        Panel(
            "Starts that worked",
            "Of the starts of the last hour that were not given up, the part that led to a server.",
            (Query(f"1 - slurmhub:spawn_failures:ratio1h{{{OF_HUB}}}", "{{instance}}"),),
            unit="percentunit",
            kind="stat",
            width=6,
        ),
        Panel(
            "Half of the servers are ready within",
            "From the press on Start to the served page, over the last hour.",
            quantiles("slurmhub_ready_seconds", "", 0.5),
            unit="s",
            kind="stat",
            width=6,
        ),
        Panel(
            "Waiting now",
            "Servers whose job waits in the queue, by partition.",
            (now("slurmhub_jobs", "partition", where='state="pending"'),),
            kind="bargauge",
            width=12,
        ),
        Panel(
            "From Start to a server, by partition",
            "Queue, start of the job, start of the server and the hub's first answer together.",
            quantiles("slurmhub_ready_seconds", "partition", 0.5, 0.9),
            unit="s",
        ),
        Panel(
            "In the queue, by partition",
            "Until the job starts: the cluster's part.",
            quantiles("slurmhub_queue_seconds", "partition", 0.5, 0.9),
            unit="s",
        ),
        Panel(
            "From the job's start to a listening server, by partition",
            "The software's part: file systems, containers and Jupyter itself. Seconds are good.",
            quantiles("slurmhub_launch_seconds", "partition", 0.5, 0.9),
            unit="s",
        ),
        Panel(
            "Starts by what became of them",
            "In the last hour: ready, failed, or cancelled by who had asked.",
            (total("slurmhub_spawns_total", "outcome"),),
        ),
        Panel(
            "Failed starts by reason",
            "In the last hour. The words that people read are in the hub's log.",
            (total("slurmhub_spawns_total", "reason", where='outcome="failed"'),),
        ),
        Panel(
            "How servers ended",
            "In the last hour, all of them: stopped, idle, timeout, out-of-memory and others.",
            (total("slurmhub_job_ends_total", "kind"),),
        ),
        Panel(
            "Forms that were refused, by field",
            "A field that is refused often is one that the form explains badly.",
            (total("slurmhub_requests_refused_total", "field"),),
        ),
        Panel(
            "Requests for more time",
            "In the last hour, by what became of them.",
            (total("slurmhub_extensions_total", "outcome"),),
        ),
        Panel(
            "Sign-ins",
            "In the last hour: through Shibboleth, and those that were refused, by why.",
            (
                Query(f"sum(increase(slurmhub_signins_total{{{OF_HUB}}}[1h]))", "signed in"),
                total("slurmhub_signin_refused_total", "why"),
            ),
        ),
        Panel(
            "In use",
            "People who used this hub or one of their servers, as JupyterHub counts them.",
            (Query(f"jupyterhub_active_users{{{OF_HUB}}}", "{{instance}} {{period}}"),),
        ),
    ),
)
