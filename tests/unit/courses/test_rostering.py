"""A registrar's file, from its bytes to the members in the database."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from slurmhub.courses.errors import CourseFull, NotAllowed
from slurmhub.courses.model import Role
from slurmhub.courses.people import Source
from slurmhub.courses.rights import Person
from slurmhub.courses.roster.applying import Consent, DropsUnconfirmed, PreviewChanged
from slurmhub.courses.roster.matching import match
from slurmhub.courses.roster.preview import OnRoster, Preview, preview
from slurmhub.courses.roster.reading import read_roster
from slurmhub.courses.rostering import apply_preview, on_roster
from slurmhub.courses.store import Courses
from tests.rig.registrar import registrars_file
from tests.unit.courses.world import ALICE, course, facts, made, people

KEY = "phys101"
FILE = """\
Student ID,Name,Email
30010001,Lee Kim,kim@x.ca
30010002,Lee Kim,kim2@x.ca
30010003,Roy Anne,a@x.ca
"""


class Upload:
    """A file that Alice looks at and says yes to."""

    def __init__(self, courses: Courses, data: bytes) -> None:
        self._courses = courses
        self._matches = match(read_roster(data).rows, courses.people)

    def again(self, members: Sequence[OnRoster]) -> Preview:
        return preview(KEY, members, self._matches, grace_hours=24)

    def look(self) -> Preview:
        return self.again(on_roster(self._courses.members.of(ALICE, KEY)))

    def take(self, seen: Preview, consent: Consent | None = None, by: Person = ALICE) -> None:
        consent = consent or Consent()
        apply_preview(self._courses.members, by, KEY, seen.fingerprint, self.again, consent)


def upload(courses: Courses, text: str) -> Upload:
    return Upload(courses, text.encode())


def test_who_signed_in_is_found_and_the_others_are_waited_for(courses: Courses) -> None:
    made(courses)
    courses.members.came(facts("kim", number="30010001", mail="kim@x.ca"))
    file = upload(courses, FILE)
    file.take(file.look())
    found = people(courses)
    assert set(found) == {"alice", "kim", "Lee Kim", "Roy Anne"}
    assert found["kim"].identifiers.number == "30010001"
    assert found["kim"].source is Source.ROSTER
    assert [one.stored.key for one in courses.all_for("kim")] == [KEY]
    courses.members.came(facts("lee", number="30010002", mail="kim2@x.ca"))
    assert people(courses)["lee"].role is Role.STUDENT


def test_what_is_done_is_what_was_seen(courses: Courses) -> None:
    made(courses)
    file = upload(courses, FILE)
    seen = file.look()
    courses.members.add(ALICE, KEY, username="other")
    courses.members.came(facts("kim", number="30010001"))
    late = upload(courses, FILE)
    with pytest.raises(PreviewChanged):
        late.take(seen)
    assert set(people(courses)) == {"alice", "other"}
    late.take(late.look())
    assert "kim" in people(courses)


def test_dropping_needs_its_own_yes_and_coming_back_is_the_same_person(courses: Courses) -> None:
    made(courses)
    for name, number in (("kim", "30010001"), ("lee", "30010002"), ("anne", "30010003")):
        courses.members.came(facts(name, number=number))
    file = upload(courses, FILE)
    file.take(file.look())
    before = people(courses)["kim"]
    fewer = upload(courses, FILE.replace("30010001,Lee Kim,kim@x.ca\n", ""))
    fewer.take(fewer.look())
    assert "kim" in people(courses)
    fewer.take(fewer.look(), Consent(drop=True))
    assert "kim" not in people(courses)
    again = upload(courses, FILE)
    again.take(again.look())
    assert people(courses)["kim"].number == before.number
    none = upload(courses, FILE.splitlines()[0] + "\n30010009,New One,n@x.ca\n")
    with pytest.raises(DropsUnconfirmed):
        none.take(none.look(), Consent(drop=True))
    assert set(people(courses)) == {"alice", "kim", "lee", "anne"}


def test_three_hundred_with_mistakes_are_taken_once(courses: Courses) -> None:
    courses.create(ALICE, course(seats=50))
    data = registrars_file().data
    small = Upload(courses, data)
    with pytest.raises(CourseFull):
        small.take(small.look())
    assert set(people(courses)) == {"alice"}
    courses.policy = courses.policy.model_copy(update={"free": None})
    courses.change(ALICE, KEY, 1, course(seats=300))
    file = Upload(courses, data)
    seen = file.look()
    file.take(seen)
    students = [one for one in courses.members.of(ALICE, KEY) if one.role is Role.STUDENT]
    assert len(students) == seen.counts["added"] > 250
    before = courses.revision()
    file.take(file.look())
    assert courses.revision() == before
    courses.members.add(ALICE, KEY, username="ta", role=Role.ASSISTANT)
    seen = file.look()
    with pytest.raises(NotAllowed):
        file.take(seen, by=Person("ta"))
