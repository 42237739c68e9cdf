"""Reminders by mail: one for each of the staff, never lost, never doubled, never untrue."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest
from pydantic import ValidationError

from slurmhub.courses.mail_settings import MailSettings
from slurmhub.courses.mails import Mail
from slurmhub.courses.model import Role
from slurmhub.courses.reminding import message
from slurmhub.courses.retention import Reminder, Step, calendar, reminder
from slurmhub.courses.store import Courses
from tests.unit.courses.world import ADMIN, ALICE, POLICY, Clock, course, facts, policy

SETTINGS = MailSettings(
    relay="mail.example.ca:2525",
    sender="help@example.ca",
    pages="https://hub.example.ca/services/courses/",
)


@pytest.fixture
def frozen(courses: Courses, clock: Clock) -> Courses:
    """A course of alice and bob that ended 14 days ago, and is frozen."""
    courses.stages.by_mail = True
    courses.create(ALICE, course(), staff={"bob": Role.ASSISTANT})
    courses.members.add(ADMIN, "phys101", username="student")
    courses.members.came(facts("alice", mail="Alice@Example.ca"))
    clock.days(90 + 14 + 1)
    pass_time(courses)
    return courses


def pass_time(courses: Courses) -> None:
    """Do all that is due."""
    for one in courses.stages.due():
        assert courses.stages.do(one)


def test_each_of_the_staff_is_reminded_once(frozen: Courses, clock: Clock) -> None:
    assert frozen.mails.due() == ()
    clock.days(61)
    pass_time(frozen)
    found = frozen.mails.due()
    assert [(one.username, one.address, one.days) for one in found] == [
        ("alice", "alice@example.ca", 30),
        ("bob", None, 30),
    ]
    pass_time(frozen)
    assert frozen.mails.due() == found
    frozen.mails.sent(found[0].number)
    frozen.mails.later(found[1].number, 3600)
    assert frozen.mails.due() == ()
    assert frozen.mails.waiting() == 1
    clock.days(1 / 24)
    frozen.members.came(facts("bob", mail="bob@example.ca"))
    assert [(one.username, one.address) for one in frozen.mails.due()] == [
        ("bob", "bob@example.ca")
    ]


def test_what_is_no_longer_true_is_not_sent(frozen: Courses, clock: Clock) -> None:
    clock.days(61)
    pass_time(frozen)
    bob = next(one for one in frozen.members.of(ALICE, "phys101") if one.username == "bob")
    frozen.members.drop(ALICE, "phys101", bob.number)
    assert [one.username for one in frozen.mails.due()] == ["alice"]
    stored = frozen.get(ALICE, "phys101")
    later = course(term={"last": "2026-12-01"})
    frozen.change(ALICE, "phys101", stored.version, later)
    frozen.stages.thaw(ALICE, "phys101")
    assert frozen.mails.due() == ()
    assert frozen.mails.waiting() == 0


def test_a_course_that_is_forgotten_takes_its_mails_along(frozen: Courses, clock: Clock) -> None:
    clock.days(61)
    pass_time(frozen)
    assert frozen.mails.waiting() == 2
    clock.days(100)
    pass_time(frozen)
    frozen.realised("phys101")
    clock.days(800)
    pass_time(frozen)
    assert frozen.visible(ADMIN) == ()
    assert frozen.mails.waiting() == 0


def test_without_a_mail_server_nothing_is_kept(courses: Courses, clock: Clock) -> None:
    courses.create(ALICE, course())
    clock.days(90 + 14 + 1)
    pass_time(courses)
    clock.days(61)
    pass_time(courses)
    assert courses.mails.waiting() == 0


def test_staff_are_told_on_pages_as_long_as_it_holds(courses: Courses, clock: Clock) -> None:
    courses.create(ALICE, course())
    retention = POLICY.retention

    def said() -> Reminder | None:
        return reminder(courses.get(ADMIN, "phys101"), retention, clock())

    times = calendar(courses.get(ADMIN, "phys101"), retention)
    assert said() is None
    clock.days(91)
    assert said() == Reminder(Step.FREEZE, times.freeze or 0)
    clock.days(14)
    pass_time(courses)
    assert said() is None
    frozen = calendar(courses.get(ADMIN, "phys101"), retention)
    clock.days(61)
    assert said() == Reminder(Step.END, frozen.end or 0)
    courses.stages.end(ALICE, "phys101")
    assert said() is None


def test_an_institution_that_never_reminds(courses: Courses, clock: Clock) -> None:
    courses.policy = policy(retention={"remind_before": []})
    courses.create(ALICE, course())
    clock.days(190)
    pass_time(courses)
    clock.days(89.9)
    found = reminder(courses.get(ADMIN, "phys101"), courses.policy.retention, clock())
    assert found is None


def a_mail(courses: Courses) -> Mail:
    return Mail(7, courses.get(ADMIN, "phys101"), "alice", None, 30, 1781000000.0, 1778000000.0)


def written(made: EmailMessage) -> str:
    return str(made.get_content())


def test_a_mail_says_it_in_both_languages_and_is_itself(courses: Courses) -> None:
    title = "Waves\u2028Bcc: x@example.ca & <optics>"
    courses.create(ALICE, course(title=title, storage={"shared": True}))
    made = message(a_mail(courses), "alice@example.ca", SETTINGS, "teaching", "fr")
    again = message(a_mail(courses), "alice@example.ca", SETTINGS, "teaching", "fr")
    assert made["Message-ID"] == "<slurmhub.phys101.1781000000.30.7@example.ca>"
    assert again["Message-ID"] == made["Message-ID"]
    assert made["To"] == "alice@example.ca"
    assert made["Bcc"] is None
    assert made["Auto-Submitted"] == "auto-generated"
    assert made["Subject"].index("2026-06-09") < made["Subject"].index("It ends on 2026-06-09")
    text = written(made)
    assert text.index("Ce que vous pouvez faire") < text.index("What you can do before:")
    for path in ("", "stages", "change"):
        assert f"{SETTINGS.pages}course/phys101/{path}\n" in text


@pytest.mark.parametrize(
    "wrong",
    [
        {"relay": "mail example"},
        {"sender": "Help <help@example.ca>"},
        {"sender": "help@example.ca\nBcc: x@example.ca"},
        {"pages": "hub.example.ca"},
        {"password": "secret"},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        MailSettings.model_validate({**SETTINGS.model_dump(), **wrong})
    assert SETTINGS.place == ("mail.example.ca", 2525)
