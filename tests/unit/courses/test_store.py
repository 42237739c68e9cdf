"""Courses in their database: made, changed by two at once, seen by whom they concern, recorded."""

from __future__ import annotations

import multiprocessing
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from slurmhub.courses.errors import (
    CourseRefused,
    CoursesAway,
    CourseUnknown,
    KeyTaken,
    MemberUnknown,
    NotAllowed,
    NotNow,
)
from slurmhub.courses.membership import RosterChange
from slurmhub.courses.model import Role, State, Term
from slurmhub.courses.record import What
from slurmhub.courses.rights import Action, Person
from slurmhub.courses.store import Courses, open_courses
from slurmhub.courses.stored import CourseChanged
from slurmhub.courses.tables import VERSION_TABLE, metadata
from tests.unit.courses.world import (
    ADMIN,
    ALICE,
    BOB,
    POLICY,
    STUDENT,
    Clock,
    course,
    made,
    people,
    policy,
)


def whats(courses: Courses, key: str = "phys101") -> list[What]:
    return [one.what for one in courses.record(ADMIN, key)]


# The database


def test_the_migrations_make_the_tables_the_code_expects(url: str, courses: Courses) -> None:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_what_is_written_outlives_the_process(url: str, courses: Courses) -> None:
    made(courses)
    courses.close()
    again = open_courses(url, POLICY)
    assert again.get(ALICE, "phys101").course == course()
    again.close()


def test_a_file_of_courses_is_closed_to_others(tmp_path: Path) -> None:
    open_courses(f"sqlite:///{tmp_path}/c.sqlite", POLICY).close()
    assert stat.S_IMODE((tmp_path / "c.sqlite").stat().st_mode) == 0o600


def test_a_folder_for_a_group_has_a_file_for_that_group(tmp_path: Path) -> None:
    tmp_path.chmod(0o2770)
    courses = open_courses(f"sqlite:///{tmp_path}/c.sqlite", POLICY)
    courses.create(ALICE, course())
    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("c.sqlite*")}
    courses.close()
    assert modes == {0o660}


@pytest.mark.parametrize(
    "bad",
    ["sqlite:////nowhere/at/all/c.sqlite", "postgresql+psycopg://x@/x?host=/nowhere/at/all"],
)
def test_a_database_that_is_away_is_said_so(bad: str) -> None:
    with pytest.raises(CoursesAway, match="nothing was changed") as caught:
        open_courses(bad, POLICY)
    assert "nowhere" in caught.value.reason


def test_a_course_that_cannot_be_read_stops_those_who_act_on_all(
    url: str, courses: Courses
) -> None:
    made(courses)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE slurmhub_course SET document = '{}'"))
    engine.dispose()
    with pytest.raises(CoursesAway) as caught:
        courses.snapshot()
    assert "phys101" in caught.value.reason


def _open(url: str) -> int:
    found = open_courses(url, POLICY)
    number = found.revision()
    found.close()
    return number


def test_processes_that_open_a_new_database_at_once_make_it_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/c.sqlite"
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert pool.map(_open, [url] * 3) == [0, 0, 0]


def test_a_database_that_was_away_is_used_again(courses: Courses, url: str) -> None:
    made(courses)
    assert courses.revision() == 1
    if url.startswith("postgresql"):
        other = sa.create_engine(url)
        with other.connect() as connection:
            end = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            assert connection.execute(sa.text(end)).scalars().all() == [True]
        other.dispose()
    else:
        file = Path(url.removeprefix("sqlite:///"))
        courses.close()
        file.rename(f"{file}.away")
        with pytest.raises(CoursesAway):
            courses.revision()
        file.unlink()
        Path(f"{file}.away").rename(file)
        courses.close()
    assert courses.get(ALICE, "phys101").version == 1


def test_a_transaction_that_fails_leaves_nothing(courses: Courses) -> None:
    made(courses)

    def interrupted(_: object) -> RosterChange:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        courses.members.apply(ALICE, "phys101", interrupted)
    # The next writer does not wait for the one that was interrupted.
    courses.change(ALICE, "phys101", 1, course(seats=31))


def _hang(url: str, inside: Event) -> None:
    def decide(_: object) -> RosterChange:
        inside.set()
        time.sleep(600)
        return RosterChange()

    open_courses(url, POLICY).members.apply(ALICE, "phys101", decide)


def test_a_writer_that_is_killed_holds_nobody_up(courses: Courses, url: str) -> None:
    made(courses)
    context = multiprocessing.get_context("spawn")
    inside = context.Event()
    other = context.Process(target=_hang, args=(url, inside))
    other.start()
    assert inside.wait(120)
    other.kill()
    other.join()
    assert courses.change(ALICE, "phys101", 1, course(seats=31)).stored.version == 2


# Making


def test_a_course_is_open_at_once_and_its_maker_owns_it(courses: Courses, clock: Clock) -> None:
    saved = courses.create(ALICE, course())
    assert (saved.stored.state, saved.stored.version, saved.request) == (State.OPEN, 1, None)
    assert saved.stored.owner == "alice"
    assert saved.stored.created == clock.now
    assert people(courses)["alice"].role is Role.OWNER
    (line,) = courses.record(ALICE, "phys101")
    assert (line.who, line.what, line.at) == ("alice", What.CREATED, clock.now)


def test_who_is_no_maker_makes_none(courses: Courses) -> None:
    with pytest.raises(NotAllowed, match="may not make courses"):
        courses.create(STUDENT, course())


def test_an_administrator_makes_one_for_somebody(courses: Courses) -> None:
    assert courses.create(ADMIN, course(), owner="alice").stored.owner == "alice"
    with pytest.raises(MemberUnknown):
        courses.create(ADMIN, course("chem1"), owner="a\ud800")
    # Nobody else makes others owners, or less of their own courses.
    assert courses.create(ALICE, course("chem1"), owner="bob").stored.owner == "alice"


def test_a_course_is_made_with_its_staff_in_one_step(courses: Courses) -> None:
    staff = {"bob": Role.INSTRUCTOR, "ta": Role.ASSISTANT, "alice": Role.ASSISTANT}
    courses.create(ALICE, course(), staff=staff)
    assert {name: one.role for name, one in people(courses).items()} == {
        "alice": Role.OWNER,
        "bob": Role.INSTRUCTOR,
        "ta": Role.ASSISTANT,
    }
    for role in (Role.OWNER, Role.STUDENT):
        with pytest.raises(NotAllowed):
            courses.create(ALICE, course("chem1"), staff={"bob": role})
    with pytest.raises(CourseUnknown):
        courses.get(ALICE, "chem1")


def test_a_key_is_used_once_also_after_its_course(courses: Courses) -> None:
    made(courses)
    with pytest.raises(KeyTaken):
        courses.create(BOB, course())
    courses.stages.end(ALICE, "phys101")
    with pytest.raises(KeyTaken):
        courses.create(ALICE, course())


def test_above_the_bounds_nothing_is_made(courses: Courses) -> None:
    with pytest.raises(CourseRefused) as caught:
        courses.create(ALICE, course(seats=301))
    assert caught.value.problems[0].line() == (
        "seats = “301 seats”: The most for one course is 300 seats. (limit: 300 seats)"
    )
    assert courses.visible(ADMIN) == ()
    assert courses.revision() == 0


def test_two_at_once_do_not_pass_the_total_together(courses: Courses) -> None:
    courses.policy = policy(free=None, total={"running_cpus": 100}, bounds={})

    def make(key: str) -> bool:
        try:
            courses.create(ALICE, course(key))
        except CourseRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        # Each is 60 CPUs.
        assert sorted(pool.map(make, ["aa1", "aa2", "aa3", "aa4"])) == [False] * 3 + [True]


# Changing


def test_a_change_is_the_next_version_and_says_what_it_was(courses: Courses) -> None:
    made(courses)
    saved = courses.change(ALICE, "phys101", 1, course(title="Waves", seats=40))
    assert (saved.stored.version, saved.stored.course.title) == (2, "Waves")
    line = courses.record(ALICE, "phys101")[-1]
    assert line.detail["changes"] == {"title": ["Mechanics", "Waves"], "seats": [30, 40]}
    assert line.sentence() == "alice changed the title and the number of seats."


def test_no_change_is_no_version(courses: Courses) -> None:
    made(courses)
    before = courses.revision()
    assert courses.change(ALICE, "phys101", 1, course()).stored.version == 1
    assert courses.revision() == before
    assert whats(courses) == [What.CREATED]


def test_of_two_who_edit_at_once_the_second_is_told(courses: Courses) -> None:
    made(courses)
    courses.members.add(ALICE, "phys101", username="bob", role=Role.INSTRUCTOR)
    courses.change(ALICE, "phys101", 1, course(title="Waves"))
    with pytest.raises(CourseChanged) as caught:
        courses.change(BOB, "phys101", 1, course(seats=40))
    error = caught.value
    assert error.what.startswith("alice changed the title at 20")
    assert "Your change was not saved." in error.what
    assert courses.get(BOB, "phys101").course == course(title="Waves")
    # The two do not touch each other: both are kept with one more press.
    assert error.merged.course == course(title="Waves", seats=40)
    saved = courses.change(BOB, "phys101", error.stored.version, error.merged.course)
    assert saved.stored.course == course(title="Waves", seats=40)


def test_two_who_change_the_same_must_look(courses: Courses) -> None:
    made(courses)
    courses.change(ALICE, "phys101", 1, course(title="Waves"))
    courses.change(ALICE, "phys101", 2, course(title="Waves", profile={"cpus": 4}))
    with pytest.raises(CourseChanged) as caught:
        courses.change(ALICE, "phys101", 1, course(title="Optics"))
    assert caught.value.merged.conflicts == ("title",)
    assert "Both of you changed the title" in caught.value.remedy
    assert "the title and what each server has" in caught.value.what


def test_many_at_once_lose_nothing(courses: Courses) -> None:
    made(courses)

    def change(number: int) -> bool:
        try:
            courses.change(ALICE, "phys101", 1, course(title=f"Title {number}"))
        except CourseChanged:
            return False
        return True

    with ThreadPoolExecutor(5) as pool:
        done = list(pool.map(change, range(5)))
    assert sum(done) == 1
    assert courses.get(ALICE, "phys101").version == 2
    assert courses.get(ALICE, "phys101").course.title == f"Title {done.index(True)}"


def test_the_key_stays(courses: Courses) -> None:
    made(courses)
    with pytest.raises(CourseRefused, match="name of a course stays"):
        courses.change(ALICE, "phys101", 1, course("phys102"))


def test_there_are_not_fewer_seats_than_students(courses: Courses) -> None:
    made(courses)
    for name in ("s1", "s2"):
        courses.members.add(ALICE, "phys101", username=name)
    with pytest.raises(CourseRefused, match="2 students in the course"):
        courses.change(ALICE, "phys101", 1, course(seats=1))
    assert courses.change(ALICE, "phys101", 1, course(seats=2)).stored.course.seats == 2


def test_an_old_course_is_corrected_under_a_stricter_policy(courses: Courses) -> None:
    made(courses, seats=40)
    courses.policy = policy(bounds={"seats": 10}, total={"running_cpus": 1})
    assert courses.change(ALICE, "phys101", 1, course(seats=40, title="Waves")).request is None
    with pytest.raises(CourseRefused):
        courses.change(ALICE, "phys101", 2, course(seats=41, title="Waves"))


# Seeing


def test_staff_of_one_course_see_nothing_of_another(courses: Courses) -> None:
    made(courses)
    made(courses, "chem1")
    ta = Person("ta")
    courses.members.add(ALICE, "phys101", username="ta", role=Role.ASSISTANT)
    assert [one.key for one in courses.visible(ta)] == ["phys101"]
    assert [one.stored.key for one in courses.all_for("ta")] == ["phys101"]
    assert courses.members.of(ta, "phys101")
    for question in (
        lambda: courses.get(ta, "chem1"),
        lambda: courses.members.of(ta, "chem1"),
        lambda: courses.record(ta, "chem1"),
        lambda: courses.codes.of(ta, "chem1"),
        lambda: courses.approvals.of(ta, "chem1"),
        lambda: courses.rights(ta, "chem1"),
        lambda: courses.change(ta, "chem1", 1, course("chem1", title="x")),
        lambda: courses.members.add(ta, "chem1", username="ta"),
        lambda: courses.stages.end(ta, "chem1"),
        lambda: courses.copy(ta, "chem1", "chem2", course().term),
        lambda: courses.note(ta, "chem1", Action.HELP, What.HELP_ASKED),
    ):
        with pytest.raises(CourseUnknown) as there:
            question()
        # The words are those for a course that there is not.
        with pytest.raises(CourseUnknown) as not_there:
            courses.get(ta, "chem1x")
        assert str(there.value) == str(not_there.value).replace("chem1x", "chem1")


def test_a_student_sees_the_course_and_nobody_in_it(courses: Courses) -> None:
    made(courses)
    courses.members.add(ALICE, "phys101", username="student")
    _, role, now = courses.rights(STUDENT, "phys101")
    assert role is Role.STUDENT
    assert now == {Action.SEE, Action.START, Action.LEAVE}
    for question in (
        lambda: courses.members.of(STUDENT, "phys101"),
        lambda: courses.record(STUDENT, "phys101"),
        lambda: courses.codes.of(STUDENT, "phys101"),
        lambda: courses.change(STUDENT, "phys101", 1, course(seats=31)),
    ):
        with pytest.raises(NotAllowed):
            question()


def test_who_was_taken_out_sees_it_no_more(courses: Courses) -> None:
    made(courses)
    one = courses.members.add(ALICE, "phys101", username="student")
    courses.members.drop(ALICE, "phys101", one.number)
    assert courses.all_for("student") == ()
    with pytest.raises(CourseUnknown):
        courses.get(STUDENT, "phys101")


# What others watch


def test_each_change_moves_the_revision(courses: Courses) -> None:
    seen = [courses.revision()]

    def moved() -> bool:
        seen.append(courses.revision())
        return seen[-1] > seen[-2]

    made(courses)
    assert moved()
    courses.change(ALICE, "phys101", 1, course(seats=31))
    assert moved()
    courses.members.add(ALICE, "phys101", username="bob", role=Role.INSTRUCTOR)
    assert moved()
    courses.stages.freeze(ALICE, "phys101")
    assert moved()
    courses.get(ALICE, "phys101")
    courses.realised("phys101", "Slurm is away.")
    assert not moved()


def test_a_snapshot_is_all_of_one_moment(courses: Courses) -> None:
    made(courses)
    made(courses, "chem1")
    courses.members.add(ALICE, "chem1", username="student")
    found = courses.snapshot()
    assert found.revision == courses.revision()
    assert [one.key for one in found.courses] == ["chem1", "phys101"]
    assert [one.username for one in found.members["chem1"]] == ["alice", "student"]


def test_what_slurm_still_lacks_is_known(courses: Courses, clock: Clock) -> None:
    made(courses)
    assert courses.get(ALICE, "phys101").realised is None
    courses.realised("phys101", "Slurm is away.")
    assert courses.get(ALICE, "phys101").waiting == "Slurm is away."
    courses.realised("phys101")
    stored = courses.get(ALICE, "phys101")
    assert (stored.waiting, stored.realised) == ("", clock.now)


# The record


def test_what_others_do_is_recorded_if_they_may(courses: Courses) -> None:
    made(courses)
    courses.note(ALICE, "phys101", Action.HELP, What.HELP_ASKED, subject="student")
    assert courses.record(ALICE, "phys101")[-1].sentence() == (
        "alice asked student to be let in to help."
    )
    with pytest.raises(NotAllowed):
        courses.note(ADMIN, "phys101", Action.HELP, What.HELP_ASKED, subject="student")


def test_the_record_is_read_in_pages(courses: Courses) -> None:
    made(courses)
    for version in range(1, 6):
        courses.change(ALICE, "phys101", version, course(title=f"Title {version}"))
    last = courses.record(ALICE, "phys101", most=2)
    assert [one.version for one in last] == [5, 6]
    assert [
        one.version for one in courses.record(ALICE, "phys101", before=last[0].number, most=2)
    ] == [3, 4]


# Once more


def test_a_course_is_copied_to_the_next_term_with_its_staff(courses: Courses) -> None:
    hours = {"weekday": "mon", "start": "09:00", "end": "10:00", "without": ["2026-02-16"]}
    made(courses, class_hours=[hours], joining={"group": "phys101-w"})
    courses.members.add(ALICE, "phys101", username="bob", role=Role.INSTRUCTOR)
    courses.members.add(ALICE, "phys101", username="ta", role=Role.ASSISTANT)
    courses.members.add(ALICE, "phys101", username="student")
    term = Term(name="Fall 2026", first=date(2026, 9, 8), last=date(2026, 12, 4))
    saved, copy = courses.copy(BOB, "phys101", "phys101-f", term)
    assert saved.stored.owner == "bob"
    assert saved.stored.course == copy.course
    assert copy.course.term == term
    assert copy.course.profile == course().profile
    assert copy.course.class_hours[0].without == ()
    assert copy.course.joining.group is None
    assert [line.split()[0] for line in copy.left_out] == ["Students", "Days", "The", "Files"]
    assert {name: one.role for name, one in people(courses, "phys101-f").items()} == {
        "bob": Role.OWNER,
        "alice": Role.INSTRUCTOR,
        "ta": Role.ASSISTANT,
    }
    assert courses.record(BOB, "phys101-f")[0].sentence() == "bob copied the course from phys101."
    with pytest.raises(NotAllowed):
        courses.copy(Person("ta"), "phys101", "phys101-g", term)


def test_a_copy_has_the_same_bounds_as_a_new_course(courses: Courses) -> None:
    made(courses)
    courses.policy = policy(most_courses=1)
    with pytest.raises(CourseRefused, match="at most 1 course"):
        courses.copy(ALICE, "phys101", "phys102", course().term)
    courses.stages.end(ALICE, "phys101")
    assert courses.copy(ALICE, "phys101", "phys102", course().term)[0].stored.key == "phys102"


def test_nothing_of_an_ended_course_is_changed(courses: Courses) -> None:
    made(courses)
    courses.stages.end(ALICE, "phys101")
    for question in (
        lambda: courses.change(ALICE, "phys101", 2, course(seats=31)),
        lambda: courses.members.add(ALICE, "phys101", username="x"),
        lambda: courses.stages.thaw(ALICE, "phys101"),
        lambda: courses.stages.end(ADMIN, "phys101"),
    ):
        with pytest.raises(NotNow, match="has ended"):
            question()
    assert courses.get(ALICE, "phys101").state is State.ENDED
