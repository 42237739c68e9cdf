"""What Prometheus is told of courses, people and classes."""

from __future__ import annotations

from datetime import datetime, timezone

from slurmhub.courses.roster.facts import Identifiers
from slurmhub.courses.service.figures import figures, tell
from slurmhub.courses.store import Courses
from tests.unit.courses.world import ALICE, Clock, course
from tests.unit.measuring.values import value

HOURS = [
    {"weekday": "mon", "start": "09:00", "end": "10:00"},
    {"weekday": "tue", "start": "09:00", "end": "10:00", "seats": 7},
]
# A Monday at 09:30 in Vancouver.
HELD = datetime(2026, 1, 12, 17, 30, tzinfo=timezone.utc)


def test_open_courses_are_counted_and_no_others(courses: Courses, clock: Clock) -> None:
    courses.create(ALICE, course(class_hours=HOURS))
    courses.create(ALICE, course("over1", class_hours=HOURS))
    courses.create(ALICE, course("large1", seats=80))
    for name in ("student1", "student2"):
        courses.members.add(ALICE, "phys101", username=name)
    dropped = next(one for one in courses.members.of(ALICE, "phys101") if one.called == "student2")
    courses.members.drop(ALICE, "phys101", dropped.number)
    courses.members.add(ALICE, "phys101", identifiers=Identifiers(number="12345678"), name="S")
    courses.stages.freeze(ALICE, "over1")
    found = figures(courses.snapshot(), HELD)
    assert found.by_state == {"waiting": 1, "refused": 0, "open": 1, "frozen": 1, "ended": 0}
    assert found.people == {"staff": 1, "student": 1, "pending": 1}
    # Tomorrow's, and that of Monday next, which begins half an hour before a week is over.
    assert found.classes == {"now": 1, "day": 1, "week": 2}
    assert found.places == 30
    tell(found, 1)
    assert value("slurmhub_courses_by_state", state="open") == 1
    assert value("slurmhub_courses_classes", when="week") == 2
    assert value("slurmhub_courses_approvals") == 1
