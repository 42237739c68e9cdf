"""What a class gives back while it lasts."""

from __future__ import annotations

from datetime import timedelta

from slurmhub.courses.policy import Early
from slurmhub.courses.slurm.early import still_needed
from slurmhub.slurm.records import NodeRecord
from tests.unit.courses.slurm.made import HOUR, NOW, node, reservation

CLASS = reservation((NOW, NOW + HOUR))
LATER = NOW + timedelta(minutes=20)
NAMES = ("g1", "g2", "g3", "g4")


def nodes(*used: int) -> dict[str, NodeRecord]:
    return {f"g{n}": node(f"g{n}", gpus_used=count) for n, count in enumerate(used, start=1)}


def test_nothing_before_its_time() -> None:
    assert still_needed(CLASS, NAMES, nodes(0, 0, 0, 0), Early(), NOW) is None


def test_a_few_places_are_kept_where_somebody_is_already() -> None:
    assert still_needed(CLASS, NAMES, nodes(3, 0, 0, 0), Early(), LATER) == ("g1",)


def test_full_nodes_stay_for_who_starts_again() -> None:
    assert still_needed(CLASS, NAMES, nodes(8, 8, 7, 0), Early(), LATER) == ("g1", "g2", "g4")


def test_all_stay_when_everybody_came() -> None:
    assert still_needed(CLASS, NAMES, nodes(8, 8, 8, 7), Early(), LATER) == NAMES


def test_all_goes_when_nobody_is_expected() -> None:
    assert still_needed(CLASS, NAMES, nodes(0, 0, 0, 0), Early(keep_spare=0), LATER) == ()


def test_what_is_out_of_service_is_of_no_use_and_what_is_unknown_stays() -> None:
    there = nodes(3, 0) | {"g3": node("g3", usable=False)}
    assert still_needed(CLASS, NAMES, there, Early(), LATER) == ("g1", "g4")


def test_not_while_another_class_is_to_come_in_it() -> None:
    two = reservation((NOW, NOW + HOUR), (NOW + HOUR, NOW + 2 * HOUR))
    assert still_needed(two, NAMES, nodes(0, 0, 0, 0), Early(), LATER) is None
    last = NOW + timedelta(minutes=80)
    assert still_needed(two, NAMES, nodes(0, 0, 0, 0), Early(), last) == ("g1",)
