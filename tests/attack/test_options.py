"""Hostile option values, as any door may bring them: refused in words, or harmless."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from html.parser import HTMLParser
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from slurmhub.options.fields import read_hours, read_memory
from slurmhub.options.form import render_form
from slurmhub.options.limits import SiteLimits
from slurmhub.options.offer import Offer
from slurmhub.options.partitions import Free, NodeShape, PartitionOffer, ReservationOffer
from slurmhub.options.reading import prefill, read_request
from slurmhub.options.refusal import Problem, Refusal
from slurmhub.options.request import FIELDS, JobRequest
from slurmhub.options.terms import AccountChoice, QosChoice, ReservationTerms
from slurmhub.slurm.accounting import JobLimits
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit

SHORT = QosChoice(name="short", default=True, limits=JobLimits())
SMALL = QosChoice(name="small", default=False, limits=JobLimits(cpus=3, time=TimeLimit(7200)))
ACCOUNTS = tuple(
    AccountChoice(name=name, default=default, qos=qos, usual_qos=usual, limits=JobLimits())
    for name, default, qos, usual in (
        ("physics", True, (SHORT,), "short"),
        ("chem", False, (SHORT, SMALL), ""),
    )
)
CLASS = ReservationOffer(
    terms=ReservationTerms(name="class", start=None, end=None, accounts=("chem",)),
    shapes=(NodeShape(4, Memory(8000), features=("ib",)),),
)
CPU = PartitionOffer(
    name="cpu",
    shapes=(NodeShape(8, Memory(16000), features=("avx", "ib")), NodeShape(2, Memory(64000))),
    accounts=ACCOUNTS,
    reservations=(CLASS,),
    time_bound=TimeLimit.parse("8:00:00"),
    default_time=TimeLimit.parse("1:00:00"),
    memory_per_cpu=Memory(32000),
    free=Free(3, 8),
)
GPU = PartitionOffer(
    name="gpu",
    shapes=(
        NodeShape(8, Memory(64000), (("a100", 2), ("h100", 4)), 6),
        NodeShape(64, Memory(256000)),
    ),
    time_bound=TimeLimit.parse("1-0"),
    default_time=TimeLimit.parse("2:00:00"),
    free=Free(70, 72, (("a100", 2, 2), ("h100", 0, 4))),
)
OFFER = Offer(
    taken_at=datetime(2026, 1, 31, tzinfo=timezone.utc),
    partitions=(CPU, GPU),
    closed=(),
    default="cpu",
    limits=SiteLimits(),
)

NASTY = [
    "4\n#SBATCH --uid=0",
    "gpu\n",
    "\r\nSet-Cookie: a=b",
    "$(reboot)",
    "`id`",
    "'; rm -rf / #",
    '"',
    "'",
    "{{ 7*7 }}",
    "{% for x in y %}",
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</option></select><b>",
    "-->",
    "&lt;b&gt;",
    "\x00",
    "4\x00",
    "\u202egpu",
    "\ud800",
    "\uff14",
    "٤",
    "²",
    "1e3",
    "-1",
    "UNLIMITED",
    "NaN",
    "9" * 5000,
    "x" * 100_000,
    "gpu,cpu",
    "--uid=0",
    "%j",
    "../..",
]

scalars = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=200),
    st.integers(),
    st.integers(0, 70),
    st.floats(),
    st.booleans(),
    st.none(),
    st.binary(max_size=20),
    st.just(10**4000),
)
nested = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
plausible = {
    "partition": st.sampled_from(["cpu", "gpu", "nope"]),
    "account": st.sampled_from(["", "physics", "chem", "bio"]),
    "qos": st.sampled_from(["", "short", "small", "huge"]),
    "reservation": st.sampled_from(["", "class", "none"]),
    "features": st.sampled_from(["", "avx", "ib,avx", ["ib"], ["avx", "ib"], "a&b", []]),
    "cpus": st.integers(0, 70) | st.integers(0, 70).map(str),
    "memory": st.sampled_from(["1", "4.5", "4000M", "300", 16, 15.9, "100G", "1K"]),
    "gpu_type": st.sampled_from(["", "none", "h100", "a100", "v100"]),
    "gpus": st.integers(0, 7) | st.integers(0, 7).map(str),
    "hours": st.sampled_from(["0.01", "2", 8, "30:00", "1-0", "1-0:01", "24", 25]),
}
plausible_raw = st.fixed_dictionaries({}, optional={**plausible})
hostile_raw = st.one_of(
    st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=20) | st.integers(), nested),
    st.builds(
        lambda good, field, bad: {**good, field: bad},
        plausible_raw,
        st.sampled_from(FIELDS),
        nested | st.lists(scalars, max_size=2),
    ),
    plausible_raw,
    nested,
)

GOOD: dict[str, object] = {
    "partition": "gpu",
    "cpus": 4,
    "memory": "8",
    "gpu_type": "h100",
    "gpus": 1,
    "hours": "2",
}

many = settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
some = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def attempt(raw: object, previous: Any = None, offer: Offer | None = OFFER) -> JobRequest | Refusal:
    """The request, or the refusal; any other exception is the failure that is looked for."""
    try:
        return read_request(raw, offer, previous=previous)
    except Refusal as refusal:
        return refusal


def inside(request: JobRequest) -> bool:
    """Whether one node has it all: counted here anew, apart from the code under attack."""
    partition = {"cpu": CPU, "gpu": GPU}[request.partition]
    per_cpu = partition.memory_per_cpu
    held = request.reservation == "class"
    if request.qos == "small" and (request.cpus > 3 or request.time > TimeLimit(7200)):
        return False
    return (
        _terms_are_there(request)
        and 0 < (request.time.seconds or 0) <= (partition.max_time.seconds or 0)
        and (per_cpu is None or request.memory.mebibytes <= per_cpu.mebibytes * request.cpus)
        and any(
            1 <= request.cpus <= shape.cpus
            and 1 <= request.memory.mebibytes <= shape.memory.mebibytes
            and 0
            <= request.gpus
            <= sum(count for name, count in shape.gpus if request.gpu_type in (None, name))
            and set(request.features) <= set(shape.features)
            for shape in (CLASS.shapes if held else partition.shapes)
        )
    )


def _terms_are_there(request: JobRequest) -> bool:
    if request.partition == "gpu":
        return (request.account, request.qos, request.reservation) == (None, None, None)
    return (
        request.account in (None, "physics", "chem")
        and request.qos
        in ((None, "short", "small") if request.account == "chem" else (None, "short"))
        and request.reservation in (None, "class")
        and (request.reservation is None or request.account == "chem")
    )


def test_the_case_that_must_work() -> None:
    request = read_request(GOOD, OFFER)
    assert OFFER.allows(request)
    assert request.stored() == GOOD | {"memory": "8192M", "hours": "02:00:00"}


@many
@given(raw=hostile_raw, previous=st.none() | hostile_raw)
@example(raw={"partition": "gpu\n#SBATCH --uid=0"}, previous=None)
@example(raw={"hours": "-1"}, previous={"hours": "UNLIMITED"})
@example(raw={"account": "physics"}, previous={"reservation": "class"})
def test_whatever_comes_is_refused_in_words_or_inside_the_offer(raw: object, previous: Any) -> None:
    result = attempt(raw, previous)
    if isinstance(result, JobRequest):
        assert inside(result)
        assert OFFER.allows(result)
        assert result.partition in OFFER.names
        assert result.gpu_type in (None, "a100", "h100")
        assert read_request(result.stored(), OFFER) == result
        assert read_request(json.loads(json.dumps(result.stored())), OFFER) == result
        assert read_request({k: [str(v)] for k, v in result.stored().items()}, OFFER) == result
        assert read_request(result.as_typed(), OFFER) == result
    else:
        assert result.problems
        assert len(result.message().splitlines()) == len(result.problems)
        # What is said goes to logs, headers and pages.
        assert all(line.isprintable() for line in str(result).split("\n"))
        assert all(len(problem.value) <= 80 for problem in result.problems)
        assert {problem.field for problem in result.problems} <= {*FIELDS, "options"}
        json.dumps([problem.as_json() for problem in result.problems]).encode()


@many
@given(raw=plausible_raw, previous=st.none() | plausible_raw)
def test_what_is_stated_is_never_changed(raw: dict[str, Any], previous: Any) -> None:
    result = attempt(raw, previous)
    if isinstance(result, JobRequest):
        stored = result.stored()
        for name in ("partition", "cpus", "gpus"):
            assert str(raw.get(name, stored[name])) == str(stored[name])
        if raw.get("gpu_type") in ("h100", "a100"):
            assert stored["gpu_type"] == raw["gpu_type"]
        assert result.memory == read_memory(raw.get("memory", stored["memory"]))
        assert result.time == read_hours(raw.get("hours", stored["hours"]))
    else:
        # Last time's options and the defaults never refuse a request; a type alone is one GPU.
        implied = {"gpus"} if "gpu_type" in raw else set()
        assert {problem.field for problem in result.problems} <= {*raw} | implied


@many
@given(previous=hostile_raw)
def test_old_options_never_refuse(previous: Any) -> None:
    assert inside(read_request({}, OFFER, previous=previous))


@some
@given(raw=hostile_raw)
def test_without_an_offer_everything_is_refused(raw: object) -> None:
    assert isinstance(attempt(raw, offer=None), Refusal)


class Tree(HTMLParser):
    """The shape of a fragment: tags, names of attributes, and the values that are our own."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.shape: list[object] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Which of our own options is selected is all that a value may decide.
        names = [name for name, _ in attrs if name not in ("selected", "checked")]
        own = [(n, v) for n, v in attrs if n in names and (n != "value" or tag == "option")]
        self.shape.append((tag, names, own))

    def handle_endtag(self, tag: str) -> None:
        self.shape.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        self.shape.append("comment")

    def handle_decl(self, decl: str) -> None:
        self.shape.append("declaration")

    def handle_pi(self, data: str) -> None:
        self.shape.append("instruction")

    def unknown_decl(self, data: str) -> None:
        self.shape.append("unknown declaration")


def drawn(offer: Offer | None, values: Mapping[str, object], said: str, notes: list[str]) -> str:
    problems = [
        Problem(field, said, said, limit=said, choices=(said,)) for field in (*notes, "options")
    ]
    text = render_form(offer, values, problems, unavailable=said)
    # A page that cannot be encoded would be an error page.
    text.encode()
    return text


def test_the_tree_is_seen() -> None:
    benign, other = (Tree(f"<p>{inside}</p>").shape for inside in ("x", "<b>x</b>"))
    assert benign != other


@settings(many, max_examples=600)
@given(
    value=scalars,
    said=st.sampled_from([n for n in NASTY if n.isprintable()])
    | st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    field=st.sampled_from(FIELDS),
    known=st.booleans(),
)
def test_no_value_changes_the_markup(value: object, said: str, field: str, known: bool) -> None:
    offer = OFFER if known else None
    benign = Tree(drawn(offer, {**GOOD, field: "2"}, "plain words", [field])).shape
    for given_as in (value, [value]):
        hostile = drawn(offer, {**GOOD, field: given_as}, said, [field])
        assert Tree(hostile).shape == benign


def test_no_value_is_a_template() -> None:
    for values in ({"memory": "{{ 7*7 }}"}, {"memory": "{% raw %}"}):
        text = render_form(OFFER, values, [Problem("memory", values["memory"], "{{ 8*8 }}")])
        assert f'value="{values["memory"]}"' in text
        assert "{{ 8*8 }}" in text


@some
@given(raw=hostile_raw, previous=st.none() | hostile_raw, known=st.booleans())
def test_a_link_only_ever_prefills(raw: Any, previous: Any, known: bool) -> None:
    offer = OFFER if known else None
    values, notes = prefill(raw, offer, previous=previous)
    assert set(values) <= set(FIELDS)
    assert all(value.isprintable() and len(value) <= 80 for value in values.values())
    render_form(offer, values, notes).encode()
    if known and not notes:
        assert inside(read_request(values, OFFER))


def test_a_good_link_fills_the_form() -> None:
    values, notes = prefill({f"opt-{name}": [str(value)] for name, value in GOOD.items()}, OFFER)
    assert not notes
    assert read_request(values, OFFER) == read_request(GOOD, OFFER)
