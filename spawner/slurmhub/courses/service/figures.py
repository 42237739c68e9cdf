"""How many courses, people and classes there are, as Prometheus is told once a minute.

No label holds the name of a course or a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from slurmhub.courses.hours import occurrences
from slurmhub.courses.model import State
from slurmhub.courses.people import Member
from slurmhub.courses.service import measures
from slurmhub.courses.stored import Snapshot

KINDS = ("staff", "student", "pending")
"""Who has a place in a course; who is pending has never signed in."""
SPANS = {"day": timedelta(days=1), "week": timedelta(days=7)}
"""Within which classes that are to come begin."""


@dataclass(frozen=True)
class Figures:
    """All that there is at one moment; `places` are those of the classes that are held then."""

    by_state: Mapping[str, int]
    people: Mapping[str, int]
    classes: Mapping[str, int]
    places: int


def figures(snapshot: Snapshot, now: datetime) -> Figures:
    """What a snapshot says at a moment, which has a time zone."""
    opened = [one for one in snapshot.courses if one.state is State.OPEN]
    people = Counter(
        _kind(member)
        for one in opened
        for member in snapshot.members.get(one.key, ())
        if member.active
    )
    classes, places = Counter[str](), 0
    for one in opened:
        for held in occurrences(one.course, now, now + SPANS["week"]):
            if held.start <= now:
                classes["now"] += 1
                places += held.seats
                continue
            for name, span in SPANS.items():
                classes[name] += held.start - now <= span
    states = Counter(one.state.value for one in snapshot.courses)
    return Figures(
        by_state={state.value: states[state.value] for state in State},
        people={kind: people[kind] for kind in KINDS},
        classes={when: classes[when] for when in ("now", *SPANS)},
        places=places,
    )


def tell(found: Figures, approvals: int) -> None:
    """Set the gauges; `approvals` are the requests that wait for somebody."""
    for state, number in found.by_state.items():
        measures.BY_STATE.labels(state).set(number)
    for kind, number in found.people.items():
        measures.PEOPLE.labels(kind).set(number)
    for when, number in found.classes.items():
        measures.CLASSES.labels(when).set(number)
    measures.CLASS_PLACES.set(found.places)
    measures.APPROVALS.set(approvals)


def _kind(member: Member) -> str:
    if member.username is None:
        return "pending"
    return "staff" if member.role.staff else "student"
