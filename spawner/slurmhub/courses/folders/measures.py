"""What Prometheus sees of the folders of courses, in the process that looks after them.

No label holds the name of a course or a person.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge

CALLS = Counter(
    "slurmhub_course_folders_calls",
    "Calls for the folders of courses, by verb and by what became of them (done, more, refused)",
    ["verb", "outcome"],
)
COURSES = Gauge(
    "slurmhub_course_folders_states",
    "Courses by whether their folders are as they should be: realised, or waiting",
    ["state"],
)
STRAYS = Gauge(
    "slurmhub_course_folders_strays", "Folders of courses that belong to no known course"
)
for _state in ("realised", "waiting"):
    COURSES.labels(_state)
for _verb in ("ensure", "remove"):
    for _outcome in ("done", "more", "refused"):
        # What was never told at 0 has no increase when it happens first.
        CALLS.labels(_verb, _outcome)
