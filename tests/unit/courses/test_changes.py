"""What differs between two forms of a course, in paths that people write."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from slurmhub.courses.changes import Difference, changed_fields, differences, document_of, merged
from slurmhub.courses.record import Entry, What
from tests.unit.courses.world import course

MONDAY = {"weekday": "mon", "start": "09:00", "end": "10:30"}


def doc(**changed: Any) -> dict[str, Any]:
    return document_of(course(**changed))


def test_differences_have_the_paths_that_people_write() -> None:
    before = doc(class_hours=[MONDAY])
    after = doc(
        profile={"cpus": 4}, class_hours=[{**MONDAY, "end": "11:00"}], joining={"group": "g"}
    )
    assert differences(before, after) == (
        Difference("profile.cpus", 2, 4),
        Difference("class_hours[0].end", "10:30:00", "11:00:00"),
        Difference("joining.group", None, "g"),
    )
    assert differences(before, before) == ()


def test_something_new_and_something_gone_are_whole() -> None:
    (found,) = differences(doc(), doc(class_hours=[MONDAY]))
    assert found.path == "class_hours[0]"
    assert found.before is None
    (gone,) = differences(doc(class_hours=[MONDAY]), doc())
    assert gone.after is None


def test_changes_of_two_fit_together_where_they_do_not_touch() -> None:
    found = merged(doc(), doc(title="Waves"), doc(seats=40, class_hours=[MONDAY]))
    assert found.course == course(title="Waves", seats=40, class_hours=[MONDAY])
    assert merged(doc(), doc(title="A"), doc(title="B")).conflicts == ("title",)
    assert merged(doc(), doc(title="A"), doc(title="A")).course == course(title="A")


def test_what_is_impossible_together_is_a_conflict() -> None:
    mine = {**doc(), "timezone": "Nowhere/Else"}
    found = merged(doc(), doc(title="A"), mine)
    assert (found.course, found.conflicts) == (None, ("timezone",))


_EDITS = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["A", "B"]),
        "seats": st.integers(1, 3),
        "description": st.sampled_from(["x", "y"]),
    },
)


@settings(max_examples=60, deadline=None)
@given(_EDITS, _EDITS)
def test_merging_is_the_same_from_both_sides(one: dict[str, Any], other: dict[str, Any]) -> None:
    base, theirs, mine = doc(), doc(**one), doc(**other)
    first, second = merged(base, theirs, mine), merged(base, mine, theirs)
    assert first.course == second.course
    assert set(first.conflicts) == set(second.conflicts)
    if first.course is not None:
        both = {**changed_fields(base, theirs), **changed_fields(base, mine)}
        assert changed_fields(base, document_of(first.course)) == both


def test_every_line_has_a_sentence() -> None:
    for what in What:
        said = Entry(0.0, "alice", "phys101", what, "bob").sentence()
        assert said.endswith(".")
        assert "{" not in said
