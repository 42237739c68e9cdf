"""One request through a profile: what it fixes, bounds, leaves free, and refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from slurmhub.options.admission import admit, chosen_profile
from slurmhub.options.offer import Offer
from slurmhub.options.profiles import Allowed, read_profiles
from slurmhub.options.refusal import Refusal

SITE = read_profiles(
    [
        {
            "name": "course-lab",
            "title": "Course lab",
            "fields": {
                "partition": "cpu",
                "cpus": {"min": 1, "max": 4, "default": 2},
                "memory": {"choices": ["2", "4"]},
                "hours": 2,
            },
        },
        {"name": "gpu", "title": "One GPU", "fields": {"gpus": 1, "hours": "max", "cpus": "free"}},
        {"name": "staff", "title": "Staff", "groups": ["staff"], "fields": {"cpus": "free"}},
    ],
    hidden=["memory"],
)
ALL = SITE.allowed([])
NO_CHOICE = Allowed(ALL.profiles, None)
Judge = Callable[..., dict[str, Any]]


@pytest.fixture
def judge(offer: Offer) -> Judge:
    """What is stored of options that are accepted."""

    def stored(raw: object, allowed: Allowed = ALL, **options: Any) -> dict[str, Any]:
        return admit(raw, offer, allowed, **options).stored()

    return stored


@pytest.fixture
def refused(offer: Offer) -> Callable[..., dict[str, str]]:
    """The messages of options that are refused, by field."""

    def messages(raw: object, allowed: Allowed = ALL) -> dict[str, str]:
        with pytest.raises(Refusal) as caught:
            admit(raw, offer, allowed)
        return {problem.field: problem.line() for problem in caught.value.problems}

    return messages


COURSE = {
    "profile": "course-lab",
    "partition": "cpu",
    "cpus": 2,
    "memory": "2048M",
    "gpu_type": "",
    "gpus": 0,
    "hours": "02:00:00",
}


def test_a_profile_fills_in_what_is_not_said(judge: Judge) -> None:
    assert judge({"profile": "course-lab"}) == COURSE
    changed = judge({"profile": ["course-lab"], "cpus": ["3"], "memory": "4"})
    assert changed == COURSE | {"cpus": 3, "memory": "4096M"}
    assert judge({"profile": "course-lab", "cpus": "", "memory": " "}) == COURSE


def test_hours_may_be_the_longest_of_the_partition(judge: Judge) -> None:
    found = judge({"profile": "gpu", "cpus": 8})
    # The first partition with GPUs, not the default one.
    assert (found["partition"], found["cpus"], found["gpus"]) == ("gpu", 8, 1)
    assert found["hours"] == "1-00:00:00"


def test_what_is_stored_gives_the_same_again(judge: Judge) -> None:
    for raw in ({"profile": "course-lab", "cpus": 4}, {"profile": "gpu"}, {"cpus": 3}, {}):
        stored = judge(raw)
        assert judge(stored) == stored
        assert judge({}, previous=stored) == stored


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"hours": 3}, "hours", "hours = “3”: With “Course lab” this is 2, and cannot be changed."),
        ({"partition": "gpu"}, "partition", "With “Course lab” this is cpu, and cannot be"),
        ({"gpus": 1}, "gpus", "With “Course lab” this is 0, and cannot be changed. (limit: 0)"),
        ({"gpu_type": "h100"}, "gpu_type", "this is none, and cannot be changed"),
        ({"hours": "long"}, "hours", "hours = “long”: Write a number of hours"),
        ({"cpus": 5}, "cpus", "cpus = “5”: With “Course lab” this is at most 4. (limit: 4)"),
        ({"cpus": 0}, "cpus", "Ask for at least 1 CPU."),
        ({"cpus": ["2", "3"]}, "cpus", "Give this once."),
        ({"memory": "3"}, "memory", "this is one of a few values. (choices: 2, 4)"),
        ({"colour": "red"}, "options", "There is no such option."),
    ],
)
def test_a_profile_holds(
    refused: Callable[..., dict[str, str]], given: dict[str, Any], field: str, said: str
) -> None:
    told = refused({"profile": "course-lab", **given})
    assert list(told) == [field]
    assert said in told[field]


def test_every_problem_is_told(refused: Callable[..., dict[str, str]]) -> None:
    told = refused({"profile": "course-lab", "cpus": 9, "memory": "x", "hours": 9, "colour": 1})
    assert list(told) in (
        ["cpus", "memory", "options"],
        ["cpus", "memory", "hours", "options"],
    )


@pytest.mark.parametrize("value", ["02:00:00", 2, "2.0", ["120:00"]])
def test_the_fixed_value_may_be_said_in_other_words(judge: Judge, value: object) -> None:
    assert judge({"profile": "course-lab", "hours": value}) == COURSE


@pytest.mark.parametrize("name", ["nope", "staff", "Course-Lab", "", 7, {"a": 1}, ["a", "b"]])
def test_profiles_that_are_not_there_for_one(
    refused: Callable[..., dict[str, str]], name: object
) -> None:
    told = refused({"profile": name}, NO_CHOICE)
    assert list(told) == ["profile"]
    assert "staff" not in told["profile"].partition("choices")[2]


def test_groups_decide(judge: Judge) -> None:
    assert judge({"profile": "staff"}, SITE.allowed(["staff"]))["profile"] == "staff"


def test_who_may_not_choose_everything_names_a_profile(
    judge: Judge, refused: Callable[..., dict[str, str]]
) -> None:
    for raw in ({}, {"cpus": 2}, {"profile": ""}, {"profile": None}):
        told = refused(raw, NO_CHOICE)
        assert told == {
            "profile": "profile: Choose one of the profiles. (choices: course-lab, gpu)"
        }
    assert judge({}, NO_CHOICE, previous=COURSE) == COURSE
    nobody = refused({}, Allowed((), None))
    assert "Ask the people who run it" in nobody["profile"]


def test_hidden_fields_are_not_asked_for(
    judge: Judge, refused: Callable[..., dict[str, str]]
) -> None:
    assert judge({"cpus": 2})["memory"] == "2048M"
    assert judge({"cpus": 2, "memory": "2"})["memory"] == "2048M"
    told = refused({"cpus": 2, "memory": "4"})
    assert told == {"memory": "memory = “4”: This is 2 here, and cannot be changed. (limit: 2)"}
    assert judge({}, previous={"cpus": 3, "memory": "4096M"})["memory"] == "2048M"


def test_old_options_never_refuse(judge: Judge) -> None:
    gone: list[dict[str, Any]] = [
        {"profile": "gone", "cpus": 2},
        {"profile": "staff", "cpus": 2},
        {"profile": "course-lab", "cpus": 400, "memory": "3G", "hours": "9:00:00"},
        {"profile": 7, "cpus": []},
    ]
    for previous in gone:
        assert judge({}, previous=previous)
    bounded = judge({}, previous=gone[2])
    assert bounded == COURSE
    with pytest.raises(Refusal):
        judge({}, NO_CHOICE, previous=gone[0])


def test_what_no_profile_could_read(offer: Offer) -> None:
    for raw in ("text", 7, ["a"], None):
        with pytest.raises(Refusal):
            admit(raw, offer, NO_CHOICE)
    with pytest.raises(Refusal):
        admit({"profile": "gpu"}, None, ALL)


def test_everything_is_the_profile_without_a_name() -> None:
    assert chosen_profile({"cpus": 2}, ALL) is SITE.whole
    assert chosen_profile({"profile": "gpu"}, ALL).name == "gpu"
