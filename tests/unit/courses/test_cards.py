"""A course as its students see it: which class, what its server has, in which order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader

from slurmhub.courses.cards import EndSaid, classes_said, course_card, has_words, shown
from slurmhub.courses.model import Role, State
from slurmhub.courses.people import Member, Source
from slurmhub.courses.policy import Retention
from slurmhub.courses.stored import Enrolment, Stored
from slurmhub.hub.status import Status
from slurmhub.language import TEMPLATES, Translating, spoken
from slurmhub.session.card import Card
from tests.unit.courses.world import course

HOURS = [
    {"weekday": "tue", "start": "09:00", "end": "10:30"},
    {"weekday": "thu", "start": "23:00", "end": "01:00"},
]
CARD = Card("phys101", Status("none", "", 0), "")


def at(text: str) -> datetime:
    """A moment in UTC; Vancouver is eight hours earlier in winter."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def enrolment(key: str = "phys101", state: State = State.OPEN, **changed: Any) -> Enrolment:
    stored = Stored(course(key, **changed), 1, state, "alice", 0.0, 0.0, realised=1.0)
    return Enrolment(stored, Member(key, Role.STUDENT, Source.NAME, 0.0, username="bob"))


@pytest.mark.parametrize(
    ("now", "said"),
    [
        # Monday morning in Vancouver: both classes of the week.
        ("2026-01-12 17:00", [(1, "09:00", "10:30", False), (3, "23:00", "01:00", False)]),
        # In the middle of the first.
        ("2026-01-13 18:00", [(1, "09:00", "10:30", True), (3, "23:00", "01:00", False)]),
        ("2026-01-13 19:00", [(3, "23:00", "01:00", False)]),
        # After midnight on Friday the second is still held.
        ("2026-01-16 08:30", [(3, "23:00", "01:00", True)]),
    ],
)
def test_the_classes_of_this_week(now: str, said: list[tuple[int, str, str, bool]]) -> None:
    found = classes_said(course(class_hours=HOURS), at(now))
    assert [
        (one.weekday, f"{one.start:%H:%M}", f"{one.end:%H:%M}", one.now) for one in found
    ] == said
    assert all(one.day is None for one in found)


def test_when_the_week_has_no_more_the_next_is_told_with_its_day() -> None:
    (one,) = classes_said(course(class_hours=HOURS), at("2026-01-16 20:00"))
    assert one.day is not None
    assert str(one.day) == "2026-01-20"
    assert classes_said(course(class_hours=HOURS), at("2026-06-01 12:00")) == ()
    assert classes_said(course(), at("2026-01-12 17:00")) == ()


def test_courses_that_are_open_come_first_and_others_are_not_shown() -> None:
    mine = [
        enrolment("old101", State.FROZEN, title="A frozen one"),
        enrolment("phys101", title="Mechanics"),
        enrolment("chem205", title="Kinetics"),
        *(enrolment("gone101", state) for state in (State.ENDED, State.WAITING, State.REFUSED)),
    ]
    assert [one.stored.key for one in shown(mine)] == ["chem205", "phys101", "old101"]


def test_a_frozen_course_says_that_nothing_starts() -> None:
    card = course_card(
        enrolment(state=State.FROZEN, class_hours=HOURS), CARD, at("2026-01-12 17:00")
    )
    assert card.closed == "This course is over: its files can be read, and no server starts."
    assert card.classes == ()
    assert not card.preparing


def test_a_card_says_what_the_server_has_and_where_the_hours_are_read() -> None:
    card = course_card(
        enrolment(profile={"gpus": 1, "gpu_type": "h100"}), CARD, at("2026-01-12 17:00")
    )
    assert card.has == ("2 CPUs", "4 GB of memory", "1 h100 GPU", "3 hours")
    assert card.zone == "Vancouver"
    assert card.closed == ""
    assert has_words(course(profile={"hours": 1.5})) == ("2 CPUs", "4 GB of memory", "1.5 hours")


def test_staff_and_nobody_else_are_told_that_it_ends() -> None:
    over, retention = at("2026-04-12 12:00"), Retention()
    one = enrolment()
    teaches = replace(one, member=replace(one.member, role=Role.ASSISTANT))
    assert course_card(one, CARD, over, retention=retention).end is None
    assert course_card(teaches, CARD, over, retention=retention).end == EndSaid(
        ends=False, day=date(2026, 4, 25)
    )
    assert course_card(teaches, CARD, at("2026-04-10 12:00"), retention=retention).end is None
    frozen = replace(
        teaches,
        stored=replace(one.stored, state=State.FROZEN, frozen=at("2026-04-25 12:00").timestamp()),
    )
    late = course_card(frozen, CARD, at("2026-07-01 12:00"), retention=retention)
    assert late.end == EndSaid(ends=True, day=date(2026, 7, 24))


@pytest.mark.parametrize(
    ("end", "language", "words"),
    [
        (EndSaid(False, date(2026, 4, 25)), "en", "It is frozen on 2026-04-25."),
        (EndSaid(True, date(2026, 7, 24)), "en", "This course ends on 2026-07-24."),
        (EndSaid(True, date(2026, 7, 24)), "fr", "Ce cours prend fin le 2026-07-24."),
    ],
)
def test_home_says_so_and_leads_to_what_can_be_done(
    end: EndSaid, language: str, words: str
) -> None:
    found = course_card(enrolment(), CARD, at("2026-01-12 17:00"))
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES), extensions=[Translating], autoescape=True
    )
    macro = jinja.from_string(
        "{% from 'slurmhub_server_card.html' import course_words with context %}"
        "{{ course_words(course) }}"
    )
    with spoken(language):
        said = macro.render(course=replace(found, end=end), prefix="/hub/", courses_service=True)
        silent = macro.render(course=found, prefix="/hub/", courses_service=True)
    assert words in said
    assert 'href="/hub/services/courses/course/phys101/"' in said
    assert "data-slurmhub-end" not in silent
