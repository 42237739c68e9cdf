"""The page's fragment: cards, everything, and what each holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import Any

import pytest
from tests.unit.options.conftest import make_facts, make_node, make_partition

from slurmhub.language import spoken
from slurmhub.options.cards import Surroundings, draw_page
from slurmhub.options.limits import SiteLimits
from slurmhub.options.offer import Offer
from slurmhub.options.profiles import Allowed, read_profiles
from slurmhub.options.refusal import Problem, Refusal
from slurmhub.options.sections import Filled, Filling, filled_first
from slurmhub.slurm.reservations import ReservationRecord
from slurmhub.slurm.times import TimeLimit

AROUND = Surroundings("/hub/slurmhub/share?page=alice", "/hub/slurmhub/pictures/")
NOTHING = Filling(None, {})


class Elements(HTMLParser):
    """All elements of a fragment, with their attributes; `text` is what is read."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(fragment)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, name: str) -> dict[str, str | None]:
        """The attributes of the one element of this name."""
        (found,) = [attrs for _, attrs in self.found if attrs.get("name") == name]
        return found

    def ids(self) -> list[str]:
        """All ids."""
        return [str(attrs["id"]) for _, attrs in self.found if "id" in attrs]


def allowed(*profiles: dict[str, Any], everything: bool = True) -> Allowed:
    """What a site with these profiles lets everybody choose."""
    return read_profiles(profiles, everything=everything).allowed([])


def profile(name: str = "lab", **fields: Any) -> dict[str, Any]:
    """A profile that says this of its fields."""
    return {"name": name, "title": f"The {name}", "fields": fields}


def _button(attrs: dict[str, str | None]) -> tuple[str | None, str | None]:
    return attrs.get("name"), attrs.get("value")


def drawn(offer: Offer | None, may: Allowed, filling: Filling = NOTHING) -> Elements:
    """The fragment; its ids are all different, and every label and description leads somewhere."""
    page = Elements(draw_page(offer, may, filling, around=AROUND))
    ids = page.ids()
    assert len(ids) == len(set(ids))
    for _, attrs in page.found:
        for name in ("for", "aria-describedby"):
            assert set((attrs.get(name) or "").split()) <= set(ids)
    return page


def test_a_card_has_its_open_fields_and_says_the_rest(offer: Offer) -> None:
    lab = profile(
        cpus={"min": 1, "max": 4, "default": 2},
        memory={"choices": ["2", "4G"], "default": "4G"},
        hours=2,
        partition="cpu",
    )
    page = drawn(offer, allowed(lab))
    cpus = page.named("lab.cpus")
    assert (cpus["type"], cpus["min"], cpus["max"], cpus["value"]) == ("number", "1", "4", "2")
    options = [attrs for tag, attrs in page.found if tag == "option"]
    assert {"value": "4G", "selected": None} in options
    assert "2 hours" in page.text
    assert "From 1 to 4." in page.text
    assert not [attrs for _, attrs in page.found if attrs.get("name") in ("lab.hours", "lab.gpus")]
    buttons = [attrs for tag, attrs in page.found if tag == "button" and "formaction" not in attrs]
    assert [(b.get("name"), b.get("value")) for b in buttons] == [
        ("card", ""),
        ("card", "lab"),
        (None, None),
    ]
    assert all("formnovalidate" in button for button in buttons)


def test_without_profiles_the_form_is_what_it_was(offer: Offer) -> None:
    page = drawn(offer, allowed())
    tags = [tag for tag, attrs in page.found if attrs.get("id") == "slurmhub-everything"]
    assert tags == ["div"]
    buttons = [attrs for tag, attrs in page.found if tag == "button"]
    assert [("formaction" in b, "formnovalidate" in b) for b in buttons] == [
        (False, False),
        (True, True),
    ]


@pytest.mark.parametrize(
    ("current", "opened"), [("", True), ("lab", False), (None, False)], ids=str
)
def test_everything_is_open_when_it_was_used_last(
    offer: Offer, current: str | None, opened: bool
) -> None:
    page = drawn(offer, allowed(profile(cpus=1)), Filling(current, {}))
    (details,) = [a for t, a in page.found if t == "details" and a["id"] == "slurmhub-everything"]
    assert ("open" in details) is opened


def test_who_may_not_choose_everything_sees_cards_only(offer: Offer) -> None:
    page = drawn(offer, allowed(profile(cpus=1), everything=False))
    assert "slurmhub-everything" not in page.ids()
    assert "nothing that you can start" not in page.text
    assert "nothing that you can start" in drawn(offer, Allowed((), None)).text


def test_what_the_cluster_cannot_give_is_said(offer: Offer) -> None:
    page = drawn(offer, allowed(profile(partition="cpu", gpus=1)))
    assert "Not available now: Partition cpu has no GPUs." in page.text
    (start,) = [
        attrs for _, attrs in page.found if attrs.get("value") == "lab" and "card" in attrs.values()
    ]
    assert "disabled" in start
    page = drawn(offer, allowed(profile(partition="drained")))
    assert "it is closed by the people who run the cluster" in page.text


def test_a_card_of_a_partition_that_is_drained_says_so(
    offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more(partition: str) -> None:
        if partition == "cpu":
            raise Refusal([Problem("partition", "cpu", "No new servers start: new disks.")])

    monkeypatch.setattr("slurmhub.options.cards.refuse_while_draining", no_more)
    page = drawn(offer, allowed(profile("a", partition="cpu"), profile("b", partition="gpu")))
    assert page.text.count("Not available now: No new servers start: new disks.") == 1


def test_a_card_before_a_maintenance_proposes_what_there_is_time_for() -> None:
    now = datetime.now(timezone.utc)
    closed = ReservationRecord(
        name="upgrade",
        start=now + timedelta(minutes=92),
        end=now + timedelta(hours=9),
        nodes=("a",),
        users=("root",),
        flags=frozenset({"MAINT"}),
    )
    facts = make_facts([make_node("a")], [make_partition("p", "a")])
    soon_closed = Offer.from_facts(replace(facts, reservations=(closed,)), SiteLimits(), now=now)
    hours = {"max": 4, "min": 0.5}
    may = allowed(profile(partition="p", hours={**hours, "default": 2}, memory="free"))
    page = drawn(soon_closed, may)
    assert "Maintenance of partition p begins at" in page.text
    assert "Not available now" not in page.text
    proposed = TimeLimit.parse(page.named("lab.hours")["value"] or "")
    assert 60 <= (proposed.minutes or 0) <= 90
    assert page.named("lab.memory")["value"]
    # Less than the profile allows is no proposal, nor is it where there is no choice.
    for never in ({"min": 2, "max": 4}, 2):
        assert "Not available now" in drawn(soon_closed, allowed(profile(hours=never))).text


def test_bounds_are_written_as_the_reader_writes_them(offer: Offer) -> None:
    may = allowed(profile(hours={"min": 0.5, "max": 2}))
    with spoken("fr"):
        assert "0,5" in drawn(offer, may).text
    assert "From 0.5 to 2." in drawn(offer, may).text


def test_the_card_that_is_meant_says_so(offer: Offer) -> None:
    may = allowed(profile("a", cpus={"max": 4}), profile("b", cpus={"max": 4}))
    page = drawn(offer, may, filled_first(offer, may, {"profile": "b"}))
    assert page.text.count("Chosen") == 1
    assert page.text.index("The a") < page.text.index("The b") < page.text.index("Chosen")


def test_a_card_whose_partition_is_not_there_is_not_shown(offer: Offer) -> None:
    page = drawn(offer, allowed(profile("a", partition="gone"), profile("b", partition="cpu")))
    assert "The a" not in page.text
    assert "The b" in page.text
    some = allowed(profile("a", partition={"choices": ["gone", "cpu"]}))
    assert "The a" in drawn(offer, some).text


def test_without_facts_cards_are_shown(offer: Offer) -> None:
    may = allowed(profile(cpus={"max": 4}, partition="gone"), everything=False)
    page = drawn(None, may)
    assert "The cluster does not answer at the moment." in page.text
    assert page.named("lab.cpus")["value"] == "4"


def test_a_problem_stands_beside_its_field(offer: Offer) -> None:
    problems = (Problem("cpus", "9", "Too many."), Problem("hours", "7", "Not here."))
    filling = Filling("lab", {"lab": Filled({"cpus": ["9"]}, problems)})
    page = drawn(offer, allowed(profile(cpus={"max": 4}), profile("other", cpus="free")), filling)
    cpus = page.named("lab.cpus")
    assert cpus["value"] == "9"
    assert cpus["aria-invalid"] == "true"
    assert "slurmhub-card-lab-cpus-error" in str(cpus["aria-describedby"]).split()
    assert page.named("other.cpus").get("aria-invalid") is None
    assert "slurmhub-card-problems" in page.ids()
    links = [attrs["href"] for tag, attrs in page.found if tag == "a"]
    assert links == ["#slurmhub-card-lab-cpus"]
    assert "The lab: “7”: Not here." in page.text


def test_free_fields_choose_from_what_there_is(offer: Offer) -> None:
    page = drawn(offer, allowed(profile(partition="free", gpu_type="free"), everything=False))
    values = [attrs["value"] for tag, attrs in page.found if tag == "option"]
    assert values == [*offer.names, "", *offer.gpu_types]


def test_a_list_without_a_choice_is_not_asked_for(offer: Offer) -> None:
    lab = profile(account="free", qos="free", reservation="free", cpus="free")
    page = drawn(offer, allowed(lab, everything=False))
    names = [str(attrs["name"]) for _, attrs in page.found if "name" in attrs]
    assert [name for name in names if name.startswith("lab.")] == ["lab.cpus"]


def test_pictures_come_from_the_hub(offer: Offer) -> None:
    lab = read_profiles([profile(cpus=1) | {"picture": "gpu"}]).allowed([])
    assert [tag for tag, _ in drawn(offer, lab).found].count("svg") == 1
    filed = lab.profiles[0].model_copy(update={"picture": "course.svg"})
    page = drawn(offer, Allowed((filed,), None))
    (image,) = [attrs for tag, attrs in page.found if tag == "img"]
    assert (image["src"], image["alt"]) == ("/hub/slurmhub/pictures/course.svg", "")


@pytest.mark.parametrize("name", ["src", "href", "action", "formaction", "onclick"])
def test_nothing_is_loaded_from_elsewhere(offer: Offer, name: str) -> None:
    lab = profile(cpus={"max": 2}) | {"picture": "course"}
    for _, attrs in drawn(offer, allowed(lab)).found:
        value = attrs.get(name)
        assert value is None or value.startswith(("/hub/slurmhub/", "#"))


def test_words_of_the_site_are_texts(offer: Offer) -> None:
    hostile = "</legend><script>alert(1)</script> {{ 7*7 }}"
    lab = profile(cpus=1) | {"title": hostile, "words": hostile}
    page = drawn(offer, allowed(lab))
    assert [tag for tag, _ in page.found].count("script") == [
        tag for tag, _ in drawn(offer, allowed(profile(cpus=1))).found
    ].count("script")
    assert page.text.count("{{ 7*7 }}") >= 2


def test_the_words_of_the_readers_language(offer: Offer) -> None:
    lab = profile(cpus=1) | {"title": {"en": "Course lab", "fr": "Travaux pratiques"}}
    with spoken("fr"):
        assert "Travaux pratiques" in drawn(offer, allowed(lab)).text
    with spoken("en"):
        assert "Course lab" in drawn(offer, allowed(lab)).text


def test_the_last_card_is_filled_in(offer: Offer) -> None:
    may = allowed(profile(cpus={"max": 4}))
    page = drawn(offer, may, filled_first(offer, may, {"profile": "lab", "cpus": 3}))
    assert page.named("lab.cpus")["value"] == "3"


def test_hidden_fields_are_not_shown(offer: Offer) -> None:
    may = read_profiles([], hidden=["hours", "gpus", "gpu_type"]).allowed([])
    page = draw_page(offer, may, NOTHING, around=AROUND)
    assert 'name="gpus"' not in page
    before, _, _ = page.partition('<label class="form-label" for="slurmhub-hours">')
    assert before.rstrip().endswith('<div class="col-12" hidden>')


Make = Callable[..., Any]


def test_fifty_cards_of_a_large_cluster_are_drawn_soon(
    offer_of: Make, node: Make, partition: Make
) -> None:
    nodes = [node(f"n{i}", cpus=8 + i % 5) for i in range(2000)]
    parts = [partition(f"p{i}", *(f"n{j}" for j in range(i, 2000, 40))) for i in range(40)]
    large = offer_of(nodes, parts)
    may = allowed(*(profile(f"p{i}", cpus="free", hours=1) for i in range(50)), everything=False)
    text = draw_page(large, may, NOTHING, around=AROUND)
    assert text.count("<fieldset") == 50
