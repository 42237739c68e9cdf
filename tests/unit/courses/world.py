"""A hub's courses for tests: a policy, a course, people, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timezone
from typing import Any

from slurmhub.courses.model import Course
from slurmhub.courses.people import Member
from slurmhub.courses.policy import Policy
from slurmhub.courses.rights import Person
from slurmhub.courses.roster.facts import PersonFacts
from slurmhub.courses.store import Courses

ALICE = Person("alice", frozenset({"instructors"}))
BOB = Person("bob", frozenset({"instructors"}))
CAROL = Person("carol", frozenset({"approvers"}))
ADMIN = Person("admin", administrator=True)
STUDENT = Person("student")

POLICY = Policy.model_validate(
    {
        "makers": ["instructors"],
        "approvers": ["approvers"],
        "bounds": {"seats": 300, "cpus": 8, "memory": "32G", "running_cpus": 600},
        "free": {"seats": 50},
        "total": {"running_cpus": 1000},
        "partitions": ["cpu", "gpu"],
        "join_groups": ["phys*"],
        "environments": {"python": {"title": "Python"}},
    }
)

PLAIN: dict[str, Any] = {
    "key": "phys101",
    "title": "Mechanics",
    "term": {"name": "Winter 2026", "first": "2026-01-05", "last": "2026-04-10"},
    "timezone": "America/Vancouver",
    "profile": {"partition": "cpu", "cpus": 2, "memory": "4G", "hours": 3},
    "seats": 30,
}


class Clock:
    """Says the time that it is set to, in seconds since the epoch."""

    def __init__(self) -> None:
        self.now = at(date(2026, 1, 10))

    def __call__(self) -> float:
        return self.now

    def days(self, number: float) -> None:
        """Let so many days pass."""
        self.now += number * 86400


def at(day: date) -> float:
    """Noon of a day, UTC."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=timezone.utc).timestamp()


def course(key: str = "phys101", /, **changed: Any) -> Course:
    """The usual course with something else in it; a mapping changes what it names."""
    document = {**PLAIN, "key": key}
    for name, value in changed.items():
        old = document.get(name)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        document[name] = {**old, **value} if both and isinstance(old, Mapping) else value
    return Course.model_validate(document)


def policy(**changed: Any) -> Policy:
    """The usual policy with something else in it."""
    return Policy.model_validate({**POLICY.model_dump(mode="json"), **changed})


def facts(username: str, **known: Any) -> PersonFacts:
    """What sign-in knows of somebody."""
    return PersonFacts(username, **known)


def made(courses: Courses, key: str = "phys101", **changed: Any) -> None:
    """A course of Alice's that is open."""
    assert courses.create(ALICE, course(key, **changed)).request is None


def people(courses: Courses, key: str = "phys101") -> dict[str, Member]:
    """The active members by how staff call them."""
    return {one.called: one for one in courses.members.of(ADMIN, key) if one.active}
