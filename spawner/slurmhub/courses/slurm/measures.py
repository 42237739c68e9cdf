"""What Prometheus sees of courses in Slurm, in the process that looks after them.

No label holds the name of a course or a person.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

STEPS = Counter(
    "slurmhub_course_steps",
    "Changes to Slurm for courses, by kind and by what became of them: done, refused, in-use (jobs "
    "are there still), unknown",
    ["kind", "outcome"],
)
COURSES = Gauge(
    "slurmhub_course_states",
    "Courses by whether Slurm has all that they should have: realised, or waiting",
    ["state"],
)
STRAYS = Gauge(
    "slurmhub_course_strays", "Slurm accounts with the hub's mark that belong to no known course"
)
ROUNDS = Counter(
    "slurmhub_course_rounds",
    "Comparisons of Slurm with the courses, by outcome (done, unanswered, failed)",
    ["outcome"],
)
ROUND_SECONDS = Histogram(
    "slurmhub_course_round_seconds",
    "How long one comparison took, with all its changes",
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 300),
)
for _state in ("realised", "waiting"):
    COURSES.labels(_state)
for _outcome in ("done", "unanswered", "failed"):
    # What was never told at 0 has no increase when it happens first.
    ROUNDS.labels(_outcome)
