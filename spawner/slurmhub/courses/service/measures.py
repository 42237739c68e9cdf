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
    "Rounds of what the service does by itself that failed, by loop: watch, stages, figures, "
    "slurm, folders, mail",
    ["loop"],
)
LAST = Gauge(
    "slurmhub_courses_loop_last_success_timestamp_seconds",
    "When a round of a loop last succeeded, or the service was started, in seconds since the epoch",
    ["loop"],
)
STAGES = Counter(
    "slurmhub_courses_stages",
    "What the time brought to courses: remind, freeze, end, forget",
    ["step"],
)
for _step in ("remind", "freeze", "end", "forget"):
    # What was never told at 0 has no increase when it happens first.
    STAGES.labels(_step)
DATABASE_UP = Gauge(
    "slurmhub_courses_database_up", "Whether the database of courses answered when last asked"
)
BY_STATE = Gauge(
    "slurmhub_courses_by_state",
    "Courses by what they are at: waiting, refused, open, frozen, ended",
    ["state"],
)
PEOPLE = Gauge(
    "slurmhub_courses_people",
    "Places in open courses by who has them: staff, student, or pending, who never signed in",
    ["kind"],
)
APPROVALS = Gauge("slurmhub_courses_approvals", "Requests that wait for an approver")
CLASSES = Gauge(
    "slurmhub_courses_classes",
    "Classes of open courses: held now, or beginning within a day or a week",
    ["when"],
)
CLASS_PLACES = Gauge(
    "slurmhub_courses_class_places", "Servers for which room is kept in the classes held now"
)


MAILS = Counter(
    "slurmhub_courses_mails",
    "Reminders by mail, by what became of a try: sent, refused, no-address",
    ["outcome"],
)
for _outcome in ("sent", "refused", "no-address"):
    MAILS.labels(_outcome)
MAILS_WAITING = Gauge("slurmhub_courses_mails_waiting", "Reminders that no mail server took yet")


def begin(loop: str) -> None:
    """A loop is told from its start on: its age counts from there, its failures from 0."""
    FAILURES.labels(loop)
    LAST.labels(loop).set_to_current_time()


def succeeded(loop: str) -> None:
    """A round of a loop did what it should."""
    LAST.labels(loop).set_to_current_time()


def failed(loop: str) -> None:
    """A round of a loop did not."""
    FAILURES.labels(loop).inc()
