"""The form as HTML: labelled, filled in, with each problem at its field."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import Any

import pytest
from tests.unit.options.conftest import make_facts, make_node, make_partition

from slurmhub.options.form import render_form
from slurmhub.options.limits import SiteLimits
from slurmhub.options.offer import Offer
from slurmhub.options.reading import prefill, read_request
from slurmhub.options.refusal import Refusal
from slurmhub.options.terms import Rights
from slurmhub.slurm.accounting import Association, JobLimits, QosRecord
from slurmhub.slurm.records import ClusterFacts
from slurmhub.slurm.reservations import ReservationRecord
from slurmhub.slurm.times import TimeLimit

Make = Callable[..., Any]
VOID = {"input", "br", "hr", "img", "link", "meta"}


class Page(HTMLParser):
    """Elements with their attributes and text, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.scripts: dict[str, str] = {}
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
        if "script" in self.open:
            name = str(self.elements[-1][1].get("id", ""))
            self.scripts[name] = self.scripts.get(name, "") + data
        if "script" not in self.open:
            self.text += data

    def said(self) -> str:
        return " ".join(self.text.split())

    def data(self, name: str) -> Any:
        return json.loads(self.scripts[name])

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
    assert page.data("slurmhub-offer")["partitions"]["cpu"]["shapes"][0]["cpus"] == 8


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


def test_accounts_and_the_like_appear_only_where_there_is_a_choice(offer: Offer) -> None:
    assert not {"account", "qos", "reservation", "features"} & set(
        fields_of(render_form(offer, {}))
    )
    one = Association(account="physics", qos=("normal",))
    poor = Rights(name="bob", known=True, associations=(one,), default_account="physics")
    page = render_form(Offer.from_facts(terms_facts(), SiteLimits(), poor, now=NOW), {})
    assert not {"account", "qos", "reservation"} & set(fields_of(page))
    assert {"account", "qos", "reservation", "features"} <= set(fields_of(render_form(rich(), {})))
    site = SiteLimits(account="physics", qos="normal", reservation="class", choose_features=())
    fixed = Offer.from_facts(terms_facts(), site, RIGHTS, now=NOW)
    assert not {"account", "qos", "reservation", "features"} & set(
        fields_of(render_form(fixed, {}))
    )


def test_what_was_chosen_is_chosen_on_the_form() -> None:
    raw: dict[str, object] = {
        "account": ["chem"],
        "qos": "long",
        "reservation": "class",
        "features": ["ib", "avx512"],
    }
    page = drawn(rich(), raw)
    assert page.selected() == ["cpu", "chem", "long", "class"]
    ticked = [
        a["value"] for _, a in page.elements if a.get("type") == "checkbox" and "checked" in a
    ]
    assert ticked == ["avx512", "ib"]
    legends = [tag for tag, _ in page.elements].count("legend")
    assert legends == 1
    labels = {a["for"] for tag, a in page.elements if tag == "label"}
    boxes = {a["id"] for _, a in page.elements if a.get("type") == "checkbox"}
    assert boxes <= labels


def test_every_box_that_is_wrong_says_so_at_the_group() -> None:
    page = drawn(rich(), {"features": ["gpu9"], "account": "bio"})
    assert "“gpu9”: No node of partition cpu has this feature. Choices: avx512, ib." in page.said()
    links = {a["href"] for tag, a in page.elements if tag == "a"}
    assert links == {"#slurmhub-features", "#slurmhub-account"}
    assert links <= {f"#{one}" for one in page.ids()}
    assert "You have no such account for partition cpu. Choices: physics, chem." in page.said()


def test_rights_that_are_old_or_missing_are_told() -> None:
    old = replace(RIGHTS, stale_seconds=310.0)
    page = Page(render_form(Offer.from_facts(terms_facts(), SiteLimits(), old, now=NOW), {}))
    assert "your accounts and their QOS are as of 5 minutes ago" in page.said()
    none = Rights(name="alice", awaited=True)
    page = Page(render_form(Offer.from_facts(terms_facts(), SiteLimits(), none, now=NOW), {}))
    assert "accounting has not answered yet" in page.said()
    assert "accounting" not in Page(render_form(rich(), {})).said()


def test_the_script_knows_what_the_hub_knows() -> None:
    data = drawn(rich(), {}).data("slurmhub-offer")
    there = data["partitions"]["cpu"]
    assert {shape["cpus"]: shape.get("features") for shape in there["shapes"]} == {
        8: ["avx512"],
        16: ["ib"],
    }
    accounts = {one["name"]: one for one in data["accounts"][there["accounts"]]}
    assert [one["name"] for one in accounts["chem"]["qos"]] == ["normal", "long"]
    assert accounts["chem"]["qos"][1]["limits"] == {"cpus": 4, "time": 240}
    assert data["times"]["240"] == "4 hours"
    assert there["reservations"]["class"]["shapes"][0]["time"] == 120


def fields_of(html: str) -> list[str]:
    return [str(a["name"]) for _, a in Page(html).elements if "name" in a]


def rich() -> Offer:
    return Offer.from_facts(terms_facts(), SiteLimits(), RIGHTS, now=NOW)


def terms_facts() -> ClusterFacts:
    nodes = [make_node("a", features=("avx512",)), make_node("b", cpus=16, features=("ib",))]
    held = ReservationRecord(
        name="class", start=NOW, end=NOW + timedelta(hours=2), nodes=("a",), users=("alice",)
    )
    facts = make_facts(nodes, [make_partition("cpu", "a", "b", default=True)])
    return replace(facts, reservations=(held,))


NOW = datetime(2026, 1, 31, 12, 0, tzinfo=timezone.utc)
RIGHTS = Rights(
    name="alice",
    known=True,
    associations=(
        Association(account="physics", qos=("normal",)),
        Association(account="chem", qos=("long", "normal")),
    ),
    default_account="physics",
    qos={"long": QosRecord(name="long", limits=JobLimits(cpus=4, time=TimeLimit(4 * 3600)))},
    enforced=frozenset({"limits"}),
)
