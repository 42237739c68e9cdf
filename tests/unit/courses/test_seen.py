"""What a hub knows of its courses: by revision, and when the database is away."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from pathlib import Path

import pytest

from slurmhub.courses.errors import CoursesAway
from slurmhub.courses.policy import Policy
from slurmhub.courses.rights import Person
from slurmhub.courses.roster.facts import Identifiers, PersonFacts
from slurmhub.courses.seen import SeenCourses
from slurmhub.courses.store import Courses, open_courses
from tests.unit.courses.world import ADMIN, POLICY, course

LOG = logging.getLogger("slurmhub.tests.seen")


class Database:
    """A store that can be away, and can be slow; it counts what it is asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.away = False
        self.slow = threading.Event()
        self.slow.set()
        self.asked = 0

    def opened(self, _url: str, policy: Policy) -> Courses:
        if self.away:
            raise CoursesAway("no such host")
        store = open_courses(self.url, policy)
        inherited = store.all_for

        def all_for(username: str) -> object:
            self.slow.wait(5)
            if self.away:
                raise CoursesAway("no such host")
            self.asked += 1
            return inherited(username)

        def revision() -> int:
            if self.away:
                raise CoursesAway("no such host")
            return numbers()

        numbers = store.revision
        store.all_for = all_for  # type: ignore[method-assign, assignment]
        store.revision = revision  # type: ignore[method-assign]
        return store


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'courses.sqlite'}")


@pytest.fixture
def store(database: Database) -> Courses:
    made = open_courses(database.url, POLICY)
    made.create(ADMIN, course(), owner="alice")
    return made


@pytest.fixture
def seen(database: Database, store: Courses) -> SeenCourses:
    return SeenCourses(database.url, POLICY, log=LOG, opened=database.opened)


def keys(seen: SeenCourses, name: str) -> list[str] | None:
    found = seen.of(name)
    return None if found is None else [one.stored.key for one in found]


async def looked(seen: SeenCourses) -> None:
    """Return when nobody is being looked for any more."""
    while looks := [*seen._looks.values()]:
        await asyncio.wait(looks)
        await asyncio.sleep(0)


async def test_a_person_is_asked_for_again_when_something_changed(
    seen: SeenCourses, database: Database, store: Courses
) -> None:
    assert seen.of("alice") is None
    await seen.within("alice", 5)
    await seen.within("alice", 5)
    assert keys(seen, "alice") == ["phys101"]
    assert database.asked == 1
    await seen.within("bob", 5)
    assert keys(seen, "bob") == []
    store.members.add(ADMIN, "phys101", username="bob")
    await seen.within("bob", 5)
    assert keys(seen, "bob") == ["phys101"]
    await seen.close()


async def test_what_staff_say_is_shown_until_its_time_is_over(
    seen: SeenCourses, store: Courses
) -> None:
    await seen.within("alice", 5)
    assert seen.messages("alice", time.time()) == ()
    store.messages.send(Person("alice"), "phys101", "Room 3", until=time.time() + 60)
    await seen.within("alice", 5)
    assert [one.text for one in seen.messages("alice", time.time())] == ["Room 3"]
    assert seen.messages("alice", time.time() + 61) == ()
    assert seen.messages("bob", time.time()) == ()
    await seen.close()


async def test_what_was_known_last_holds_while_the_database_is_away(
    seen: SeenCourses, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await seen.within("alice", 5)
    database.away = True
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            await seen.within("alice", 5)
            await looked(seen)
    assert keys(seen, "alice") == ["phys101"]
    assert seen.away
    await seen.within("bob", 5)
    await looked(seen)
    assert seen.of("bob") is None
    said = [record.message for record in caplog.records if record.name == LOG.name]
    assert len(said) == 1, said
    assert "last holds. no such host" in said[0]

    database.away = False
    with caplog.at_level(logging.INFO):
        await seen.within("alice", 5)
        await looked(seen)
    assert "answers again" in caplog.records[-1].message
    assert not seen.away
    await seen.close()


async def test_a_database_that_hangs_delays_one_page_and_no_more(
    seen: SeenCourses, database: Database
) -> None:
    database.slow.clear()
    begun = time.monotonic()
    await seen.within("alice", 0.1)
    await seen.within("bob", 60)
    await seen.came(PersonFacts("carol"), 60)
    assert time.monotonic() - begun < 5
    assert seen.away
    database.slow.set()
    await asyncio.sleep(0.5)
    assert keys(seen, "alice") == ["phys101"]
    assert not seen.away
    await seen.close()


async def test_who_signs_in_is_in_the_courses_that_wait_for_them(
    seen: SeenCourses, store: Courses
) -> None:
    identifiers = Identifiers(mail="student@example.ca")
    store.members.add(ADMIN, "phys101", identifiers=identifiers)
    await seen.within("student", 5)
    assert keys(seen, "student") == []
    await seen.came(PersonFacts("student", mail="Student@example.ca"), 5)
    await seen.within("student", 5)
    assert keys(seen, "student") == ["phys101"]
    await seen.close()


async def test_who_signs_in_while_the_database_is_away_is_told_at_the_next(
    seen: SeenCourses, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.away = True
    await seen.came(PersonFacts("student"), 5)
    assert "at the next sign-in" in caplog.text
    await seen.close()


async def test_what_cannot_be_read_is_told_and_stops_nothing(
    seen: SeenCourses, store: Courses, caplog: pytest.LogCaptureFixture
) -> None:
    engine = store._all.engine
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE slurmhub_course SET document = '{}'")
    assert await seen.within("alice", 5) is None
    assert seen.away
    assert "the course phys101 cannot be read" in caplog.text
    await seen.close()
