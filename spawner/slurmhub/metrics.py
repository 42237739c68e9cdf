"""What Prometheus sees of this hub's jobs, on JupyterHub's own /hub/metrics.

Names and units follow Prometheus's "Metric and label naming". No label holds the name of a person;
what sets and bounds each label is in `slurmhub.measuring`. What JupyterHub counts itself (requests,
running servers, sign-ins, its own event loop) is not counted again.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

# Servers, from being asked for to their end

SUBMISSIONS = Counter(
    "slurmhub_submissions", "Jobs asked for, by what became of the submission", ["outcome"]
)
SPAWNS = Counter(
    "slurmhub_spawns",
    "Servers asked for, by what became of them (ready, failed, cancelled) and why",
    ["outcome", "reason"],
)
JOBS = Gauge(
    "slurmhub_jobs",
    "Open jobs of this hub by state: asking, pending, starting, listening, ending, unknown",
    ["state", "partition"],
)
ENDS = Counter("slurmhub_job_ends", "Jobs that ended, by how", ["kind"])
ADOPTIONS = Counter(
    "slurmhub_adoptions",
    "Jobs taken up again: by a server after a restart of the hub (ledger), or found in the queue "
    "after Slurm's answer was lost (tag)",
    ["how"],
)
ORPHANS = Gauge(
    "slurmhub_orphans",
    "Jobs of this hub in Slurm that no server has: not in the ledger (unknown), or in it without a "
    "server (unclaimed)",
    ["kind"],
)
UNCONFIRMED_CANCELS = Gauge(
    "slurmhub_unconfirmed_cancels", "Cancelled jobs that Slurm has not yet confirmed gone"
)
LEDGER_UNWRITTEN = Gauge(
    "slurmhub_ledger_unwritten", "Entries of the job ledger that could not be written yet"
)
QUEUE_SECONDS = Histogram(
    "slurmhub_queue_seconds",
    "From being asked for to the first start of the job",
    ["partition", "profile"],
    buckets=(1, 2, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600),
)
LAUNCH_SECONDS = Histogram(
    "slurmhub_launch_seconds",
    "From a start of the job to its listening server",
    ["partition", "profile"],
    buckets=(0.5, 1, 2, 3, 5, 10, 20, 60, 300),
)
READY_SECONDS = Histogram(
    "slurmhub_ready_seconds",
    "From being asked for to the moment the hub first serves the server",
    ["partition", "profile"],
    buckets=(1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 900, 3600, 4 * 3600, 24 * 3600),
)

# What people and jobs say

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

# What is asked of Slurm

QUERIES = Counter(
    "slurmhub_slurm_queries",
    "Commands of Slurm that were run, by command and what became of it",
    ["command", "outcome"],
)
QUERY_SECONDS = Histogram(
    "slurmhub_slurm_query_seconds",
    "How long a command of Slurm took, also one that failed",
    ["command"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
WATCH_LOOKS = Counter(
    "slurmhub_watch_looks", "Looks at this hub's jobs, by outcome: answered, failed", ["outcome"]
)
WATCH_SECONDS = Histogram(
    "slurmhub_watch_seconds",
    "How long a look at all jobs of this hub took",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
WATCH_FAILURES = Gauge(
    "slurmhub_watch_failures", "Looks at the cluster that failed in a row; 0 while Slurm answers"
)
WATCH_NEWS = Gauge(
    "slurmhub_watch_last_success_timestamp_seconds",
    "When the state of this hub's jobs was last known, in seconds since the epoch",
)

# What there is on the cluster

FACTS_NEWS = Gauge(
    "slurmhub_facts_last_success_timestamp_seconds",
    "When the cluster's nodes and partitions were last read, in seconds since the epoch",
)
NODES = Gauge(
    "slurmhub_cluster_nodes",
    "Nodes of a partition by state, usable or not; a node may be in several partitions",
    ["partition", "state"],
)
CPUS = Gauge(
    "slurmhub_cluster_cpus",
    "CPUs of a partition's usable nodes by state: allocated, idle",
    ["partition", "state"],
)
MEMORY = Gauge(
    "slurmhub_cluster_memory_bytes",
    "Memory of a partition's usable nodes by state: allocated, idle",
    ["partition", "state"],
)
GPUS = Gauge(
    "slurmhub_cluster_gpus",
    "GPUs of a partition's usable nodes by state: allocated, idle",
    ["partition", "state"],
)

# What jobs have and use

_WHO = ["partition", "account", "course"]
CPU_ALLOCATED = Counter(
    "slurmhub_cpu_allocated_seconds", "CPU seconds that Slurm gave to jobs of this hub", _WHO
)
CPU_USED = Counter(
    "slurmhub_cpu_used_seconds", "CPU seconds that jobs of this hub told they used", _WHO
)
MEMORY_ALLOCATED = Counter(
    "slurmhub_memory_allocated_byte_seconds",
    "Memory that Slurm gave to jobs of this hub, in bytes times seconds",
    _WHO,
)
MEMORY_USED = Counter(
    "slurmhub_memory_used_byte_seconds",
    "Memory that jobs of this hub told they used, in bytes times seconds",
    _WHO,
)
GPU_ALLOCATED = Counter(
    "slurmhub_gpu_allocated_seconds", "GPU seconds that Slurm gave to jobs of this hub", _WHO
)
GPU_USED = Counter(
    "slurmhub_gpu_used_seconds", "GPU seconds that jobs of this hub told were busy", _WHO
)

# Courses

COURSES_UNANSWERED = Counter(
    "slurmhub_courses_unanswered",
    "Times that the hub asked the database of courses who is in them, and got no answer",
)
