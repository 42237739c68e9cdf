"""What is said of courses is said in the reader's language, whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from slurmhub.courses.bounds import needs_approval, problems
from slurmhub.courses.course_file import CourseFileWrong, parse_course
from slurmhub.courses.errors import CourseFull, CourseRefused
from slurmhub.courses.mistakes import read_course
from slurmhub.courses.model import Role, State
from slurmhub.courses.policy import Policy
from slurmhub.courses.record import Entry, What
from slurmhub.courses.rights import Action, Person, refusal
from slurmhub.courses.stored import CourseChanged, Stored
from slurmhub.language import spoken, told
from tests.unit.courses.world import PLAIN, POLICY, course

ENGLISH = {"the", "is", "of", "for", "must", "each", "course", "this", "was", "and", "with", "You"}


@pytest.fixture(autouse=True)
def _in_french() -> Iterator[None]:
    with spoken("fr"):
        yield


def french(sentence: str) -> str:
    """The sentence in French; fails where a word of it stayed English."""
    said = told(sentence).replace("\N{NO-BREAK SPACE}", " ")
    said = said.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    left = ENGLISH & set(said.replace(".", " ").replace(",", " ").split())
    assert not left, f"{sentence!r} became {said!r}"
    return said


def test_bounds() -> None:
    tight = Policy.model_validate(
        {"bounds": {"cpus": 1, "seats": 1, "memory": "1G", "hours": 1}, "total": {"seats": 9}}
    )
    said = [french(one.message) for one in problems(course(), tight)]
    assert said[0] == "Le maximum pour chaque serveur est de 1 CPU."
    assert "Le maximum pour un cours est de 1 place." in said
    assert said[-1] == (
        "Le maximum pour tous les cours ensemble est de 9 places, et il reste 9 places."
    )
    (reason,) = needs_approval(course(seats=60), POLICY)
    assert french(reason.message) == "Plus de 50 places pour un cours exige une approbation."


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"seats": 0}, "Il faut au moins 1."),
        ({"timezone": "x"}, "Cette valeur n'est pas un fuseau horaire"),
        ({"profile": {**PLAIN["profile"], "memory": "x"}}, "Cette valeur doit être une quantité"),
        (
            {"term": {**PLAIN["term"], "last": "2025-01-01"}},
            "Cette valeur se termine le 2025-01-01, avant de commencer le 2026-01-05.",
        ),
        ({"key": "X"}, "Il faut de 3 à 30 lettres minuscules"),
    ],
)
def test_mistakes(changed: dict[str, object], expected: str) -> None:
    with pytest.raises(CourseRefused) as caught:
        read_course({**PLAIN, **changed})
    (one,) = caught.value.problems
    assert french(one.message).startswith(expected)
    french(caught.value.what)
    french(caught.value.remedy)


def test_files() -> None:
    with pytest.raises(CourseFileWrong) as caught:
        parse_course("x", "cours.yml")
    assert french(caught.value.what) == "cours.yml n'est pas un cours qui puisse être créé."
    (one,) = caught.value.problems
    french(one.problem.message)
    french(one.remedy)


@pytest.mark.parametrize("what", What)
def test_every_line_of_the_record(what: What) -> None:
    detail = {"role": "student", "added": ["a"], "back": ["b"], "dropped": ["c", "d"]}
    changes = {"title": ["a", "b"], "class_hours": [[], []], "seats": [1, 2]}
    for each in (detail, {"limit": 5}, {"changes": changes}, {}):
        french(Entry(0.0, "alice", "phys101", what, "bob", detail=each).sentence())


def test_some_lines_as_they_are() -> None:
    line = Entry(0.0, "alice", "c", What.ROSTER, detail={"added": ["a", "b"], "dropped": ["c"]})
    assert french(line.sentence()) == "alice a changé la liste : 2 de plus et 1 de moins."
    line = Entry(0.0, "alice", "c", What.CHANGED, detail={"changes": {"title": [], "term": []}})
    assert french(line.sentence()) == "alice a modifié le titre et le trimestre."
    line = Entry(0.0, "alice", "c", What.CODE_MADE, detail={"limit": 30})
    assert french(line.sentence()) == "alice a créé un code d'inscription pour 30 étudiants."


def test_every_refusal() -> None:
    for state in State:
        for role in (None, *Role):
            for action in Action:
                found = refusal(Person("x"), action, role, state, POLICY, key="phys101")
                if found is not None:
                    french(found.what)
                    french(found.remedy)
    full = CourseFull(30, 31)
    assert french(full.what) == "Le cours est prévu pour 30 étudiants, et en aurait 31."


def test_two_who_edit_at_once() -> None:
    stored = Stored(course(title="B"), 2, State.OPEN, "alice", 0.0, 0.0)
    entry = Entry(
        0.0, "alice", "phys101", What.CHANGED, version=2, detail={"changes": {"title": ["A", "B"]}}
    )
    for mine in (course(title="C"), course(title="A", seats=3), None):
        error = CourseChanged(stored, (entry,), mine)
        assert french(error.what).startswith("alice a modifié le titre le 1970-01-01 ")
        french(error.remedy)
