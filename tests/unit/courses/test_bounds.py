"""What an institution allows: of one course, of all together, and what waits for somebody."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slurmhub.courses.bounds import Other, needs_approval, problems
from slurmhub.courses.model import Course, State
from slurmhub.courses.policy import Policy
from tests.unit.courses.world import course


def policy(**said: Any) -> Policy:
    return Policy.model_validate(said)


def lines(found: tuple[Any, ...]) -> list[str]:
    return [one.line() for one in found]


MONDAY = {"weekday": "mon", "start": "09:00", "end": "10:30"}


@pytest.mark.parametrize(
    ("bound", "changed", "expected"),
    [
        (
            {"cpus": 1},
            {},
            "profile.cpus = “2 CPUs”: The most for each server is 1 CPU. (limit: 1 CPU)",
        ),
        (
            {"memory": "2G"},
            {"profile": {"memory": "2049M"}},
            "profile.memory = “2049 MB”: The most for each server is 2 GB. (limit: 2 GB)",
        ),
        (
            {"gpus": 0},
            {"profile": {"gpus": 1}},
            "profile.gpus = “1 GPU”: The most for each server is 0 GPUs. (limit: 0 GPUs)",
        ),
        (
            {"hours": 2},
            {},
            "profile.hours = “3 hours”: The most for each server is 2 hours. (limit: 2 hours)",
        ),
        (
            {"room": "5G"},
            {"storage": {"quota": "6G"}},
            "storage.quota = “6 GB”: The most for the folders of a course is 5 GB. (limit: 5 GB)",
        ),
        (
            {"room": "5G"},
            {},
            "storage.quota = “10 GB”: The most for the folders of a course is 5 GB. (limit: 5 GB)",
        ),
        (
            {"seats": 29},
            {},
            "seats = “30 seats”: The most for one course is 29 seats. (limit: 29 seats)",
        ),
        (
            {"running_cpus": 59},
            {},
            "running = “60 CPUs”: The most for all servers of a course is 59 CPUs. "
            "(limit: 59 CPUs)",
        ),
        ({"running_cpus": 20}, {"running": 10}, None),
        (
            {"running_gpus": 9},
            {"profile": {"gpus": 1}, "running": 10},
            "running = “10 GPUs”: The most for all servers of a course is 9 GPUs. (limit: 9 GPUs)",
        ),
        (
            {"class_hours_a_week": 1},
            {"class_hours": [MONDAY]},
            "class_hours = “1.5 hours”: The most for the classes of a week is 1 hour. "
            "(limit: 1 hour)",
        ),
        ({"days": 96}, {}, None),
        ({"days": 95}, {}, "term = “96 days”: The most for a term is 95 days. (limit: 95 days)"),
        ({}, {"seats": 10_000, "profile": {"cpus": 4096}}, None),
    ],
)
def test_one_course(bound: dict[str, Any], changed: dict[str, Any], expected: str | None) -> None:
    found = lines(problems(course(**changed), policy(bounds=bound)))
    assert found == ([expected] if expected else [])


def test_places_that_there_are_not() -> None:
    allowed = policy(
        partitions=["cpu"],
        environments={"python": {"title": "Python"}},
        repositories=["git.example.ca"],
    )
    one = course(
        profile={"partition": "gpu", "environment": "julia"},
        materials={"repository": {"url": "https://evil.example.ca/x.git"}},
    )
    assert lines(problems(one, allowed)) == [
        "profile.partition = “gpu”: Courses may not use this partition. (choices: cpu)",
        "profile.environment = “julia”: There is no such environment. (choices: python)",
        "materials.repository.url = “evil.example.ca”: Materials come from git.example.ca only. "
        "(choices: git.example.ca)",
    ]
    # What was there stays, but an environment in which nothing starts.
    assert [one.field for one in problems(one, allowed, before=one)] == ["profile.environment"]
    same = course(
        profile={"environment": "python"},
        materials={"repository": {"url": "https://GIT.example.ca/x.git"}},
    )
    assert problems(same, allowed) == ()


def test_groups_that_bring_students() -> None:
    one = course(joining={"group": "counselling"})
    assert lines(problems(one, policy())) == [
        "joining.group = “counselling”: This group may not bring students into courses."
    ]
    assert lines(problems(one, policy(join_groups=["course:*"]))) == [
        "joining.group = “counselling”: This group may not bring students into courses. "
        "(choices: course:*)"
    ]
    assert problems(course(joining={"group": "course:x"}), policy(join_groups=["course:*"])) == ()
    assert problems(one, policy(), before=one) == ()


def test_classes_that_cannot_be() -> None:
    one = course(class_hours=[MONDAY, {**MONDAY, "start": "10:00", "seats": 31}])
    assert lines(problems(one, policy())) == [
        "class_hours[1] = “mon 10:00”: This is at the same time as the class of mon 09:00.",
        "class_hours[1].seats = “31”: A class has no more seats than its course. (limit: 30 seats)",
    ]


def other(key: str, state: State = State.OPEN, owner: str = "bob", **changed: Any) -> Other:
    return Other(course(key, **changed), state, owner)


def test_all_together() -> None:
    allowed = policy(total={"running_cpus": 100, "seats": 100, "room": "25G"})
    assert problems(course(), allowed, [other("cc1", seats=20)]) == ()
    assert lines(problems(course(), allowed, [other("cc1"), other("cc2", seats=41)])) == [
        "storage.quota = “10 GB”: The most for the folders of all courses together is 25 GB, "
        "and 5 GB are left. (limit: 5 GB)",
        "seats = “30 seats”: The most for all courses together is 100 seats, and 29 seats are "
        "left. (limit: 29 seats)",
        "running = “60 CPUs”: The most for all courses together is 100 CPUs, and 0 CPUs are left. "
        "(limit: 0 CPUs)",
    ]


@pytest.mark.parametrize(
    ("state", "fields"),
    [
        (State.OPEN, ["storage.quota", "running"]),
        (State.FROZEN, ["storage.quota"]),
        (State.WAITING, []),
        (State.REFUSED, []),
        (State.ENDED, []),
    ],
)
def test_what_of_others_counts(state: State, fields: list[str]) -> None:
    allowed = policy(total={"running_cpus": 100, "room": "15G"})
    found = problems(course(), allowed, [other("cc1", state)])
    assert [one.field for one in found] == fields


def test_how_many_one_person_has() -> None:
    allowed = policy(most_courses=2)
    mine = [other("cc1", owner="alice"), other("cc2", State.FROZEN, owner="alice")]
    gone = [other("cc3", State.ENDED, owner="alice")] * 5
    found = problems(course(), allowed, [*mine, *gone], owner="alice")
    assert lines(found) == [
        "owner = “alice”: One person has at most 2 courses at a time. (limit: 2 courses)"
    ]
    assert problems(course(), allowed, [*mine[:1], *gone], owner="alice") == ()
    assert problems(course(), allowed, mine, owner="bob") == ()


def test_what_waits_for_somebody() -> None:
    allowed = policy(free={"seats": 20, "gpus": 0}, bounds={"seats": 40})
    assert lines(needs_approval(course(profile={"gpus": 1}), allowed)) == [
        "profile.gpus = “1 GPU”: More than 0 GPUs for each server needs approval. (limit: 0 GPUs)",
        "seats = “30 seats”: More than 20 seats for one course needs approval. (limit: 20 seats)",
    ]
    assert needs_approval(course(), policy()) == ()


# What holds for every course

_BOUNDS = st.fixed_dictionaries(
    {},
    optional={
        "cpus": st.integers(1, 16),
        "seats": st.integers(1, 100),
        "running_cpus": st.integers(0, 500),
        "hours": st.integers(1, 24),
        "days": st.integers(1, 120),
    },
)
_COURSES = st.builds(
    lambda cpus, seats, running, hours: course(
        profile={"cpus": cpus, "hours": hours}, seats=seats, running=running
    ),
    st.integers(1, 20),
    st.integers(1, 120),
    st.none() | st.integers(0, 120),
    st.integers(1, 30),
)


@settings(max_examples=80, deadline=None)
@given(_COURSES, _BOUNDS)
def test_the_limit_that_is_named_would_do(one: Course, bound: dict[str, Any]) -> None:
    found = {each.field for each in problems(one, policy(bounds=bound))}
    if "profile.cpus" in found:
        less = one.profile.model_copy(update={"cpus": bound["cpus"]})
        mended = problems(one.model_copy(update={"profile": less}), policy(bounds=bound))
        assert "profile.cpus" not in {each.field for each in mended}
    if "seats" in found:
        mended = problems(one.model_copy(update={"seats": bound["seats"]}), policy(bounds=bound))
        assert "seats" not in {each.field for each in mended}


@settings(max_examples=80, deadline=None)
@given(_COURSES, _COURSES, _BOUNDS)
def test_what_is_there_already_is_never_refused(
    one: Course, new: Course, bound: dict[str, Any]
) -> None:
    allowed = policy(bounds=bound, total=bound and {"running_cpus": 1}, free=bound)
    assert problems(one, allowed, before=one) == ()
    assert needs_approval(one, allowed, before=one) == ()
    # A stricter view never finds less.
    with_before = {each.field for each in problems(new, allowed, before=one)}
    assert with_before <= {each.field for each in problems(new, allowed)}


@settings(max_examples=60, deadline=None)
@given(_COURSES, st.lists(_COURSES, max_size=4), st.integers(0, 2000))
def test_totals_hold(one: Course, others: list[Course], most: int) -> None:
    def cpus(each: Course) -> int:
        return each.most_running * each.profile.cpus

    found = problems(
        one,
        policy(total={"running_cpus": most}),
        [Other(each, State.OPEN, "bob") for each in others],
    )
    assert bool(found) == (sum(map(cpus, [one, *others])) > most)
