"""The page's fragment: a card for each profile, then everything, each with its own Start."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from slurmhub.language import Translating, decimal
from slurmhub.options.admission import settle
from slurmhub.options.draining import refuse_while_draining
from slurmhub.options.fields import READERS, NotReadable
from slurmhub.options.form import LABELS, render_form
from slurmhub.options.offer import Offer
from slurmhub.options.profiles import BUILT_IN_PICTURES, Allowed, Profile, SiteProfiles, in_language
from slurmhub.options.reading import shown_value
from slurmhub.options.refusal import Problem, Refusal
from slurmhub.options.request import FIELDS, JobRequest
from slurmhub.options.rules import Bounded, Chosen, Fixed, Free, Rule
from slurmhub.options.sections import Filled, Filling, card_field
from slurmhub.options.words import counted, gpus_said, memory_plain, time_plain

_TEMPLATES = Path(__file__).parents[1] / "web" / "templates"
_COUNTS = ("cpus", "gpus")
# What the empty value of a list stands for.
_NONE_CHOSEN = {"gpu_type": "Any type", "account": "The usual one", "qos": "The usual one"}


@dataclass(frozen=True)
class CardField:
    """An open field of a card; `control` is number, text or select."""

    id: str
    name: str
    label: str
    hint: str
    value: str
    control: str
    problems: tuple[Problem, ...]
    choices: tuple[tuple[str, str, bool], ...] = ()
    least: str | None = None
    most: str | None = None

    @property
    def field(self) -> str:
        """The field that it is, whichever card it is on."""
        return self.name.rpartition(".")[2]

    @property
    def described_by(self) -> str:
        """The ids of the texts that a screen reader reads with the field."""
        parts = ("error",) * bool(self.problems) + ("hint",) * bool(self.hint)
        return " ".join(f"{self.id}-{part}" for part in parts)


@dataclass(frozen=True)
class Card:
    """One profile as the template draws it.

    `has` says what its server gets; `problems` are all that is said of it; `unavailable` is why
    the cluster cannot give it now, empty if it can; `shortened` is why it can for fewer hours than
    the profile has, which the card then proposes.
    """

    name: str
    title: str
    words: str
    picture: str
    built_in: bool
    has: tuple[str, ...]
    fields: tuple[CardField, ...]
    problems: tuple[Problem, ...]
    unavailable: str
    shortened: str
    current: bool

    def field(self, name: str) -> CardField | None:
        """The field of that name, if it is on the card."""
        return next((one for one in self.fields if one.field == name), None)


@dataclass(frozen=True)
class Surroundings:
    """Where the page stands: addresses of the hub's own, empty where it has no such page."""

    share: str = ""
    pictures: str = ""


def draw_page(
    offer: Offer | None,
    allowed: Allowed,
    filling: Filling,
    *,
    around: Surroundings,
    stale_seconds: float | None = None,
) -> str:
    """The fragment for inside the form element of JupyterHub's spawn page.

    All values are escaped; it loads nothing from other hosts and works without its script.
    """
    cards = [
        card
        for profile in allowed.profiles
        if (card := _card(profile, offer, filling, around)) is not None
    ]
    whole = filling.of("")
    everything = None
    if allowed.everything is not None:
        problems = (*whole.problems, *(filling.problems if not cards else ()))
        hidden = [name for name in FIELDS if name not in allowed.everything.fields]
        everything = render_form(
            offer, whole.values, problems, hidden=hidden, stale_seconds=stale_seconds
        )
    return _template().render(
        cards=cards,
        problems=filling.problems if cards or everything is None else (),
        everything=everything,
        everything_open=not cards or filling.current == "",
        offered=offer is not None,
        stale=stale_seconds is not None,
        around=around,
    )


def warm() -> None:
    """Compile the page's templates now rather than for the first person who comes."""
    draw_page(None, SiteProfiles().allowed([]), Filling(None, {}), around=Surroundings())


def _card(
    profile: Profile, offer: Offer | None, filling: Filling, around: Surroundings
) -> Card | None:
    """The card of a profile, or None where its partition is not there for this person."""
    request, unavailable, shortened = None, "", ""
    if offer is not None:
        if _partition_missing(profile, offer):
            return None
        try:
            request, shortened = _proposed(profile, offer)
            refuse_while_draining(request.partition)
        except Refusal as refusal:
            unavailable = " ".join(problem.message for problem in refusal.problems)
    filled = filling.of(profile.name)
    fields = tuple(
        _field(profile, name, filled, request, offer)
        for name in profile.open_fields
        if _is_a_choice(profile, name, offer)
    )
    built_in = profile.picture in BUILT_IN_PICTURES
    return Card(
        name=profile.name,
        title=profile.said_title,
        words=in_language(profile.words),
        picture=profile.picture if built_in else _address(profile, around),
        built_in=built_in,
        has=_has(profile, request),
        fields=fields,
        problems=filled.problems,
        unavailable=unavailable,
        shortened=shortened,
        current=filling.current == profile.name,
    )


def _proposed(profile: Profile, offer: Offer) -> tuple[JobRequest, str]:
    """What the card fills in, and why that is for fewer hours than the profile has, if it is.

    Raises Refusal.
    """
    try:
        return settle(profile, {}, offer), ""
    except Refusal as refusal:
        (problem, *others) = refusal.problems
        # The nodes are closed soon, and the person may ask for less.
        if others or problem.field != "hours" or not problem.choices:
            raise
        if "hours" not in profile.open_fields:
            raise
        return settle(profile, {"hours": problem.choices[0]}, offer), problem.message


def _address(profile: Profile, around: Surroundings) -> str:
    return f"{around.pictures}{profile.picture}" if profile.picture and around.pictures else ""


def _partition_missing(profile: Profile, offer: Offer) -> bool:
    rule = profile.fields.get("partition")
    if isinstance(rule, Fixed):
        names: tuple[str, ...] = (rule.value,)
    elif isinstance(rule, Chosen):
        names = rule.choices
    else:
        return False
    return not any(name in offer.names or offer.why_closed(name) is not None for name in names)


def _has(profile: Profile, request: JobRequest | None) -> tuple[str, ...]:
    """What its server gets, of what cannot be chosen, for people who know no partitions."""
    if request is None:
        return ()
    parts = {
        "cpus": counted(request.cpus, "CPU"),
        "memory": f"{memory_plain(request.memory)} of memory",
        "gpus": gpus_said(request.gpus, request.gpu_type),
        "hours": time_plain(request.time),
    }
    return tuple(
        said
        for name, said in parts.items()
        if name not in profile.open_fields and not (name == "gpus" and not request.gpus)
    )


def _field(
    profile: Profile, name: str, filled: Filled, request: JobRequest | None, offer: Offer | None
) -> CardField:
    rule = profile.fields[name]
    identity = f"slurmhub-card-{profile.name}-{name.replace('_', '-')}"
    start = rule.start if isinstance(rule, (Bounded, Chosen)) else ""
    usual = request.as_typed().get(name, start) if request is not None else start
    value = shown_value(filled.values[name]) if name in filled.values else usual
    choices = _choices(name, rule, offer, value)
    control = "number" if name in _COUNTS else "text"
    least, most = (rule.least, rule.most) if isinstance(rule, Bounded) else (None, None)
    return CardField(
        id=identity,
        name=card_field(profile.name, name),
        label=LABELS[name],
        hint=_hint(least, most),
        value=value,
        control="select" if choices else control,
        problems=tuple(problem for problem in filled.problems if problem.field == name),
        choices=choices,
        least=least or ("1" if name == "cpus" else "0" if name == "gpus" else None),
        most=most,
    )


def _choices(
    name: str, rule: Rule, offer: Offer | None, value: str
) -> tuple[tuple[str, str, bool], ...]:
    """Values, their words, and which is chosen, where there is a list to choose from."""
    if isinstance(rule, Chosen):
        listed: tuple[str, ...] | None = rule.choices
    else:
        listed = _listed(name, offer)
    words = {"": _NONE_CHOSEN.get(name, "None")}
    return tuple((one, words.get(one, one), _same(name, one, value)) for one in listed or ())


def _listed(name: str, offer: Offer | None) -> tuple[str, ...] | None:
    """What there is to choose from in a free field, or None where it is no list."""
    if offer is None:
        return None
    if name == "partition":
        return offer.names
    lists = {
        "account": offer.accounts,
        "qos": offer.qos,
        "reservation": offer.reservations,
        "gpu_type": offer.gpu_types,
    }
    return ("", *lists[name]) if name in lists else None


def _is_a_choice(profile: Profile, name: str, offer: Offer | None) -> bool:
    """Whether an open field is worth asking for: a free list of one is not."""
    listed = _listed(name, offer) if isinstance(profile.fields[name], Free) else None
    return listed is None or len(listed) > 1


def _same(name: str, one: str, other: str) -> bool:
    """Whether two texts say the same, such as 2 and 2G of memory."""
    try:
        return READERS[name](one) == READERS[name](other)
    except NotReadable:
        return one == other


def _hint(lowest: str | None, highest: str | None) -> str:
    least, most = (None if one is None else decimal(one) for one in (lowest, highest))
    if least is not None and most is not None:
        return f"From {least} to {most}."
    if most is not None:
        return f"At most {most}."
    return f"At least {least}." if least is not None else ""


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=[Translating],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("slurmhub_cards.html")
