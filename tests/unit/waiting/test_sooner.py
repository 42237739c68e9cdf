"""What would start sooner: near the request, allowed, and clearly sooner in Slurm's own words."""

from __future__ import annotations

from typing import Any

import pytest

from slurmhub.options.limits import SiteLimits
from slurmhub.options.offer import Offer
from slurmhub.options.request import JobRequest
from slurmhub.slurm.gres import parse_gres
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit
from slurmhub.waiting.sooner import (
    MOST_TRIED,
    Candidate,
    candidates,
    clearly_sooner,
    promise,
    suggested,
)
from tests.unit.options.conftest import make_facts, make_node, make_partition

NODES = [
    make_node("c1", partitions=("cpu",), cpus_idle=0),
    make_node("c2", partitions=("spare",), cpus=4, cpus_idle=4),
    make_node(
        "g1",
        partitions=("gpu",),
        gres=parse_gres("gpu:h100:4"),
        gres_used=parse_gres("gpu:h100:3"),
    ),
    make_node("m1", partitions=("mixed",), gres=parse_gres("gpu:a100:2")),
]
FACTS = make_facts(
    NODES,
    [
        make_partition("cpu", "c1", default=True),
        make_partition("spare", "c2", max_time=TimeLimit.of_minutes(240)),
        make_partition("gpu", "g1"),
        make_partition("mixed", "m1"),
        make_partition("shut", "c1", up=False),
    ],
)
OFFER = Offer.from_facts(FACTS, SiteLimits())


def request(**changes: Any) -> JobRequest:
    values: dict[str, Any] = {
        "partition": "cpu",
        "cpus": 2,
        "memory": Memory(4096),
        "time": TimeLimit.of_minutes(180),
    }
    return JobRequest(**values | changes)


def anything(_: JobRequest) -> bool:
    return True


def words(wanted: JobRequest) -> list[str]:
    return [one.words for one in candidates(wanted, OFFER, NODES, anything)]


def test_what_fits_into_free_room_is_tried_first() -> None:
    assert words(request()) == [
        "Start in partition spare instead",
        "Start with 2 hours instead",
        "Start with 1.5 hours instead",
        "Start with 1 hour instead",
        "Start with 1 CPU and 2 GB of memory instead",
    ]


def test_who_needs_no_gpu_is_not_sent_where_they_are() -> None:
    assert not [one for one in words(request()) if "gpu" in one or "mixed" in one]


def test_gpus_of_another_type_and_fewer_of_the_same() -> None:
    wanted = request(partition="gpu", gpus=2, gpu_type="h100", time=TimeLimit.of_minutes(60))
    found = words(wanted)
    assert found[:2] == ["Start with 2 a100 GPUs instead", "Start with 1 GPU instead"]


def test_only_what_may_be_asked_for_is_tried() -> None:
    wanted = request(cpus=8, time=TimeLimit.of_minutes(480))
    for one in candidates(wanted, OFFER, NODES, anything):
        assert OFFER.allows(one.request)
        assert one.request != wanted
        assert one.request.partition != "shut"


def test_only_what_the_person_is_granted_is_tried() -> None:
    found = candidates(request(), OFFER, NODES, lambda one: one.partition == "spare")
    assert [one.words for one in found] == ["Start in partition spare instead"]


def test_no_more_are_tried_than_the_budget_has() -> None:
    wanted = request(partition="gpu", gpus=4, gpu_type="h100", cpus=8)
    assert len(candidates(wanted, OFFER, NODES, anything)) <= MOST_TRIED


def test_the_smallest_request_has_nothing_below() -> None:
    wanted = request(cpus=1, memory=Memory(1), time=TimeLimit.of_minutes(30), partition="mixed")
    assert (
        candidates(
            wanted, Offer.from_facts(FACTS, SiteLimits(partitions=("mixed",))), NODES, anything
        )
        == ()
    )


@pytest.mark.parametrize(
    ("wait", "than", "worth_it"),
    [
        (0, 3600, True),
        (0, 299, False),
        (0, 300, True),
        (2400, 3600, True),
        (2500, 3600, False),
        (3600, 3600, False),
        (7200, 3600, False),
    ],
)
def test_sooner_is_clearly_sooner_or_not_said(wait: float, than: float, worth_it: bool) -> None:
    assert clearly_sooner(wait, than) == worth_it


def candidate(name: str) -> Candidate:
    return Candidate(name, request())


def test_the_soonest_is_first_and_what_is_not_known_is_not_said() -> None:
    found = suggested(
        [
            (candidate("later"), 1200.0),
            (candidate("unknown"), None),
            (candidate("now"), 5.0),
            (candidate("no gain"), 3500.0),
            (candidate("also now"), 0.0),
        ],
        3600.0,
    )
    assert [one.words for one in found] == ["now", "also now", "later"]
    assert [one.promise for one in found] == [
        "It could start now.",
        "It could start now.",
        "It could start in about 20 minutes.",
    ]
    assert found[0].options == request().stored()


def test_who_does_not_know_how_long_one_waits_suggests_nothing() -> None:
    assert suggested([(candidate("now"), 0.0)], None) == ()


def test_a_promise_is_a_sentence() -> None:
    assert promise(0) == "It could start now."
    assert promise(7300) == "It could start in about 2 hours."
