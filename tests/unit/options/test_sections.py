"""Which part of the page is meant, and what stands in each."""

from __future__ import annotations

from typing import Any

from slurmhub.options.offer import Offer
from slurmhub.options.profiles import Allowed, read_profiles
from slurmhub.options.refusal import Problem
from slurmhub.options.sections import (
    Filled,
    filled_again,
    filled_by_link,
    filled_first,
    options_of_form,
    plain_options,
    unasked,
)

SITE = read_profiles(
    [
        {"name": "lab", "title": "Lab", "fields": {"cpus": {"max": 4, "default": 2}, "hours": 1}},
        {"name": "free", "title": "Free", "fields": {"cpus": "free", "memory": "free"}},
    ],
    hidden=["hours"],
)
ALL = SITE.allowed([])
PAGE = {
    "lab.cpus": ["3"],
    "free.cpus": ["7"],
    "free.memory": ["1"],
    "cpus": ["5"],
    "partition": ["cpu"],
}


def test_the_button_says_which_section_is_meant() -> None:
    assert options_of_form(PAGE | {"card": ["lab"]}) == {"profile": "lab", "cpus": ["3"]}
    assert options_of_form(PAGE) == {"cpus": ["5"], "partition": ["cpu"]}
    assert options_of_form({"profile": ["lab"], "cpus": ["1"]}) == {
        "profile": ["lab"],
        "cpus": ["1"],
    }
    for pressed in ([""], [], ["lab", "free"]):
        assert options_of_form(PAGE | {"card": pressed}) is None
    # What is no field is kept, to be refused.
    assert options_of_form({"a.b": "1", "colour": "2"}) == {"a.b": "1", "colour": "2"}
    assert options_of_form({"card": ["no.such"]}) == {"profile": "no.such"}


def test_what_the_page_hides_is_not_asked() -> None:
    assert unasked({"cpus": ["2"], "hours": ["9"], "x": ["y"]}, ALL) == {"cpus": ["2"], "x": ["y"]}
    for options, may in (
        ({"profile": "lab", "hours": ["9"]}, ALL),
        ({"hours": ["9"]}, Allowed(ALL.profiles, None)),
    ):
        assert unasked(options, may) == options


def test_a_refusal_keeps_all_that_was_typed() -> None:
    problem = Problem("cpus", "3", "No.")
    options: dict[str, Any] = {"profile": "lab", "cpus": ["3"]}
    filling = filled_again(PAGE | {"card": ["lab"]}, options, (problem,))
    assert filling.current == "lab"
    assert filling.of("lab") == Filled(options, (problem,))
    assert filling.of("free").values == {"profile": "free", "cpus": ["7"], "memory": ["1"]}
    assert filling.of("").values == {"cpus": ["5"], "partition": ["cpu"]}
    assert filling.problems == ()

    everything = filled_again(PAGE, {"cpus": ["5"]}, (problem,))
    assert everything.current == ""
    assert everything.of("").problems == (problem,)
    assert everything.of("lab").problems == ()

    for unknown, problems in (({}, (problem,)), (options, (Problem("profile", "lab", "No."),))):
        filling = filled_again(PAGE, unknown, problems)
        assert filling.current is None
        assert filling.problems == problems
        assert filling.of("").values == {"cpus": ["5"], "partition": ["cpu"]}


def test_a_link_fills_in_its_section(offer: Offer) -> None:
    filling = filled_by_link({"profile": ["lab"], "cpus": ["3"]}, offer, ALL, {})
    assert filling.current == "lab"
    assert filling.of("lab") == Filled({"cpus": ["3"]})

    filling = filled_by_link({"profile": ["lab"], "cpus": ["9"], "hours": ["7"]}, offer, ALL, {})
    told = {one.field: one.message for one in filling.of("lab").problems}
    assert told["cpus"] == "With “Lab” this is at most 4."
    filling = filled_by_link({"profile": ["lab"], "hours": ["7"], "x": ["y"]}, offer, ALL, {})
    told = {one.field: one.message for one in filling.of("lab").problems}
    assert all(message.endswith("It was left out.") for message in told.values())

    filling = filled_by_link({"cpus": ["3"], "hours": ["7"]}, offer, ALL, {})
    assert filling.current == ""
    assert filling.of("").values["cpus"] == "3"
    assert [one.message for one in filling.of("").problems] == [
        "This cannot be chosen here. It was left out."
    ]


def test_a_link_to_what_is_not_there_for_one_says_so(offer: Offer) -> None:
    none = Allowed(ALL.profiles, None)
    for asked, allowed in (
        ({"profile": ["gone"], "cpus": ["3"]}, ALL),
        ({"cpus": ["3"]}, none),
    ):
        filling = filled_by_link(asked, offer, allowed, {})
        assert filling.current is None
        assert [one.field for one in filling.problems] == ["profile"]
        assert filling.of("").values.get("cpus") != "3"


def test_the_last_options_are_found_again(offer: Offer) -> None:
    filling = filled_first(offer, ALL, {"profile": "lab", "cpus": 3, "hours": "1:00:00"})
    assert filling.current == "lab"
    assert filling.of("lab").values["cpus"] == "3"
    filling = filled_first(offer, ALL, {"cpus": 3})
    assert (filling.current, filling.of("").values["cpus"]) == ("", "3")
    for previous in ({}, {"profile": "gone", "cpus": 3}):
        filling = filled_first(offer, ALL, previous)
        assert (filling.current, filling.of("").values["cpus"]) == (None, "1")
    assert filled_first(None, ALL, {"profile": "lab"}).current == "lab"


def test_options_for_a_link_are_short_plain_texts() -> None:
    values: dict[str, Any] = {
        "profile": "lab",
        "cpus": ["2"],
        "memory": " 4 ",
        "hours": "",
        "gpus": "x" * 200,
        "gpu_type": "a\nb",
        "partition": ["a", "b"],
        "_xsrf": "secret",
        "colour": "red",
    }
    assert plain_options(values) == {"profile": "lab", "cpus": "2", "memory": "4"}
