"""What Prometheus sees of the courses service, at /services/courses/metrics.

No label holds the name of a course or a person: each has as many values as the code names.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "slurmhub_courses_requests",
    "Requests that the courses service answered, by page or operation and by status",
    ["what", "status"],
)
REQUEST_SECONDS = Histogram(
    "slurmhub_courses_request_seconds",
    "How long an answer took",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
FAILURES = Counter(
    "slurmhub_courses_loop_failures",
    "Rounds of what the service does by itself that failed, by loop: watch, stages",
    ["loop"],
)
LAST = Gauge(
    "slurmhub_courses_loop_last_success_timestamp_seconds",
    "When a round of a loop last succeeded, in seconds since the epoch",
    ["loop"],
)
STAGES = Counter(
    "slurmhub_courses_stages",
    "What the time brought to courses: remind, freeze, end, forget",
    ["step"],
)
