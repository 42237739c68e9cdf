"""The steps of a round, and what stands in the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from slurmhub.courses.model import State
from slurmhub.courses.slurm.capacity import Claim
from slurmhub.courses.slurm.desired import ClusterSite, CourseOnCluster, Occurrence, desired
from slurmhub.courses.slurm.planning import make_plan
from slurmhub.courses.slurm.steps import Plan
from slurmhub.slurm.entities import DENY_ON_LIMIT, Association, Limits, Qos
from slurmhub.slurm.reservations import ReservationRecord
from tests.unit.courses.slurm.made import HOUR, NOW, actual, course, node

SITE = ClusterSite(hub="Main", own_qos=True)
NAME = "course-phys101"
LESSON = Occurrence(start=NOW + HOUR, end=NOW + 2 * HOUR)
OPEN = CourseOnCluster(
    course=course(),
    state=State.OPEN,
    members=frozenset({"alice", "bob"}),
    occurrences=(LESSON,),
    roster=16,
)
RESERVATION = ReservationRecord(
    name=f"{NAME}-20261005-1000",
    start=LESSON.start,
    end=LESSON.end,
    nodes=("g1", "g2"),
    accounts=(NAME,),
)


def plan(*courses: CourseOnCluster, **there: Any) -> Plan:
    return make_plan(desired(courses, SITE, NOW), actual(**there), SITE, now=NOW)


def kinds(found: Plan) -> list[str]:
    return [step.kind for step in found.steps]


def all_there() -> dict[str, Any]:
    """What Slurm has when phys101 has all that it should."""
    (wanted,) = desired([OPEN], SITE, NOW).courses
    assert wanted.qos is not None
    return {
        "organizations": {"courses": "courses", NAME: "slurmhub main"},
        "accounts": {
            "courses": Association(account="courses", parent="root"),
            NAME: Association(
                account=NAME,
                parent="courses",
                qos=(NAME,),
                default_qos=NAME,
                limits=wanted.account.limits,
            ),
        },
        "members": {NAME: {one: Association(account=NAME, user=one) for one in OPEN.members}},
        "qos": {
            NAME: Qos(
                name=NAME,
                description="slurmhub main",
                flags=frozenset({DENY_ON_LIMIT}),
                limits=wanted.qos.limits,
            )
        },
        "reservations": {RESERVATION.name: RESERVATION},
    }


def test_from_nothing() -> None:
    found = plan(OPEN)
    assert kinds(found) == ["make-parent", "make-qos", "make-account", "put", "make-reservation"]
    assert [str(step) for step in found.steps][1:] == [
        f"phys101: make the QOS {NAME}, at most 30 jobs, with cpu=60,gres/gpu=30,mem=61440 in all",
        f"phys101: make the account {NAME} below courses, 1 of each person",
        f"phys101: put alice, bob into {NAME}",
        f"phys101: reserve g1, g2 for 16 servers ({RESERVATION.name})",
    ]
    assert found.waiting == {}


def test_nothing_when_all_is_there() -> None:
    assert plan(OPEN, **all_there()) == Plan((), {})


def test_the_end_goes_from_the_outside_in() -> None:
    ended = replace(OPEN, state=State.ENDED)
    found = plan(ended, **all_there())
    assert kinds(found) == ["end-reservation", "leave", "remove-account", "remove-qos"]
    busy = plan(ended, **all_there(), jobs={NAME: {"alice": 2}})
    assert kinds(busy) == ["end-reservation", "close", "close"]
    assert busy.waiting == {"phys101": ("2 jobs of the course must end first.",)}
    left = plan(ended, qos=all_there()["qos"])
    assert kinds(left) == ["remove-qos"], "killed before the last step"
    orphan = plan(ended, organizations={NAME: "slurmhub main"})
    assert kinds(orphan) == ["remove-account"], "an account in no cluster"
    assert plan(ended) == Plan((), {})


def test_nothing_of_others_is_touched() -> None:
    there = all_there() | {"organizations": {NAME: "slurmhub other"}}
    found = plan(replace(OPEN, occurrences=()), **(there | {"reservations": {}}))
    assert found.steps == ()
    assert "not this hub's" in found.waiting["phys101"][0]
    ended = plan(replace(OPEN, state=State.ENDED), **(there | {"reservations": {}, "qos": {}}))
    assert ended.steps == ()
    theirs = {NAME: Qos(name=NAME, description="theirs")}
    assert plan(OPEN, **(all_there() | {"qos": theirs})).steps == ()


def test_an_account_of_an_unknown_course_is_told_and_left_alone() -> None:
    found = plan(**all_there())
    assert found.steps == ()
    assert found.strays == (NAME,)


def test_a_name_that_sacctmgr_would_take_for_two_is_refused() -> None:
    odd = replace(OPEN, members=frozenset({"alice", "bob,mallory", "x y"}))
    found = plan(odd, **all_there())
    assert found.waiting["phys101"] == (
        "Slurm cannot take accounts of such names: bob,mallory, x y.",
    )
    assert kinds(found) == ["leave"]


def test_who_left_is_barred_while_they_have_a_job() -> None:
    alone = replace(OPEN, members=frozenset({"alice"}))
    found = plan(alone, **all_there(), jobs={NAME: {"bob": 1}})
    assert kinds(found) == ["bar"]
    queued = plan(alone, **all_there(), jobs={NAME: {"bob": 1}}, waiting={NAME: {"bob": 1}})
    assert kinds(queued) == ["bar", "end-waiting"], "what has not begun loses nobody's work"
    barred = Association(account=NAME, user="bob", limits=Limits(jobs_each=0))
    members = {NAME: {"alice": Association(account=NAME, user="alice"), "bob": barred}}
    again = plan(OPEN, **(all_there() | {"members": members}))
    assert kinds(again) == ["unbar"]


def test_two_classes_at_once_get_nodes_of_their_own_and_a_third_none() -> None:
    def other(key: str) -> CourseOnCluster:
        return replace(OPEN, course=course(key), roster=16)

    found = plan(other("a01"), other("b01"), other("c01"))
    made = [step.words for step in found.steps if step.kind == "make-reservation"]
    assert [words.split(" for ")[0] for words in made] == ["reserve g1, g2", "reserve g3, g4"]
    assert "There is room for 0 of 16 servers." in found.waiting["c01"][0]


def test_a_class_keeps_its_room_when_another_wants_it_too() -> None:
    first = replace(OPEN, course=course("a01"), roster=32)
    found = plan(first, OPEN, **all_there())
    assert "make-reservation" not in kinds(found)
    assert list(found.waiting) == ["a01"]


def test_a_class_with_too_few_nodes_left_keeps_those() -> None:
    facts = actual().facts
    nodes = (node("g1"), *(node(f"g{n}", usable=False) for n in (2, 3, 4)))
    found = plan(OPEN, **all_there(), facts=replace(facts, nodes=nodes))
    assert [step.words for step in found.steps] == [f"let {RESERVATION.name} have g1"]
    assert "out of service" in found.waiting["phys101"][0]


def test_another_end_and_another_start() -> None:
    longer = replace(LESSON, end=LESSON.end + HOUR)
    found = plan(replace(OPEN, occurrences=(longer,)), **all_there())
    assert kinds(found) == ["set-reservation"]
    later = replace(LESSON, start=LESSON.start + HOUR, end=longer.end)
    moved = plan(replace(OPEN, occurrences=(later,)), **all_there())
    assert kinds(moved) == ["end-reservation", "make-reservation"]


def test_jobs_of_others_push_a_class_to_other_nodes() -> None:
    job = Claim(nodes=frozenset({"g1", "g2"}), start=NOW, end=NOW + 3 * HOUR, account="research")
    found = plan(OPEN, claims=(job,))
    assert "reserve g3, g4 " in found.steps[-1].words
