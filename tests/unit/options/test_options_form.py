"""The form as HTML: labelled, filled in, with each problem at its field."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from slurmhub.options import Offer, Refusal, prefill, read_request, render_form

Make = Callable[..., Any]
VOID = {"input", "br", "hr", "img", "link", "meta"}


class Page(HTMLParser):
    """Elements with their attributes and text, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "script" not in self.open:
            self.text += data

    def said(self) -> str:
        return " ".join(self.text.split())

    def field(self, name: str) -> dict[str, str | None]:
        return next(attributes for _, attributes in self.elements if attributes.get("name") == name)

    def selected(self) -> list[str | None]:
        return [a["value"] for tag, a in self.elements if tag == "option" and "selected" in a]

    def ids(self) -> list[str]:
        return [str(attributes["id"]) for _, attributes in self.elements if "id" in attributes]


def drawn(offer: Offer | None, raw: dict[str, object], **more: Any) -> Page:
    try:
        read_request(raw, offer)
        problems: tuple[Any, ...] = ()
    except Refusal as refusal:
        problems = refusal.problems
    return Page(render_form(offer, raw, problems, **more))


def test_every_field_has_a_label_and_a_description(offer: Offer) -> None:
    page = Page(render_form(offer, {}))
    fields = [a for tag, a in page.elements if tag in ("input", "select")]
    assert {a["name"] for a in fields} == {
        "partition",
        "cpus",
        "memory",
        "gpus",
        "gpu_type",
        "hours",
    }
    labels = {a["for"] for tag, a in page.elements if tag == "label"}
    assert labels == {a["id"] for a in fields}
    for attributes in fields:
        assert set(str(attributes["aria-describedby"]).split()) <= set(page.ids())
        assert "aria-invalid" not in attributes
    assert len(page.ids()) == len(set(page.ids()))


def test_defaults_are_filled_in(offer: Offer) -> None:
    page = Page(render_form(offer, {}))
    assert page.selected() == ["cpu", ""]
    typed = {name: page.field(name)["value"] for name in ("cpus", "memory", "gpus", "hours")}
    assert typed == {"cpus": "1", "memory": "2", "gpus": "0", "hours": "1"}
    assert (page.field("cpus")["max"], page.field("gpus")["max"]) == ("64", "6")


def test_a_prefilled_form_shows_the_values(offer: Offer) -> None:
    values, notes = prefill({"partition": "mixed", "gpus": "2", "gpu_type": "a100"}, offer)
    page = Page(render_form(offer, values, notes))
    assert page.selected() == ["mixed", "a100"]
    assert page.field("gpus")["value"] == "2"


def test_options_say_what_partitions_have(offer: Offer) -> None:
    page = Page(render_form(offer, {}))
    assert "gpu: up to 8 CPUs, 64 GB; GPUs: 4 \u00d7 h100; up to 24 hours" in page.said()
    assert "3 of 8 CPUs free" in page.said()
    offers = [
        json.loads(str(a["data-slurmhub-offer"]))
        for _, a in page.elements
        if "selected" in a and "data-slurmhub-offer" in a
    ]
    assert offers[0]["shapes"][0]["cpus"] == 8


def test_problems_stand_at_their_fields_and_at_the_top(offer: Offer) -> None:
    page = drawn(offer, {"partition": "gpu", "cpus": ["99"], "hours": ["x"], "odd": ["1"]})
    for name in ("cpus", "hours"):
        field = page.field(name)
        assert field["aria-invalid"] == "true"
        assert "is-invalid" in str(field["class"])
        assert f"{field['id']}-error" in str(field["aria-describedby"]).split()
        assert f"{field['id']}-error" in page.ids()
    assert "aria-invalid" not in page.field("memory")
    links = [a["href"] for tag, a in page.elements if tag == "a"]
    assert links == ["#slurmhub-cpus", "#slurmhub-hours"]
    assert "“99”: One job in partition gpu can have at most 8 CPUs." in page.said()
    assert "“odd”: There is no such option." in page.said()
    assert page.field("cpus")["value"] == "99"
    assert page.selected()[0] == "gpu"


def test_an_unknown_partition_says_which_there_are(offer: Offer) -> None:
    page = drawn(offer, {"partition": "<b>"})
    assert page.selected()[0] == "cpu"
    assert page.field("partition")["aria-invalid"] == "true"
    assert "“<b>”" in page.said()


def test_choices_are_listed_beside_the_field(offer: Offer) -> None:
    page = drawn(offer, {"partition": "gpu", "gpu_type": "a100"})
    assert "Choices: h100." in page.said()


def test_no_gpu_fields_where_there_are_no_gpus(offer_of: Make, node: Make, partition: Make) -> None:
    offer = offer_of([node("a")], [partition("p", "a")])
    page = drawn(offer, {"gpus": "1"})
    assert "gpus" not in [a.get("name") for _, a in page.elements]
    assert [tag for tag, _ in page.elements].count("a") == 0
    assert "Partition p has no GPUs" in page.said()


def test_old_numbers_say_how_old(offer: Offer) -> None:
    page = Page(render_form(offer, {}, stale_seconds=310.0))
    assert "as of 5 minutes ago" in page.said()
    assert "as of" not in Page(render_form(offer, {})).said()
    for odd in (-5.0, float("inf"), 0.0):
        assert "ago" in Page(render_form(offer, {}, stale_seconds=odd)).said()


def test_without_an_offer_every_field_takes_text() -> None:
    page = Page(render_form(None, {"cpus": ["2"]}, unavailable="Slurm <sleeps>."))
    fields = [a for tag, a in page.elements if tag in ("input", "select")]
    assert [a["type"] for a in fields] == ["text"] * 6
    assert page.field("cpus")["value"] == "2"
    assert "does not answer" in page.said()
    assert "Slurm <sleeps>." in page.said()


def test_without_partitions_the_reasons_are_told(offer_of: Make, partition: Make) -> None:
    page = drawn(offer_of([], [partition("p", up=False)]), {})
    assert "p is closed" in page.said()
    assert [tag for tag, _ in page.elements if tag in ("input", "select")] == []


def test_nodes_that_are_all_down_are_told(offer_of: Make, node: Make, partition: Make) -> None:
    offer = offer_of([node("a", usable=False)], [partition("p", "a")])
    assert "all its nodes are down" in Page(render_form(offer, {})).said()


@pytest.mark.parametrize("name", ["src", "href", "action", "style", "onclick"])
def test_nothing_is_loaded_or_hooked(offer: Offer, name: str) -> None:
    page = drawn(offer, {"cpus": "99"})
    values = [str(a[name]) for _, a in page.elements if name in a]
    assert all(value.startswith("#slurmhub-") for value in values)


def test_the_form_as_drawn_is_accepted(offer: Offer) -> None:
    page = Page(render_form(offer, {"partition": "gpu", "gpus": ["1"]}))
    sent = {str(a["name"]): [str(a["value"])] for tag, a in page.elements if tag == "input"} | dict(
        zip(("partition", "gpu_type"), ([v] for v in page.selected()), strict=True)
    )
    assert read_request(sent, offer).gpus == 1
