"""What Prometheus sees of this hub's jobs, on JupyterHub's own /hub/metrics."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

from slurmhub.ledger import Intent
from slurmhub.slurm.states import Phase

SUBMISSIONS = Counter(
    "slurmhub_submissions", "Jobs asked for, by what became of the submission", ["outcome"]
)
JOBS = Gauge("slurmhub_jobs", "Open jobs of this hub by phase", ["phase"])
ENDS = Counter("slurmhub_job_ends", "Jobs that ended, by how", ["kind"])
ANNOUNCEMENTS_REFUSED = Counter(
    "slurmhub_announcements_refused", "Messages from jobs that were refused, by reason", ["reason"]
)
REQUESTS_REFUSED = Counter(
    "slurmhub_requests_refused", "Options that did not pass validation, by field", ["field"]
)
EXTENSIONS = Counter(
    "slurmhub_extensions", "Requests for more time, by what became of them", ["outcome"]
)
SIGN_INS = Counter("slurmhub_signins", "People who were signed in")
SIGN_INS_REFUSED = Counter(
    "slurmhub_signin_refused", "Sign-ins, and headers that pass for one, refused, by why", ["why"]
)
SESSION_ENDS = Counter("slurmhub_session_ends", "Browser sessions that ended, by how", ["how"])
WATCH_FAILURES = Gauge(
    "slurmhub_watch_failures", "Looks at the cluster that failed in a row; 0 while Slurm answers"
)
UNCONFIRMED_CANCELS = Gauge(
    "slurmhub_unconfirmed_cancels", "Cancelled jobs that Slurm has not yet confirmed gone"
)
QUEUE_SECONDS = Histogram(
    "slurmhub_queue_seconds",
    "From submission to the start of the job",
    buckets=(1, 2, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600),
)
LAUNCH_SECONDS = Histogram(
    "slurmhub_launch_seconds",
    "From the start of the job to its listening server",
    buckets=(0.5, 1, 2, 3, 5, 10, 20, 60, 300),
)


def show_jobs(jobs: Iterable[tuple[Phase, Intent]], failures: int) -> None:
    """Set the gauges of open jobs, and of how many looks at them failed in a row."""
    WATCH_FAILURES.set(failures)
    phases, unconfirmed = dict.fromkeys(Phase, 0), 0
    for phase, intent in jobs:
        phases[phase] += 1
        unconfirmed += intent.cancel_requested is not None
    for phase, number in phases.items():
        JOBS.labels(phase.value).set(number)
    UNCONFIRMED_CANCELS.set(unconfirmed)
