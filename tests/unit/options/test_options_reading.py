"""From a raw mapping to a request or a refusal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pydantic
import pytest

from slurmhub.options.offer import Offer
from slurmhub.options.reading import prefill, read_request
from slurmhub.options.refusal import GENERAL, Problem, Refusal, shown
from slurmhub.options.request import JobRequest
from slurmhub.slurm.gres import Gres
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import UNLIMITED, TimeLimit

Make = Callable[..., Any]


def refused(raw: object, offer: Offer | None, **more: Any) -> dict[str, Problem]:
    with pytest.raises(Refusal) as refusal:
        read_request(raw, offer, **more)
    return {problem.field: problem for problem in refusal.value.problems}


FULL = {
    "partition": "gpu",
    "cpus": 4,
    "memory": "8",
    "gpu_type": "h100",
    "gpus": 2,
    "hours": "1.5",
}
FULL_REQUEST = JobRequest(
    partition="gpu",
    cpus=4,
    memory=Memory(8192),
    gpu_type="h100",
    gpus=2,
    time=TimeLimit.of_minutes(90),
)


@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: [str(v)]])
def test_form_link_and_rest_say_the_same(offer: Offer, wrap: Callable[[object], object]) -> None:
    raw = {name: wrap(value) for name, value in FULL.items()}
    assert read_request(raw, offer) == FULL_REQUEST


def test_what_is_accepted_is_kept_and_read_again(offer: Offer) -> None:
    assert read_request(FULL_REQUEST.stored(), offer) == FULL_REQUEST
    assert read_request(FULL_REQUEST.as_typed(), offer) == FULL_REQUEST
    assert FULL_REQUEST.gres == Gres("gpu", "h100", 2)


def test_nothing_said_is_the_default(offer: Offer) -> None:
    for nothing in ({}, None, {"cpus": None, "_xsrf": ["2|x"]}):
        assert read_request(nothing, offer) == offer.default_request()


def test_an_empty_field_is_left_open(offer: Offer) -> None:
    empty = {"partition": [""], "cpus": " ", "memory": "", "hours": [None]}
    assert read_request(empty, offer) == offer.default_request()
    assert read_request(empty, offer, previous=FULL_REQUEST.stored()) == FULL_REQUEST
    # Nobody who empties the number of GPUs wants last time's.
    assert read_request({"gpus": ""}, offer, previous=FULL_REQUEST.stored()).gpus == 0
    assert prefill(empty, offer)[0] == offer.default_request().as_typed()


def test_what_is_left_open_is_as_last_time(offer: Offer) -> None:
    last = FULL_REQUEST.stored()
    assert read_request({}, offer, previous=last) == FULL_REQUEST
    assert read_request({"cpus": 8}, offer, previous=last).stored() == last | {"cpus": 8}
    assert read_request({"gpus": 0}, offer, previous=last).gres is None
    assert read_request({"gpus": 1}, offer, previous=last).gres == Gres("gpu", "h100", 1)


def test_what_was_asked_last_time_bends_to_what_is_asked_now(offer: Offer) -> None:
    last = FULL_REQUEST.stored() | {"hours": "24"}
    request = read_request({"partition": "cpu"}, offer, previous=last)
    assert request.stored() == {
        "partition": "cpu",
        "cpus": 4,
        "memory": "8192M",
        "gpu_type": "",
        "gpus": 0,
        "hours": "08:00:00",
    }
    mixed = read_request({"partition": "mixed", "gpus": 1}, offer, previous={"cpus": 64})
    assert (mixed.cpus, mixed.gpu_type, mixed.gpus) == (16, None, 1)


@pytest.mark.parametrize("last", [{"partition": "gone", "cpus": "x", "old": 1}, [1], {"gpus": "9"}])
def test_old_options_never_stand_in_the_way(offer: Offer, last: Any) -> None:
    assert read_request({}, offer, previous=last) == offer.default_request()


def test_the_only_type_is_taken(offer: Offer) -> None:
    for gpu_type in ("", "none", None):
        raw = {"partition": "gpu", "gpus": 1, "gpu_type": gpu_type}
        assert read_request(raw, offer).gres == Gres("gpu", "h100", 1)
    several = {"partition": "mixed", "gpus": 1, "gpu_type": "none"}
    assert read_request(several, offer).gres == Gres("gpu", None, 1)
    untyped = {"partition": "plain", "gpus": "4"}
    assert read_request(untyped, offer).gres == Gres("gpu", None, 4)


def test_a_type_alone_is_one_gpu(offer: Offer) -> None:
    request = read_request({"gpu_type": "h100"}, offer)
    assert (request.partition, request.gres) == ("gpu", Gres("gpu", "h100", 1))
    assert read_request({"gpu_type": "none"}, offer, previous=FULL_REQUEST.stored()).gpus == 0


def test_a_partition_is_found_for_what_is_asked(offer: Offer) -> None:
    assert read_request({"cpus": 32}, offer).partition == "mixed"
    assert read_request({"gpus": 1}, offer).partition == "gpu"
    assert read_request({"cpus": 8}, offer).partition == "cpu"
    assert read_request({"cpus": 8}, offer, previous={"partition": "gpu"}).partition == "gpu"


@pytest.mark.parametrize(
    ("raw", "field", "limit", "choices", "said"),
    [
        ({"partition": "nope"}, "partition", None, ("cpu", "gpu", "mixed", "plain"), "no such"),
        ({"partition": "secret"}, "partition", None, ("cpu", "gpu", "mixed", "plain"), "no such"),
        ({"partition": "drained"}, "partition", None, ("cpu", "gpu", "mixed", "plain"), "closed"),
        ({"partition": "cpu", "cpus": 9}, "cpus", "8", (), "at most 8 CPUs"),
        ({"partition": "cpu", "memory": "16"}, "memory", "15.6 GB", (), "15.6 GB"),
        ({"partition": "cpu", "hours": 9}, "hours", "8 hours", (), "8 hours"),
        ({"partition": "cpu", "gpus": 1}, "gpus", "0", (), "These have: gpu, mixed, plain."),
        ({"partition": "gpu", "gpus": 5}, "gpus", "4", (), "at most 4 GPUs"),
        ({"partition": "mixed", "gpus": 3, "gpu_type": "a100"}, "gpus", "2", (), "2 a100 GPUs"),
        ({"partition": "gpu", "gpu_type": "a100"}, "gpu_type", None, ("h100",), "of this type"),
        ({"partition": "plain", "gpu_type": "h100"}, "gpu_type", None, ("none",), "of this type"),
        ({"gpu_type": "h100", "gpus": 0}, "gpus", None, (), "no GPU"),
        ({"cpus": "many"}, "cpus", None, (), "whole number"),
        ({"cpus": ["1", "2"]}, "cpus", None, (), "once"),
        ({"cpus": 10**6}, "cpus", "8", (), "at most"),
    ],
)
def test_a_refusal_says_field_value_limit_and_choices(
    offer: Offer,
    raw: Mapping[str, object],
    field: str,
    limit: str | None,
    choices: tuple[str, ...],
    said: str,
) -> None:
    problems = refused(raw, offer)
    assert list(problems) == [field]
    problem = problems[field]
    assert problem.value
    assert said in problem.message
    assert (problem.limit, problem.choices) == (limit, choices)
    assert field in problem.line()
    assert problem.as_json()["limit"] == limit


@pytest.mark.parametrize(
    ("raw", "field", "limit"),
    [
        ({"cpus": 32, "gpus": 1}, "cpus", "16"),
        ({"memory": "100", "gpus": 1}, "memory", "15.6 GB"),
        ({"cpus": 32, "memory": "100", "gpus": 1}, "gpus", "0"),
    ],
)
def test_all_must_fit_on_one_node(
    offer: Offer, raw: dict[str, object], field: str, limit: str
) -> None:
    problems = refused(raw | {"partition": "mixed"}, offer)
    assert [(p.field, p.limit) for p in problems.values()] == [(field, limit)]
    alone = {"partition": "mixed", field: raw[field]}
    assert read_request(alone, offer).partition == "mixed"


def test_when_no_single_value_is_to_blame(offer_of: Make, node: Make, partition: Make) -> None:
    nodes = [
        node("a", cpus=64),
        node("b", memory=Memory(640000)),
        node("c", gres=(Gres("gpu", None, 1),)),
    ]
    offer = offer_of(nodes, [partition("p", "a", "b", "c")])
    problems = refused({"cpus": 64, "memory": "600", "gpus": 1}, offer)
    assert "less of each" in problems["cpus"].message
    assert read_request({"cpus": 64}, offer).cpus == 64


def test_memory_that_comes_with_cpus(offer_of: Make, node: Make, partition: Make) -> None:
    offer = offer_of([node("a")], [partition("p", "a", max_memory_per_cpu=Memory(1024))])
    assert refused({"cpus": 2, "memory": "4"}, offer)["memory"].limit == "2 GB"
    assert read_request({"memory": "4"}, offer).cpus == 4
    assert read_request({"cpus": 1}, offer).memory == Memory(1024)


def test_all_problems_at_once(offer: Offer) -> None:
    raw = {"partition": "nope", "cpus": "x", "memory": "999", "hours": "-1", "evil": "1"}
    problems = refused(raw, offer)
    assert set(problems) == {"partition", "cpus", "memory", "hours", GENERAL}
    assert problems[GENERAL].value == "evil"
    with pytest.raises(Refusal) as refusal:
        read_request(raw, offer)
    assert len(refusal.value.message().splitlines()) == 5
    assert refusal.value.remedy in str(refusal.value)


def test_many_unknown_names_are_counted(offer: Offer) -> None:
    with pytest.raises(Refusal) as refusal:
        read_request({f"k{number}": 1 for number in range(1000)}, offer)
    assert [p.value for p in refusal.value.problems][-1] == "and 995 more"
    assert len(refusal.value.problems) == 6


@pytest.mark.parametrize("raw", ["cpus=1", [], 4, True, b"{}"])
def test_options_are_a_mapping(offer: Offer, raw: object) -> None:
    assert GENERAL in refused(raw, offer)


def test_without_knowledge_everything_is_refused_for_now() -> None:
    assert "Try again" in refused({}, None)[GENERAL].message


def test_without_partitions_everything_is_refused(offer_of: Make, partition: Make) -> None:
    offer = offer_of([], [partition("p", up=False)])
    assert "Partition p is closed" in refused(FULL, offer)["partition"].message


def test_a_link_prefills(offer: Offer) -> None:
    values, notes = prefill({"opt-partition": ["gpu"], "gpus": ["1"]}, offer)
    assert (values["partition"], values["gpus"], values["cpus"]) == ("gpu", "1", "1")
    assert values["gpu_type"] == "h100"
    assert notes == ()
    assert read_request(values, offer).partition == "gpu"


def test_a_link_keeps_what_was_used_last(offer: Offer) -> None:
    values, _ = prefill({"hours": ["2"]}, offer, previous=FULL_REQUEST.stored())
    assert values == FULL_REQUEST.as_typed() | {"hours": "2"}


def test_a_link_with_mistakes_shows_them(offer: Offer) -> None:
    query = {"cpus": ["9\n9"], "partition": ["cpu"], "cmd": ["rm"], "opt-x": ["1"]}
    values, notes = prefill(query | {"next": ["/hub/"], "_xsrf": ["t"]}, offer)
    assert values["cpus"] == "9\\n9"
    assert [(note.field, note.value) for note in notes] == [
        ("cpus", "9\\n9"),
        (GENERAL, "cmd"),
        (GENERAL, "x"),
    ]
    assert all("left out" in note.message for note in notes[1:])


def test_a_link_without_an_offer(offer: Offer) -> None:
    values, notes = prefill({"cpus": ["2"], "a": ["1"]}, None, previous={"hours": "3", "b": 1})
    assert values == {"cpus": "2", "hours": "3"}
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\nb\x00\u2028\ud800", "a\\nb\\x00\\u2028\\ud800"),
        ("é ✓", "é ✓"),
        pytest.param(10**5000, "a very large number", id="huge"),
        (True, "true"),
        (None, "nothing"),
        ([1, [2]], "a list of 2"),
        (b"\xff", "bytes"),
        ({"a": 1}, "a mapping"),
        (4.5, "4.5"),
    ],
)
def test_values_are_safe_to_show(value: object, text: str) -> None:
    assert shown(value) == text
    assert len(shown("\n" * 1000)) == 80


@pytest.mark.parametrize(
    "wrong",
    [
        {"partition": "a\nb"},
        {"partition": "gpu\n"},
        {"cpus": 0},
        {"cpus": True},
        {"cpus": "4"},
        {"memory": Memory(0)},
        {"memory": 4096},
        {"memory": {"mebibytes": 4096}},
        {"time": UNLIMITED},
        {"time": TimeLimit.of_seconds(0)},
        {"time": TimeLimit.of_seconds(90)},
        {"gpus": 0},
        {"gpus": -1},
        {"gpu_type": "h100:4"},
        {"gpu_type": "none"},
        {"name": "x"},
    ],
)
def test_a_request_cannot_be_made_wrong(wrong: dict[str, Any]) -> None:
    good = {name: getattr(FULL_REQUEST, name) for name in JobRequest.model_fields}
    assert JobRequest(**good) == FULL_REQUEST
    with pytest.raises(pydantic.ValidationError):
        JobRequest(**good | wrong)
    with pytest.raises(pydantic.ValidationError):
        FULL_REQUEST.cpus = 5  # type: ignore[misc]


def test_reading_is_quick(offer: Offer) -> None:
    hostile = {"cpus": "9" * 10**6, "memory": ["x" * 10**6], "partition": {"a": [1] * 1000}}
    for raw in (FULL, hostile):
        start = time.process_time()
        for _ in range(100):
            try:
                read_request(raw, offer, previous=FULL_REQUEST.stored())
            except Refusal:
                continue
        # A mean of 2 ms is far above what it takes here, and far below what anyone notices.
        assert time.process_time() - start < 0.2
